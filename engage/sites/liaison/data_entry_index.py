"""The start page of keying: the next serial, sheets without one, unfinished sheets, and sheets keyed today."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask import redirect, render_template, request, url_for
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import RadioField, StringField

from engage.domain.intake.form_data import deserialize_draft
from engage.domain.security import form_serials
from engage.domain.security.pasted_codes import LONGEST, count_symbols, find_access_code, find_reply_code, find_serial
from engage.services.data_entry.keyed_sheet import load_keyed_sheet
from engage.services.data_entry.lookup import (
    PaperSheet,
    SheetDetails,
    find_numbered_sheet,
    find_unnumbered_sheet,
    new_sheet_name,
)
from engage.services.data_entry.saving import delete_stale_drafts, has_stale_drafts
from engage.sites.liaison.blueprint import blueprint
from engage.sites.liaison.entry_messages import RemarkLine, duplicate_notice, remark_lines
from engage.sites.liaison.scope import PlaceForm, is_own_school, own_family_waves
from engage.sites.liaison.sheet_access import current_keyer, is_sealed, sheet_address
from engage.sites.liaison.sheet_submission import mode_choices
from engage.storage.engine import read_session, write_session
from engage.storage.models.paper import Keying, KeyingDraft
from engage.web.context import runtime
from engage.web.forms import QueryForm
from engage.web.page_language import gettext
from engage.web.permissions import enters, person

ENTRIES_MOST = 50  # sheets in the list of those keyed today


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a list of sheets. `marks` is the number of questions with a mark."""

    paper: PaperSheet
    address: str
    at: datetime
    """UTC, as stored."""
    marks: int


@dataclass(frozen=True, slots=True)
class SavedSheet:
    """The sheet that was just saved, its inconsistencies, and whether its household had answered before."""

    entry: Entry
    remarks: list[RemarkLine]
    duplicate: str | None


class SerialForm(QueryForm):
    """The serial of the next sheet, as typed."""

    serial = StringField(filters=[lambda text: (text or "")[:LONGEST].strip()])


class UnnumberedSheetForm(PlaceForm):
    """Details of a sheet whose serial is illegible."""

    mode = RadioField(choices=mode_choices, default="paper")


@blueprint.get("/keying")
@enters("key paper responses")
def keying() -> Response | str | tuple[str, int]:
    """Redirect to the sheet whose serial was typed, or show what is wrong with it."""
    form = SerialForm()
    typed = form.serial.data
    if not typed:
        _sweep_drafts()
    with read_session(runtime().engine) as session:
        if not typed:
            return _render_page(session, form)
        serial = find_serial(typed)
        if serial is None:
            form.add_error("serial", _serial_problem(typed))
            return _render_page(session, form), 422
        if form_serials.is_unregistered(serial):
            return redirect(url_for("liaison.unnumbered_sheet", serial=serial))
        paper = find_numbered_sheet(session, serial)
        if paper is None or not is_own_school(paper.school.id):
            # translators: the serial is the short number printed at the top of every page of a paper sheet
            problem = gettext(
                "No form at your schools has this number. Check it against the number at the top of the page."
            )
            form.add_error("serial", problem)
            return _render_page(session, form), 404
        return redirect(sheet_address(paper))


def _serial_problem(typed: str) -> str:
    """The message if a text contains no serial."""
    if find_access_code(typed) or find_reply_code(typed):
        # translators: typed where the serial of a paper sheet belongs: the code of a family's letter, or its reply code
        return gettext(
            "This is a family's code, not a form number. The form number is printed at the top of every page."
        )
    over = count_symbols(typed) - form_serials.BODY - 1
    if over == -1:
        # translators: the serial is the short number printed at the top of every page of a paper sheet
        return gettext("One character is missing. A form number has six letters and digits, like K7W-2MX.")
    if over == 1:
        # translators: the serial is the short number printed at the top of every page of a paper sheet
        return gettext("There is one character too many. A form number has six letters and digits, like K7W-2MX.")
    # translators: the serial is the short number printed at the top of every page of a paper sheet
    return gettext("This is not a form number. A form number has six letters and digits, like K7W-2MX.")


