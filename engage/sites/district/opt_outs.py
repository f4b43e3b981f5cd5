"""Opt-outs: households that do not want to be asked get no access code and no paper form."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, url_for
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import SelectMultipleField, ValidationError

from engage.domain.intake.access_code_use import lock_codes
from engage.domain.roster.import_state import find_unfinished_import, require_complete_roster
from engage.domain.roster.opt_outs import OPT_OUT_KEY, mark_children, unmark_children
from engage.services.printing.recipients import read_greeting
from engage.services.waves.invitations import find_running_waves, restore_withdrawn_codes, withdraw_codes
from engage.sites.district.blueprint import blueprint
from engage.storage.engine import read_session, write_session
from engage.storage.models.roster import SOURCED_ID, HouseholdStudent, OptOut, Student
from engage.storage.models.schools import Household, School
from engage.storage.models.staff import Staff
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.edit_forms import roster_wait_text
from engage.web.forms import BaseForm, LineField, QueryForm
from engage.web.language_labels import native_name
from engage.web.page_language import gettext
from engage.web.paging import read_page, requested_page
from engage.web.permissions import enters, permitted_schools, person


class OptOutSearch(QueryForm):
    """The student number to search the list for."""

    student_number = LineField()


class OptOutForm(BaseForm):
    """A student of the household, and, if the student has two homes, which of them."""

    student = LineField()
    households = SelectMultipleField()

    def offer(self, homes: Sequence[Household]) -> None:
        """Offer the student's households as choices; a single one needs no choice."""
        self.households.choices = [(home.id, _household_name(home)) for home in homes]
        if len(homes) == 1:
            self.households.data = [homes[0].id]

    def validate_student(self, field: LineField) -> None:
        """The student must have a household. Raises ValidationError."""
        if not field.errors and not self.households.choices:
            # translators: staff form: the number of a student in the district's own system
            raise ValidationError(gettext("No student at your schools has this number."))


@dataclass(frozen=True, slots=True)
class HouseholdLine:
    """A household as staff can identify it. `guardians` is empty if the district stores no names."""

    household: Household
    school: School
    students: list[str]
    guardians: str


@dataclass(frozen=True, slots=True)
class OptOutRow:
    """A household that has opted out."""

    home: HouseholdLine
    out: OptOut
    by: str


@blueprint.get("/opt-outs")
@enters("manage opt-outs")
def opt_outs() -> str:
    """The list, and the form to add to it."""
    with read_session(runtime().engine) as session:
        return _render_page(session, OptOutForm(formdata=None))


@blueprint.post("/opt-outs")
@enters("manage opt-outs")
def opt_out() -> Response | str | tuple[str, int]:
    """Opt out a student's household; if there are two, ask which."""
    form = OptOutForm()
    with read_session(runtime().engine) as session:
        homes = _find_households(session, form.student.data or "")
        form.offer(homes)
        if not form.validate():
            return _render_page(session, form, homes), 422
        if not form.households.data:
            return _render_page(session, form, homes)
    with write_session(runtime().engine) as session:
        if find_unfinished_import(session):
            form.add_error("student", roster_wait_text())
            return _render_page(session, form, homes), 409
        for home in _find_households(session, form.student.data or ""):
            if home.id in form.households.data:
                _add_opt_out(session, home)
        session.commit()
    # translators: shown to staff after a family was added to the list of those who do not want to be asked
    flash(gettext("The family has been opted out. It will get no access code and no paper form."))
    return redirect(url_for("district.opt_outs"))


@blueprint.post("/opt-outs/<household_id>/end")
@enters("manage opt-outs")
def opt_in(household_id: str) -> Response:
    """Remove a household from the list."""
    with write_session(runtime().engine) as session:
        home = session.get(Household, household_id) if household_id.isalnum() else None
        out = session.get(OptOut, home.id) if home is not None and _is_own_household(session, home) else None
        if home is None or out is None:
            abort(404)
        require_complete_roster(session)
        session.delete(out)
        unmark_children(session, runtime().secret(OPT_OUT_KEY), home.id)
        restore_withdrawn_codes(session, home.id, runtime().today())
        log_event(session, "opt out", about=home.school_id, removed=1)
        session.commit()
    # translators: shown to staff after a family was taken off the list of those who do not want to be asked. Access
    # codes are in letters that the family may have
    flash(gettext("The family can be asked again. Access codes it has for open surveys work again."))
    return redirect(url_for("district.opt_outs"))


