"""The shared context of the worker's tasks: the runtime, the mail server, and the stop flag."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dbos import DBOS, WorkflowStatus

from engage.domain.mail.delivery_log import AcceptedMailLog
from engage.domain.mail.smtp import MailServer
from engage.services.runtime import Runtime
from engage.storage.engine import database_now, read_session
from engage.storage.leases import is_lease_free

REQUEUE_AFTER = 600.0  # seconds after which the worker checks queued work again
ABANDONED_AFTER = timedelta(minutes=15)  # work in progress for longer belongs to a worker that died
FINISHED_STATES = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


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
