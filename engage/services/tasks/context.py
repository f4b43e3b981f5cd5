"""The shared context of the worker's tasks: the runtime, the mail server, and the stop flag."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from dbos import DBOS, EnqueueOptions, WorkflowStatus
from sqlalchemy.orm import Session

from engage.domain.mail.delivery_log import AcceptedMailLog
from engage.domain.mail.smtp import MailServer
from engage.domain.security.audit_anchor import ANCHOR_FILE, advance_after_commit
from engage.domain.security.audit_log import AUDIT_KEY, COMMAND_LINE, AuditEntry, record_event
from engage.services.runtime import Runtime
from engage.storage.engine import database_now, read_session
from engage.storage.leases import is_lease_free
from engage.storage.models.staff import Staff

REQUEUE_AFTER = 600.0  # seconds after which the worker checks queued work again
ABANDONED_AFTER = timedelta(minutes=15)  # work in progress for longer belongs to a worker that died
NICENESS = 5  # of a thread that counts or makes files, so that families' answers come first
FINISHED_STATES = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")

DONE, LATER, FAILED, PASSED = "done", "later", "failed", "passed"  # results of a job
Result = TypeVar("Result")


class JobStopped(Exception):
    """The worker is stopping, or the job is not wanted any more."""


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """The context of a worker. `stopping` returns whether the worker was told to stop."""

    runtime: Runtime
    server: MailServer | None
    accepted: AcceptedMailLog
    stopping: Callable[[], bool]

    def database_now(self) -> datetime:
        """The current time by the database's clock. This machine's may be wrong."""
        with read_session(self.runtime.engine) as session:
            return database_now(session)

    def is_abandoned(self, there: WorkflowStatus, lease: str) -> bool:
        """Whether work in progress belongs to a worker that died: nobody holds its lease, and it was begun a while ago
        by the database's clock, which is also DBOS's for `updated_at`."""
        if there.executor_id == DBOS.executor_id or not is_lease_free(self.runtime.engine, lease):
            return False
        since = datetime.fromtimestamp((there.updated_at or 0) / 1000, UTC)  # milliseconds
        return self.database_now() - since > ABANDONED_AFTER

    def queue_job(self, queue: str, name: str, id: str) -> None:
        """Queue the job of a row as workflow `name`. A finished workflow of an earlier request is deleted; one
        abandoned by a worker is resumed."""
        there = DBOS.get_workflow_status(name)
        if there is not None and there.status in FINISHED_STATES:
            DBOS.delete_workflows([name])
            there = None
        if there is None:
            options: EnqueueOptions = {"workflow_name": queue, "queue_name": queue, "workflow_id": name}
            DBOS.enqueue_workflow_with_options(options, id)
        elif there.status == "PENDING" and self.is_abandoned(there, name):
            DBOS.resume_workflow(name, queue_name=queue)

    def record_event(
        self, session: Session, staff_id: int | None, deed: str, about: str, detail: Mapping[str, int | str]
    ) -> None:
        """Record in the audit log what a person asked for; None for the command line."""
        person = session.get(Staff, staff_id) if staff_id is not None else None
        entry = AuditEntry(person.email if person else COMMAND_LINE, deed, about, detail)
        key, now = self.runtime.secret(AUDIT_KEY), self.runtime.now()
        record_event(session, entry, key=key, now=now)
        anchor = self.runtime.settings.site_dir / ANCHOR_FILE
        advance_after_commit(session, self.runtime.engine, anchor, key, now)


def run_with_low_priority(work: Callable[[], Result]) -> Result:
    """Run in a thread of its own with a low priority. Linux has a priority for each thread, and a thread may not raise
    it again."""
    with ThreadPoolExecutor(1, initializer=lambda: os.nice(NICENESS)) as pool:
        return pool.submit(work).result()
