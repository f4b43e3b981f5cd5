"""What is kept no longer, and for how long it was kept: one list, so that nothing is forgotten to be forgotten."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import SystemRandom
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.domain.conversations.paper_threads import SERIAL_DAYS, clear_serials, serials_due
from engage.domain.intake.access_code_use import destroy_salts, due_links, forget_links
from engage.domain.intake.drafts import sweep as sweep_drafts
from engage.domain.intake.group_assignment import count_unsettled, settle_groups
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.domain.mail.expired import destroy_expired, expired
from engage.domain.roster import staging_db
from engage.domain.roster.anonymize import NAMED, forget_names
from engage.domain.security.encryption import Sealer, derived
from engage.services.checkpoints.outputs import figure_files
from engage.services.data_entry.retention import KEYED_DAYS, cut_before, delete_keyings, keyed_before, left_before
from engage.services.data_entry.saving import DRAFTS_KEPT, Desk
from engage.services.data_entry.saving import sweep as sweep_sheets
from engage.services.printing.retention import FILES_DAYS, forget_named_sheets, named_sheets, old_files
from engage.services.retention.policy import Policy
from engage.services.site_database import sqlite_file
from engage.services.waves.invitations import destroy_withdrawn
from engage.services.waves.link_retention import forget_asked, forget_sheets, over
from engage.services.waves.response_retention import (
    answers_due,
    conversations_due,
    delete_answers,
    delete_conversations,
    delete_ledgers,
    ledgers_due,
)
from engage.storage.models.conversations import Thread
from engage.storage.models.mail import Mail
from engage.storage.models.paper import Keying, KeyingDraft, Packet, PrintRun, SheetLink
from engage.storage.models.responses import Draft, Invitation, Response, ResponseLink
from engage.storage.models.roster import WithdrawnInvitation
from engage.storage.models.schools import Wave
from engage.storage.models.staff import StaffSession

SALTS_DAYS = 30  # after a wave closed, nobody uses its codes any more
ASKED_DAYS = 365  # the next checkpoint of a wave that comes back each year can still be compared
COPIES_DAYS = 30  # copies that upgrades and restores leave behind: by then one knows whether they were needed
SESSIONS = timedelta(days=1)  # a session of staff ends after half of it


def policies(settings: Settings, today: date, now: datetime) -> list[Policy]:
    """Every policy as it stands on `today`, the district's day. Files of a few hours are measured by `now`."""
    midnight = datetime.combine(today, time(), ZoneInfo(settings.timezone)).astimezone(UTC)
    plain = midnight.replace(tzinfo=None)
    return [
        *_families(settings, today),
        *_staff(settings, midnight, plain),
        *_answers(settings, today),
        *_paper(settings, today),
        *_packets(settings, today),
        *_names(settings),
        *_files(settings, today, now),
    ]


def _families(settings: Settings, today: date) -> Iterator[Policy]:
    drafts, asked = today - timedelta(days=settings.keep_drafts_days), today - timedelta(days=ASKED_DAYS)
    salts = today - timedelta(days=SALTS_DAYS)
    yield _rows(
        "unfinished answers of families",
        f"untouched for {settings.keep_drafts_days} days",
        Draft,
        Draft.touched_on < drafts,
        lambda session: sweep_drafts(session.connection(), drafts),
    )
    yield _rows(
        "links from answers to access codes",
        "their day has come",
        ResponseLink,
        due_links(today),
        lambda session: forget_links(session, today),
    )
    yield _rows(
        "access codes set aside of families that do not want to be asked",
        "wave closed",
        WithdrawnInvitation,
        WithdrawnInvitation.wave_id.in_(select(Wave.id).where(Wave.closes < today)),
        lambda session: destroy_withdrawn(session, today),
    )
    yield _rows(
        "salts that tell which codes were used",
        f"wave closed for {SALTS_DAYS} days",
        Wave,
        (Wave.closes < salts) & Wave.burn_salt.is_not(None),
        lambda session: destroy_salts(session, today, SALTS_DAYS),
    )
    yield _rows(
        "households and students in invitations",
        f"wave closed for {ASKED_DAYS} days",
        Invitation,
        over(asked),
        lambda session: forget_asked(session, asked),
    )


def _answers(settings: Settings, today: date) -> Iterator[Policy]:
    words = today - timedelta(days=settings.keep_conversations_days)
    ledgers = today - timedelta(days=settings.keep_ledgers_days)
    yield _rows(
        "answers of waves",
        f"last day {settings.keep_answers_days} days ago, or as families were told",
        Wave,
        answers_due(today, settings),
        lambda session: delete_answers(session, today, settings),
    )
    yield _rows(
        "conversations with families",
        f"nothing written for {settings.keep_conversations_days} days",
        Thread,
        conversations_due(words),
        lambda session: delete_conversations(session, words),
    )
    for table, name in ((PrintRun, "print runs and their sheets"), (Packet, "packets and their print runs")):
        yield _rows(
            name,
            f"wave closed for {settings.keep_ledgers_days} days",
            table,
            ledgers_due(table, ledgers),
            lambda session: delete_ledgers(session, ledgers),
        )
    yield Policy(
        "byte columns and drafts of deleted answers",
        "their wave's answers are deleted",
        lambda session: len(figure_files(session, settings.data_dir)),
        lambda session: _remove(figure_files(session, settings.data_dir)),
    )


