"""Workers on several machines of one PostgreSQL site: each message is sent and each packet is drawn once, whatever
their clocks say and however they die."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, select

from engage.base.config import Settings
from engage.services.printing import rendering
from engage.services.tasks.send_mail import SENDERS
from engage.storage.engine import connect, read_session
from engage.storage.leases import hold_lease, is_lease_free
from engage.storage.models.retention import RetentionRun
from tests.domain.mail.conftest import named
from tests.domain.mail.test_worker import PATIENCE, Office, until
from tests.hosts.conftest import environment
from tests.paths import ROOT
from tests.postbox import Postbox, a_postbox
from tests.services.tasks.test_draw_packets import is_in, packet
from tests.web.test_print_orders import Desk

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.thorough]

RUN = "from engage.cli import main\nmain(['worker'])\n"
AHEAD = """
import time
from datetime import UTC, datetime, timedelta
import engage.services.runtime as runtime
real = time.time
time.time = lambda: real() + {seconds}
runtime.open_runtime.__defaults__ = (lambda: datetime.now(UTC) + timedelta(seconds={seconds}), "")
"""
AN_HOUR_AHEAD, TWO_MONTHS_AHEAD = (AHEAD.format(seconds=seconds) for seconds in (3600, 60 * 24 * 3600))
IMPATIENT = """
from datetime import timedelta
import engage.services.tasks.context as context
context.ABANDONED_AFTER = timedelta(0)
"""
DIES_BEFORE_THE_DATABASE_KNOWS = """
import os, signal
import engage.domain.mail.delivery_log as delivery_log
add = delivery_log.AcceptedMailLog.add
def add_and_die(self, id):
    add(self, id)
    os.killpg(0, signal.SIGKILL)
delivery_log.AcceptedMailLog.add = add_and_die
"""
DRAWS_SLOWLY = """
import time
import engage.domain.paper.documents.packet as press
press.EVERY = 10
tell = press._PageDrawer._tell
def slowly(self):
    time.sleep(0.15)
    tell(self)
press._PageDrawer._tell = slowly
"""
SAYS_WHEN_IT_DRAWS = """
import os
import engage.services.printing.rendering as rendering
draw = rendering.draw_packet
def said(target, *rest):
    with open({path!r}, "a") as file:
        file.write(target.name + "\\n")
    return draw(target, *rest)
