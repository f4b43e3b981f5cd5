"""The shared context of the worker's tasks: the runtime, the mail server, and the stop flag."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from dbos import DBOS, WorkflowStatus

from engage.domain.mail.delivery_log import AcceptedMailLog
from engage.domain.mail.smtp import MailServer
from engage.services.runtime import Runtime

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


def is_abandoned(there: WorkflowStatus) -> bool:
    """Whether work in progress belongs to a worker that died."""
    since = (there.updated_at or 0) / 1000  # milliseconds
    return there.executor_id != DBOS.executor_id and time.time() - since > ABANDONED_AFTER.total_seconds()