def _staff(settings: Settings, midnight: datetime, plain: datetime) -> Iterator[Policy]:
    letters, ended = plain - timedelta(days=settings.keep_letters_days), plain - SESSIONS
    yield _rows(
        "sheets keyed and never saved",
        f"untouched for {DRAFTS_KEPT.days} days",
        KeyingDraft,
        KeyingDraft.touched_at < plain - DRAFTS_KEPT,
        lambda session: sweep_sheets(session, Desk(0, midnight, midnight.date())),
    )
    yield _rows(
        "letters sent or given up",
        f"written {settings.keep_letters_days} days ago",
        Mail,
        expired(letters),
        lambda session: destroy_expired(session, letters),
    )
    yield _rows(
        "sessions of staff that have ended",
        f"begun {SESSIONS.days} day ago",
        StaffSession,
        StaffSession.began_at < ended,
        lambda session: session.execute(delete(StaffSession).where(StaffSession.began_at < ended)),
    )


def _paper(settings: Settings, today: date) -> Iterator[Policy]:
    keyed = cut_before(settings.timezone, today)
    yield _rows(
        "sheets keyed in anonymous waves, with serial, times and marks",
        f"keyed {KEYED_DAYS} days ago",
        Keying,
        keyed_before(keyed),
        lambda session: delete_keyings(session, keyed, SystemRandom()),
    )
    yield _rows(
        "sheets begun in anonymous waves and never saved",
        f"untouched for {KEYED_DAYS} days",
        KeyingDraft,
        left_before(keyed),
        lambda session: session.execute(delete(KeyingDraft).where(left_before(keyed))),
    )
    yield _rows(
        "serials of sheets beside families' questions",
        f"asked {SERIAL_DAYS} days ago",
        Thread,
        serials_due(today),
        lambda session: clear_serials(session.connection(), today),
    )
    yield Policy(
        "groups of anonymous answers that are sealed, or too small",
        "wave closed",
        lambda session: count_unsettled(session.connection(), today),
        lambda session: settle_groups(session.connection(), derived(settings.secret().encode(), GROUP_KEY), today),
        Response.__tablename__,
    )


def _packets(settings: Settings, today: date) -> Iterator[Policy]:
    yield _rows(
        "links from sheets to households",
        "their day has come",
        SheetLink,
        SheetLink.forget_on <= today,
        lambda session: forget_sheets(session, today),
    )
    yield Policy(
        "files of packets",
        f"{FILES_DAYS} days old, or links gone",
        lambda session: len(old_files(session, settings, today)),
        lambda session: _unlink(old_files(session, settings, today)),
    )


def _names(settings: Settings) -> Iterator[Policy]:
    if settings.keep_names:
        return
    sealer = Sealer.of(settings)
    yield Policy(
        "names on the outside of sheets",
        "no names are kept",
        lambda session: sum(1 for _ in named_sheets(session, sealer)),
        lambda session: forget_named_sheets(session, sealer),
        SheetLink.__tablename__,
    )
    for column in NAMED:
        table = column.class_.__tablename__
        yield _rows(
            f"names: {table}.{column.key}", "no names are kept", column.class_, column.is_not(None), forget_names
        )


def _files(settings: Settings, today: date, now: datetime) -> Iterator[Policy]:
    shelf, hours = settings.data_dir / staging_db.FOLDER, int(staging_db.LASTS.total_seconds() // 3600)
    yield Policy(
        "rosters uploaded and not confirmed",
        f"{hours} hours old",
        lambda _: sum(
            1 for each in shelf.glob("*") if now.timestamp() - each.stat().st_mtime > staging_db.LASTS.total_seconds()
        ),
        lambda _: staging_db.sweep(settings.data_dir, now),
    )
    yield Policy(
        "copies left by upgrades and restores",
        f"{COPIES_DAYS} days old",
        lambda _: len(_old_copies(settings, today)),
        lambda _: _unlink(_old_copies(settings, today)),
    )


def _old_copies(settings: Settings, today: date) -> list[Path]:
    found, file, zone = list((settings.data_dir / "backups").glob("*.db")), sqlite_file(settings), settings.timezone
    if file:
        found += file.parent.glob(f"{file.name}.old*")
    limit = today - timedelta(days=COPIES_DAYS)
    # st_ctime: a copy that was put aside today may have been written to long ago
    return [each for each in found if datetime.fromtimestamp(each.stat().st_ctime, ZoneInfo(zone)).date() < limit]


def _remove(paths: list[Path]) -> None:
    for path in paths:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _rows(what: str, rule: str, table: Any, due: ColumnElement[bool], destroy: Callable[[Session], object]) -> Policy:
    counted = select(func.count()).select_from(table).where(due)
    return Policy(what, rule, lambda session: session.scalar(counted) or 0, destroy, table.__tablename__)
