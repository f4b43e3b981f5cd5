"""Saving a keyed sheet, correcting it, taking it out again: each one deed, in the caller's transaction."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import SystemRandom

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session

from engage.domain.conversations.paper_threads import bring, take_back
from engage.domain.conversations.reply_codes import KINDS
from engage.domain.conversations.threads import LONGEST, open_thread
from engage.domain.intake.accept import AlreadyUsed, Replaced, accept, find, keyed, replace
from engage.domain.intake.follow_up_requests import Wish, wishes
from engage.domain.intake.form_data import packed, unpacked
from engage.domain.intake.withdraw import withdraw
from engage.services.data_entry.duplicates import chance_of, only_kept, submission_key
from engage.services.data_entry.entries import Marks
from engage.services.data_entry.lookup import Paper, numbered
from engage.storage.language_groups import told
from engage.storage.models.paper import Keying, KeyingDraft

DRAFTS_KEPT = timedelta(days=90)  # longer than paper of a wave is late; then an untouched unfinished sheet goes


@dataclass(frozen=True, slots=True)
class Desk:
    """Who keys, when. `now` in UTC; `today` is the district's day."""

    person: int
    now: datetime
    today: date
    group_key: bytes = b""
    """The site's, for GROUP_KEY: seals the groups of responses of anonymous waves."""
    rng: SystemRandom = field(default_factory=SystemRandom)

    @property
    def stamp(self) -> datetime:
        """The moment as it is stored: UTC without a zone."""
        return self.now.astimezone(UTC).replace(tzinfo=None)


def keep(session: Session, paper: Paper, desk: Desk, marks: Marks, mode: str, blocks: int) -> None:
    """Keep an unfinished sheet for this person."""
    place = {"wave_id": paper.wave.id, "school_id": paper.school.id, "language": paper.language}
    what = {"mode": mode, "blocks": blocks, "raw": packed(marks), "touched_at": desk.stamp}
    session.merge(KeyingDraft(keyed_by=desk.person, sheet=paper.name, **place, **what))


def forget(session: Session, paper: Paper, desk: Desk) -> None:
    """Destroy the unfinished sheet of this person."""
    mine = delete(KeyingDraft).where(KeyingDraft.keyed_by == desk.person, KeyingDraft.sheet == paper.name)
    session.execute(mine)


def has_stale(session: Session, desk: Desk) -> bool:
    """Whether anybody has left a sheet unfinished for longer than `DRAFTS_KEPT`."""
    return bool(session.scalar(select(exists().where(_stale(desk)))))


def sweep(session: Session, desk: Desk) -> None:
    """Destroy unfinished sheets, whoever keyed them, that nobody has touched for `DRAFTS_KEPT`."""
    session.execute(delete(KeyingDraft).where(_stale(desk)))


def _stale(desk: Desk) -> ColumnElement[bool]:
    return KeyingDraft.touched_at < desk.stamp - DRAFTS_KEPT


def save(session: Session, paper: Paper, desk: Desk, marks: Marks, mode: str, reply_hash: str | None = None) -> str:
    """Store what was keyed and give it to the gate; returns the keying's id. `reply_hash`: of the code on the strip the
    family tore off, None where there was none."""
    if paper.keying is None:
        keying = _first(session, paper, desk, marks, mode)
        before: Marks = {}
    else:
        keying = paper.keying
        before = unpacked(keying.raw)
        if before != kept(paper, marks):
            _correct(session, paper, keying, desk, marks)
    _carry_questions(session, paper, desk, before, marks, reply_hash)
    forget(session, paper, desk)
    return keying.id


def kept(paper: Paper, marks: Marks) -> Marks:
    """The marks that are kept once a sheet is saved: in an anonymous wave without what its thread holds."""
    return keyed(paper.survey("en"), paper.wave, marks)


def asks(paper: Paper, marks: Marks) -> bool:
    """Whether the family asks anything back."""
    return bool(_wished(paper, marks))


