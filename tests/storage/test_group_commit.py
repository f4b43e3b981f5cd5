"""Group commit: acknowledged writes are stored, failed ones leave nothing, and no write is affected by another's
failure."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, insert, select, text
from sqlalchemy.exc import IntegrityError

from engage.storage.engine import connect
from engage.storage.group_commit import CommitFailed, GroupWriter
from engage.storage.models.schools import School

pytestmark = pytest.mark.slow

PATIENCE = 60  # seconds for anything that runs beside the test


def keep(name: str) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        connection.execute(insert(School).values(id=name, name=name))
        return name

    return work


def kept(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(select(School.id)))


@pytest.fixture
def writer(engine: Engine) -> GroupWriter:
    return GroupWriter(engine)


@pytest.fixture(autouse=True)
def _stop(writer: GroupWriter) -> object:
    yield
    writer.stop()


def test_a_deed_returns_its_result_and_is_there_for_others(writer: GroupWriter, engine: Engine) -> None:
    assert writer.run(keep("lincoln")) == "lincoln"
    assert kept(engine) == {"lincoln"}


def test_a_lone_deed_that_fails_leaves_nothing(writer: GroupWriter, engine: Engine) -> None:
    def half(connection: Connection) -> None:
        keep("half")(connection)
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        writer.run(half)
    assert writer.run(keep("next")) == "next"
    assert kept(engine) == {"next"}


def _together(writer: GroupWriter, works: list[Callable[[Connection], str]]) -> list[object]:
    """Run writes in one transaction: all are queued while a first one holds the lock."""
    holds, go = threading.Event(), threading.Event()

    def first(_connection: Connection) -> None:
        holds.set()
        go.wait(PATIENCE)

    def outcome(work: Callable[[Connection], str]) -> object:
        try:
            return writer.run(work)
        except Exception as problem:
            return problem

    with ThreadPoolExecutor(len(works) + 1) as pool:
        leading = pool.submit(writer.run, first)
        holds.wait(PATIENCE)
        running = [pool.submit(outcome, work) for work in works]
        while len(writer._waiting) < len(works):
            threading.Event().wait(0.001)
        go.set()
        leading.result(PATIENCE)
        return [one.result(PATIENCE) for one in running]


@pytest.mark.sqlite
def test_failures_in_a_group_undo_only_themselves(writer: GroupWriter, engine: Engine) -> None:
    def half(connection: Connection) -> str:
        keep("half")(connection)
        raise ValueError("mine alone")

    works = [keep("a"), half, keep("b"), keep("a"), keep("c")]
    outcomes = _together(writer, works)
    assert isinstance(outcomes[1], ValueError)
    doubles = [outcome for outcome in outcomes if isinstance(outcome, IntegrityError)]
    assert len(doubles) == 1
    assert {"b", "c"} <= set(filter(lambda o: isinstance(o, str), outcomes))
    assert kept(engine) == {"a", "b", "c"}


@pytest.mark.sqlite
def test_a_group_is_one_transaction(writer: GroupWriter, engine: Engine) -> None:
    commits = 0

    def count(_connection: object) -> None:
        nonlocal commits
        commits += 1

    event.listen(engine, "commit", count)
    _together(writer, [keep(str(number)) for number in range(20)])
    assert commits == 2, "one for the deed that held the turn, one for the twenty that waited"


@pytest.mark.sqlite
def test_when_the_commit_fails_nobody_is_told_it_was_kept(
    writer: GroupWriter, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_connection: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(engine.dialect, "do_commit", full)
    with pytest.raises(CommitFailed, match="no space left"):
        writer.run(keep("lincoln"))
    monkeypatch.undo()
    assert kept(engine) == set()
    assert writer.run(keep("lincoln")) == "lincoln"


@pytest.mark.sqlite
def test_a_full_disk_in_the_middle_of_a_group_fails_the_whole_group(writer: GroupWriter, engine: Engine) -> None:
    def gives_up(connection: Connection) -> str:
        connection.exec_driver_sql("ROLLBACK")  # as SQLite does by itself for SQLITE_FULL and SQLITE_IOERR
        raise OSError("disk full")

    outcomes = _together(writer, [keep("a"), gives_up, keep("b")])
    assert all(isinstance(outcome, CommitFailed) for outcome in outcomes)
    assert kept(engine) == set()
    assert writer.run(keep("a")) == "a"


def test_work_sees_no_context_of_whoever_commits_it(writer: GroupWriter) -> None:
    page: ContextVar[str] = ContextVar("page")
    page.set("another family's")
    with pytest.raises(LookupError):
        writer.run(lambda _connection: page.get())


def test_eight_threads_times_two_hundred_are_all_kept(writer: GroupWriter, engine: Engine) -> None:
    def busy(thread: int) -> None:
        for number in range(200):
            writer.run(keep(f"{thread}-{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(busy, range(8)))
    assert len(kept(engine)) == 1600


SCRIPT = """
import sys
from sqlalchemy import insert
from engage.storage.models.schools import School
from engage.storage.engine import connect
from engage.storage.group_commit import GroupWriter
url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
writer = GroupWriter(connect(url))
for number in range(count):
    key = f"{name}-{number}"
    writer.run(lambda connection: connection.execute(insert(School).values(id=key, name=key)))
    print(key, flush=True)
