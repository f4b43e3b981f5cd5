"""The retention policies: what is deleted, and after how long."""

import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from random import SystemRandom
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from engage.base.clock import stored_utc
from engage.base.config import Settings
from engage.domain.conversations.paper_threads import SERIAL_DAYS, clear_expired_serials, has_expired_serial
from engage.domain.intake.access_code_use import destroy_due_links, destroy_salts, is_link_due
from engage.domain.intake.drafts import delete_stale_drafts as sweep_drafts
from engage.domain.intake.group_assignment import assign_due_groups, count_unassigned
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.domain.mail.outbox import destroy_expired_mail, is_mail_expired
from engage.domain.roster import staging_db
from engage.domain.roster.deliveries import ASIDE_DAYS, find_old_deliveries
from engage.domain.roster.names import NAMED, erase_names
from engage.domain.roster.updates import HISTORY, WAITS, expired_rows, expired_waits, needed_folders
from engage.domain.security.audit_anchor import record_system_event
from engage.domain.security.audit_log import SITE, AuditEntry
from engage.domain.security.encryption import Sealer, derive_key
from engage.services.checkpoints.count_requests import KEEP as COUNTS_KEPT
from engage.services.checkpoints.count_requests import is_count_expired
from engage.services.checkpoints.exports import KEEP as EXPORTS_KEPT
from engage.services.checkpoints.exports import find_expired_exports, is_export_expired
from engage.services.checkpoints.outputs import find_leftover_files
from engage.services.data_entry.retention import (
    KEYED_DAYS,
    delete_keyings,
    keying_cutoff,
    keying_drafts_due,
    keyings_due,
)
from engage.services.data_entry.saving import DRAFTS_KEPT, KeyingContext
from engage.services.data_entry.saving import delete_stale_drafts as sweep_sheets
from engage.services.printing.retention import FILES_DAYS, find_expired_files, find_named_sheets, remove_sheet_names
from engage.services.retention.running import Policy, Retention
from engage.services.site_database import sqlite_file
from engage.services.waves.invitations import delete_withdrawn_codes
from engage.services.waves.retention import (
    answers_due,
    conversations_due,
    delete_answers,
    delete_conversations,
    delete_ledgers,
    delete_sheet_links,
    invitations_due,
    ledgers_due,
    unlink_invitations,
)
from engage.services.waves.wave_drafts import DRAFT_DAYS, is_draft_expired
from engage.storage.engine import database_now
from engage.storage.models.conversations import Thread
from engage.storage.models.invitations import Invitation, WithdrawnInvitation
from engage.storage.models.jobs import Export, FigureCount
from engage.storage.models.mail import Mail
from engage.storage.models.paper import Keying, KeyingDraft, Packet, PrintRun, SheetLink
from engage.storage.models.responses import Draft, Response, ResponseLink
from engage.storage.models.roster_updates import DISCARDED, RosterUpdate
from engage.storage.models.staff import StaffSession
from engage.storage.models.wave_drafts import WaveDraft
from engage.storage.models.waves import Wave

SALTS_DAYS = 30  # after a wave closes, its codes are no longer used
ASKED_DAYS = 365  # so that the next checkpoint of a yearly wave can still be compared
COPIES_DAYS = 30  # copies that upgrades and restores leave; by then it is clear whether they are needed
SESSIONS = timedelta(days=1)  # a session of staff ends after half of this time


def build_policies(settings: Settings, today: date, now: datetime) -> list[Policy]:
    """Build every policy for `today`, the district's day. Files with a period of hours are compared with `now`."""
    midnight = settings.midnight(today)
    plain = stored_utc(midnight)
    return [
        *_family_policies(settings, today),
        *_staff_policies(settings, midnight, plain),
        *_response_policies(settings, today),
        *_keying_policies(settings, today),
        *_packet_policies(settings, today),
        *_job_policies(settings, now),
        *_name_policies(settings),
        *_file_policies(settings, today, now),
    ]


def _family_policies(settings: Settings, today: date) -> Iterator[Policy]:
    drafts, threads_before = today - timedelta(days=settings.keep_drafts_days), today - timedelta(days=ASKED_DAYS)
    salts = today - timedelta(days=SALTS_DAYS)
    yield _row_policy(
        "unfinished answers of families",
        f"untouched for {settings.keep_drafts_days} days",
        Draft,
        Draft.touched_on < drafts,
        lambda session: sweep_drafts(session.connection(), drafts),
    )
    yield _row_policy(
        "links from answers to access codes",
        "past their deletion date",
        ResponseLink,
        is_link_due(today),
        lambda session: destroy_due_links(session, today),
    )
    yield _row_policy(
        "withdrawn invitations of families that opted out",
        "wave closed",
        WithdrawnInvitation,
        WithdrawnInvitation.wave_id.in_(select(Wave.id).where(Wave.closes < today)),
        lambda session: delete_withdrawn_codes(session, today),
    )
    yield _row_policy(
        "salts that show which codes were used",
        f"wave closed for {SALTS_DAYS} days",
        Wave,
        (Wave.closes < salts) & Wave.burn_salt.is_not(None),
        lambda session: destroy_salts(session, today, SALTS_DAYS),
    )
    yield _row_policy(
        "households and students in invitations",
        f"wave closed for {ASKED_DAYS} days",
        Invitation,
        invitations_due(threads_before),
        lambda session: unlink_invitations(session, threads_before),
    )


