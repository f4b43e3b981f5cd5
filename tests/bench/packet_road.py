"""The steps of a packet from the roster to the file, measured in this process, which imports only what the command line
does. `bench_packet_road` prepares the data and prints the result."""

import json
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from engage.base.config import Settings
from engage.domain.security.encryption import Sealer, load_keys
from engage.services.printing import orders as packets
from engage.services.printing import rendering
from engage.services.printing.orders import PacketRequest
from engage.services.printing.sheets import PrintContext
from engage.storage.engine import connect, read_session, write_session
from engage.storage.models.paper import Packet
from tests.bench.memory import peak

TODAY = date(2026, 9, 30)


def run(folder: Path, outside: str) -> None:
    """Run every step once and print a line of JSON for each."""
    settings = Settings(data_dir=folder)
    sealer, engine = Sealer(load_keys(settings)), connect(settings.database)
    orders = [_timed("order", lambda: _order(engine, settings, sealer, outside))]
    id = _timed("ask", lambda: _ask(engine, settings, sealer, orders.pop()))
    pile = _timed("pile", lambda: _pile(engine, settings, sealer, id))
    written = _timed("draw", lambda: rendering.draw_packet(folder / "packet.pdf", pile, lambda _drawn, _pages: True))
    print(json.dumps({"pages": written.pages, "bytes": (folder / "packet.pdf").stat().st_size}))


def _timed(step: str, deed: Callable[[], Any]) -> Any:
    began, wall = time.process_time(), time.monotonic()
    made = deed()
    spent, took = time.process_time() - began, time.monotonic() - wall
    print(json.dumps({"step": step, "cpu": spent, "wall": took, "peak": peak()}))
    return made


def _order(engine: Engine, settings: Settings, sealer: Sealer, outside: str) -> packets.PacketOrder:
    with read_session(engine) as session:
        context = PrintContext(settings, sealer, TODAY)
        return packets.prepare_order(session, context, "fall", "lincoln", PacketRequest(outside=outside))


def _ask(engine: Engine, settings: Settings, sealer: Sealer, order: packets.PacketOrder) -> str:
    with write_session(engine) as session:
        made = packets.create_packet(session, PrintContext(settings, sealer, TODAY), order, by=None)
        session.commit()
    return made.packet.id


def _pile(engine: Engine, settings: Settings, sealer: Sealer, id: str) -> Any:
    with read_session(engine) as session:
        return rendering.build_packet_content(session, settings, sealer, session.get_one(Packet, id))


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2])
