"""Retention policies and their execution: delete what is due, rewrite the tables concerned, and verify the deletion."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engage.base.clock import local_day
from engage.services.retention import run_schedule
from engage.services.retention.erasure import erase_deleted_rows
from engage.services.retention.postgres_rewrite import rewrite_waves
from engage.storage.engine import database_now, read_session, write_session

Record = Callable[[Session, dict[str, int]], None]
"""Records what a run deleted, by policy, in the audit log, in the run's own transaction."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A retention policy. `due` counts what should be deleted by now; `destroy` deletes it. Neither commits."""

    what: str
    rule: str
    due: Callable[[Session], int]
    destroy: Callable[[Session], object]
    table: str = ""
    """The table whose rows are deleted or changed; empty for files."""

    @property
    def is_local(self) -> bool:
        """Whether it is about files in the data directory, which each machine has for itself."""
        return not self.table


@dataclass(frozen=True, slots=True)
class Retention:
    """The retention of a site: its policies by day and moment, how its audit log is written, and its time zone."""

    policies: Callable[[date, datetime], Sequence[Policy]]
    record: Record
    zone: str

    def today(self, now: datetime) -> date:
        """The district's day."""
        return local_day(now, self.zone)

    def due(self, now: datetime) -> Sequence[Policy]:
        """The policies at a moment."""
        return self.policies(self.today(now), now)


@dataclass(frozen=True, slots=True)
class RetentionResult:
    """How many rows or files each policy found due before and after, and the problem as a sentence, empty if there was
    none."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    problem: str

    @property
    def left(self) -> bool:
        """Whether anything that was due still exists."""
        return any(self.after)


def run_retention(
    engine: Engine, policies: Sequence[Policy], night: date, worker: str, record: Record
) -> RetentionResult:
    """Delete what is due under the policies, and record the result of the night's run; a failed run may be repeated."""
    with write_session(engine) as session:
        run_schedule.enter_run(session, night, worker, database_now(session))
        before = [each.due(session) for each in policies]
        for each in policies:
            each.destroy(session)
        deleted = {each.what: number for each, number in zip(policies, before, strict=True) if number}
        record(session, deleted)
        session.commit()
    _, unwritten = rewrite_waves(engine)
    problem = "; ".join(filter(None, [unwritten, erase_deleted_rows(engine)]))
    with read_session(engine) as session:  # a second session, to read what is stored now
        after = [each.due(session) for each in policies]
    done = RetentionResult(tuple(before), tuple(after), problem)
    _end_run(engine, night, deleted, done)
    return done


def _end_run(engine: Engine, night: date, deleted: dict[str, int], done: RetentionResult) -> None:
    problem = done.problem or ("not everything that was due is gone" if done.left else "")
    with write_session(engine) as session:
        run_schedule.end_run(session, night, deleted, problem, database_now(session))
        session.commit()


def run_local_policies(engine: Engine, policies: Sequence[Policy]) -> None:
    """Delete files that are due in this machine's data directory."""
    with read_session(engine) as session:
        for policy in policies:
            if policy.is_local:
                policy.destroy(session)
