"""Keying: type the serial, then what is on the paper. Nothing printed is ever refused."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.base.languages import LANGUAGES
from engage.domain.intake.form_data import FormTooLarge, deserialize_draft
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.domain.paper.form.typesetter import BLOCKS
from engage.domain.security import access_codes
from engage.questionnaire.numbering import question_numbers
from engage.services.data_entry.entries import InvalidMark, Marks, find_remarks, parse_marks
from engage.services.data_entry.form_model import build_groups, highest_block
from engage.services.data_entry.lookup import PaperSheet, SheetDetails, find_numbered_sheet, find_unnumbered_sheet
from engage.services.data_entry.retention import is_keying_expired
from engage.services.data_entry.saving import (
    KeyingContext,
    delete_draft,
    has_questions,
    save_draft,
    save_keying,
    stored_marks,
    undo_keying,
)
from engage.sites.liaison.blueprint import blueprint
from engage.sites.liaison.entry_messages import (
    duplicate_notice,
    no_answer_keys,
    paper_wording,
    question_label,
    remark_sentence,
)
from engage.storage.engine import read_session, write_session
from engage.storage.models.paper import Keying, KeyingDraft
from engage.storage.models.staff import Staff
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.page_language import gettext, local_day
from engage.web.permissions import enters, person, require_school

MODES = ("paper", "interview")


@dataclass(frozen=True, slots=True)
class KeyingSubmission:
    """What a keying page sent. `seen` is the digest of the marks the page was made from."""

    marks: Marks
    mode: str
    blocks: int
    seen: str


def current_keyer() -> KeyingContext:
    """Who keys now."""
    return KeyingContext(person().id, runtime().now(), runtime().today(), runtime().secret(GROUP_KEY))


@blueprint.route("/keying/sheets/<serial>", methods=["GET", "POST"])
@enters("key paper responses")
def sheet(serial: str) -> Response | str | tuple[str, int]:
    """The keying page of a numbered sheet."""
    return _handle_request(lambda session: find_numbered_sheet(session, serial.strip("\x00")))


@blueprint.route("/keying/papers/<name>", methods=["GET", "POST"])
@enters("key paper responses")
def paper(name: str) -> Response | str | tuple[str, int]:
    """The keying page of a sheet without a readable serial; the address tells its wave, school and language."""
    told = SheetDetails(**{key: request.args.get(key, "") for key in ("wave", "school", "language")})
    return _handle_request(lambda session: find_unnumbered_sheet(session, name, told, person().id))


def _handle_request(find: Callable[[Session], PaperSheet | None]) -> Response | str | tuple[str, int]:
    with read_session(runtime().engine) as session:
        found = _require_own_paper(find(session))
        if request.method == "GET":
            return _refuse_sealed() if is_sealed(found) else _render_page(session, found)
        slow = _reply_hash(found)
    with write_session(runtime().engine) as session:
        try:
            return _handle_action(session, _require_own_paper(find(session)), slow)
        except IntegrityError:  # somebody saved the same sheet in the same moment: now it can be seen
            session.rollback()
            return _handle_action(session, _require_own_paper(find(session)), slow)


def _reply_hash(found: PaperSheet) -> str | None:
    """What is kept of the code on the strip a family tore off, where it asks something. Takes about 20 ms, in which the
    database is not kept from others."""
    if (
        found.serial is None
        or not found.tears
        or _requested_action() != "save"
        or not has_questions(found, _read_submission(found).marks)
    ):
        return None
    code = access_codes.derive_reply_code(runtime().secret(access_codes.REPLY_KEY), b"sheet" + found.serial.encode())
    return access_codes.hash_reply_code(code, runtime().secret(access_codes.REPLY_PEPPER))


def _requested_action() -> str:
    return request.args.get("deed") or request.form.get("deed", "save")


def _require_own_paper(found: PaperSheet | None) -> PaperSheet:
    """The paper; "not found" for one that is of a foreign school or not there."""
    if found is None:
        abort(404)
    require_school(found.school.id)
    return found


def _handle_action(session: Session, found: PaperSheet, slow: str | None) -> Response | str | tuple[str, int]:
    deed = _requested_action()
    sent = _read_submission(found)
    if is_sealed(found):
        delete_draft(session, found, current_keyer())
        session.commit()
        return Response(status=204) if deed == "draft" else _refuse_sealed()
    if deed in ("draft", "keep", "more"):
        return _save_draft(session, found, sent, deed)
    if deed in ("spoil", "unspoil") and found.sheet and not found.keying:
        return _mark_spoiled(session, found, deed == "spoil")
    if deed == "undo" and found.keying:
        _audit_correction(session, found, taken_out=1)
        other = undo_keying(session, found, found.keying, current_keyer())
        session.commit()
        # translators: shown after a keyed sheet was withdrawn
        flash(gettext("The form was withdrawn. What you entered is still on this page."))
        if other:
            # translators: shown after a keyed sheet was withdrawn; the family had sent two
            flash(gettext("Another form from this household was saved but not counted. It is counted now."))
        return redirect(keying_address(found))
    return _save_keying(session, found, sent, slow)


def is_sealed(found: PaperSheet) -> bool:
    """Whether a keyed sheet of an anonymous wave can be looked at no more: by anybody else, or 14 days later."""
    if found.wave.identity != "anonymous":
        return False
    if found.keying is None:
        return found.sheet is not None and found.sheet.state == "keyed"
    day = local_day(found.keying.keyed_at)
    return found.keying.keyed_by != person().id or is_keying_expired(day, runtime().today())


def _refuse_sealed() -> Response:
    # translators: shown to staff who type the serial of a sheet that is keyed; the survey is an anonymous one
    flash(gettext("This form has been entered. Only the person who entered it can change it, and only for 14 days."))
    return redirect(url_for("liaison.keying"))


def _read_submission(found: PaperSheet) -> KeyingSubmission:
    form = request.form
    mode = form.get("mode", "paper")
    try:
        marks = parse_marks(found.survey("en"), form.items(multi=True))
    except (InvalidMark, FormTooLarge):
        abort(400)
    if mode not in MODES:
        abort(400)
    blocks = form.get("blocks", "")
    return KeyingSubmission(
        marks, mode, int(blocks) if blocks.isascii() and blocks.isdecimal() else 0, form.get("seen", "")
    )


def _save_draft(session: Session, found: PaperSheet, sent: KeyingSubmission, deed: str) -> Response:
    if deed == "draft" and sent.seen != digest(found.keying):
        return Response(status=204)  # sent on leaving a page that has been saved since
    blocks = min(sent.blocks, 99) + (deed == "more")
    save_draft(session, found, current_keyer(), sent.marks, sent.mode, blocks)
    session.commit()
    if deed == "draft":
        return Response(status=204)
    if deed == "keep":
        # translators: shown when an unfinished sheet was kept
        flash(gettext("Your draft was saved. You can continue now or later."))
        return redirect(keying_address(found))
    return redirect(keying_address(found) + f"#block-{blocks}")


def _mark_spoiled(session: Session, found: PaperSheet, spoiled: bool) -> Response:
    assert found.sheet is not None, "asked before"
    found.sheet.state = "spoiled" if spoiled else "printed"
    delete_draft(session, found, current_keyer())
    session.commit()
    if not spoiled:
        return redirect(keying_address(found))
    # translators: shown after a paper sheet was marked as one that cannot be used
    flash(gettext("Form %(serial)s was marked as spoiled.", serial=found.name))
    return redirect(url_for("liaison.keying"))


def _save_keying(
    session: Session, found: PaperSheet, sent: KeyingSubmission, slow: str | None
) -> Response | tuple[str, int]:
    stored, now = deserialize_draft(found.keying.raw) if found.keying else None, stored_marks(found, sent.marks)
    if sent.seen != digest(found.keying) and now != stored:
        return _render_page(session, found, sent), 409
    if found.keying and found.sheet is None and sent.seen == "new":  # sent twice: its question is asked already
        return redirect(url_for("liaison.keying", saved=found.keying.id))
    if stored is not None and stored != now:
        changed = sum(stored.get(key) != now.get(key) for key in {*stored, *now})
        _audit_correction(session, found, marks=changed)
    keying_id = save_keying(session, found, current_keyer(), sent.marks, sent.mode, slow)
    session.commit()
    return redirect(url_for("liaison.keying", saved=keying_id))


def _audit_correction(session: Session, found: PaperSheet, **detail: int) -> None:
    """Put a correction into the audit log, which stays for good: of an anonymous wave it names no sheet."""
    if found.wave.identity == "anonymous":
        log_event(session, "correct answers", found.wave.id, school=found.school.id)
    else:
        log_event(session, "correct answers", found.name, **detail)


def keying_address(found: PaperSheet) -> str:
    """Where a paper is keyed."""
    if found.sheet is not None:
        return url_for("liaison.sheet", serial=found.sheet.serial)
    return url_for(
        "liaison.paper", name=found.name, wave=found.wave.id, school=found.school.id, language=found.language
    )


def digest(keying: Keying | None) -> str:
    """What tells whether somebody else has changed the marks since a page was made."""
    return hashlib.sha256(keying.raw.encode()).hexdigest()[:16] if keying else "new"


def _render_page(session: Session, found: PaperSheet, sent: KeyingSubmission | None = None) -> str:
    """The keying page; with `sent` where somebody else was faster, so that nothing keyed is lost."""
    draft = None if sent else _find_draft(session, found)
    marks, mode, blocks = _page_content(found, draft, sent)
    words = paper_wording(found)
    blocks = max(BLOCKS, blocks, highest_block(words.paper, marks))
    most = max((section.maximum for section in words.paper.sections if section.repeat), default=0)
    return render_template(
        "liaison/sheet.html",
        paper=found,
        tongue=LANGUAGES[found.language],
        groups=build_groups(words, marks, blocks),
        title=words.paper.title,
        ways=no_answer_keys(),
        mode=mode,
        blocks=min(blocks, most),
        can_grow=blocks < most,
        seen=digest(found.keying),
        draft=draft,
        clash=sent is not None,
        twice=duplicate_notice(session, found),
        keyer=session.get(Staff, found.keying.keyed_by) if found.keying else None,
        remarks=list_remarks(found, marks) if found.keying and not draft else [],
        action=keying_address(found),
    )


def _page_content(
    found: PaperSheet, draft: KeyingDraft | None, sent: KeyingSubmission | None
) -> tuple[Marks, str, int]:
    if sent is not None:
        return sent.marks, sent.mode, sent.blocks
    if draft is not None:
        return deserialize_draft(draft.raw), draft.mode, draft.blocks
    if found.keying is not None:
        return deserialize_draft(found.keying.raw), found.keying.mode, 0
    mode = request.args.get("mode", "paper")
    return {}, mode if mode in MODES else "paper", 0


def _find_draft(session: Session, found: PaperSheet) -> KeyingDraft | None:
    """What this person keyed and did not save; not where the sheet was saved since."""
    draft = session.get(KeyingDraft, (person().id, found.name))
    if draft and found.keying and draft.touched_at <= (found.keying.corrected_at or found.keying.keyed_at):
        return None
    return draft


def list_remarks(found: PaperSheet, marks: Marks) -> list[dict[str, Any]]:
    """What does not fit together on a sheet: which question, its place on the page, and the sentence."""
    survey = found.survey("en")
    shown = question_numbers(survey)
    return [
        {
            "where": question_label(each.slot, shown.get(each.slot.question.id)),
            "key": each.slot.key,
            "sentence": remark_sentence(each),
        }
        for each in find_remarks(survey, marks)
    ]
