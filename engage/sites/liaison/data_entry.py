"""Keying one sheet: its page, and a route for each action on it. A mark on paper is never refused."""

from collections.abc import Callable

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.domain.intake.form_data import deserialize_draft
from engage.services.data_entry import saving
from engage.services.data_entry.lookup import PaperSheet
from engage.sites.liaison.blueprint import blueprint
from engage.sites.liaison.sheet_access import current_keyer, is_sealed, refuse_sealed, require_sheet, sheet_address
from engage.sites.liaison.sheet_page import render_sheet
from engage.sites.liaison.sheet_submission import (
    KeyingSubmission,
    change_sheet,
    hash_reply_code,
    parse_submission,
    receive_submission,
)
from engage.storage.engine import read_session
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.page_language import gettext
from engage.web.permissions import enters

ACTIONS = "<any(autosave, draft, 'add-block', save, withdraw, spoil, restore):action>"


@blueprint.get("/keying/sheets/<serial>")
@blueprint.get("/keying/papers/<name>")
@enters("key paper responses")
def sheet(**address: str) -> ResponseReturnValue:
    """The keying page of a numbered sheet, or of one without a legible serial."""
    with read_session(runtime().engine) as session:
        paper = require_sheet(session, address)
        return refuse_sealed() if is_sealed(paper) else render_sheet(session, paper)


@blueprint.get(f"/keying/sheets/<serial>/{ACTIONS}")
@blueprint.get(f"/keying/papers/<name>/{ACTIONS}")
@enters("key paper responses")
def sheet_action(action: str, **address: str) -> ResponseReturnValue:
    """Redirect a GET of an action's address to the sheet's page, as after signing in again."""
    with read_session(runtime().engine) as session:
        return redirect(sheet_address(require_sheet(session, address)))


@blueprint.post("/keying/sheets/<serial>/autosave")
@blueprint.post("/keying/papers/<name>/autosave")
@enters("key paper responses")
def autosave_draft(**address: str) -> ResponseReturnValue:
    """Store the marks so far; sent by the script after each answer, and on leaving the page."""
    sent = receive_submission(address)

    def store(session: Session, paper: PaperSheet) -> ResponseReturnValue:
        if sent.is_current(paper):  # not from a page older than the last save
            _store_draft(session, paper, sent, sent.blocks)
        return _no_content()

    return change_sheet(address, store, refuse=_no_content)


@blueprint.post("/keying/sheets/<serial>/draft")
@blueprint.post("/keying/papers/<name>/draft")
@enters("key paper responses")
def save_draft(**address: str) -> ResponseReturnValue:
    """Store an unfinished sheet, to continue later."""
    sent = receive_submission(address)

    def store(session: Session, paper: PaperSheet) -> ResponseReturnValue:
        _store_draft(session, paper, sent, sent.blocks)
        # translators: shown when an unfinished sheet was kept
        flash(gettext("Your draft was saved. You can continue now or later."))
        return redirect(sheet_address(paper))

    return change_sheet(address, store)


@blueprint.post("/keying/sheets/<serial>/add-block")
@blueprint.post("/keying/papers/<name>/add-block")
@enters("key paper responses")
def add_block(**address: str) -> ResponseReturnValue:
    """Show one more block of the repeated section, for a form that describes more children."""
    sent = receive_submission(address)

    def add(session: Session, paper: PaperSheet) -> ResponseReturnValue:
        _store_draft(session, paper, sent, sent.blocks + 1)
        return redirect(f"{sheet_address(paper)}#block-{sent.blocks + 1}")

    return change_sheet(address, add)


@blueprint.post("/keying/sheets/<serial>/save")
@blueprint.post("/keying/papers/<name>/save")
@enters("key paper responses")
def save_sheet(**address: str) -> ResponseReturnValue:
    """Store a finished sheet, or a correction of a stored one."""
    with read_session(runtime().engine) as session:
        paper = require_sheet(session, address)
        sent = parse_submission(paper)
        reply_hash = hash_reply_code(paper, sent.sheet)
    return change_sheet(address, lambda session, paper: _store_sheet(session, paper, sent, reply_hash))