@blueprint.get("/keying/unnumbered")
@enters("key paper responses")
def unnumbered_sheet() -> Response | str | tuple[str, int]:
    """Choose wave, school and language of a sheet whose serial is illegible; then key it."""
    form = UnnumberedSheetForm()
    with read_session(runtime().engine) as session:
        form.offer(session, own_family_waves(session))
        is_sent = "wave" in request.args
        if is_sent and form.validate():
            chosen = {"wave": form.wave.data, "school": form.school.data, "language": form.language.data}
            return redirect(url_for("liaison.sheet", name=new_sheet_name(), mode=form.mode.data, **chosen))
        serial = find_serial(request.args.get("serial", ""))
        page = render_template("liaison/unnumbered_forms.html", form=form, serial=serial)
        return (page, 422) if is_sent else page


def _sweep_drafts() -> None:
    """Delete stale unfinished sheets, which contain a family's answers."""
    with read_session(runtime().engine) as session:
        stale = has_stale_drafts(session, current_keyer())
    if stale:
        with write_session(runtime().engine) as session:
            delete_stale_drafts(session, current_keyer())
            session.commit()


def _render_page(session: Session, form: SerialForm) -> str:
    return render_template(
        "liaison/data_entry_index.html",
        form=form,
        saved=_saved_sheet(session),
        unfinished=_unfinished_entries(session),
        today=_today_entries(session),
        today_count=_count_today(session),
    )


def _saved_sheet(session: Session) -> SavedSheet | None:
    keying = session.get(Keying, request.args.get("saved", "").replace("\x00", "")[:64])
    paper = _find_paper(session, keying) if keying else None
    sheet = load_keyed_sheet(paper) if paper else None
    if keying is None or paper is None or sheet is None or is_sealed(paper):
        return None
    return SavedSheet(
        _make_entry(paper, keying, keying.keyed_at),
        remark_lines(sheet.remarks, sheet.survey),
        duplicate_notice(session, paper),
    )


def _unfinished_entries(session: Session) -> list[Entry]:
    wanted = select(KeyingDraft).where(KeyingDraft.keyed_by == person().id).order_by(KeyingDraft.touched_at)
    drafts = [(draft, _find_paper(session, draft)) for draft in session.scalars(wanted)]
    return [
        _make_entry(paper, draft, draft.touched_at)
        for draft, paper in drafts
        if paper is not None and (paper.keying is None or draft.touched_at > _last_saved_at(paper.keying))
    ]


def _last_saved_at(keying: Keying) -> datetime:
    return keying.corrected_at or keying.keyed_at


def _today_entries(session: Session) -> list[Entry]:
    """The newest of the sheets that this person keyed today, at most `ENTRIES_MOST`."""
    newest = session.scalars(
        _keyed_today(select(Keying)).order_by(Keying.keyed_at.desc(), Keying.id).limit(ENTRIES_MOST)
    )
    papers = [(each, _find_paper(session, each)) for each in newest]
    return [_make_entry(paper, each, each.keyed_at) for each, paper in papers if paper is not None]


def _count_today(session: Session) -> int:
    return session.scalar(_keyed_today(select(func.count()).select_from(Keying))) or 0


def _keyed_today(query: Select[Any]) -> Select[Any]:
    zone = ZoneInfo(runtime().settings.timezone)
    midnight = datetime.combine(runtime().today(), time(), zone).astimezone(UTC).replace(tzinfo=None)
    return query.where(Keying.keyed_by == person().id, Keying.keyed_at >= midnight)


def _find_paper(session: Session, stored: Keying | KeyingDraft) -> PaperSheet | None:
    """The sheet of a keying or an unfinished one, if it belongs to this person's schools."""
    if not is_own_school(stored.school_id):
        return None
    if isinstance(stored, Keying):
        return (
            find_numbered_sheet(session, stored.serial)
            if stored.serial
            else find_unnumbered_sheet(session, stored.id, SheetDetails(), person().id)
        )
    return find_unnumbered_sheet(session, stored.sheet, SheetDetails(), person().id) or find_numbered_sheet(
        session, stored.sheet
    )


def _make_entry(paper: PaperSheet, stored: Keying | KeyingDraft, at: datetime) -> Entry:
    answered = {name.removesuffix("~") for name in deserialize_draft(stored.raw)}
    return Entry(paper, sheet_address(paper), at, len(answered))
