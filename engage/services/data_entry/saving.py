"""Saving, correcting, and withdrawing a keyed sheet, each in the caller's transaction."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import SystemRandom

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session

from engage.domain.conversations.paper_threads import save_paper_message, withdraw_paper_thread
from engage.domain.conversations.threads import KINDS, LONGEST, open_thread
from engage.domain.intake.corrections import replace_response, withdraw_response
from engage.domain.intake.follow_up_requests import FollowUpRequest
from engage.domain.intake.form_data import deserialize_draft, serialize_draft
from engage.domain.intake.submission import (
    CodeAlreadyUsed,
    CodeReplaced,
    Submission,
    accept_response,
    find_response,
)
from engage.services.data_entry.duplicates import find_household_code, find_uncounted_keyings, submission_key
from engage.services.data_entry.entries import Marks
from engage.services.data_entry.keyed_sheet import KeyedSheet, load_keyed_sheet
from engage.services.data_entry.lookup import PaperSheet, find_numbered_sheet
from engage.storage.language_groups import generalize_language
from engage.storage.models.paper import Keying, KeyingDraft

DRAFTS_KEPT = timedelta(days=90)  # until an untouched unfinished sheet is deleted; longer than paper arrives late


@dataclass(frozen=True, slots=True)
class KeyingContext:
    """Who keys, and when. `now` is in UTC; `today` is the district's day."""

    person: int
    now: datetime
    today: date
    group_key: bytes = b""
    """The site's key for GROUP_KEY, which seals the groups of responses of anonymous waves."""
    rng: SystemRandom = field(default_factory=SystemRandom)

    @property
    def stamp(self) -> datetime:
        """The moment as it is stored: UTC without a zone."""
        return self.now.astimezone(UTC).replace(tzinfo=None)


def save_draft(session: Session, paper: PaperSheet, desk: KeyingContext, marks: Marks, mode: str, blocks: int) -> None:
    """Store an unfinished sheet for this person."""
    place = {"wave_id": paper.wave.id, "school_id": paper.school.id, "language": paper.language}
    what = {"mode": mode, "blocks": blocks, "raw": serialize_draft(marks), "touched_at": desk.stamp}
    session.merge(KeyingDraft(keyed_by=desk.person, sheet=paper.name, **place, **what))


def delete_draft(session: Session, paper: PaperSheet, desk: KeyingContext) -> None:
    """Delete the unfinished sheet of this person."""
    drafts = delete(KeyingDraft).where(KeyingDraft.keyed_by == desk.person, KeyingDraft.sheet == paper.name)
    session.execute(drafts)


def has_stale_drafts(session: Session, desk: KeyingContext) -> bool:
    """Whether anyone has an unfinished sheet older than `DRAFTS_KEPT`."""
    return bool(session.scalar(select(exists().where(_stale_drafts(desk)))))


def delete_stale_drafts(session: Session, desk: KeyingContext) -> None:
    """Delete unfinished sheets of all people that are unchanged for `DRAFTS_KEPT`."""
    session.execute(delete(KeyingDraft).where(_stale_drafts(desk)))


def _stale_drafts(desk: KeyingContext) -> ColumnElement[bool]:
    return KeyingDraft.touched_at < desk.stamp - DRAFTS_KEPT


def save_keying(
    session: Session,
    paper: PaperSheet,
    desk: KeyingContext,
    sheet: KeyedSheet,
    mode: str,
    reply_hash: str | None = None,
) -> str:
    """Store a keying and submit its response. Returns the keying's id. `reply_hash`: of the reply code on the detached
    strip, None if there was none."""
    before = load_keyed_sheet(paper)
    if paper.keying is None:
        keying = _create_keying(session, paper, desk, sheet, mode)
    else:
        keying = paper.keying
        if before is None or before.stored_marks != sheet.stored_marks:
            _correct_keying(session, paper, keying, desk, sheet)
    _store_questions(session, paper, desk, before, sheet, reply_hash)
    delete_draft(session, paper, desk)
    return keying.id