@blueprint.post("/keying/sheets/<serial>/withdraw")
@blueprint.post("/keying/papers/<name>/withdraw")
@enters("key paper responses")
def withdraw_sheet(**address: str) -> ResponseReturnValue:
    """Withdraw a stored sheet; its marks become an unfinished sheet."""
    return change_sheet(address, _withdraw_sheet)


@blueprint.post("/keying/sheets/<serial>/spoil")
@enters("key paper responses")
def spoil_sheet(serial: str) -> ResponseReturnValue:
    """Mark a sheet as spoiled."""

    def lead_on(paper: PaperSheet) -> ResponseReturnValue:
        # translators: shown after a paper sheet was marked as one that cannot be used
        flash(gettext("Form %(serial)s was marked as spoiled.", serial=paper.name))
        return redirect(url_for("liaison.keying"))

    return _change_state(serial, "spoiled", lead_on)


@blueprint.post("/keying/sheets/<serial>/restore")
@enters("key paper responses")
def restore_sheet(serial: str) -> ResponseReturnValue:
    """Undo the mark that a sheet is spoiled."""
    return _change_state(serial, "printed", lambda paper: redirect(sheet_address(paper)))


def _change_state(serial: str, state: str, lead_on: Callable[[PaperSheet], ResponseReturnValue]) -> ResponseReturnValue:
    """Set the state of a sheet that is not keyed; a sheet keyed meanwhile is shown with the submitted marks, 409."""
    address = {"serial": serial}
    sent = receive_submission(address)

    def change(session: Session, paper: PaperSheet) -> ResponseReturnValue:
        if paper.keying is not None:
            return render_sheet(session, paper, sent), 409
        assert paper.sheet is not None, "the address has a serial"
        paper.sheet.state = state
        saving.delete_draft(session, paper, current_keyer())
        session.commit()
        return lead_on(paper)

    return change_sheet(address, change)


def _no_content() -> Response:
    return Response(status=204)


def _store_draft(session: Session, paper: PaperSheet, sent: KeyingSubmission, blocks: int) -> None:
    saving.save_draft(session, paper, current_keyer(), sent.sheet.marks, sent.mode, blocks)
    session.commit()


def _store_sheet(
    session: Session, paper: PaperSheet, sent: KeyingSubmission, reply_hash: str | None
) -> ResponseReturnValue:
    stored, marks = deserialize_draft(paper.keying.raw) if paper.keying else None, sent.sheet.stored_marks
    if not sent.is_current(paper) and marks != stored:
        return render_sheet(session, paper, sent), 409
    if paper.keying and paper.sheet is None and sent.seen == "new":  # submitted twice: its question is already stored
        return redirect(url_for("liaison.keying", saved=paper.keying.id))
    if stored is not None and stored != marks:
        changed = sum(stored.get(key) != marks.get(key) for key in {*stored, *marks})
        _audit_correction(session, paper, marks=changed)
    keying_id = saving.save_keying(session, paper, current_keyer(), sent.sheet, sent.mode, reply_hash)
    session.commit()
    return redirect(url_for("liaison.keying", saved=keying_id))


def _withdraw_sheet(session: Session, paper: PaperSheet) -> ResponseReturnValue:
    if paper.keying is None:  # submitted twice: it is already withdrawn
        return redirect(sheet_address(paper))
    _audit_correction(session, paper, taken_out=1)
    has_successor = saving.withdraw_keying(session, paper, paper.keying, current_keyer())
    session.commit()
    # translators: shown after a keyed sheet was withdrawn
    flash(gettext("The form was withdrawn. What you entered is still on this page."))
    if has_successor:
        # translators: shown after a keyed sheet was withdrawn; the family had sent two
        flash(gettext("Another form from this household was saved but not counted. It is counted now."))
    return redirect(sheet_address(paper))


def _audit_correction(session: Session, paper: PaperSheet, **detail: int) -> None:
    """Record a correction in the audit log, which is permanent: for an anonymous wave it names no sheet."""
    if paper.wave.identity == "anonymous":
        log_event(session, "correct answers", paper.wave.id, school=paper.school.id)
    else:
        log_event(session, "correct answers", paper.name, **detail)