def _response_policies(settings: Settings, today: date) -> Iterator[Policy]:
    words = today - timedelta(days=settings.keep_conversations_days)
    ledgers = today - timedelta(days=settings.keep_ledgers_days)
    yield _row_policy(
        "answers of waves",
        f"last day {settings.keep_answers_days} days ago, or as families were told",
        Wave,
        answers_due(today, settings),
        lambda session: delete_answers(session, today, settings),
    )
    yield _row_policy(
        "conversations with families",
        f"no message for {settings.keep_conversations_days} days",
        Thread,
        conversations_due(words),
        lambda session: delete_conversations(session, words),
    )
    for table, name in ((PrintRun, "print runs and their sheets"), (Packet, "packets and their print runs")):
        yield _row_policy(
            name,
            f"wave closed for {settings.keep_ledgers_days} days",
            table,
            ledgers_due(table, ledgers),
            lambda session: delete_ledgers(session, ledgers),
        )
    yield Policy(
        "byte columns and drafts of deleted answers",
        "their wave's answers are deleted",
        lambda session: len(find_leftover_files(session, settings.site_dir)),
        lambda session: _remove_paths(find_leftover_files(session, settings.site_dir)),
    )


def _staff_policies(settings: Settings, midnight: datetime, plain: datetime) -> Iterator[Policy]:
    letters, ended = plain - timedelta(days=settings.keep_letters_days), plain - SESSIONS
    yield _row_policy(
        "sheets keyed and never saved",
        f"untouched for {DRAFTS_KEPT.days} days",
        KeyingDraft,
        KeyingDraft.touched_at < plain - DRAFTS_KEPT,
        lambda session: sweep_sheets(session, KeyingContext(0, midnight, midnight.date())),
    )
    yield _row_policy(
        "email sent or given up",
        f"written {settings.keep_letters_days} days ago",
        Mail,
        is_mail_expired(letters),
        lambda session: destroy_expired_mail(session, letters),
    )
    yield _row_policy(
        "sessions of staff that have ended",
        f"begun {SESSIONS.days} day ago",
        StaffSession,
        StaffSession.began_at < ended,
        lambda session: session.execute(delete(StaffSession).where(StaffSession.began_at < ended)),
    )
    unchanged = is_draft_expired(midnight.date())
    yield _row_policy(
        "drafts of surveys that were not opened",
        f"unchanged for {DRAFT_DAYS} days",
        WaveDraft,
        unchanged,
        lambda session: session.execute(delete(WaveDraft).where(unchanged)),
    )


def _keying_policies(settings: Settings, today: date) -> Iterator[Policy]:
    keyed = keying_cutoff(settings.timezone, today)
    yield _row_policy(
        "sheets keyed in anonymous waves, with serial, times, and marks",
        f"keyed {KEYED_DAYS} days ago",
        Keying,
        keyings_due(keyed),
        lambda session: delete_keyings(session, keyed, SystemRandom()),
    )
    yield _row_policy(
        "sheets begun in anonymous waves and never saved",
        f"untouched for {KEYED_DAYS} days",
        KeyingDraft,
        keying_drafts_due(keyed),
        lambda session: session.execute(delete(KeyingDraft).where(keying_drafts_due(keyed))),
    )
    yield _row_policy(
        "serials of sheets stored with families' questions",
        f"asked {SERIAL_DAYS} days ago",
        Thread,
        has_expired_serial(today),
        lambda session: clear_expired_serials(session.connection(), today),
    )
    yield Policy(
        "groups of anonymous answers that are sealed, or too small",
        "wave closed",
        lambda session: count_unassigned(session.connection(), today),
        lambda session: assign_due_groups(
            session.connection(), derive_key(settings.secret().encode(), GROUP_KEY), today
        ),
        Response.__tablename__,
    )


