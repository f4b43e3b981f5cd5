"""The keying page of one sheet: every printed question with its boxes, and the marks so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from flask import render_template, request
from sqlalchemy.orm import Session

from engage.base.languages import LANGUAGES
from engage.domain.intake.form_data import deserialize_draft
from engage.domain.paper.form.typesetter import BLOCKS
from engage.services.data_entry.entries import Marks, Remark
from engage.services.data_entry.form_model import build_groups, highest_block
from engage.services.data_entry.keyed_sheet import load_keyed_sheet
from engage.services.data_entry.lookup import PaperSheet
from engage.sites.liaison.entry_messages import duplicate_notice, no_answer_keys, paper_wording, remark_lines
from engage.sites.liaison.sheet_access import keying_digest, sheet_address
from engage.sites.liaison.sheet_submission import MODES, KeyingForm, KeyingSubmission
from engage.storage.models.paper import KeyingDraft
from engage.storage.models.staff import Staff
from engage.web.permissions import person


@dataclass(frozen=True, slots=True)
class SheetContent:
    """The content of the page. `blocks`: of the repeated section, beyond those printed."""

    marks: Marks
    mode: str
    blocks: int = 0
    remarks: tuple[Remark, ...] = ()


def render_sheet(session: Session, paper: PaperSheet, sent: KeyingSubmission | None = None) -> str:
    """Render the keying page; with `sent` if somebody else saved the sheet first, so that no entry is lost."""
    draft = None if sent else _find_draft(session, paper)
    content = _draft_content(draft) if draft else _sent_content(paper, sent) if sent else _stored_content(paper)
    return render_template(
        "liaison/sheet.html",
        paper=paper,
        tongue=LANGUAGES[paper.language],
        ways=no_answer_keys(),
        draft=draft,
        clash=sent is not None,
        twice=duplicate_notice(session, paper),
        keyer=session.get(Staff, paper.keying.keyed_by) if paper.keying else None,
        remarks=remark_lines(content.remarks, paper.survey("en")),
        address=partial(sheet_address, paper),
        **_question_values(paper, content),
    )


def _question_values(paper: PaperSheet, content: SheetContent) -> Mapping[str, object]:
    words = paper_wording(paper)
    blocks = max(BLOCKS, content.blocks, highest_block(words.paper, content.marks))
    most = max((section.maximum for section in words.paper.sections if section.repeat), default=0)
    return {
        "title": words.paper.title,
        "groups": build_groups(words, content.marks, blocks),
        "form": KeyingForm(None, mode=content.mode, blocks=min(blocks, most), seen=keying_digest(paper.keying)),
        "can_grow": blocks < most,
    }


def _draft_content(draft: KeyingDraft) -> SheetContent:
    return SheetContent(deserialize_draft(draft.raw), draft.mode, draft.blocks)


def _sent_content(paper: PaperSheet, sent: KeyingSubmission) -> SheetContent:
    return SheetContent(sent.sheet.marks, sent.mode, sent.blocks, sent.sheet.remarks if paper.keying else ())


def _stored_content(paper: PaperSheet) -> SheetContent:
    sheet = load_keyed_sheet(paper)
    if sheet is None or paper.keying is None:
        mode = request.args.get("mode", "paper")
        return SheetContent({}, mode if mode in MODES else "paper")
    return SheetContent(sheet.marks, paper.keying.mode, remarks=sheet.remarks)


def _find_draft(session: Session, paper: PaperSheet) -> KeyingDraft | None:
    """This person's unsaved entry; None if the sheet was saved since."""
    draft = session.get(KeyingDraft, (person().id, paper.name))
    if draft and paper.keying and draft.touched_at <= (paper.keying.corrected_at or paper.keying.keyed_at):
        return None
    return draft
