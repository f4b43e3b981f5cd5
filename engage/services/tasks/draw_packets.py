"""Drawing of packets: each waiting packet is drawn once, by its own workflow, from its rows alone. An interrupted
workflow draws it again with the same bytes."""

import json
import logging
import time
from datetime import date

from dbos import DBOS
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from engage.base.shared_dir import read_worker_id
from engage.domain.paper.documents.packet import DrawingStopped, WrittenPacket
from engage.domain.paper.documents.packet_model import PacketContent
from engage.domain.roster.import_state import RosterIncomplete
from engage.services.printing import bulk_orders, orders, rendering
from engage.services.printing.layouts import Unprintable
from engage.services.printing.sheets import PrintContext
from engage.services.tasks.context import DONE, FAILED, LATER, PASSED, WorkerContext
from engage.storage.engine import read_session, write_session
from engage.storage.leases import hold_lease
from engage.storage.models.paper import Packet

QUEUE = "packets"
DRAWERS = 1  # packets drawn at a time: drawing keeps one core busy
TELLS = 0.5  # seconds between progress updates, so that families' answers need not wait for them
WAITING = ("waiting", "drawing")

log = logging.getLogger("engage.worker")


class PacketQueue:
    """Queues the packets that are requested."""

    def __init__(self, context: WorkerContext) -> None:
        self.context = context

    def poll(self) -> int:
        """Queue the waiting packets. Returns how many wait."""
        with read_session(self.context.runtime.engine) as session:
            waiting = session.scalars(select(Packet.id).where(Packet.state.in_(WAITING)).order_by(Packet.id)).all()
        for id in waiting:
            self.context.queue_job(QUEUE, _workflow_id(id), id)
        return len(waiting)


def register_workflow(context: WorkerContext) -> None:
    """Register the workflow of a packet: one idempotent step."""

    @DBOS.step(name="draw")
    def draw(id: str) -> str:
        return _draw_packet(context, id)

    @DBOS.workflow(name=QUEUE, max_recovery_attempts=None)
    def packet(id: str) -> str:
        return draw(id)


def _draw_packet(context: WorkerContext, id: str) -> str:
    """Draw a packet, unless it was cancelled; a failure is recorded in its row."""
    try:
        with hold_lease(context.runtime.engine, _workflow_id(id)):
            content = _begin_drawing(context, id)
            return PASSED if content is None else _draw_to_file(context, id, content)
    except Unprintable as problem:
        return _mark_failed(context, id, problem)
    except RosterIncomplete:
        return LATER
    except DBAPIError as problem:
        log.error("packet %s waits: the database did not answer: %s", id, problem)
        return LATER
    except Exception:
        log.exception("packet %s could not be drawn", id)
        return _mark_failed(context, id, Unprintable("unexpected"))


def _begin_drawing(context: WorkerContext, id: str) -> PacketContent | None:
    """The content to draw; None if the packet is not wanted any more. Raises Unprintable."""
    with write_session(context.runtime.engine) as session:
        waiting = update(Packet).where(Packet.id == id, Packet.state.in_(WAITING))
        begun = waiting.values(state="drawing", drawn=0, pages=0, problem="").returning(Packet.id)
        if session.scalar(begun) is None:
            return None
        session.commit()
    if not _number_if_requested(context, id):
        return None
    with read_session(context.runtime.engine) as session:
        return rendering.build_packet_content(
            session, context.runtime.settings, context.runtime.sealer, session.get_one(Packet, id)
        )


def _number_if_requested(context: WorkerContext, id: str) -> bool:
    """Number the sheets of a packet that was requested with others. Returns whether it is still wanted. Raises
    Unprintable, RosterIncomplete."""
    state = context.runtime
    printing = PrintContext(state.settings, state.sealer, _today(context))
    with read_session(state.engine) as session:
        packet = session.get_one(Packet, id)
        if not bulk_orders.is_unnumbered(packet):
            return True
        order = _prepare_order(session, printing, packet)
    with write_session(state.engine) as session:
        packet = session.get_one(Packet, id, with_for_update=True)
        if packet.state != "drawing":
            return False
        try:
            created = orders.number_packet(session, printing, order, packet)
        except orders.PacketRefused as refused:
            raise _drawing_problem(refused) from refused
        if created.codes:
            _record_codes(context, session, created)
        session.commit()
    return True


