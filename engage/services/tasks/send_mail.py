"""Sending of email: each message that waits in the outbox is delivered once, by its own workflow.

DBOS gets ids only; the texts of messages stay sealed in the outbox.
"""

import time

from dbos import DBOS, EnqueueOptions, WorkflowStatus

from engage.domain.mail import outbox
from engage.domain.mail.smtp import MailDeferred, MailRejected, MailServer, build_message, submit_message
from engage.domain.security.encryption import SealBroken
from engage.services.tasks.context import FINISHED_STATES, REQUEUE_AFTER, WorkerContext
from engage.storage.engine import read_session, write_session
from engage.storage.leases import hold_lease
from engage.storage.models.mail import Mail

QUEUE = "letters"
SENDERS = 4  # messages sent at a time; mail services allow few connections at once (Exchange Online: 3 to 10)
AT_ONCE = 200  # messages queued in one poll
SETTLE_TRIES = 8  # times a result is written to a database that does not respond: 1 + 2 + … + 64 s

SENT, LATER, NEVER, PASSED = "sent", "later", "never", "passed"
Outcome = list[str]  # one of the four, and a sentence: a list, because JSON has no tuples


class MailQueue:
    """Queues waiting messages, once for each of their turns."""

    def __init__(self, context: WorkerContext) -> None:
        self.context = context
        self.known: dict[str, float] = {}

    def poll(self) -> int:
        """Queue the waiting messages. Returns how many."""
        if self.context.server is None:
            return 0
        now = time.monotonic()
        with read_session(self.context.runtime.engine) as session:
            waiting = outbox.list_waiting_mail(session)
        names = {_workflow_id(due.id, due.turn) for due in waiting}
        self.known = {name: at for name, at in self.known.items() if name in names and now - at < REQUEUE_AFTER}
        fresh = [due for due in waiting if _workflow_id(due.id, due.turn) not in self.known][:AT_ONCE]
        for due in fresh:
            self._put(due)
            self.known[_workflow_id(due.id, due.turn)] = now
        return len(fresh)

    def _put(self, due: outbox.DueMail) -> None:
        name = _workflow_id(due.id, due.turn)
        there = DBOS.get_workflow_status(name)
        if there is None:
            options: EnqueueOptions = {"workflow_name": QUEUE, "queue_name": QUEUE, "workflow_id": name}
            if due.pause:
                options["delay_seconds"] = due.pause
            DBOS.enqueue_workflow_with_options(options, due.id, due.turn)
        elif there.status in FINISHED_STATES:
            self._disagree(due, there)
        elif there.status == "PENDING" and self.context.is_abandoned(there, _lease_name(due.id)):
            DBOS.resume_workflow(name, queue_name=QUEUE)

    def _disagree(self, due: outbox.DueMail, there: WorkflowStatus) -> None:
        """The workflow is finished but the message waits: an older copy of the database was restored, or the result
        could not be written. A message known to be sent is not sent again."""
        with write_session(self.context.runtime.engine) as session:
            if there.status == "SUCCESS" and there.output and there.output[0] == SENT:
                outbox.mark_sent(session, due.id, self.context.runtime.clock())
            elif outbox.find_due_mail(session, due.id, due.turn):
                outbox.retry_mail(session, due.id)
            session.commit()


def register_workflow(context: WorkerContext) -> None:
    """Register the workflow of a message: two steps, each executed once with a stored result."""

    @DBOS.step(name="hand in")
    def attempt(id: str, turn: int) -> Outcome:
        return _attempt_delivery(context, id, turn)

    @DBOS.step(name="settle", retries_allowed=True, max_attempts=SETTLE_TRIES)
    def settle(id: str, turn: int, outcome: Outcome) -> None:
        _record_outcome(context, id, turn, outcome)

    @DBOS.workflow(name=QUEUE, max_recovery_attempts=None)
    def letter(id: str, turn: int) -> Outcome:
        outcome = attempt(id, turn)
        settle(id, turn, outcome)
        return outcome


def _attempt_delivery(context: WorkerContext, id: str, turn: int) -> Outcome:
    """Deliver a message, unless it is not its turn or a server has accepted it already."""
    with context.accepted.one_at_a_time(id), hold_lease(context.runtime.engine, _lease_name(id)):
        with read_session(context.runtime.engine) as session:
            mail = outbox.find_due_mail(session, id, turn)
        if id in context.accepted:
            return [SENT, ""]
        if mail is None or context.server is None:
            return [PASSED, ""]
        return _deliver_mail(context, context.server, mail)


def _deliver_mail(context: WorkerContext, server: MailServer, mail: Mail) -> Outcome:
    try:
        letter = outbox.open_mail(mail, context.runtime.sealer.open)
        message = build_message(
            letter, mail.id, server, context.runtime.settings.district_name, context.runtime.clock()
        )
        submit_message(message, server, lambda: context.accepted.add(mail.id))
    except MailDeferred as problem:
        return [LATER, str(problem)]
    except (MailRejected, SealBroken, ValueError) as problem:
        return [NEVER, str(problem)]
    return [SENT, ""]


def _record_outcome(context: WorkerContext, id: str, turn: int, outcome: Outcome) -> None:
    how, sentence = outcome
    with write_session(context.runtime.engine) as session:
        if how == SENT:
            outbox.mark_sent(session, id, context.runtime.clock())
        elif how == LATER:
            outbox.mark_tried(session, id, turn, sentence)
        elif how == NEVER:
            outbox.mark_failed(session, id, turn, sentence)
        session.commit()


def _lease_name(id: str) -> str:
    return f"mail {id}"


def _workflow_id(id: str, turn: int) -> str:
    return f"{id}-{turn}"
