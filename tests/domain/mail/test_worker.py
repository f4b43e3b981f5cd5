"""The worker: emails in the outbox arrive, even if processes are killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, select, update

from engage.base.config import Settings
from engage.domain.mail import outbox
from engage.domain.mail.outbox import OutgoingMail
from engage.domain.security.encryption import Sealer, load_keys
from engage.services.tasks.send_mail import SENDERS
from engage.storage.engine import read_session, write_session
from engage.storage.models.mail import Mail
from tests.domain.mail.conftest import named
from tests.paths import ROOT
from tests.postbox import Postbox

pytestmark = pytest.mark.slow

PATIENCE = 60  # seconds
WORDS = "a word that nobody else may read"
CODE = "from engage.cli import main; main()"


def environ(settings: Settings) -> dict[str, str]:
    names = ("data_dir", "database_url", "secret_key", "base_url", "mail_server", "mail_security", "mail_from")
    names += ("district_phone",)
    return os.environ | {f"ENGAGE_{name.upper()}": str(getattr(settings, name)) for name in names}


@dataclass
class Command:
    """A command of the product in its own process group."""

    process: subprocess.Popen[str]

    def end(self, how: int = signal.SIGTERM) -> str:
        """End the whole group; SIGKILL prevents any cleanup."""
        if how == signal.SIGKILL:
            os.killpg(self.process.pid, how)
        elif self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.communicate(timeout=PATIENCE)[0]


@contextmanager
def running(settings: Settings, *words: str) -> Iterator[Command]:
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, *words],
        env=environ(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    command = Command(process)
    try:
        yield command
    finally:
        said = command.end() if process.stdout and not process.stdout.closed else ""
        assert "Traceback" not in said, said


def until(true: Callable[[], object], what: str = "") -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what or "it never came"
        time.sleep(0.05)


@dataclass
class Office:
    """Access to a site's outbox from outside."""

    engine: Engine
    settings: Settings

    def writes(self, *receivers: str) -> list[str]:
        seal = Sealer(load_keys(self.settings)).seal
        with write_session(self.engine) as session:
            now = datetime.now(UTC)
            ids = [
                outbox.queue_mail(session, "invitation", OutgoingMail(to, "Hello", WORDS), seal, now)
                for to in receivers
            ]
            session.commit()
        return ids

    def rows(self) -> list[Mail]:
        with read_session(self.engine) as session:
            return list(session.scalars(select(Mail).order_by(Mail.written_at, Mail.id)))

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]

    def tries_again(self) -> None:
        with write_session(self.engine) as session:
            for row in self.rows():
                outbox.retry_mail(session, row.id)
            session.commit()


@pytest.fixture
def office(engine: Engine, settings: Settings, postbox: Postbox) -> Office:
    return Office(engine, named(settings, postbox))


def test_what_waits_is_delivered_and_forgotten(office: Office, postbox: Postbox) -> None:
    ids = office.writes(*(f"family{number}@homes.example" for number in range(5)))
    with running(office.settings, "worker") as worker:
        until(lambda: office.states() == ["sent"] * 5)
        until(lambda: len(postbox.arrived) == 5)
        late = office.writes("late@homes.example")
        until(lambda: office.states() == ["sent"] * 6)
        assert "Traceback" not in worker.end()
    assert sorted(postbox.ids) == sorted(f"<{id}@engage.sites.district.example>" for id in ids + late)
    assert {row.sealed for row in office.rows()} == {b""}
    assert all(row.sent_at and row.tries == 1 and row.problem == "" for row in office.rows())
    kept = b"".join(path.read_bytes() for path in office.settings.data_dir.glob("jobs.db*"))
    assert WORDS.encode() not in kept
    assert b"homes.example" not in kept


