"""Events at which many families answer an open link in one place, and decisions about responses in bursts."""

from flask import abort, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import RadioField, SelectField, ValidationError
from wtforms.validators import DataRequired

from engage.domain.intake.burst_marks import announced_events, find_burst_decision, marked_days, needs_burst_decision
from engage.sites.district.blueprint import blueprint
from engage.sites.district.waves import require_family_wave
from engage.storage.engine import read_session, write_session
from engage.storage.models.bursts import COUNT_REASONS, AnnouncedEvent, BurstDecision
from engage.storage.models.waves import Wave
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.forms import BaseForm, DayField
from engage.web.page_language import gettext
from engage.web.permissions import enters, person


class EventForm(BaseForm):
    """A school and the day of an event of a wave."""

    school = SelectField(validators=[DataRequired()])
    day = DayField()

    def __init__(self, wave: Wave) -> None:
        super().__init__()
        self.wave = wave
        self.school.choices = [("", ""), *((school.id, school.name) for school in wave.schools)]

    def validate_day(self, field: DayField) -> None:
        """The day must be within the wave and not in the past. Raises ValidationError."""
        if not (field.data and max(runtime().today(), self.wave.opens) <= field.data <= self.wave.closes):
            # translators: staff form: the day of an event at a school where families answer
            raise ValidationError(gettext("Choose a date from today to the last day of the survey."))


class DecisionForm(BaseForm):
    """The reason why marked responses are counted or not."""

    reason = RadioField()

    def __init__(self) -> None:
        super().__init__()
        self.reason.choices = list(decision_reasons().items())


@blueprint.get("/waves/<wave_id>/events")
@enters("open waves")
def wave_events(wave_id: str) -> str:
    """The announced events, and the form to announce one."""
    with read_session(runtime().engine) as session:
        wave = _require_open_wave(session, wave_id)
        return _render_events(session, wave, EventForm(wave))


@blueprint.post("/waves/<wave_id>/events")
@enters("open waves")
def announce_event(wave_id: str) -> Response | tuple[str, int]:
    """Announce an event, at the latest on its day."""
    with write_session(runtime().engine) as session:
        wave = _require_open_wave(session, wave_id)
        form = EventForm(wave)
        if not form.validate():
            return _render_events(session, wave, form), 422
        school, day = form.school.data, form.day.data or runtime().today()
        if (school, day) not in announced_events(session, wave.id):
            event = AnnouncedEvent(wave_id=wave.id, school_id=school, day=day)
            event.announced_by, event.announced_on = person().id, runtime().today()
            session.add(event)
            log_event(session, "announce event", about=wave.id, school=school, day=day.isoformat())
        session.commit()
    # translators: shown to staff after they announced an event at a school where many families answer
    flash(gettext("The event was announced. Responses from that school on that day will not be flagged."))
    return redirect(url_for("district.wave_events", wave_id=wave_id))


@blueprint.get("/waves/<wave_id>/bursts")
@enters("see summaries")
def wave_bursts(wave_id: str) -> str:
    """The number of responses in bursts by day, and the decision."""
    with read_session(runtime().engine) as session:
        return _render_bursts(session, _require_open_wave(session, wave_id), DecisionForm())


@blueprint.post("/waves/<wave_id>/bursts")
@enters("manage checkpoints")
def decide_bursts(wave_id: str) -> Response | tuple[str, int]:
    """Store the decision whether marked responses are counted; it is final."""
    form = DecisionForm()
    with write_session(runtime().engine) as session:
        wave = _require_open_wave(session, wave_id)
        session.refresh(wave, with_for_update=True)
        if not needs_burst_decision(session, wave.id):
            return _render_bursts(session, wave, form), 409
        if not form.validate():
            return _render_bursts(session, wave, form), 422
        decision = BurstDecision(wave_id=wave.id, counted=form.reason.data in COUNT_REASONS, reason=form.reason.data)
        decision.decided_by, decision.decided_on = person().id, runtime().today()
        session.add(decision)
        wave.edits += 1  # so that the wave's columns are rebuilt
        log_event(session, "decide on bursts", about=wave.id, counted=int(decision.counted), reason=decision.reason)
        session.commit()
    # translators: shown to staff after they decided whether responses that came in bursts count
    flash(gettext("The decision was saved. It is shown next to the results, for families too."))
    return redirect(url_for("district.wave_bursts", wave_id=wave_id))


def decision_reasons() -> dict[str, str]:
    """Labels of the reasons, those for counting first."""
    return {
        # translators: why responses of an open link that came very fast are counted
        "event": gettext("Count them: they came from an event at a school that was not announced."),
        # translators: why responses of an open link that came very fast are counted
        "known_families": gettext("Count them: staff know that families sent them."),
        # translators: why responses of an open link that came very fast are left out of the results
        "not_families": gettext("Leave them out: they were not sent by families."),
        # translators: why responses of an open link that came very fast are left out of the results
        "unclear": gettext("Leave them out: no one can tell who sent them."),
    }


def _require_open_wave(session: Session, wave_id: str) -> Wave:
    """The wave; "not found" for one with access codes, or one that families do not answer."""
    wave = require_family_wave(session, wave_id)
    return wave if wave.entry == "open" else abort(404)


def _render_events(session: Session, wave: Wave, form: EventForm) -> str:
    names = {school.id: school.name for school in wave.schools}
    events = sorted((day, names.get(school, school)) for school, day in announced_events(session, wave.id))
    return render_template("district/wave_bursts.html", wave=wave, form=form, events=events)


def _render_bursts(session: Session, wave: Wave, form: DecisionForm) -> str:
    return render_template(
        "district/bursts.html",
        wave=wave,
        form=form,
        days=marked_days(session, wave.id),
        decision=find_burst_decision(session, wave.id),
        reasons=decision_reasons(),
        waiting=needs_burst_decision(session, wave.id),
    )
