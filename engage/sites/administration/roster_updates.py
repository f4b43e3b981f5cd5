"""Automatic updates of the roster on the pages of administrators: the state, the latest ones, and what waits."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from engage.base.catalogs import catalogue
from engage.base.config import Settings
from engage.domain.roster.update_messages import update_sentence
from engage.domain.roster.update_schedule import next_start
from engage.domain.roster.updates import UpdateStatus, list_updates, update_status
from engage.sites.administration.audit import format_local_time
from engage.storage.models.roster import STORED, STORING
from engage.storage.models.roster_updates import (
    DISCARDED,
    FAILED,
    READING,
    REFUSED,
    UNCHANGED,
    WAITING,
    RosterUpdate,
)
from engage.web.context import runtime
from engage.web.page_language import gettext, language

MOST = 14  # updates shown

BADGES = {STORED: "good", UNCHANGED: "good", WAITING: "warn", REFUSED: "bad", FAILED: "bad"}


@dataclass(frozen=True, slots=True)
class UpdateLine:
    """A row of the table: the update, when it began, its result with the kind of badge, and the reason as a
    sentence."""

    update: RosterUpdate
    moment: str
    badge: str
    result: str
    reason: str
    scope: str


@dataclass(frozen=True, slots=True)
class UpdatesCard:
    """What the roster page shows about automatic updates. `problem` is empty unless the latest could not be used;
    `waiting` is the name of a folder, empty if nothing waits, and `review` why it does."""

    source: str
    success: str
    following: str
    problem: str
    waiting: str
    review: str
    lines: Sequence[UpdateLine]


def describe_updates(session: Session) -> UpdatesCard | None:
    """What to show; None at a site without automatic updates."""
    settings, status = runtime().settings, update_status(session)
    if not settings.roster_dir and not settings.roster_url and status.latest is None:
        return None
    return UpdatesCard(
        _source_text(settings),
        _success_text(status),
        _next_text(session, settings),
        describe_reason(status.latest) if status.is_failing else "",
        status.waiting.folder or "" if status.waiting else "",
        describe_reason(status.waiting),
        [_describe_line(update) for update in list_updates(session, MOST)],
    )


def describe_reason(update: RosterUpdate | None) -> str:
    """Why an update waits or was not stored, and what to do; empty if it was."""
    return update_sentence(update.reason, update.detail, catalogue(language().tag)) if update else ""


def describe_pending(session: Session) -> tuple[str, bool]:
    """The sentence for the first page of an administrator, and whether it is urgent; empty if there is nothing to
    do."""
    status = update_status(session)
    if status.waiting is not None:
        # translators: first staff page: a new list of students arrived by itself, and a person must confirm it
        return gettext("An automatic update of the roster waits for you."), True
    if status.is_failing:
        # translators: first staff page: a new list of students did not arrive, or cannot be used
        return gettext("The latest automatic update of the roster could not be used."), True
    return "", False


def _source_text(settings: Settings) -> str:
    if settings.roster_dir:
        # translators: staff page: where lists of students come from by themselves
        return gettext("The roster follows the files that arrive in the watched folder.")
    if settings.roster_url:
        # translators: staff page: where lists of students come from by themselves. OneRoster is the name of a standard
        return gettext("The roster follows your OneRoster server, which is asked each night.")
    # translators: staff page: lists of students no longer come by themselves
    return gettext("Automatic updates are turned off.")


def _success_text(status: UpdateStatus) -> str:
    if status.succeeded is None:
        # translators: staff page: lists of students that come by themselves
        return gettext("No update has succeeded yet.")
    # translators: staff page: lists of students that come by themselves; %(moment)s is a date with a time
    return gettext("Last successful update: %(moment)s.", moment=format_local_time(status.succeeded.began_at))


def _next_text(session: Session, settings: Settings) -> str:
    if settings.roster_dir:
        # translators: staff page: the program looks often whether files have arrived in a folder
        return gettext("Next update: as soon as files arrive.")
    if not settings.roster_url:
        return ""
    now = runtime().now()
    following = next_start(session, now, settings.timezone)
    if following <= now:
        # translators: staff page: lists of students that come by themselves; the next one is fetched immediately
        return gettext("Next update: now.")
    # translators: staff page: lists of students that come by themselves; %(moment)s is a date with a time
    return gettext("Next update: %(moment)s.", moment=format_local_time(following))


def _describe_line(update: RosterUpdate) -> UpdateLine:
    # translators: in a table of lists of students: all students, or only what changed
    scope = gettext("Complete roster") if update.is_full else gettext("Changes")
    moment, badge = format_local_time(update.began_at), BADGES.get(update.state, "neutral")
    return UpdateLine(update, moment, badge, _result_label(update.state), describe_reason(update), scope)


def _result_label(state: str) -> str:
    labels = {
        # translators: result of an automatic update: its files are being read
        READING: gettext("In progress"),
        # translators: result of an automatic update: a person must confirm it
        WAITING: gettext("Waiting for confirmation"),
        # translators: result of an automatic update: it is being stored
        STORING: gettext("Being stored"),
        # translators: result of an automatic update: it was stored
        STORED: gettext("Imported"),
        # translators: result of an automatic update: there was nothing new
        UNCHANGED: gettext("No changes"),
        # translators: result of an automatic update: a person or a newer update decided against it
        DISCARDED: gettext("Not imported"),
        # translators: result of an automatic update: its files cannot be used
        REFUSED: gettext("Files refused"),
        # translators: result of an automatic update: it is tried again
        FAILED: gettext("Failed"),
    }
    return labels[state]