def undo(session: Session, paper: Paper, keying: Keying, desk: Desk) -> bool:
    """Take a keyed sheet out again, as if it had never been keyed; its marks become this person's unfinished sheet.
    Returns whether another sheet of the household, which was only kept, counts in its place."""
    connection = session.connection()
    stored = find(connection, submission_key(keying.id))
    chance = chance_of(session, paper) if stored is not None else None
    waiting = only_kept(session, chance.invitation) if chance is not None else []
    if stored is not None:
        withdraw(connection, paper.wave, stored.response_id)
    if paper.serial is not None:
        for kind in KINDS:
            take_back(connection, paper.serial, kind)
    keep(session, paper, desk, unpacked(keying.raw), keying.mode, 0)
    if paper.sheet is not None:
        paper.sheet.state = "printed"
    session.delete(keying)
    session.flush()
    return any(_takes_place(session, each, desk) for each in waiting)


def _takes_place(session: Session, keying: Keying, desk: Desk) -> bool:
    paper = numbered(session, keying.serial) if keying.serial else None
    return paper is not None and _count(session, paper, keying, desk, unpacked(keying.raw))


def _first(session: Session, paper: Paper, desk: Desk, marks: Marks, mode: str) -> Keying:
    keying = Keying(
        id=paper.keying_id,
        wave_id=paper.wave.id,
        school_id=paper.school.id,
        serial=paper.serial,
        language=_told(session, paper),
        mode=mode,
        raw=packed(kept(paper, marks)),
        keyed_by=desk.person,
        keyed_at=desk.stamp,
    )
    session.add(keying)
    if paper.sheet is not None:
        paper.sheet.state = "keyed"
    session.flush()
    _count(session, paper, keying, desk, marks)
    return keying


def _told(session: Session, paper: Paper) -> str:
    if paper.wave.identity != "anonymous":
        return paper.language
    return told(session.connection(), paper.wave.id, paper.school.id, paper.language)


def _count(session: Session, paper: Paper, keying: Keying, desk: Desk, marks: Marks) -> bool:
    """Give what was keyed to the gate; False where the household has answered before, and the sheet is only kept."""
    try:
        accept(
            session.connection(),
            paper.survey("en"),
            paper.wave,
            school_id=keying.school_id,
            language=keying.language,
            mode=keying.mode,
            raw=marks,
            submission_key=submission_key(keying.id),
            today=desk.today,
            rng=desk.rng,
            provenance=keying.id,
            chance=chance_of(session, paper),
            group_key=desk.group_key,
        )
    except Replaced:  # in this moment: the household has another code now, or none
        return _count(session, paper, keying, desk, marks)
    except AlreadyUsed:
        return False
    return True


def _correct(session: Session, paper: Paper, keying: Keying, desk: Desk, marks: Marks) -> None:
    keying.raw, keying.corrected_at = packed(kept(paper, marks)), desk.stamp
    session.flush()
    connection = session.connection()
    stored = find(connection, submission_key(keying.id))
    if stored is None:  # it was only kept; perhaps the household's code is free by now
        _count(session, paper, keying, desk, marks)
    else:
        replace(connection, paper.survey("en"), paper.wave, stored.response_id, marks, keying.mode)


def _carry_questions(
    session: Session, paper: Paper, desk: Desk, before: Marks, marks: Marks, reply_hash: str | None
) -> None:
    """What the family asks back becomes a thread; of a sheet without serial only what was not asked before.

    In an anonymous wave the sheet's marks no longer hold it: what is not marked on a correction is not taken back."""
    connection, day = session.connection(), desk.today
    place = {"wave_id": paper.wave.id, "school_id": paper.school.id, "language": paper.language}
    known, wished = _wished(paper, before), _wished(paper, marks)
    for kind in KINDS:
        if paper.wave.identity == "anonymous" and kind not in wished:
            continue
        wish = wished.get(kind) or Wish(kind, "", None)
        said = {"kind": kind, "text": wish.text[:LONGEST], "written_in": wish.language or paper.language, **place}
        if paper.serial is not None:
            bring(connection, serial=paper.serial, reply_hash=reply_hash, today=day, rng=desk.rng, **said)
        elif wish.text and wish != known.get(kind):
            open_thread(connection, today=day, rng=desk.rng, **said)


def _wished(paper: Paper, marks: Marks) -> dict[str, Wish]:
    return {wish.kind: wish for wish in wishes(paper.survey("en"), marks, lenient=True)}
