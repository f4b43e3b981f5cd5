"""Packets of paper: each that waits is drawn once, by a workflow of its own, from its rows alone: killed in between,
it is drawn again with the same bytes."""

import json
import logging
import time
from datetime import date
from zoneinfo import ZoneInfo

from dbos import DBOS, EnqueueOptions
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from engage.domain.paper.documents.packet import Stopped, Written
from engage.domain.paper.documents.packet_model import Pile
from engage.services.printing import rendering
from engage.services.printing.layouts import Unprintable
from engage.services.tasks.context import OVER, Ground, left
from engage.storage.engine import reading, writing
from engage.storage.models.paper import Packet

QUEUE = "packets"
DRAWERS = 1  # packets drawn at a time: drawing keeps one core busy
TELLS = 0.5  # seconds between notes of how far it is, so that families' answers need not wait for them
WAITING = ("waiting", "drawing")

DONE, LATER, FAILED, PASSED = "done", "later", "failed", "passed"

log = logging.getLogger("engage.worker")


class Orders:
    """Puts packets that are asked for on the queue."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def look(self) -> int:
        """Put what waits on the queue; returns how many wait."""
        with reading(self.ground.engine) as session:
            waiting = session.scalars(select(Packet.id).where(Packet.state.in_(WAITING)).order_by(Packet.id)).all()
        for id in waiting:
            self._put(id)
        return len(waiting)

    def _put(self, id: str) -> None:
        """Asked for again, or left when a worker was told to stop: what was done before is forgotten."""
        there = DBOS.get_workflow_status(_name(id))
        if there is not None and there.status in OVER:
            DBOS.delete_workflows([_name(id)])
            there = None
        if there is None:
            options: EnqueueOptions = {"workflow_name": QUEUE, "queue_name": QUEUE, "workflow_id": _name(id)}
            DBOS.enqueue_workflow_with_options(options, id)
        elif there.status == "PENDING" and left(there):
            DBOS.resume_workflow(_name(id), queue_name=QUEUE)


def teach(ground: Ground) -> None:
    """The workflow of a packet: one step, which may be done again and does the same."""

    @DBOS.step(name="draw")
    def draw(id: str) -> str:
        return _draw(ground, id)

    @DBOS.workflow(name=QUEUE, max_recovery_attempts=None)
    def packet(id: str) -> str:
        return draw(id)


def _draw(ground: Ground, id: str) -> str:
    """Draw a packet, unless it was cancelled; what goes wrong is noted in its row."""
    try:
        found = _begun(ground, id)
        return PASSED if found is None else _into_file(ground, id, found)
    except Unprintable as problem:
        return _failed(ground, id, problem)
    except DBAPIError as problem:
        log.error("packet %s waits: the database did not answer: %s", id, problem)
        return LATER
    except Exception:
        log.exception("packet %s could not be drawn", id)
        return _failed(ground, id, Unprintable("unexpected"))


def _begun(ground: Ground, id: str) -> Pile | None:
    """What to draw; None where it is not wanted any more. Raises Unprintable."""
    with writing(ground.engine) as session:
        mine = update(Packet).where(Packet.id == id, Packet.state.in_(WAITING))
        begun = mine.values(state="drawing", drawn=0, pages=0, problem="").returning(Packet.id)
        if session.scalar(begun) is None:
            return None
        session.commit()
    with reading(ground.engine) as session:
        return rendering.pile(session, ground.settings, ground.sealer, session.get_one(Packet, id))


def _into_file(ground: Ground, id: str, pile: Pile) -> str:
    target = rendering.path(ground.settings, id)
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        code = "disk" if problem.errno in rendering.FULL else "file"
        raise Unprintable(code, reason=problem.strerror or "") from problem
    try:
        written = rendering.draw(target, pile, _Told(ground, id))
    except Stopped:
        return LATER  # the worker ends, and the next begins anew; or it was cancelled, and nobody asks again
    return _ready(ground, id, pile, written)


def _ready(ground: Ground, id: str, pile: Pile, written: Written) -> str:
    with writing(ground.engine) as session:
        packet = session.get(Packet, id, with_for_update=True)
        if packet is None or packet.state != "drawing":
            rendering.path(ground.settings, id).unlink(missing_ok=True)
            return PASSED
        rendering.drawn(session, packet, pile, written, _today(ground))
        packet.state = "ready"
        session.commit()
    return DONE


def _failed(ground: Ground, id: str, problem: Unprintable) -> str:
    with writing(ground.engine) as session:
        mine = update(Packet).where(Packet.id == id, Packet.state.in_(WAITING))
        told = json.dumps([problem.code, dict(problem.values)], ensure_ascii=False)
        session.execute(mine.values(state="failed", problem=told))
        session.commit()
    return FAILED


class _Told:
    """Notes how far a drawing is; says whether to go on."""

    def __init__(self, ground: Ground, id: str) -> None:
        self.ground, self.id, self.last = ground, id, 0.0

    def __call__(self, drawn: int, pages: int) -> bool:
        if self.ground.stopping():
            return False
        if time.monotonic() - self.last < TELLS:
            return True
        self.last = time.monotonic()
        try:
            return self._noted(drawn, pages)
        except DBAPIError as problem:  # it is only told
            log.warning("packet %s: how far it is could not be noted: %s", self.id, problem)
            return True

    def _noted(self, drawn: int, pages: int) -> bool:
        mine = update(Packet).where(Packet.id == self.id, Packet.state == "drawing")
        with writing(self.ground.engine) as session:
            going_on = session.scalar(mine.values(drawn=drawn, pages=pages).returning(Packet.id)) is not None
            session.commit()
        return going_on


def _today(ground: Ground) -> date:
    return ground.clock().astimezone(ZoneInfo(ground.settings.timezone)).date()


def _name(id: str) -> str:
    return f"packet-{id}"
