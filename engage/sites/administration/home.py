"""The first page after signing in: what waits for this person."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template
from flask.blueprints import BlueprintSetupState
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engage.domain.conversations.inbox import waiting
from engage.domain.conversations.threads import week_of
from engage.services.retention.nights import standing
from engage.sites.administration import mail_queue
from engage.sites.administration.blueprint import blueprint
from engage.storage.engine import reading
from engage.storage.models.paper import KeyingDraft, PrintRun, Sheet
from engage.web.context import state
from engage.web.navigation import rooms
from engage.web.page_language import gettext, long_date, ngettext
from engage.web.permissions import allowed, enters, languages, person, schools


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits: where, and a sentence."""

    address: str
    sentence: str
    urgent: bool = False


@enters("manage yourself")
def home() -> str:
    """What waits for this person, then every room that is open to them."""
    with reading(state().engine) as session:
        tasks = [*_questions(session), *_paper(session), *_letters(session)]
        retention = _retention(session) if allowed("see the audit log") else {}
    return render_template(
        "administration/home.html", tasks=tasks, rooms_here=rooms()[1:], person=person(), **retention
    )


def _retention(session: Session) -> dict[str, Any]:
    """When old data was deleted last: the district's day, None where it never was; and whether it is overdue."""
    found, zone = standing(session, state().now()), ZoneInfo(state().settings.timezone)
    return {"retention": True, "overdue": found.overdue, "day": found.last and found.last.astimezone(zone).date()}


@blueprint.record
def _at_the_top(setup: BlueprintSetupState) -> None:
    """The page stands above every door's own addresses."""
    setup.app.add_url_rule("/staff/", "home", home)


def _questions(session: Session) -> list[Task]:
    if not allowed("read family questions"):
        return []
    since = waiting(session.connection(), schools(), languages())
    if not since:
        return []
    week = week_of(min(since.values()))  # of anonymous surveys nothing finer is stored
    # translators: first staff page: questions of families that nobody has answered
    many = ngettext("%(num)s family waits for an answer.", "%(num)s families wait for an answer.", len(since))
    # translators: first staff page: follows how many families wait for an answer; %(day)s is a date, a Monday
    first = gettext("The first of them asked in the week of %(day)s.", day=long_date(week))
    return [Task("/staff/liaison/questions?status=waits", f"{many} {first}", urgent=True)]


def _paper(session: Session) -> list[Task]:
    if not allowed("key paper responses"):
        return []
    mine = select(func.count()).select_from(KeyingDraft).where(KeyingDraft.keyed_by == person().id)
    begun = session.scalar(mine) or 0
    printed = _printed(session)
    tasks = []
    if begun:
        # translators: first staff page: paper sheets that were begun to be typed in
        said = ngettext("%(num)s sheet is begun and not saved.", "%(num)s sheets are begun and not saved.", begun)
        tasks.append(Task("/staff/liaison/keying", said, urgent=True))
    if printed:
        # translators: first staff page: paper sheets that were printed for families and are not typed in
        said = ngettext("%(num)s printed sheet is not keyed.", "%(num)s printed sheets are not keyed.", printed)
        tasks.append(Task("/staff/liaison/keying", said))
    return tasks


def _printed(session: Session) -> int:
    counted = select(func.count()).select_from(Sheet).join(PrintRun, PrintRun.id == Sheet.run_id)
    own = schools()
    mine = counted if own is None else counted.where(PrintRun.school_id.in_(own))
    return session.scalar(mine.where(Sheet.state == "printed")) or 0


def _letters(session: Session) -> list[Task]:
    said = mail_queue.sentence(session) if allowed("read waiting letters") else None
    return [Task(mail_queue.LETTERS, said)] if said else []
