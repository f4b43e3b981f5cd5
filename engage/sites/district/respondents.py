"""Who answered a confidential wave, for staff who follow up on needs. Each view of the list or of answers is recorded
in the audit log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask import abort, render_template
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session
from wtforms import HiddenField

from engage.questionnaire.answer_text import missing_text
from engage.questionnaire.editions import load_edition
from engage.questionnaire.text_cleaning import is_possible_id
from engage.services.printing.recipients import read_greeting
from engage.sites.district.blueprint import blueprint
from engage.sites.district.response_view import answer_lines
from engage.sites.district.waves import SchoolSearch, require_family_wave
from engage.storage.engine import read_session, write_session
from engage.storage.models.invitations import Invitation
from engage.storage.models.responses import Response, ResponseLink
from engage.storage.models.roster import HouseholdStudent
from engage.storage.models.schools import Household, School
from engage.storage.models.waves import Wave
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.forms import BaseForm, LineField, NumberField
from engage.web.language_labels import native_name
from engage.web.page_language import gettext, language
from engage.web.paging import ListPage, read_page, requested_page
from engage.web.permissions import enters, is_allowed, require_school

AT_ONCE = 500  # households per query


class HouseholdForm(BaseForm):
    """The household whose answers to view, by its handle."""

    household = HiddenField()


class HouseholdSearch(BaseForm):
    """Part of a household's names or student numbers, and the page of the list."""

    search = LineField()
    page = NumberField(default=1)


@dataclass(frozen=True, slots=True)
class SchoolParticipation:
    """A school of the wave: invited households, and how many of them answered."""

    school: School
    invited: int
    answered: int


@dataclass(frozen=True, slots=True)
class RespondentHousehold:
    """A household of the list. `handle` identifies its invitation; `linked` says whether its answers can still be
    shown."""

    handle: str
    household_id: str | None
    guardians: str
    students: str
    language: str
    used: bool
    used_on: date | None
    linked: bool


@blueprint.get("/waves/<wave_id>/answered")
@enters("see who answered")
def who_answered(wave_id: str) -> str:
    """Participation by school."""
    with read_session(runtime().engine) as session:
        wave = _require_confidential(session, wave_id)
        search = SchoolSearch()
        page = read_page(session, search.select_schools(wave), requested_page())
        places = _count_by_school(session, wave, page.rows)
        return render_template("district/respondents.html", wave=wave, places=places, page=page, search=search)


@blueprint.post("/waves/<wave_id>/answered/<school_id>")
@enters("see who answered")
def households_of(wave_id: str, school_id: str) -> str:
    """The households of a school. A POST, because the view is recorded."""
    with read_session(runtime().engine) as session:
        wave, school = _require_confidential(session, wave_id), _require_wave_school(session, wave_id, school_id)
        homes, form = _list_households(session, wave, school), HouseholdSearch()
    wanted = (form.search.data or "").casefold()
    listed = [home for home in homes if wanted in f"{home.guardians} {home.students}".casefold()]
    page = ListPage.of(listed, form.page.data or 1)
    _record_view(wave, school, households=len(page.rows))
    return render_template("district/respondents_school.html", wave=wave, school=school, page=page, form=form)


@blueprint.post("/waves/<wave_id>/answered/<school_id>/answers")
@enters("see who answered")
def answers_of(wave_id: str, school_id: str) -> str:
    """The answers of one household. A POST, because the view is recorded."""
    with read_session(runtime().engine) as session:
        wave, school = _require_confidential(session, wave_id), _require_wave_school(session, wave_id, school_id)
        home = _require_household(session, wave, school, HouseholdForm().household.data or "")
        stored = _find_response(session, home.handle)
        survey = load_edition(wave.edition.document).survey(language().tag)
    _record_view(wave, school, answers_of=home.household_id or home.handle)
    lines = answer_lines(survey, stored.answers) if stored else []
    about = {"wave": wave, "school": school, "home": home, "stored": stored}
    return render_template("district/response.html", said=lines, blank=missing_text("blank", gettext), **about)