@pytest.mark.thorough
def test_a_receiver_that_is_refused_fails_at_once_and_can_be_tried_again(office: Office, postbox: Postbox) -> None:
    office.writes("gone@homes.example")
    postbox.answers["RCPT"] = "550 5.1.1 no such person"
    with running(office.settings, "worker"):
        until(lambda: office.states() == ["failed"])
        (row,) = office.rows()
        assert (row.tries, row.problem) == (1, "550 5.1.1 no such person")
        assert row.sealed
        del postbox.answers["RCPT"]
        office.tries_again()
        until(lambda: office.states() == ["sent"])
    assert len(postbox.arrived) == 1


@pytest.mark.thorough
def test_a_server_that_has_no_room_now_is_asked_again_later(office: Office, postbox: Postbox) -> None:
    office.writes("ana@homes.example")
    postbox.answers["DATA"] = "452 4.3.1 no room"
    with running(office.settings, "worker"):
        until(lambda: office.rows()[0].tries == 1)
        time.sleep(2.5)
        (row,) = office.rows()
        assert (row.state, row.tries, row.problem) == ("waiting", 1, "452 4.3.1 no room")
        assert postbox.begun == 1, "it waits a minute before it tries again"
        del postbox.answers["DATA"]
        office.tries_again()
        until(lambda: office.states() == ["sent"])


def test_without_a_mail_server_letters_wait_and_nothing_fails(office: Office, settings: Settings) -> None:
    office.writes("ana@homes.example")
    with running(settings, "worker") as worker:
        time.sleep(3)
        said = worker.end()
    (row,) = office.rows()
    assert (row.state, row.tries, row.problem) == ("waiting", 0, "")
    assert "email waits" in said
    assert "Traceback" not in said


def test_a_letter_sealed_under_a_lost_key_is_told(office: Office, postbox: Postbox) -> None:
    office.writes("ana@homes.example")
    with write_session(office.engine) as session:
        session.execute(update(Mail).values(sealed=b"gAAAAA"))
        session.commit()
    with running(office.settings, "worker"):
        until(lambda: office.states() == ["failed"])
    assert "cannot be opened with the keys at hand" in office.rows()[0].problem


@pytest.mark.sqlite
@pytest.mark.thorough
def test_what_an_older_copy_of_the_database_says_is_not_sent_again(office: Office, postbox: Postbox) -> None:
    office.writes("ana@homes.example")
    (before,) = office.rows()
    with running(office.settings, "worker"):
        until(lambda: office.states() == ["sent"])
    with write_session(office.engine) as session:  # as `engage restore` does
        session.execute(update(Mail).values(state="waiting", tries=0, sealed=before.sealed))
        session.commit()
    with running(office.settings, "worker"):
        until(lambda: office.states() == ["sent"])
    assert len(postbox.arrived) == 1


@pytest.mark.sqlite
@pytest.mark.thorough
def test_two_workers_of_one_data_directory_take_turns(office: Office, postbox: Postbox) -> None:
    with running(office.settings, "worker") as first:
        office.writes("ana@homes.example")
        until(lambda: office.states() == ["sent"])
        with running(office.settings, "worker"):
            time.sleep(2)
            postbox.delays["RCPT"] = 1.0
            office.writes("ben@homes.example")
            until(lambda: postbox.begun == 2)
            os.killpg(first.process.pid, signal.SIGKILL)
            until(lambda: office.states() == ["sent", "sent"])
    assert len(set(postbox.ids)) == 2


@pytest.mark.sqlite
@pytest.mark.thorough
def test_the_worker_beside_the_site_comes_back_when_it_dies(office: Office, postbox: Postbox) -> None:
    with running(office.settings, "serve", "--port", "0", "--processes", "1") as site:
        office.writes("ana@homes.example")
        until(lambda: office.states() == ["sent"])
        found = [pid for pid in children(site.process.pid) if holds(pid, "worker.lock")]
        assert len(found) == 1, "one of them is the worker"
        os.kill(found[0], signal.SIGKILL)
        office.writes("ben@homes.example")
        until(lambda: office.states() == ["sent", "sent"])


