"""What the worker's tasks share: the runtime, the mail server, and whether they are to stop."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from dbos import DBOS, WorkflowStatus

from engage.domain.mail.delivery_log import AcceptedMailLog
from engage.domain.mail.smtp import MailServer
from engage.services.runtime import Runtime

REQUEUE_AFTER = 600.0  # seconds after which the worker asks anew about what it has put on a queue
ABANDONED_AFTER = timedelta(minutes=15)  # work under way for longer was left by a worker that is gone
FINISHED_STATES = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """`stopping` says at any moment whether the worker was told to stop."""

    runtime: Runtime
    server: MailServer | None
    accepted: AcceptedMailLog
    stopping: Callable[[], bool]


def is_abandoned(there: WorkflowStatus) -> bool:
    """Whether work was left half-done by a worker that is gone."""
    since = (there.updated_at or 0) / 1000  # milliseconds
    return there.executor_id != DBOS.executor_id and time.time() - since > ABANDONED_AFTER.total_seconds()