def _record_view(wave: Wave, school: School, **detail: int | str) -> None:
    """Record a view in the audit log, before the page is sent."""
    with write_session(runtime().engine) as session:
        log_event(session, "see who answered", about=wave.id, school=school.id, **detail)
        session.commit()


def _require_confidential(session: Session, wave_id: str) -> Wave:
    """The wave; "not found" for an anonymous one, in which nobody can be looked up. What help a child needs is shown
    only to people with the permission to see that."""
    wave = require_family_wave(session, wave_id)
    if wave.identity != "confidential":
        abort(404)
    if not may_look_up(wave):
        abort(403)
    return wave


def may_look_up(wave: Wave) -> bool:
    """Whether the signed-in person may see who answered this wave, if anybody may."""
    is_sensitive = load_edition(wave.edition.document).survey("en").sensitive
    return is_allowed("see who answered") and (not is_sensitive or is_allowed("see support needs"))


def _require_wave_school(session: Session, wave_id: str, school_id: str) -> School:
    """A school of the wave; "not found" for one this person may not see."""
    require_school(school_id)
    match = next((school for school in require_family_wave(session, wave_id).schools if school.id == school_id), None)
    return match or abort(404)


def _count_by_school(session: Session, wave: Wave, schools: Sequence[School]) -> list[SchoolParticipation]:
    counted = (
        select(Invitation.school_id, func.count(), func.count(case((Invitation.used, 1))))
        .where(Invitation.wave_id == wave.id, Invitation.school_id.in_([school.id for school in schools]))
        .group_by(Invitation.school_id)
    )
    counts = {school: (invited, answered) for school, invited, answered in session.execute(counted)}
    return [SchoolParticipation(school, *counts.get(school.id, (0, 0))) for school in schools]


def _list_households(
    session: Session, wave: Wave, school: School, handle: str | None = None
) -> list[RespondentHousehold]:
    """Households that have not answered first, then by name; or only the one with this handle."""
    wanted = (
        select(Invitation, Household.greeting, ResponseLink.response_id)
        .outerjoin(Household, Household.id == Invitation.household_id)
        .outerjoin(ResponseLink, ResponseLink.invitation == Invitation.digest)
        .where(Invitation.wave_id == wave.id, Invitation.school_id == school.id)
    )
    if handle is not None:
        wanted = wanted.where(Invitation.digest == handle)
    rows = session.execute(wanted).all()
    children = _student_numbers(session, [invited.household_id for invited, _, _ in rows if invited.household_id])
    households = [_respondent_household(invited, sealed, linked, children) for invited, sealed, linked in rows]
    return sorted(households, key=lambda home: (home.used, home.guardians, home.students, home.handle))


def _require_household(session: Session, wave: Wave, school: School, handle: str) -> RespondentHousehold:
    homes = _list_households(session, wave, school, handle) if is_possible_id(handle) else []
    return homes[0] if homes else abort(404)


def _respondent_household(
    invited: Invitation, sealed: bytes | None, linked: str | None, children: Mapping[str, list[str]]
) -> RespondentHousehold:
    guardians, names = read_greeting(sealed, runtime().sealer)
    student_ids = [invited.student_id] if invited.student_id else children.get(invited.household_id or "", [])
    students = " · ".join(filter(None, [names, " ".join(student_ids)]))
    tongue = native_name(invited.language)
    used = invited.used, invited.used_on
    return RespondentHousehold(
        invited.digest, invited.household_id, guardians, students, tongue, *used, linked is not None
    )


def _student_numbers(session: Session, homes: Sequence[str]) -> dict[str, list[str]]:
    """Student numbers by household."""
    by_household: dict[str, list[str]] = {}
    for at in range(0, len(homes), AT_ONCE):
        some = select(HouseholdStudent).where(HouseholdStudent.household_id.in_(homes[at : at + AT_ONCE]))
        for row in session.scalars(some.order_by(HouseholdStudent.student_id)):
            by_household.setdefault(row.household_id, []).append(row.student_id)
    return by_household


def _find_response(session: Session, handle: str) -> Response | None:
    linked = select(Response).join(ResponseLink, ResponseLink.response_id == Response.id)
    return session.scalar(linked.where(ResponseLink.invitation == handle))
