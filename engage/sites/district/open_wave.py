"""Opening a wave in the browser."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import Form, RadioField, SelectField, SelectMultipleField

from engage.base.catalogs import catalogue, translation_gaps
from engage.base.languages import LANGUAGES
from engage.services.waves import privacy_notice
from engage.services.waves.opening import NewWave, OpeningConditions, WaveRefused, open_wave
from engage.services.waves.retention import fix_deletion_date
from engage.services.waves.screening import find_unscreened_questions, load_decisions, screening_items
from engage.sites.district.blueprint import blueprint
from engage.sites.district.fields import add_problem
from engage.sites.district.screening import editions
from engage.sites.district.wave_targets import store_named_languages
from engage.storage.engine import read_session, write_session
from engage.storage.models.responses import MODES
from engage.storage.models.schools import School, Wave
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.forms import DayField, LineField
from engage.web.page_language import gettext, language, ltr, ngettext
from engage.web.permissions import enters


class WaveForm(Form):  # type: ignore[misc]  # wtforms has no types
    """What a person decides about a wave. What fits together is judged by services/waves/opening.py, for the command
    line too."""

    survey = SelectField(validate_choice=False)
    title = LineField()
    schools = SelectMultipleField(validate_choice=False)
    languages = SelectMultipleField(validate_choice=False)
    opens = DayField()
    closes = DayField()
    results_on = DayField()
    identity = RadioField(validate_choice=False, default="anonymous")
    entry = RadioField(validate_choice=False, default="open")
    modes = SelectMultipleField(validate_choice=False)
    counting = RadioField(validate_choice=False)
    asked = RadioField(validate_choice=False, default="everyone")

    def wanted(self) -> NewWave:
        """The wave this form describes, languages in the order they are offered."""
        return NewWave(
            title=self.title.data or "",
            schools=tuple(self.schools.data or ()),
            languages=tuple(sorted(self.languages.data or (), key=[*LANGUAGES, *(self.languages.data or ())].index)),
            opens=self.opens.data,
            closes=self.closes.data,
            results_on=self.results_on.data,
            identity=self.identity.data or "",
            entry=self.entry.data or "",
            modes=tuple(self.modes.data or ()),
            counting=self.counting.data or "",
            asked=self.asked.data or "",
        )


@blueprint.get("/waves/new")
@enters("open waves")
def new_wave() -> str:
    """The form."""
    with read_session(runtime().engine) as session:
        return _render_page(
            session, WaveForm(languages=["en"], modes=list(MODES), counting=runtime().settings.counting)
        )


@blueprint.post("/waves/new")
@enters("open waves")
def open_new_wave() -> Response | tuple[str, int]:
    """Open the wave, or say what keeps it from opening."""
    form = WaveForm(request.form)
    with write_session(runtime().engine) as session:
        wave = _open_from_form(session, form) if form.validate() else None
        if wave is None:
            return _render_page(session, form), 422
        log_event(
            session,
            "open wave",
            about=wave.id,
            schools=len(wave.schools),
            identity=wave.identity,
            entry=wave.entry,
            opens=wave.opens.isoformat(),
            closes=wave.closes.isoformat(),
        )
        session.commit()
    # translators: shown to staff after a wave was opened
    flash(gettext("The survey was saved. Families can answer starting on its first day."))
    return redirect(url_for("district.waves"))


def _open_from_form(session: Session, form: WaveForm) -> Wave | None:
    """The wave; None where it is refused, and then the form says why."""
    edition = editions().get(form.survey.data or "")
    if edition is None:
        # translators: staff form
        add_problem(form, "survey", gettext("Choose a questionnaire from the list."))
        return None
    new, words = form.wanted(), catalogue(language().tag)
    screened = load_decisions(session, screening_items(edition.survey("en")))
    try:
        conditions = OpeningConditions(translation_gaps(new.languages), screened)
        wave = open_wave(session, edition, new, runtime().today(), conditions, words)
    except WaveRefused as refused:
        for each in refused.refusals:
            add_problem(form, each.field if each.field in form else "title", each.sentence)
        return None
    store_named_languages(session, wave)
    fix_deletion_date(wave, runtime().settings)
    return wave


def _render_page(session: Session, form: WaveForm) -> str:
    waits, own = translation_gaps(LANGUAGES), privacy_notice.find_untranslated_texts(session, LANGUAGES)
    missing = {tag: len([*waits.get(tag, []), *own.get(tag, [])]) for tag in LANGUAGES}
    schools = session.scalars(select(School).where(School.active).order_by(School.name))
    choices: dict[str, Any] = {
        "surveys": [(slug, edition.survey(language().tag).title) for slug, edition in editions().items()],
        "schools": [(school.id, school.name, "") for school in schools],
        "tongues": [(tag, each.name, _untranslated_note(missing[tag])) for tag, each in LANGUAGES.items()],
        "zone": ltr(runtime().settings.timezone),
        "unscreened": _unscreened_slug(session, form.survey.data or ""),
    }
    return render_template("district/new_wave.html", form=form, **choices)


def _unscreened_slug(session: Session, slug: str) -> str:
    """The slug, where this survey has questions nobody has decided about."""
    edition = editions().get(slug)
    if edition is None:
        return ""
    survey = edition.survey("en")
    return slug if find_unscreened_questions(survey, load_decisions(session, screening_items(survey))) else ""


def _untranslated_note(number: int) -> str:
    if not number:
        return ""
    # translators: beside a language in a list: why it cannot be chosen yet
    return ngettext("%(num)s translation is missing", "%(num)s translations are missing", number)