def _packet_policies(settings: Settings, today: date) -> Iterator[Policy]:
    yield _row_policy(
        "links from sheets to households",
        "past their deletion date",
        SheetLink,
        SheetLink.forget_on <= today,
        lambda session: delete_sheet_links(session, today),
    )
    yield Policy(
        "files of packets",
        f"{FILES_DAYS} days old, or links gone",
        lambda session: len(find_expired_files(session, settings, today)),
        lambda session: _unlink_files(find_expired_files(session, settings, today)),
    )


def _job_policies(settings: Settings, now: datetime) -> Iterator[Policy]:
    counts, exports = is_count_expired(now), is_export_expired(now)
    yield _row_policy(
        "requests to count figures",
        f"requested {COUNTS_KEPT.days} day ago",
        FigureCount,
        counts,
        lambda session: session.execute(delete(FigureCount).where(counts)),
    )
    yield _row_policy(
        "files that staff asked for",
        f"requested {EXPORTS_KEPT.days} day ago",
        Export,
        exports,
        lambda session: session.execute(delete(Export).where(exports)),
    )
    yield Policy(
        "contents of these files",
        f"{EXPORTS_KEPT.days} day old",
        lambda session: len(find_expired_exports(session, settings, now)),
        lambda session: _unlink_files(find_expired_exports(session, settings, now)),
    )


def _name_policies(settings: Settings) -> Iterator[Policy]:
    if settings.keep_names:
        return
    sealer = Sealer.of(settings)
    yield Policy(
        "names on the outside of sheets",
        "no names are kept",
        lambda session: sum(1 for _ in find_named_sheets(session, sealer)),
        lambda session: remove_sheet_names(session, sealer),
        SheetLink.__tablename__,
    )
    for column in NAMED:
        table = column.class_.__tablename__
        yield _row_policy(
            f"names: {table}.{column.key}", "no names are kept", column.class_, column.is_not(None), erase_names
        )


def _file_policies(settings: Settings, today: date, now: datetime) -> Iterator[Policy]:
    hours = int(staging_db.LASTS.total_seconds() // 3600)
    yield Policy(
        "rosters uploaded and not confirmed",
        f"{hours} hours old",
        lambda session: len(staging_db.find_stale_folders(settings.site_dir, now, needed_folders(session))),
        lambda session: staging_db.delete_stale_folders(settings.site_dir, now, needed_folders(session)),
    )
    waits, over = expired_waits(now), expired_rows(now)
    yield _row_policy(
        "automatic updates of the roster that nobody confirmed",
        f"{WAITS.days} days old",
        RosterUpdate,
        waits,
        lambda session: session.execute(
            update(RosterUpdate).where(waits).values(state=DISCARDED, reason="expired", folder=None)
        ),
    )
    yield _row_policy(
        "numbers of automatic updates of the roster",
        f"{HISTORY.days} days old",
        RosterUpdate,
        over,
        lambda session: session.execute(delete(RosterUpdate).where(over)),
    )
    yield Policy(
        "files of rosters that could not be used",
        f"{ASIDE_DAYS.days} days old",
        lambda _: len(find_old_deliveries(settings.roster_dir, now)),
        lambda _: _remove_paths(find_old_deliveries(settings.roster_dir, now)),
    )
    yield Policy(
        "copies left by upgrades and restores",
        f"{COPIES_DAYS} days old",
        lambda _: len(_find_old_copies(settings, today)),
        lambda _: _unlink_files(_find_old_copies(settings, today)),
    )


def _find_old_copies(settings: Settings, today: date) -> list[Path]:
    copies, file, zone = list((settings.data_dir / "backups").glob("*.db")), sqlite_file(settings), settings.timezone
    if file:
        copies += file.parent.glob(f"{file.name}.old*")
    limit = today - timedelta(days=COPIES_DAYS)
    # st_ctime: a copy that was put aside today may have been modified long ago
    return [each for each in copies if datetime.fromtimestamp(each.stat().st_ctime, ZoneInfo(zone)).date() < limit]


def _remove_paths(paths: list[Path]) -> None:
    for path in paths:  # another machine may delete the same files at the same time
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _unlink_files(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _row_policy(
    what: str, rule: str, table: Any, due: ColumnElement[bool], destroy: Callable[[Session], object]
) -> Policy:
    counted = select(func.count()).select_from(table).where(due)
    return Policy(what, rule, lambda session: session.scalar(counted) or 0, destroy, table.__tablename__)


def build_retention(settings: Settings, actor: str = SITE) -> Retention:
    """Build the retention of a site; `actor` is the actor in the audit log."""

    def due(today: date, now: datetime) -> list[Policy]:
        return build_policies(settings, today, now)

    def record(session: Session, deleted: dict[str, int]) -> None:
        record_system_event(session, settings, database_now(session), AuditEntry(actor, "run retention", "", deleted))

    return Retention(due, record, settings.timezone)
