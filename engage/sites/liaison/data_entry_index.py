"""The first page of keying: the next serial, sheets without one, what waits unfinished, what was keyed today."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask import redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import RadioField

from engage.domain.intake.form_data import deserialize_draft
from engage.domain.security import form_serials
from engage.domain.security.pasted_codes import LONGEST, count_symbols, find_access_code, find_reply_code, find_serial
from engage.services.data_entry.lookup import (
    PaperSheet,
    SheetDetails,
    find_numbered_sheet,
    find_unnumbered_sheet,
    new_sheet_name,
)
from engage.services.data_entry.saving import delete_stale_drafts, has_stale_drafts
from engage.sites.liaison.blueprint import blueprint
from engage.sites.liaison.data_entry import MODES, current_keyer, is_sealed, keying_address, list_remarks
from engage.sites.liaison.entry_messages import duplicate_notice
from engage.sites.liaison.scope import PlaceForm, is_own_school, language_choices, own_waves, place_choices
from engage.storage.engine import read_session, write_session
from engage.storage.models.paper import Keying, KeyingDraft
from engage.web.context import runtime
from engage.web.page_language import gettext
from engage.web.permissions import enters, person


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list of sheets. `marks` is how many questions have something marked."""

    paper: PaperSheet
    address: str
    at: datetime
    """In the district's time."""
    marks: int


class UnnumberedSheetForm(PlaceForm):
    """What a person says about a sheet whose serial cannot be read."""

    mode = RadioField(validate_choice=False, default="paper")


@blueprint.get("/keying")
@enters("key paper responses")
def keying() -> Response | str | tuple[str, int]:
    """Go to the sheet whose serial was typed, or say what is wrong with it."""
    typed = request.args.get("serial", "")[:LONGEST].strip()
    if not typed:
        _sweep_drafts()
    with read_session(runtime().engine) as session:
        if not typed:
            return _render_page(session)
        serial = find_serial(typed)
        if serial is None:
            return _render_page(session, typed, _serial_problem(typed)), 422
        if form_serials.is_unregistered(serial):
            return redirect(url_for("liaison.unnumbered_sheet", serial=serial))
        found = find_numbered_sheet(session, serial)
        if found is None or not is_own_school(found.school.id):
            # translators: the serial is the short number printed at the foot of every page of a paper sheet
            problem = gettext(
                "No form at your schools has this number. Check it against the number at the bottom of the page."
            )
            return _render_page(session, typed, problem), 404
        return redirect(keying_address(found))


def _serial_problem(typed: str) -> str:
    """Why there is no serial in what was typed."""
    if find_access_code(typed) or find_reply_code(typed):
        # translators: typed where the serial of a paper sheet belongs: the code of a family's letter, or its reply code
        return gettext(
            "This is a family's code, not a form number. The form number is printed at the bottom of every page."
        )
    over = count_symbols(typed) - form_serials.BODY - 1
    if over == -1:
        # translators: the serial is the short number printed at the foot of every page of a paper sheet
        return gettext("One character is missing. A form number has six letters and digits, like K7W-2MX.")
    if over == 1:
        # translators: the serial is the short number printed at the foot of every page of a paper sheet
        return gettext("There is one character too many. A form number has six letters and digits, like K7W-2MX.")
    # translators: the serial is the short number printed at the foot of every page of a paper sheet
    return gettext("This is not a form number. A form number has six letters and digits, like K7W-2MX.")


@blueprint.get("/keying/unnumbered")
@enters("key paper responses")
def unnumbered_sheet() -> Response | str | tuple[str, int]:
    """Choose wave, school and language of a sheet whose serial cannot be read; then key it."""
    told = "place" in request.args
    form = UnnumberedSheetForm(request.args if told else None)
    with read_session(runtime().engine) as session:
        waves = own_waves(session)
        problems = form.problems(waves) if told else {}
        if told and form.mode.data not in MODES:
            # translators: in a form
            problems["mode"] = gettext("Choose an option from the list.")
        if told and not problems:
            chosen = {"wave": form.wave_id, "school": form.school_id, "language": form.language.data}
            return redirect(
                url_for("liaison.paper", name=new_sheet_name(), mode=form.mode.data, _external=False, **chosen)
            )
        page = render_template(
            "liaison/unnumbered.html",
            form=form,
            problems=problems,
            places=place_choices(waves),
            tongues=language_choices(waves),
            serial=find_serial(request.args.get("serial", "")),
        )
        return (page, 422) if problems else page


def _sweep_drafts() -> None:
    """Old unfinished sheets hold a family's answers: they do not wait for their keyer for ever."""
    with read_session(runtime().engine) as session:
        stale = has_stale_drafts(session, current_keyer())
    if stale:
        with write_session(runtime().engine) as session:
            delete_stale_drafts(session, current_keyer())
            session.commit()


def _render_page(session: Session, typed: str = "", problem: str = "") -> str:
    return render_template(
        "liaison/keying.html",
        typed=typed,
        problem=problem,
        saved=_saved_entry(session),
        unfinished=_unfinished_entries(session),
        today=_today_entries(session),
    )


def _saved_entry(session: Session) -> dict[str, Any] | None:
    """What was saved just now, with what does not fit together on it."""
    keying = session.get(Keying, request.args.get("saved", "").replace("\x00", "")[:64])
    found = _find_paper(session, keying) if keying else None
    if keying is None or found is None or is_sealed(found):
        return None
    remarks = list_remarks(found, deserialize_draft(keying.raw))
    return {
        "entry": _make_entry(found, keying, keying.keyed_at),
        "remarks": remarks,
        "twice": duplicate_notice(session, found),
    }


def _unfinished_entries(session: Session) -> list[Entry]:
    mine = select(KeyingDraft).where(KeyingDraft.keyed_by == person().id).order_by(KeyingDraft.touched_at)
    drafts = [(draft, _find_paper(session, draft)) for draft in session.scalars(mine)]
    return [
        _make_entry(found, draft, draft.touched_at)
        for draft, found in drafts
        if found is not None and (found.keying is None or draft.touched_at > _last_saved_at(found.keying))
    ]


def _last_saved_at(keying: Keying) -> datetime:
    return keying.corrected_at or keying.keyed_at


def _today_entries(session: Session) -> list[Entry]:
    zone = ZoneInfo(runtime().settings.timezone)
    midnight = datetime.combine(runtime().today(), time(), zone).astimezone(UTC).replace(tzinfo=None)
    mine = select(Keying).where(Keying.keyed_by == person().id, Keying.keyed_at >= midnight)
    newest = session.scalars(mine.order_by(Keying.keyed_at.desc(), Keying.id))
    found = [(each, _find_paper(session, each)) for each in newest]
    return [_make_entry(paper, each, each.keyed_at) for each, paper in found if paper is not None]


def _find_paper(session: Session, known: Keying | KeyingDraft) -> PaperSheet | None:
    """The paper of a keying or an unfinished one, if it is of this person's schools."""
    if not is_own_school(known.school_id):
        return None
    if isinstance(known, Keying):
        return (
            find_numbered_sheet(session, known.serial)
            if known.serial
            else find_unnumbered_sheet(session, known.id, SheetDetails(), person().id)
        )
    return find_unnumbered_sheet(session, known.sheet, SheetDetails(), person().id) or find_numbered_sheet(
        session, known.sheet
    )


def _make_entry(found: PaperSheet, known: Keying | KeyingDraft, at: datetime) -> Entry:
    answered = {name.removesuffix("~") for name in deserialize_draft(known.raw)}
    return Entry(found, keying_address(found), runtime().settings.local_time(at), len(answered))