def _prepare_order(session: Session, printing: PrintContext, packet: Packet) -> orders.PacketOrder:
    """Prepare the order of a requested packet. Raises Unprintable, RosterIncomplete."""
    want = bulk_orders.packet_request(packet)
    try:
        return orders.prepare_order(session, printing, packet.wave_id, packet.school_id, want)
    except orders.PacketRefused as refused:
        raise _drawing_problem(refused) from refused


def _drawing_problem(refused: orders.PacketRefused) -> Exception:
    return RosterIncomplete() if refused.code == "importing" else Unprintable(refused.code, **refused.values)


def _record_codes(context: WorkerContext, session: Session, created: orders.CreatedPacket) -> None:
    """Record in the audit log who requested the packet that access codes were created for."""
    packet = created.packet
    detail: dict[str, int | str] = {"codes": created.codes, "packet": packet.id}
    context.record_event(session, packet.made_by, "make access codes", packet.wave_id, detail)


def _draw_to_file(context: WorkerContext, id: str, pile: PacketContent) -> str:
    target = rendering.packet_path(context.runtime.settings, id)
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        code = "disk" if problem.errno in rendering.FULL else "file"
        raise Unprintable(code, reason=problem.strerror or "") from problem
    try:
        worker = read_worker_id(context.runtime.settings.data_dir)
        written = rendering.draw_packet(target, pile, _DrawingProgress(context, id), worker)
    except DrawingStopped:
        return LATER  # the worker is stopping and the next one restarts it; or it was cancelled and is not requested
    return _mark_ready(context, id, pile, written)


def _mark_ready(context: WorkerContext, id: str, pile: PacketContent, written: WrittenPacket) -> str:
    with write_session(context.runtime.engine) as session:
        packet = session.get(Packet, id, with_for_update=True)
        if packet is None or packet.state != "drawing":
            if packet is None or packet.state != "ready":  # another worker has drawn the same bytes
                rendering.packet_path(context.runtime.settings, id).unlink(missing_ok=True)
            return PASSED
        rendering.record_drawing(session, packet, pile, written, _today(context))
        packet.state = "ready"
        session.commit()
    return DONE


def _mark_failed(context: WorkerContext, id: str, problem: Unprintable) -> str:
    with write_session(context.runtime.engine) as session:
        waiting = update(Packet).where(Packet.id == id, Packet.state.in_(WAITING))
        reason = json.dumps([problem.code, dict(problem.values)], ensure_ascii=False)
        session.execute(waiting.values(state="failed", problem=reason))
        session.commit()
    return FAILED


class _DrawingProgress:
    """Records the progress of a drawing; returns whether to continue."""

    def __init__(self, context: WorkerContext, id: str) -> None:
        self.context, self.id, self.last = context, id, 0.0

    def __call__(self, drawn: int, pages: int) -> bool:
        if self.context.stopping():
            return False
        if time.monotonic() - self.last < TELLS:
            return True
        self.last = time.monotonic()
        try:
            return self._noted(drawn, pages)
        except DBAPIError as problem:  # progress is only information
            log.warning("packet %s: how far it is could not be noted: %s", self.id, problem)
            return True

    def _noted(self, drawn: int, pages: int) -> bool:
        drawing = update(Packet).where(Packet.id == self.id, Packet.state == "drawing")
        with write_session(self.context.runtime.engine) as session:
            going_on = session.scalar(drawing.values(drawn=drawn, pages=pages).returning(Packet.id)) is not None
            session.commit()
        return going_on


def _today(context: WorkerContext) -> date:
    return context.runtime.today()


def _workflow_id(id: str) -> str:
    return f"packet-{id}"
