"""What teachers and families need for a survey of students: the day of the notice, and who gets a slip."""

from collections.abc import Iterator, Sequence

from flask import Response, abort, flash, redirect, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engage.base.exports.csv import csv_bytes
from engage.domain.security.encryption import SealBroken
from engage.services.waves.populations import STUDENT, ClassPile, list_class_piles
from engage.services.waves.slip_codes import is_notice_in_time, notice_deadline
from engage.sites.district.blueprint import blueprint
from engage.sites.district.code_slips import NoticeForm, render_slips, require_pile_wave
from engage.sites.district.mail_merge import KINDS, download_response
from engage.storage.engine import read_session, write_session
from engage.storage.models.roster import Student
from engage.storage.models.waves import Wave
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.page_language import gettext, long_date
from engage.web.permissions import enters


@blueprint.post("/waves/<wave_id>/slips/notice")
@enters("make access codes")
def record_notice(wave_id: str) -> BaseResponse | tuple[str, int]:
    """Store the day on which families were given the notice of a survey of students."""
    form = NoticeForm()
    with write_session(runtime().engine) as session:
        wave = require_pile_wave(session, wave_id)
        if wave.population != STUDENT:
            abort(404)
        if not form.validate() or not _check_notice(form, wave):
            return render_slips(session, wave, notice=form), 422
        wave.notice_on = form.notice_on.data
        log_event(session, "record notice", about=wave.id, day=str(wave.notice_on))
        session.commit()
    # translators: shown to staff after they recorded when families got the notice of a survey of students
    flash(gettext("The day of the notice was saved."))
    return redirect(url_for("district.slips", wave_id=wave_id))


def _check_notice(form: NoticeForm, wave: Wave) -> bool:
    """Whether the day can be stored; otherwise the form has an error."""
    day = form.notice_on.data
    if day is None:
        # translators: staff form: a day is missing
        form.add_error("notice_on", gettext("Enter the day families were given the notice."))
    elif day > runtime().today():
        # translators: staff form: a day is in the future
        form.add_error("notice_on", gettext("Enter a day that is not in the future."))
    elif not is_notice_in_time(wave, day):
        # translators: staff form: %(first)s and %(by)s are days
        sentence = gettext(
            "This survey begins on %(first)s, so families needed the notice by %(by)s. Open a new survey with a later "
            "first day.",
            first=long_date(wave.opens),
            by=long_date(notice_deadline(wave)),
        )
        form.add_error("notice_on", sentence)
    return not form.notice_on.errors


@blueprint.get("/waves/<wave_id>/slips/<school_id>/students.csv")
@enters("make access codes")
def slip_students(wave_id: str, school_id: str) -> Response:
    """The students of a school who get a slip, by class: teachers hand out slips by this list. It has no codes."""
    with read_session(runtime().engine) as session:
        wave = require_pile_wave(session, wave_id)
        if wave.population != STUDENT or school_id not in {school.id for school in wave.schools}:
            abort(404)
        rows = list(_student_rows(session, list_class_piles(session, [school_id])))
    headings = [
        # translators: heading of a table column
        gettext("Grade"),
        # translators: heading of a table column: the name of a class at a school
        gettext("Class"),
        # translators: heading of a table column: the number of a student in the district's own system
        gettext("Student number"),
        # translators: heading of a table column
        gettext("Student"),
    ]
    return download_response(b"".join(csv_bytes(headings, rows)), KINDS["csv"], f"students-{wave_id}-{school_id}.csv")


def _student_rows(session: Session, piles: Sequence[ClassPile]) -> Iterator[tuple[str, ...]]:
    sealer = runtime().sealer
    for pile in piles:
        for id in pile.students:
            sealed = session.get_one(Student, id).name
            try:
                name = sealer.open(sealed) if sealed is not None else ""
            except SealBroken:
                name = ""
            yield pile.grade, pile.class_name, id, name
