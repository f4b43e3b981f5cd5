"""The staff home page: tasks of the signed-in person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template, url_for
from flask.blueprints import BlueprintSetupState
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engage.domain.conversations.threads import find_waiting_threads, week_start
from engage.services.retention.run_schedule import retention_status
from engage.services.waves.debriefs import find_open_debrief_waves, list_urgent_debriefs
from engage.sites.administration import mail_queue, roster_updates
from engage.sites.administration.blueprint import blueprint
from engage.storage.engine import read_session
from engage.storage.models.paper import KeyingDraft, PrintRun, Sheet
from engage.storage.models.waves import Wave
from engage.web.context import runtime
from engage.web.page_language import gettext, language, long_date, ngettext
from engage.web.permissions import (
    assigned_languages,
    enters,
    is_allowed,
    needs_second_step,
    permitted_schools,
    person,
)


@dataclass(frozen=True, slots=True)
class Task:
    """A task: the page where it is done, the label of the link, and a sentence."""

    address: str
    label: str
    sentence: str
    urgent: bool = False


@enters("manage yourself")
def home() -> str:
    """The person's tasks and schools, and whether retention runs on time."""
    with read_session(runtime().engine) as session:
        tasks = [*_question_tasks(session), *_debrief_tasks(session), *_paper_tasks(session)]
        tasks += [*_letter_tasks(session), *_roster_tasks(session)]
        waves = _find_debrief_waves(session)
        retention = _retention_status(session) if is_allowed("see the audit log") else {}
    return render_template("administration/staff_home.html", tasks=tasks, waves=waves, person=person(), **retention)


def _retention_status(session: Session) -> dict[str, Any]:
    """When retention last ran, as the district's day (None: never), and whether it is overdue."""
    status, zone = retention_status(session, runtime().now()), ZoneInfo(runtime().settings.timezone)
    return {"retention": True, "overdue": status.overdue, "day": status.last and status.last.astimezone(zone).date()}


@blueprint.record
def _add_home_route(setup: BlueprintSetupState) -> None:
    """Add the home page, whose address is outside of every blueprint's prefix."""
    setup.app.add_url_rule("/staff/", "home", home)


def _question_tasks(session: Session) -> list[Task]:
    if not is_allowed("read family questions"):
        return []
    since = find_waiting_threads(session.connection(), permitted_schools(), assigned_languages())
    if not since:
        return []
    week = week_start(min(since.values()))  # anonymous surveys store only the week
    # translators: first staff page: questions of families that nobody has answered
    many = ngettext(
        "%(num)s family is waiting for an answer.", "%(num)s families are waiting for an answer.", len(since)
    )
    # translators: first staff page: follows how many families wait for an answer; %(day)s is a date, a Monday
    first = gettext("The first one asked in the week of %(day)s.", day=long_date(week))
    # translators: first staff page: link to the questions of families
    answer = gettext("Answer")
    return [Task(url_for("liaison.questions", status="waits"), answer, f"{many} {first}", urgent=True)]


def _debrief_tasks(session: Session) -> list[Task]:
    if not is_allowed("read debriefs") or needs_second_step("read debriefs"):
        return []
    urgent = len(list_urgent_debriefs(session, permitted_schools(), language().tag, runtime().today()))
    # translators: first staff page: a debrief is what a community liaison wrote after an event
    sentence = ngettext(
        "%(num)s debrief names something that must be answered within a week.",
        "%(num)s debriefs name something that must be answered within a week.",
        urgent,
    )
    # translators: first staff page: link to what community liaisons wrote after events
    return [Task(url_for("liaison.debriefs"), gettext("Read"), sentence)] if urgent else []


def _find_debrief_waves(session: Session) -> Sequence[Wave]:
    """The waves in which this person can write a debrief today."""
    if not is_allowed("write debriefs"):
        return []
    return find_open_debrief_waves(session, permitted_schools(), runtime().today())


def _paper_tasks(session: Session) -> list[Task]:
    if not is_allowed("key paper responses"):
        return []
    drafts = select(func.count()).select_from(KeyingDraft).where(KeyingDraft.keyed_by == person().id)
    begun = session.scalar(drafts) or 0
    printed = _count_printed_sheets(session)
    # translators: first staff page: link to the page where answers on paper are typed in
    address, label = url_for("liaison.keying"), gettext("Enter")
    tasks = []
    if begun:
        # translators: first staff page: paper sheets that were begun to be typed in
        sentence = ngettext("%(num)s form is unfinished.", "%(num)s forms are unfinished.", begun)
        tasks.append(Task(address, label, sentence, urgent=True))
    if printed:
        # translators: first staff page: paper sheets that were printed for families and are not typed in
        sentence = ngettext(
            "%(num)s printed form has not been entered.", "%(num)s printed forms have not been entered.", printed
        )
        tasks.append(Task(address, label, sentence))
    return tasks


def _count_printed_sheets(session: Session) -> int:
    counted = select(func.count()).select_from(Sheet).join(PrintRun, PrintRun.id == Sheet.run_id)
    schools = permitted_schools()
    query = counted if schools is None else counted.where(PrintRun.school_id.in_(schools))
    return session.scalar(query.where(Sheet.state == "printed")) or 0


def _letter_tasks(session: Session) -> list[Task]:
    sentence = mail_queue.describe_unsent(session) if is_allowed("read waiting letters") else None
    # translators: first staff page: link to the email that could not be sent
    return [Task(url_for("administration.letters"), gettext("View"), sentence)] if sentence else []


def _roster_tasks(session: Session) -> list[Task]:
    sentence, urgent = roster_updates.describe_pending(session) if is_allowed("import rosters") else ("", False)
    # translators: first staff page: link to the page of the list of students
    return [Task(url_for("administration.roster"), gettext("View"), sentence, urgent)] if sentence else []
