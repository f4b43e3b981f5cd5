"""The worker draws pending packets, even if it is interrupted."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from random import Random

import pytest
from sqlalchemy import Engine, select

from engage.base.config import Settings
from engage.services.printing import orders, rendering
from engage.storage.engine import read_session
from engage.storage.models.paper import Packet, Sheet
from tests.domain.mail.test_worker import ROOT, environ, running, until
from tests.web.test_print_orders import Desk, leaves

pytestmark = pytest.mark.slow

SETS = 400  # enough time for a kill while drawing


@pytest.fixture
def desk(engine: Engine, settings: Settings, today: date) -> Desk:
    return Desk(engine, settings, today)


def packet(desk: Desk, id: str) -> Packet:
    with read_session(desk.engine) as session:
        return session.get_one(Packet, id)


def is_in(desk: Desk, id: str, state: str) -> Callable[[], bool]:
    return lambda: packet(desk, id).state == state


def test_what_waits_is_drawn_and_its_row_says_so(desk: Desk, settings: Settings) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"), ("3B", "en"))
    id = desk.asks()
    with running(settings, "worker"):
        until(is_in(desk, id, "ready"))
    row, file = packet(desk, id), rendering.packet_path(settings, id)
    assert row.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert row.pages == row.drawn == len(leaves(file))
    assert row.problem == ""
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    assert file.stat().st_mode & 0o077 == 0
    assert desk.draws(id).read_bytes() == file.read_bytes(), "the command line draws the same"


@pytest.mark.thorough
def test_a_packet_whose_file_is_gone_is_drawn_again_with_the_same_bytes(desk: Desk, settings: Settings) -> None:
    desk.wave()
    id = desk.asks(contents="blanks", copies={"es": 2})
    with running(settings, "worker"):
        until(is_in(desk, id, "ready"))
        file = rendering.packet_path(settings, id)
        before = file.read_bytes()
        desk.changes(lambda session: orders.requeue_packet(session, settings, session.get_one(Packet, id)))
        assert packet(desk, id).state == "ready", "the file is there: nothing is drawn"
        file.unlink()
        desk.changes(lambda session: orders.requeue_packet(session, settings, session.get_one(Packet, id)))
        until(file.exists)
        until(is_in(desk, id, "ready"))
    assert file.read_bytes() == before


@pytest.mark.thorough
def test_drawing_that_fails_says_why_and_leaves_nothing(desk: Desk, settings: Settings) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"))
    id = desk.asks()
    sealing = settings.data_dir / "sealing-keys"
    kept = sealing.read_text()
    sealing.write_text("A" * 43 + "=\n")
    with running(settings, "worker"):
        until(is_in(desk, id, "failed"))
        assert packet(desk, id).problem == '["sealed", {}]'
        sealing.write_text(kept)
        desk.changes(lambda session: orders.requeue_packet(session, settings, session.get_one(Packet, id)))
        until(is_in(desk, id, "ready"))
    assert packet(desk, id).problem == ""


@pytest.mark.thorough
def test_a_full_disk_is_said_and_leaves_nothing(desk: Desk, settings: Settings) -> None:
    desk.wave()
    id = desk.asks(contents="blanks", copies={"es": 2})
    full = "import errno, os, engage.domain.paper.documents.packet as press\n"
    full += "def write(self, data): raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))\n"
    full += "press._HashingFile.write = write\nfrom engage.cli import main\nmain(['worker'])"
    process = subprocess.Popen([sys.executable, "-c", full], env=environ(settings), cwd=ROOT, start_new_session=True)
    try:
        until(is_in(desk, id, "failed"))
    finally:
        process.terminate()
        process.wait(30)
    assert packet(desk, id).problem == '["disk", {"reason": "No space left on device"}]'
    assert list((settings.data_dir / rendering.FOLDER).iterdir()) == []


@pytest.mark.thorough
def test_a_folder_that_cannot_be_made_is_said(desk: Desk, settings: Settings) -> None:
    desk.wave()
    id = desk.asks(contents="blanks", copies={"es": 2})
    (settings.data_dir / rendering.FOLDER).write_text("no folder")
    with running(settings, "worker"):
        until(is_in(desk, id, "failed"))
    assert packet(desk, id).problem == '["file", {"reason": "File exists"}]'


def slow(settings: Settings, seconds: float) -> subprocess.Popen[bytes]:
    """Start a worker that pauses for this time after every ten forms."""
    code = "import time, engage.domain.paper.documents.packet as press\npress.EVERY = 10\n"
    code += "tell = press._PageDrawer._tell\n"
    code += f"def slowly(self):\n    time.sleep({seconds})\n    tell(self)\n"
    code += "press._PageDrawer._tell = slowly\nfrom engage.cli import main\nmain(['worker'])"
    return subprocess.Popen([sys.executable, "-c", code], env=environ(settings), cwd=ROOT, start_new_session=True)


@pytest.mark.thorough
def test_a_packet_that_is_cancelled_in_the_middle_is_dropped(desk: Desk, settings: Settings) -> None:
    desk.wave()
    id = desk.asks(contents="blanks", copies={"es": SETS})
    process = slow(settings, 0.3)
    try:
        until(lambda: packet(desk, id).drawn > 0)
        desk.changes(lambda session: orders.cancel_packet(session, session.get_one(Packet, id)))
        folder = settings.data_dir / rendering.FOLDER
        until(lambda: list(folder.iterdir()) == [])
    finally:
        process.terminate()
        process.wait(30)
    assert packet(desk, id).state == "cancelled"
    assert set(desk.sees(select(Sheet.state))) == {"spoiled"}
    with running(settings, "worker"):
        time.sleep(2)
    assert packet(desk, id).state == "cancelled"
    assert list(folder.iterdir()) == []


@pytest.mark.thorough
def test_a_worker_that_is_told_to_stop_leaves_the_packet_to_the_next(desk: Desk, settings: Settings) -> None:
    desk.wave()
    id = desk.asks(contents="blanks", copies={"es": SETS})
    process = slow(settings, 0.3)
    until(lambda: packet(desk, id).drawn > 0)
    process.terminate()
    assert process.wait(30) == 0
    assert packet(desk, id).state == "drawing"
    assert list((settings.data_dir / rendering.FOLDER).iterdir()) == []
    with running(settings, "worker"):
        until(is_in(desk, id, "ready"))


@pytest.mark.sqlite
@pytest.mark.parametrize("most", [1, pytest.param(3, marks=pytest.mark.thorough)])
def test_killed_again_and_again_a_packet_is_finished_with_the_same_bytes_and_the_ledger_agrees(
    desk: Desk, settings: Settings, capsys: pytest.CaptureFixture[str], most: int
) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(*((f"{number % 3}A", ("en", "es")[number % 2]) for number in range(60)))
    ids = [desk.asks(), desk.asks(contents="blanks", copies={"ar": 60})]
    undisturbed = [desk.draws(id, f"{id}.pdf").read_bytes() for id in ids]
    rng, kills = Random(5), 0
    while kills < most:
        process = slow(settings, 0.15)
        seen = sum(packet(desk, id).drawn for id in ids)
        until(lambda seen=seen: sum(packet(desk, id).drawn for id in ids) != seen)  # type: ignore[misc]
        time.sleep(rng.uniform(0, 0.4))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
        kills += 1
        assert any(packet(desk, id).state != "ready" for id in ids), "the kill came in the middle"
    with running(settings, "worker"):
        for id in ids:
            until(is_in(desk, id, "ready"))
    files = [rendering.packet_path(settings, id) for id in ids]
    assert [file.read_bytes() for file in files] == undisturbed
    fronts = [page.serial for file in files for page in leaves(file) if page.number == 1]
    assert len(fronts) == len(set(fronts)) == 120, "no serial is used twice"
    assert set(fronts) == set(desk.sees(select(Sheet.serial)))
    with capsys.disabled():
        print(f"\n{kills} kills, {len(ids)} packets, {len(fronts)} sets: same bytes, each serial once")
