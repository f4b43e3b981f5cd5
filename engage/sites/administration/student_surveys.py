"""The switch that allows surveys of students, which is off until an administrator switches it on."""

from dataclasses import dataclass
from datetime import date

from flask import flash, redirect, render_template, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import BooleanField

from engage.services.waves.populations import NOTICE_DAYS, STUDENT
from engage.services.waves.student_surveys import allow_student_surveys, find_switch
from engage.sites.administration.blueprint import blueprint
from engage.storage.engine import read_session, write_session
from engage.storage.models.staff import Staff
from engage.storage.models.waves import Wave
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.edit_forms import EditForm
from engage.web.page_language import gettext
from engage.web.permissions import enters, person


class SwitchForm(EditForm):
    """Whether students may be surveyed."""

    is_on = BooleanField()


@dataclass(frozen=True, slots=True)
class SwitchState:
    """The switch, who changed it last and when, and the surveys of students that have not ended."""

    is_on: bool
    changed_by: str
    changed_on: date | None
    running: list[Wave]


@blueprint.get("/student-surveys")
@enters("allow student surveys")
def student_surveys() -> str:
    """The switch."""
    with read_session(runtime().engine) as session:
        state = _load_state(session)
        return _render_page(state, SwitchForm(data={"is_on": state.is_on}))


@blueprint.post("/student-surveys")
@enters("allow student surveys")
def change_student_surveys() -> Response | tuple[str, int]:
    """Switch surveys of students on or off."""
    with write_session(runtime().engine) as session:
        state = _load_state(session)
        form = SwitchForm(data={"is_on": state.is_on})
        if not form.validate():
            return _render_page(state, form), form.refusal_status
        if form.is_on.data != state.is_on:
            allow_student_surveys(session, bool(form.is_on.data), person().id, runtime().today())
            log_event(session, "allow student surveys", allowed=int(bool(form.is_on.data)))
        session.commit()
    # translators: shown to staff after surveys of students were switched on or off
    flash(gettext("Your choice was saved."))
    return redirect(url_for("administration.student_surveys"))


def _load_state(session: Session) -> SwitchState:
    switch = find_switch(session)
    running = select(Wave).where(Wave.population == STUDENT, Wave.closes >= runtime().today()).order_by(Wave.opens)
    waves = list(session.scalars(running))
    if switch is None:
        return SwitchState(False, "", None, waves)
    by = session.get(Staff, switch.changed_by) if switch.changed_by is not None else None
    return SwitchState(switch.is_on, by.email if by else "", switch.changed_on, waves)


def _render_page(state: SwitchState, form: SwitchForm) -> str:
    return render_template("administration/student_surveys.html", state=state, form=form, notice_days=NOTICE_DAYS)