@pytest.mark.sqlite
@pytest.mark.thorough
def test_a_worker_does_not_outlive_the_site(office: Office) -> None:
    with running(office.settings, "serve", "--port", "0", "--processes", "1") as site:
        until(lambda: len(children(site.process.pid)) == 2)
        time.sleep(3)
        left = children(site.process.pid)
        site.process.kill()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), "somebody is left behind")


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def holds(pid: int, name: str) -> bool:
    return any(os.readlink(each).endswith(name) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink())


@pytest.mark.sqlite
def test_no_serving_process_carries_the_workers_load(settings: Settings) -> None:
    code = "import sys, engage.server.supervisor as serving; serving._preload_modules(); print('dbos' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert said.stdout.strip() == "False"


LETTERS = 40


@dataclass
class Count:
    """Result of repeated kills. `lost` must be 0; `doubled` were sent again with the same id."""

    kills: int
    begun: int
    distinct: int
    doubled: int
    lost: int

    def __str__(self) -> str:
        told = f"{self.kills} kills, {self.begun} sendings begun, {self.distinct} letters delivered, {self.lost} lost, "
        return told + f"{self.doubled} delivered twice"


def kill_and_count(office: Office, postbox: Postbox, kills: int, rng: Random) -> Count:
    """Kill the site and its worker repeatedly while emails are being sent, restart it each time, and let it finish at
    the end."""
    ids = office.writes(*(f"family{number}@homes.example" for number in range(LETTERS)))
    site = ("serve", "--port", "0", "--processes", "1")
    killed = 0
    while killed < kills and "waiting" in office.states():
        before = postbox.begun
        with running(office.settings, *site) as process:
            until(lambda before=before: postbox.begun > before)  # type: ignore[misc]
            time.sleep(rng.uniform(0, 0.4))
            process.end(signal.SIGKILL)
        killed += 1
    with running(office.settings, *site):
        until(lambda: set(office.states()) == {"sent"})
    arrived = set(postbox.ids)
    lost = {f"<{id}@engage.sites.district.example>" for id in ids} - arrived
    return Count(killed, postbox.begun, len(arrived), len(postbox.ids) - len(arrived), len(lost))


@pytest.mark.sqlite
@pytest.mark.parametrize("kills", [2, pytest.param(4, marks=pytest.mark.thorough)])
def test_killed_again_and_again_each_letter_is_delivered(
    office: Office, postbox: Postbox, capsys: pytest.CaptureFixture[str], kills: int
) -> None:
    postbox.delays = {"RCPT": 0.3}
    count = kill_and_count(office, postbox, kills=kills, rng=Random(4))
    with capsys.disabled():
        print(f"\n{count}")
    assert count.kills == kills
    assert count.begun > LETTERS, "some were on their way when the kill came"
    assert (count.lost, count.distinct) == (0, LETTERS)
    # only a kill in the microseconds between the server's response and our log entry can cause a duplicate
    assert count.doubled <= SENDERS


@pytest.mark.sqlite
def test_a_letter_that_was_taken_is_not_sent_again_after_a_crash_before_the_database_knew(
    office: Office, postbox: Postbox
) -> None:
    office.writes("ana@homes.example")
    code = "import os, engage.services.tasks.send_mail as jobs\njobs._record_outcome = lambda *_: os._exit(9)\n"
    code += "from engage.cli import main\nmain(['worker'])"
    words = [sys.executable, "-c", code]
    process = subprocess.Popen(words, env=environ(office.settings), cwd=ROOT, start_new_session=True)
    until(lambda: postbox.arrived)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE)
    assert office.states() == ["waiting"]
    for path in office.settings.data_dir.glob("jobs.db*"):
        path.unlink()  # the queue's memory is lost too
    with running(office.settings, "worker"):
        until(lambda: office.states() == ["sent"])
    assert len(postbox.arrived) == 1
