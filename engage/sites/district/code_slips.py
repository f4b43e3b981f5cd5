"""Slips with access codes for educators and students: printed once for each school; only the codes' digests are stored.

Codes belong to nobody in particular. Of a code, its school is stored, and never its class.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from random import SystemRandom
from typing import Any

from flask import Response, abort, render_template
from sqlalchemy.orm import Session
from wtforms import SelectField
from wtforms.validators import NumberRange, Optional

from engage.base.catalogs import catalogue
from engage.base.languages import LANGUAGES, Language
from engage.domain.paper.documents.code_slips import CodeSlip, SlipPile, SlipSheet, write_slips
from engage.domain.roster.import_state import RosterIncomplete, require_complete_roster
from engage.domain.security.access_codes import ACCESS_KEY, digest, format_access_code, generate_access_code
from engage.questionnaire.editions import load_edition
from engage.services.printing.layouts import font_dir
from engage.services.printing.slip_texts import slip_instructions
from engage.services.waves.invitations import can_revoke_codes, find_small_schools, read_all_invitations
from engage.services.waves.opening import add_unnamed_invitations
from engage.services.waves.populations import PILES, STUDENT, ClassPile, say_no_by
from engage.services.waves.slip_codes import (
    SchoolSlips,
    SlipObstacle,
    find_obstacle,
    list_school_slips,
    notice_deadline,
)
from engage.sites.district.access_codes import require_wave_with_codes
from engage.sites.district.blueprint import blueprint
from engage.sites.district.mail_merge import code_link, download_response
from engage.storage.engine import read_session, write_session
from engage.storage.language_groups import LEAST
from engage.storage.models.schools import UNDETERMINED
from engage.storage.models.waves import Wave
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.edit_forms import roster_wait_text
from engage.web.forms import BaseForm, DayField, OptionalNumberField
from engage.web.page_language import gettext, language
from engage.web.permissions import enters

MOST = 1000  # slips at a time for educators, or spare ones for students
RNG = SystemRandom()


class SlipsForm(BaseForm):
    """For which school slips are printed, and how many. Without a number: one for each student of each class, the
    first time."""

    school = SelectField()
    number = OptionalNumberField(validators=[Optional(), NumberRange(1, MOST)])

    def __init__(self, schools: Sequence[SchoolSlips]) -> None:
        super().__init__()
        self.school.choices = [(each.school.id, each.school.name) for each in schools]


class NoticeForm(BaseForm):
    """The day on which families were given the notice."""

    notice_on = DayField()


@dataclass(frozen=True, slots=True)
class DrawnSlips:
    """Codes that are drawn but not stored yet, in piles."""

    school: SchoolSlips
    piles: list[tuple[str, list[str]]]

    @property
    def codes(self) -> list[str]:
        """All codes."""
        return [code for _, codes in self.piles for code in codes]


@blueprint.get("/waves/<wave_id>/slips")
@enters("make access codes")
def slips(wave_id: str) -> str:
    """The schools with their slips, and the forms."""
    with read_session(runtime().engine) as session:
        return render_slips(session, require_pile_wave(session, wave_id))


@blueprint.post("/waves/<wave_id>/slips")
@enters("make access codes")
def print_slips(wave_id: str) -> Response | tuple[str, int]:
    """Create codes for a school and download the slips. The codes can be read only this time."""
    with read_session(runtime().engine) as session:
        wave = require_pile_wave(session, wave_id)
        form = SlipsForm(list_school_slips(session, wave))
        if not form.validate():
            return render_slips(session, wave, form=form), 422
    drawn = _store_slips(wave_id, form)
    with read_session(runtime().engine) as session:
        wave = require_pile_wave(session, wave_id)
        if drawn is None:
            return render_slips(session, wave, form=form), 422
        read_all_invitations(session, wave.id)
        body = _draw_pdf(wave, drawn)
    return download_response(body, "application/pdf", f"slips-{wave_id}-{drawn.school.school.id}.pdf")


def require_pile_wave(session: Session, wave_id: str, change: bool = False) -> Wave:
    """The same as `require_wave_with_codes`; "not found" unless its codes come from piles."""
    wave = require_wave_with_codes(session, wave_id, change)
    return wave if wave.population in PILES else abort(404)


def _store_slips(wave_id: str, form: SlipsForm) -> DrawnSlips | None:
    """Draw and store codes, with an entry in the audit log. None, with an error in the form, if none may be made."""
    key = runtime().secret(ACCESS_KEY)
    with write_session(runtime().engine) as session:
        wave = require_pile_wave(session, wave_id, change=True)
        if problem := _find_problem(session, wave):
            form.add_error("school", problem)
            return None
        drawn = _draw_codes(session, wave, form)
        if not drawn.codes:
            form.add_error("number", _number_text(wave, drawn.school))
            return None
        digests = [digest(code, key) for code in drawn.codes]
        add_unnamed_invitations(session, wave, drawn.school.school.id, UNDETERMINED, digests)
        if find_small_schools(session.connection(), wave):
            form.add_error("number", _small_pile_text())
            return None
        log_event(session, "make access codes", about=wave.id, codes=len(digests), school=drawn.school.school.id)
        session.commit()
    return drawn


def _find_problem(session: Session, wave: Wave) -> str:
    """Why no slips can be printed now; empty if they can."""
    if find_obstacle(session, wave, runtime().today()) is not SlipObstacle.NONE:
        # translators: staff form: slips cannot be printed; the reason is in a box on the page
        return gettext("Slips cannot be printed today. The note above says why.")
    try:
        require_complete_roster(session)
    except RosterIncomplete:
        return roster_wait_text()
    return ""


def _draw_codes(session: Session, wave: Wave, form: SlipsForm) -> DrawnSlips:
    """Draw the codes: a pile for each class, or one pile."""
    school = next(each for each in list_school_slips(session, wave) if each.school.id == form.school.data)
    if wave.population == STUDENT and not school.codes and form.number.data is None:
        piles = [(_class_title(each), len(each.students)) for each in school.classes]
    else:
        piles = [(school.school.name, form.number.data or 0)]
    return DrawnSlips(
        school, [(title, [generate_access_code(RNG) for _ in range(number)]) for title, number in piles if number]
    )


def _number_text(wave: Wave, school: SchoolSlips) -> str:
    """Why a number of slips is needed."""
    if wave.population == STUDENT and not school.codes:
        # translators: staff form: why no slips are printed for a school
        return gettext("The roster lists no students of this school in grades 3 to 12 who get a slip.")
    # translators: staff form: a number is missing
    return gettext("Enter how many slips to print.")


def _small_pile_text() -> str:
    # translators: staff form: why no slips are printed; %(least)s is a number
    return gettext(
        "With fewer than %(least)s slips at a school, someone could guess who answered. Print at least %(least)s, or "
        "leave this school out.",
        least=LEAST,
    )


def _class_title(pile: ClassPile) -> str:
    """The name of a class on its pile, such as "Grade 5 · Room 12"."""
    grade = pile.grade.lstrip("0")
    # translators: on the sheet before a class's slips; %(grade)s is a number
    title = gettext("Grade %(grade)s", grade=grade)
    return f"{title} · {pile.class_name}" if pile.class_name else title


def _draw_pdf(wave: Wave, drawn: DrawnSlips) -> bytes:
    """The slips in the first language of the survey; the page that a code opens can be switched to any other."""
    tag = wave.offered[0]
    words, out = catalogue(tag), BytesIO()
    sheet = SlipSheet(
        survey_title=load_edition(wave.edition.document).survey(tag).title,
        instructions=slip_instructions(wave.population, words),
        address=f"{runtime().settings.base_url}/{tag}/c".removeprefix("https://"),
        language=tag,
        words=catalogue(language().tag),
        district=runtime().settings.district_name,
        staff_language=language().tag,
        fonts=font_dir(runtime().settings),
    )
    piles = [
        SlipPile(title, [CodeSlip(format_access_code(code), code_link(tag, code)) for code in codes])
        for title, codes in drawn.piles
    ]
    write_slips(out, sheet, piles)
    return out.getvalue()


def _notice_files(wave: Wave) -> list[tuple[Language, str]]:
    """The notice to families as a file, in each language of a survey of students."""
    base = runtime().settings.base_url
    return [(LANGUAGES[tag], f"{base}/{tag}/w/{wave.id}/notice.pdf") for tag in wave.offered if tag in LANGUAGES]


def render_slips(session: Session, wave: Wave, **forms: Any) -> str:
    schools = list_school_slips(session, wave)
    values = {"form": SlipsForm(schools), "notice": NoticeForm(data={"notice_on": wave.notice_on}), **forms}
    return render_template(
        "district/code_slips.html",
        wave=wave,
        schools=schools,
        obstacle=find_obstacle(session, wave, runtime().today()),
        say_no_by=say_no_by(wave.opens),
        notice_by=notice_deadline(wave),
        least=LEAST,
        notices=_notice_files(wave),
        back=can_revoke_codes(session, wave),
        **values,
    )