def _add_opt_out(session: Session, home: Household) -> None:
    """Opt out a household, and withdraw its unused codes."""
    open_waves = find_running_waves(session, home.id, runtime().today())
    for wave in open_waves:
        lock_codes(session, wave)
    withdraw_codes(session, home.id, open_waves)
    if session.get(OptOut, home.id) is None:
        session.add(OptOut(household_id=home.id, recorded_on=runtime().today(), recorded_by=person().id))
        mark_children(session, runtime().secret(OPT_OUT_KEY), home.id, runtime().today())
        log_event(session, "opt out", about=home.school_id, added=1)


def _find_households(session: Session, student_id: str) -> list[Household]:
    """The households of a student; none for a student of a school that this person does not work with."""
    if not student_id or len(student_id) > SOURCED_ID or not student_id.isprintable():
        return []
    student = session.get(Student, student_id)
    schools = permitted_schools()
    if student is None or (schools is not None and student.school_id not in schools):
        return []
    query = (
        select(Household)
        .join(HouseholdStudent, HouseholdStudent.household_id == Household.id)
        .where(HouseholdStudent.student_id == student_id)
    )
    return list(session.scalars(query.order_by(Household.id)))


def _is_own_household(session: Session, home: Household) -> bool:
    """Whether the household, or a child of it, is at one of this person's schools."""
    schools = permitted_schools()
    if schools is None or home.school_id in schools:
        return True
    there = (
        select(Student.id)
        .join(HouseholdStudent, HouseholdStudent.student_id == Student.id)
        .where(HouseholdStudent.household_id == home.id, Student.school_id.in_(schools))
    )
    return session.scalar(there.limit(1)) is not None


def _render_page(session: Session, form: OptOutForm, homes: Sequence[Household] = ()) -> str:
    search = OptOutSearch()
    page = read_page(session, _select_opt_outs(search.student_number.data or ""), requested_page())
    languages = {home.id: native_name(home.language) for home in homes} if len(homes) > 1 else {}
    rows = _opt_out_rows(session, page.rows)
    about = {"form": form, "search": search, "page": page, "rows": rows, "home_languages": languages}
    return render_template("district/opt_outs.html", **about)


def _select_opt_outs(student_number: str) -> Select[OptOut]:
    """The opt-outs that this person may see, by school and student; only of households with this student if a number is
    given."""
    schools = permitted_schools()
    children = (
        select(Student.id)
        .join(HouseholdStudent, HouseholdStudent.student_id == Student.id)
        .where(HouseholdStudent.household_id == OptOut.household_id)
    )
    here = children if schools is None else children.where(Student.school_id.in_(schools))
    first = here.with_only_columns(func.min(Student.id)).scalar_subquery()
    query = select(OptOut).join(Household, Household.id == OptOut.household_id)
    query = query.join(School, School.id == Household.school_id)
    query = query.order_by(School.name, School.id, first, OptOut.household_id)
    if schools is not None:
        query = query.where(or_(Household.school_id.in_(schools), here.exists()))
    return query.where(here.where(Student.id == student_number).exists()) if student_number else query


def _opt_out_rows(session: Session, opt_outs: Sequence[OptOut]) -> list[OptOutRow]:
    """The rows of one page, read together. Only children at this person's schools are named."""
    ids, schools = [out.household_id for out in opt_outs], permitted_schools()
    homes = {
        home.id: (home, school)
        for home, school in session.execute(
            select(Household, School).join(School, School.id == Household.school_id).where(Household.id.in_(ids))
        )
    }
    children = (
        select(HouseholdStudent.household_id, Student.id, Student.school_id)
        .join(Student, Student.id == HouseholdStudent.student_id)
        .where(HouseholdStudent.household_id.in_(ids))
        .order_by(Student.id)
    )
    students: dict[str, list[str]] = {}
    for home_id, student, school_id in session.execute(children):
        if schools is None or school_id in schools:
            students.setdefault(home_id, []).append(student)
    recorders = {out.recorded_by for out in opt_outs if out.recorded_by is not None}
    names = {row.id: row.name for row in session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(recorders)))}
    return [
        OptOutRow(
            _household_line(*homes[out.household_id], students.get(out.household_id, [])),
            out,
            names.get(out.recorded_by or 0, ""),
        )
        for out in opt_outs
    ]


def _household_line(home: Household, school: School, students: list[str]) -> HouseholdLine:
    return HouseholdLine(home, school, students, _guardian_names(home))


def _guardian_names(home: Household) -> str:
    return read_greeting(home.greeting, runtime().sealer)[0]


def _household_name(home: Household) -> str:
    """The names of its guardians; its language if the district stores no names."""
    return _guardian_names(home) or native_name(home.language)