rendering.draw_packet = said
"""


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with a_postbox() as box:
        yield box


@pytest.fixture
def machines(both: list[Settings], postbox: Postbox) -> list[Settings]:
    """Both machines with one mail server."""
    return [named(each, postbox) for each in both]


@pytest.fixture
def office(engine: Engine, machines: list[Settings]) -> Office:
    return Office(engine, machines[0])


@contextmanager
def worker(settings: Settings, *patches: str) -> Iterator[subprocess.Popen[str]]:
    """`engage worker` on a machine, in its own process group. It must end without an error unless it was killed."""
    environ = {name: value for name, value in (os.environ | environment(settings)).items() if value is not None}
    process = subprocess.Popen(
        [sys.executable, "-c", "".join(patches) + RUN],
        env=environ,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
        if process.poll() is None:
            process.terminate()
        said = process.communicate(timeout=PATIENCE)[0]
        assert "Traceback" not in said, said
    finally:
        kill(process)
        assert process.stdout is not None
        process.stdout.close()


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a worker with all its processes."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)


def letters(office: Office, number: int) -> list[str]:
    return [
        f"<{id}@engage.sites.district.example>"
        for id in office.writes(*(f"colleague{each}@homes.example" for each in range(number)))
    ]


@pytest.mark.parametrize("patches", [AN_HOUR_AHEAD, IMPATIENT, AN_HOUR_AHEAD + IMPATIENT])
def test_a_worker_with_another_clock_sends_no_message_that_is_being_sent(
    office: Office, machines: list[Settings], postbox: Postbox, patches: str
) -> None:
    postbox.delays = {"RCPT": 1.5}
    ids = letters(office, 12)
    with worker(machines[0]):
        until(lambda: postbox.begun >= SENDERS)
        with worker(machines[1], patches):
            until(lambda: set(office.states()) == {"sent"})
    assert sorted(postbox.ids) == sorted(ids)


@pytest.mark.parametrize("patches", [AN_HOUR_AHEAD, IMPATIENT])
def test_a_worker_with_another_clock_draws_no_packet_that_is_being_drawn(
    engine: Engine, machines: list[Settings], today: date, tmp_path: Path, patches: str
) -> None:
    desk = Desk(engine, machines[0], today)
    desk.wave()
    id = desk.asks(contents="blanks", copies={"es": 200})
    drawn = tmp_path / "drawn"
    said = SAYS_WHEN_IT_DRAWS.format(path=str(drawn))
    with worker(machines[0], DRAWS_SLOWLY, said):
        until(lambda: packet(desk, id).drawn > 0)
        with worker(machines[1], patches, said):
            until(is_in(desk, id, "ready"))
    assert drawn.read_text().split() == [f"{id}.pdf"]
    assert rendering.packet_path(machines[1], id).exists()


def test_what_a_dead_worker_was_sending_another_sends(
    office: Office, machines: list[Settings], postbox: Postbox
) -> None:
    postbox.delays = {"RCPT": 1.0}
    ids = letters(office, 6)
    with worker(machines[0]) as first:
        until(lambda: postbox.begun >= SENDERS)
        kill(first)
    with worker(machines[1], IMPATIENT):
        until(lambda: set(office.states()) == {"sent"})
    assert sorted(postbox.ids) == sorted(ids)


def test_what_the_server_took_from_a_dead_worker_no_other_sends(
    office: Office, machines: list[Settings], postbox: Postbox
) -> None:
    letters(office, 1)
    with worker(machines[0], DIES_BEFORE_THE_DATABASE_KNOWS) as first:
        first.wait(PATIENCE)
    assert office.states() == ["waiting"]
    with worker(machines[1], IMPATIENT):
        until(lambda: office.states() == ["sent"])
    assert len(postbox.arrived) == 1


def test_a_worker_with_another_clock_deletes_nothing_early_and_one_of_two_deletes(
    office: Office, machines: list[Settings], postbox: Postbox
) -> None:
    letters(office, 1)
    with worker(machines[1], TWO_MONTHS_AHEAD):
        until(lambda: office.states() == ["sent"])
        until(lambda: [run.ended_at for run in _runs(office) if run.ended_at])
        with worker(machines[0]):
            time.sleep(5)
    assert office.states() == ["sent"], "it is deleted a month after it was sent"
    (run,) = _runs(office)
    assert (run.tries, run.problem) == (1, "")


def _runs(office: Office) -> list[RetentionRun]:
    with read_session(office.engine) as session:
        return list(session.scalars(select(RetentionRun)))


MESSAGES, PACKETS, SETS = 60, 3, 60


@pytest.mark.parametrize(("workers", "kills"), [(3, 5), pytest.param(4, 20, marks=pytest.mark.thorough)])
def test_killed_again_and_again_workers_send_and_draw_everything_once(
    engine: Engine,
    machines: list[Settings],
    office: Office,
    postbox: Postbox,
    today: date,
    tmp_path: Path,
    workers: int,
    kills: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """All are told to take over at once, so that only their leases hold them off."""
    desk = Desk(engine, machines[0], today)
    desk.wave()
    packets = [desk.asks(contents="blanks", copies={"es": SETS + number}) for number in range(PACKETS)]
    undisturbed = [desk.draws(id, f"{id}.pdf").read_bytes() for id in packets]
    ids, rng = letters(office, MESSAGES), Random(9)
    postbox.delays = {"RCPT": 0.3}
    settings = [_numbered(machines[0], tmp_path, number) for number in range(workers)]
    running = [_start(each) for each in settings]
    try:
        for _ in range(kills):
            time.sleep(rng.uniform(1.0, 2.5))
            chosen = rng.randrange(workers)
            os.killpg(running[chosen].pid, signal.SIGKILL)
            running[chosen].wait(PATIENCE)
            running[chosen] = _start(settings[chosen])
        until(lambda: set(office.states()) == {"sent"})
        until(lambda: all(is_in(desk, id, "ready")() for id in packets))
    finally:
        for each in running:
            kill(each)
    doubled = len(postbox.ids) - len(set(postbox.ids))
    with capsys.disabled():
        print(
            f"\n{workers} workers, {kills} kills: {len(set(postbox.ids))} messages, {doubled} twice, {PACKETS} packets"
        )
    assert set(postbox.ids) == set(ids)
    # a kill after the server took a message, and before this was written down, cannot be told from one before
    assert doubled <= 1
    assert [rendering.packet_path(machines[1], id).read_bytes() for id in packets] == undisturbed


def _numbered(settings: Settings, folder: Path, number: int) -> Settings:
    data = folder / f"machine{number}"
    data.mkdir(mode=0o700)
    (data / "catalogues").symlink_to((settings.data_dir / "catalogues").resolve())
    return replace(settings, data_dir=data)


def _start(settings: Settings) -> subprocess.Popen[str]:
    environ = {name: value for name, value in (os.environ | environment(settings)).items() if value is not None}
    return subprocess.Popen(
        [sys.executable, "-c", IMPATIENT + RUN],
        env=environ,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def test_a_lease_is_free_again_when_its_holders_connection_ends(engine: Engine, settings: Settings) -> None:
    other = connect(settings.database)
    with hold_lease(engine, "mail 1"):
        assert not is_lease_free(other, "mail 1")
        assert is_lease_free(other, "mail 2")
    assert is_lease_free(other, "mail 1")
    with hold_lease(other, "mail 1"):
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objsubid = 2"
            )
        until(lambda: is_lease_free(engine, "mail 1"))
    other.dispose()