"""


def _process(engine: Engine, name: str, count: int) -> "subprocess.Popen[str]":
    url = engine.url.render_as_string(hide_password=False)
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, url, name, str(count)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )


def test_two_processes_at_once(engine: Engine) -> None:
    processes = [_process(engine, name, 300) for name in "ab"]
    said = [process.communicate(timeout=PATIENCE)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert kept(engine) == set(said[0]) | set(said[1])
    assert len(kept(engine)) == 600


def test_kill_minus_nine_loses_nothing_acknowledged(engine: Engine) -> None:
    process = _process(engine, "k", 1_000_000)
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(200)]
    process.send_signal(signal.SIGKILL)
    said += process.communicate(timeout=PATIENCE)[0].split("\n")[:-1]
    assert len(said) >= 200
    assert set(said) <= kept(engine)
    assert len(kept(engine)) <= len(said) + 1, "at most the one whose answer was on its way"


@pytest.mark.sqlite
def test_a_child_that_was_forked_opens_its_own_connection(engine: Engine, tmp_path: Path) -> None:
    url = engine.url.render_as_string(hide_password=False)
    script = SCRIPT.replace("print(key", "0 and print(key") + (
        "import os\n"
        "child = os.fork()\n"
        "key = 'child' if child == 0 else 'parent'\n"
        "mine = id(writer._connection)\n"
        "writer.run(lambda connection: connection.execute(insert(School).values(id=key, name=key)))\n"
        "if child == 0: os._exit(3 if id(writer._connection) == mine else 0)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, url, "before", "1"], timeout=PATIENCE, check=False)
    assert done.returncode == 0
    assert kept(engine) == {"before-0", "parent", "child"}


def test_a_fork_while_another_thread_has_the_turn_does_not_hang_the_child(writer: GroupWriter) -> None:
    with writer._turn:
        writer._after_fork()  # as os.fork does in the child, where the other thread does not exist
        assert writer.run(keep("lincoln")) == "lincoln"


def test_after_a_stop_it_opens_again(writer: GroupWriter, engine: Engine) -> None:
    writer.run(keep("a"))
    writer.stop()
    writer.run(keep("b"))
    assert kept(engine) == {"a", "b"}


@pytest.mark.sqlite
def test_a_database_that_cannot_be_opened_is_said_in_words(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'gone' / 'engage.db'}")
    with pytest.raises(CommitFailed, match="try again"):
        GroupWriter(engine).run(lambda connection: connection.execute(text("select 1")))
