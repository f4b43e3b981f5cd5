"""The submission of a keying page, and the transaction of an action on a sheet."""

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
    """The response modes of a sheet."""
    return [
        # translators: the family filled in the paper itself
        ("paper", gettext("Written on the form")),
        # translators: somebody read the questions to the family and marked the answers
        ("interview", gettext("In an interview")),
    ]


class KeyingForm(BaseForm):
    """The fields of a keying page other than the answers, which `parse_keyed_sheet` reads. `blocks`: of the repeated
    section, as the page showed them. `seen`: the digest of the keying that the page was rendered from."""

    mode = RadioField(choices=mode_choices, default="paper")
    blocks = HiddenField()
    seen = HiddenField()

    @property
    def block_count(self) -> int:
        """The number of blocks; 0 for text that is not a number."""
        plain = self.blocks.data or ""
        return min(int(plain), BLOCKS_MOST) if plain.isascii() and plain.isdecimal() else 0


@dataclass(frozen=True, slots=True)
class KeyingSubmission:
    """A submission of a keying page. `blocks`: of the repeated section, as the page showed them. `seen`: the digest of
    the keying that the page was rendered from."""

    sheet: KeyedSheet
    mode: str
    blocks: int
    seen: str

    def is_current(self, paper: PaperSheet) -> bool:
        """Whether the stored sheet is the one that the page showed."""
        return self.seen == keying_digest(paper.keying)


Action = Callable[[Session, PaperSheet], ResponseReturnValue]


def receive_submission(address: Mapping[str, str]) -> KeyingSubmission:
    """The submission for a sheet. Aborts with "not found" for another school's sheet, 400 for values that no page
    offers."""
    with read_session(runtime().engine) as session:
        return parse_submission(require_sheet(session, address))


def parse_submission(paper: PaperSheet) -> KeyingSubmission:
    """Parse the form of this request, for a sheet. Aborts with 400 for values that no page offers."""
    form = KeyingForm()
    try:
        sheet = parse_keyed_sheet(paper, request.form.items(multi=True))
    except (InvalidMark, FormTooLarge):
        abort(400)
    if not form.validate():
        abort(400)
    return KeyingSubmission(sheet, form.mode.data, form.block_count, form.seen.data or "")


def hash_reply_code(paper: PaperSheet, sheet: KeyedSheet) -> str | None:
    """The stored hash of the reply code on the detached strip, if the form asks a question. Takes about 20 ms: call it
    before the database is locked for writing."""
    if paper.serial is None or not paper.tears or not sheet.follow_ups:
        return None
    code = access_codes.derive_reply_code(runtime().secret(access_codes.REPLY_KEY), b"sheet" + paper.serial.encode())
    return access_codes.hash_reply_code(code, runtime().secret(access_codes.REPLY_PEPPER))


def change_sheet(
    address: Mapping[str, str], action: Action, refuse: Callable[[], ResponseReturnValue] = refuse_sealed
) -> ResponseReturnValue:
    """Run an action, which commits, in its own transaction; if the sheet is sealed, `refuse` gives the response
    instead. The action runs again if another person saved the same sheet concurrently, and then sees that change."""
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
