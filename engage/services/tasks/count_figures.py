"""Counting of large checkpoints' figures: each request is done once, by its own workflow.

An interrupted workflow counts again from the stored responses; the figures of waves that it finished are stored."""

import logging
import time

from dbos import DBOS
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from engage.domain.intake.burst_marks import BurstsUndecided
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.domain.roster.import_state import RosterIncomplete, require_complete_roster
from engage.services.checkpoints.count_requests import FREEZE, UNFINISHED, is_count_expired
from engage.services.checkpoints.counting import CountProgress, count_and_freeze, count_draft, open_sealed_groups
from engage.services.checkpoints.freezing import AlreadyFrozen, AnswersDeleted
from engage.services.tasks.context import (
    DONE,
    FAILED,
    LATER,
    PASSED,
    JobStopped,
    WorkerContext,
    run_with_low_priority,
)
from engage.storage.engine import read_session, write_session
from engage.storage.leases import hold_lease
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.jobs import FigureCount

QUEUE = "counts"
COUNTERS = 1  # counts at a time: counting keeps one core busy
TELLS = 0.5  # seconds between progress updates, so that families' answers need not wait for them

log = logging.getLogger("engage.worker")


class CountQueue:
    """Queues the counts that are requested."""

    def __init__(self, context: WorkerContext) -> None:
        self.context = context

    def poll(self) -> int:
        """Queue the waiting counts. Returns how many wait. Nothing is frozen for somebody who asked more than a day
        ago, while no worker was running."""
        current = FigureCount.state.in_(UNFINISHED), ~is_count_expired(self.context.runtime.now())
        with read_session(self.context.runtime.engine) as session:
            waiting = session.scalars(select(FigureCount.id).where(*current).order_by(FigureCount.asked_at)).all()
        for id in waiting:
            self.context.queue_job(QUEUE, _workflow_id(id), id)
        return len(waiting)


def register_workflow(context: WorkerContext) -> None:
    """Register the workflow of a count: one idempotent step."""

    @DBOS.step(name="count")
    def count(id: str) -> str:
        return _count(context, id)

    @DBOS.workflow(name=QUEUE, max_recovery_attempts=None)
    def figure_count(id: str) -> str:
        return count(id)


def _count(context: WorkerContext, id: str) -> str:
    """Count what is requested, unless that is done; a failure is recorded in its row."""
    try:
        with hold_lease(context.runtime.engine, _workflow_id(id)):
            request = _begin(context, id)
            if request is None:
                return PASSED
            run_with_low_priority(lambda: _count_request(context, request))
            return _end(context, id, "ready")
    except JobStopped:
        return LATER  # the next worker counts again
    except RosterIncomplete:
        return LATER  # until the roster is complete
    except AlreadyFrozen:
        return _end(context, id, "ready")
    except (AnswersDeleted, BurstsUndecided) as problem:
        return _end(context, id, "failed", "deleted" if isinstance(problem, AnswersDeleted) else "bursts")
    except DBAPIError as problem:
        log.error("count %s waits: the database did not answer: %s", id, problem)
        return LATER
    except Exception:
        log.exception("the figures of count %s could not be counted", id)
        return _end(context, id, "failed", "unexpected")


def _begin(context: WorkerContext, id: str) -> FigureCount | None:
    """The request, marked as in progress; None if it is not wanted any more. Raises RosterIncomplete."""
    with write_session(context.runtime.engine) as session:
        require_complete_roster(session)
        request = session.get(FigureCount, id, with_for_update=True)
        if request is None or request.state not in UNFINISHED:
            return None
        request.state, request.survey, request.surveys, request.percent = "counting", 0, 0, 0
        session.commit()
        return request


def _count_request(context: WorkerContext, request: FigureCount) -> None:
    runtime, progress = context.runtime, _CountProgressRecorder(context, request.id)
    site_dir, today = runtime.settings.site_dir, runtime.today()
    open_sealed_groups(runtime.engine, request.checkpoint_id, runtime.secret(GROUP_KEY), today)
    if request.purpose != FREEZE:
        count_draft(runtime.engine, request.checkpoint_id, site_dir, today, progress)
        return

    def store(session: Session, checkpoint: Checkpoint) -> None:
        detail = {"figures": (checkpoint.digest or "")[:12]}
        context.record_event(session, request.asked_by, "freeze checkpoint", checkpoint.id, detail)

    count_and_freeze(runtime.engine, request.checkpoint_id, site_dir, today, store, progress)


def _end(context: WorkerContext, id: str, state: str, problem: str = "") -> str:
    with write_session(context.runtime.engine) as session:
        counting = update(FigureCount).where(FigureCount.id == id, FigureCount.state.in_(UNFINISHED))
        session.execute(counting.values(state=state, problem=problem))
        session.commit()
    return DONE if state == "ready" else FAILED


class _CountProgressRecorder:
    """Records the progress of a count. Raises JobStopped if it is not to be continued."""

    def __init__(self, context: WorkerContext, id: str) -> None:
        self.context, self.id, self.last = context, id, 0.0

    def __call__(self, progress: CountProgress) -> None:
        if self.context.stopping():
            raise JobStopped
        if time.monotonic() - self.last < TELLS:
            return
        self.last = time.monotonic()
        try:
            self._store(progress)
        except DBAPIError as problem:  # progress is only information
            log.warning("count %s: its progress could not be stored: %s", self.id, problem)

    def _store(self, progress: CountProgress) -> None:
        counting = update(FigureCount).where(FigureCount.id == self.id, FigureCount.state == "counting")
        values = {"survey": progress.survey, "surveys": progress.surveys, "percent": progress.percent}
        with write_session(self.context.runtime.engine) as session:
            if session.scalar(counting.values(values).returning(FigureCount.id)) is None:
                raise JobStopped
            session.commit()


def _workflow_id(id: str) -> str:
    return f"count-{id}"
