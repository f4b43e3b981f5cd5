"""What a keying page sends, and the one transaction in which an action changes a sheet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from wtforms import HiddenField, RadioField

from engage.domain.intake.form_data import FormTooLarge
from engage.domain.security import access_codes
from engage.services.data_entry.entries import InvalidMark
from engage.services.data_entry.keyed_sheet import KeyedSheet, parse_keyed_sheet
from engage.services.data_entry.lookup import PaperSheet
from engage.services.data_entry.saving import delete_draft
from engage.sites.liaison.sheet_access import current_keyer, is_sealed, keying_digest, refuse_sealed, require_sheet
from engage.storage.engine import read_session, write_session
from engage.web.context import runtime
from engage.web.forms import BaseForm
from engage.web.page_language import gettext

MODES = ("paper", "interview")  # of `mode_choices`
BLOCKS_MOST = 99  # blocks of a page; more than any survey's `maximum`


def mode_choices() -> list[tuple[str, str]]:
    """How the answers of a sheet were given."""
    return [
        # translators: the family filled in the paper itself
        ("paper", gettext("Written on the form")),
        # translators: somebody read the questions to the family and marked the answers
        ("interview", gettext("In an interview")),
    ]


class KeyingForm(BaseForm):
    """What a keying page sends beside the answers to the questionnaire, which `parse_keyed_sheet` reads. `blocks`: of
    the repeated section, as the page showed them. `seen`: the digest of the keying that the page was made from."""

    mode = RadioField(choices=mode_choices, default="paper")
    blocks = HiddenField()
    seen = HiddenField()

    @property
    def block_count(self) -> int:
        """How many blocks; 0 for what is no number."""
        plain = self.blocks.data or ""
        return min(int(plain), BLOCKS_MOST) if plain.isascii() and plain.isdecimal() else 0


@dataclass(frozen=True, slots=True)
class KeyingSubmission:
    """What a keying page sent. `blocks`: of the repeated section, as the page showed them. `seen`: the digest of the
    keying that the page was made from."""

    sheet: KeyedSheet
    mode: str
    blocks: int
    seen: str

    def is_current(self, paper: PaperSheet) -> bool:
        """Whether the sheet is stored as the page showed it."""
        return self.seen == keying_digest(paper.keying)


Action = Callable[[Session, PaperSheet], ResponseReturnValue]


def receive_submission(address: Mapping[str, str]) -> KeyingSubmission:
    """What the page of a sheet sent. Answers "not found" for a foreign sheet, 400 for what no page offers."""
    with read_session(runtime().engine) as session:
        return parse_submission(require_sheet(session, address))


def parse_submission(paper: PaperSheet) -> KeyingSubmission:
    """The form of this request, for a sheet. Answers 400 for what no page offers."""
    form = KeyingForm()
    try:
        sheet = parse_keyed_sheet(paper, request.form.items(multi=True))
    except (InvalidMark, FormTooLarge):
        abort(400)
    if not form.validate():
        abort(400)
    return KeyingSubmission(sheet, form.mode.data, form.block_count, form.seen.data or "")


def hash_reply_code(paper: PaperSheet, sheet: KeyedSheet) -> str | None:
    """What is stored of the code on the strip a family tore off, where it asks something. Takes about 20 ms: call it
    before the database is locked for writing."""
    if paper.serial is None or not paper.tears or not sheet.follow_ups:
        return None
    code = access_codes.derive_reply_code(runtime().secret(access_codes.REPLY_KEY), b"sheet" + paper.serial.encode())
    return access_codes.hash_reply_code(code, runtime().secret(access_codes.REPLY_PEPPER))


def change_sheet(
    address: Mapping[str, str], action: Action, refuse: Callable[[], ResponseReturnValue] = refuse_sealed
) -> ResponseReturnValue:
    """Run an action, which commits, in a transaction of its own; `refuse` answers in place of it where the sheet is
    sealed. It runs once more if another person saved the same sheet in the same moment: now that can be seen."""
    with write_session(runtime().engine) as session:
        try:
            return _run_action(session, address, action, refuse)
        except IntegrityError:
            session.rollback()
            return _run_action(session, address, action, refuse)


def _run_action(
    session: Session, address: Mapping[str, str], action: Action, refuse: Callable[[], ResponseReturnValue]
) -> ResponseReturnValue:
    paper = require_sheet(session, address)
    if not is_sealed(paper):
        return action(session, paper)
    delete_draft(session, paper, current_keyer())
    session.commit()
    return refuse()