def withdraw_keying(session: Session, paper: PaperSheet, keying: Keying, desk: KeyingContext) -> bool:
    """Withdraw a keyed sheet, as if it had never been keyed; its marks become this person's unfinished sheet. Returns
    whether an uncounted sheet of the household now counts instead."""
    connection = session.connection()
    stored = find_response(connection, submission_key(keying.id))
    chance = find_household_code(session, paper) if stored is not None else None
    waiting = find_uncounted_keyings(session, chance.invitation) if chance is not None else []
    if stored is not None:
        withdraw_response(connection, paper.wave, stored.response_id)
    if paper.serial is not None:
        for kind in KINDS:
            withdraw_paper_thread(connection, paper.serial, kind)
    save_draft(session, paper, desk, deserialize_draft(keying.raw), keying.mode, 0)
    if paper.sheet is not None:
        paper.sheet.state = "printed"
    session.delete(keying)
    session.flush()
    return any(_submit_waiting_keying(session, each, desk) for each in waiting)


def _submit_waiting_keying(session: Session, keying: Keying, desk: KeyingContext) -> bool:
    paper = find_numbered_sheet(session, keying.serial) if keying.serial else None
    sheet = load_keyed_sheet(paper) if paper is not None else None
    return paper is not None and sheet is not None and _submit_response(session, paper, keying, desk, sheet)


def _create_keying(session: Session, paper: PaperSheet, desk: KeyingContext, sheet: KeyedSheet, mode: str) -> Keying:
    keying = Keying(
        id=paper.keying_id,
        wave_id=paper.wave.id,
        school_id=paper.school.id,
        serial=paper.serial,
        language=_stored_language(session, paper),
        mode=mode,
        raw=serialize_draft(sheet.stored_marks),
        keyed_by=desk.person,
        keyed_at=desk.stamp,
    )
    session.add(keying)
    if paper.sheet is not None:
        paper.sheet.state = "keyed"
    session.flush()
    _submit_response(session, paper, keying, desk, sheet)
    return keying


def _stored_language(session: Session, paper: PaperSheet) -> str:
    if paper.wave.identity != "anonymous":
        return paper.language
    return generalize_language(session.connection(), paper.wave.id, paper.school.id, paper.language)


def _submit_response(
    session: Session, paper: PaperSheet, keying: Keying, desk: KeyingContext, sheet: KeyedSheet
) -> bool:
    """Submit the response of a keying. Returns False if the household has answered before and the sheet is not
    counted."""
    try:
        submission = Submission(
            sheet.survey,
            paper.wave,
            school_id=keying.school_id,
            language=keying.language,
            mode=keying.mode,
            raw=sheet.marks,
            document=sheet.document,
            submission_key=submission_key(keying.id),
            provenance=keying.id,
            chance=find_household_code(session, paper),
            group_key=desk.group_key,
        )
        accept_response(session.connection(), submission, today=desk.today, rng=desk.rng)
    except CodeReplaced:  # replaced concurrently: the household has another code now, or none
        return _submit_response(session, paper, keying, desk, sheet)
    except CodeAlreadyUsed:
        return False
    return True


def _correct_keying(
    session: Session, paper: PaperSheet, keying: Keying, desk: KeyingContext, sheet: KeyedSheet
) -> None:
    keying.raw, keying.corrected_at = serialize_draft(sheet.stored_marks), desk.stamp
    session.flush()
    connection = session.connection()
    stored = find_response(connection, submission_key(keying.id))
    if stored is None:  # it was not counted; the household's code may be free by now
        _submit_response(session, paper, keying, desk, sheet)
    else:
        replace_response(connection, paper.wave, stored.response_id, sheet.document)


def _store_questions(
    session: Session,
    paper: PaperSheet,
    desk: KeyingContext,
    before: KeyedSheet | None,
    sheet: KeyedSheet,
    reply_hash: str | None,
) -> None:
    """Open threads for the family's questions; for a sheet without serial, only those not asked before.

    In an anonymous wave the stored marks do not include the questions, so a question missing from a correction is not
    withdrawn.
    """
    connection, day = session.connection(), desk.today
    place = {"wave_id": paper.wave.id, "school_id": paper.school.id, "language": paper.language}
    for kind in KINDS:
        if paper.wave.identity == "anonymous" and kind not in sheet.follow_ups:
            continue
        wish = sheet.follow_ups.get(kind) or FollowUpRequest(kind, "", None)
        message = {"kind": kind, "text": wish.text[:LONGEST], "written_in": wish.language or paper.language, **place}
        if paper.serial is not None:
            save_paper_message(
                connection, serial=paper.serial, reply_hash=reply_hash, today=day, rng=desk.rng, **message
            )
        elif wish.text and (before is None or wish != before.follow_ups.get(kind)):
            open_thread(connection, today=day, rng=desk.rng, **message)
