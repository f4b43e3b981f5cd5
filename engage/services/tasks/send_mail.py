"""Letters by mail: each that waits in the outbox is handed in once, by a workflow of its own.

DBOS is given ids only; what a letter says stays sealed in the outbox."""

import time

from dbos import DBOS, EnqueueOptions, WorkflowStatus

from engage.domain.mail import outbox
from engage.domain.mail.smtp import MailServer, NotNow, Refused, hand_in, message
from engage.domain.security.encryption import SealBroken
from engage.services.tasks.context import FORGET, OVER, Ground, left
from engage.storage.engine import reading, writing
from engage.storage.models.mail import Mail

QUEUE = "letters"
SENDERS = 4  # letters on the way at a time; mail services allow few lines at once (Exchange Online: 3 to 10)
AT_ONCE = 200  # letters put on the queue in one look
SETTLE_TRIES = 8  # times a result is written to a database that does not answer: 1 + 2 + … + 64 s

SENT, LATER, NEVER, PASSED = "sent", "later", "never", "passed"
Outcome = list[str]  # one of the four, and a sentence: a list, because that is what JSON gives back


class Outbox:
    """Puts letters that wait on the queue, once for each of their turns."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.known: dict[str, float] = {}

    def look(self) -> int:
        """Put what waits on the queue; returns how many."""
        if self.ground.server is None:
            return 0
        now = time.monotonic()
        with reading(self.ground.engine) as session:
            waiting = outbox.waiting(session)
        names = {_name(due.id, due.turn) for due in waiting}
        self.known = {name: at for name, at in self.known.items() if name in names and now - at < FORGET}
        fresh = [due for due in waiting if _name(due.id, due.turn) not in self.known][:AT_ONCE]
        for due in fresh:
            self._put(due)
            self.known[_name(due.id, due.turn)] = now
        return len(fresh)

    def _put(self, due: outbox.Due) -> None:
        name = _name(due.id, due.turn)
        there = DBOS.get_workflow_status(name)
        if there is None:
            options: EnqueueOptions = {"workflow_name": QUEUE, "queue_name": QUEUE, "workflow_id": name}
            if due.pause:
                options["delay_seconds"] = due.pause
            DBOS.enqueue_workflow_with_options(options, due.id, due.turn)
        elif there.status in OVER:
            self._disagree(due, there)
        elif there.status == "PENDING" and left(there):
            DBOS.resume_workflow(name, queue_name=QUEUE)

    def _disagree(self, due: outbox.Due, there: WorkflowStatus) -> None:
        """The work is done but the letter waits: an older copy of the database was put back, or the result could not
        be written. What is known to be sent is not sent again."""
        with writing(self.ground.engine) as session:
            if there.status == "SUCCESS" and there.output and there.output[0] == SENT:
                outbox.mark_sent(session, due.id, self.ground.clock())
            elif outbox.the_due(session, due.id, due.turn):
                outbox.try_again(session, due.id)
            session.commit()


def teach(ground: Ground) -> None:
    """The workflow of a letter: two steps, each of them done once and its outcome kept."""

    @DBOS.step(name="hand in")
    def attempt(id: str, turn: int) -> Outcome:
        return _attempt(ground, id, turn)

    @DBOS.step(name="settle", retries_allowed=True, max_attempts=SETTLE_TRIES)
    def settle(id: str, turn: int, outcome: Outcome) -> None:
        _settle(ground, id, turn, outcome)

    @DBOS.workflow(name=QUEUE, max_recovery_attempts=None)
    def letter(id: str, turn: int) -> Outcome:
        outcome = attempt(id, turn)
        settle(id, turn, outcome)
        return outcome


def _attempt(ground: Ground, id: str, turn: int) -> Outcome:
    """Hand a letter in, unless it is not its turn or a server has taken it already."""
    with ground.accepted.one_at_a_time(id):
        with reading(ground.engine) as session:
            mail = outbox.the_due(session, id, turn)
        if id in ground.accepted:
            return [SENT, ""]
        if mail is None or ground.server is None:
            return [PASSED, ""]
        return _handed_in(ground, ground.server, mail)


def _handed_in(ground: Ground, server: MailServer, mail: Mail) -> Outcome:
    try:
        letter = outbox.opened(mail, ground.sealer.open)
        made = message(letter, mail.id, server, ground.name, ground.clock())
        hand_in(made, server, lambda: ground.accepted.add(mail.id))
    except NotNow as problem:
        return [LATER, str(problem)]
    except (Refused, SealBroken, ValueError) as problem:
        return [NEVER, str(problem)]
    return [SENT, ""]


def _settle(ground: Ground, id: str, turn: int, outcome: Outcome) -> None:
    how, sentence = outcome
    with writing(ground.engine) as session:
        if how == SENT:
            outbox.mark_sent(session, id, ground.clock())
        elif how == LATER:
            outbox.mark_tried(session, id, turn, sentence)
        elif how == NEVER:
            outbox.mark_failed(session, id, turn, sentence)
        session.commit()


def _name(id: str, turn: int) -> str:
    return f"{id}-{turn}"
