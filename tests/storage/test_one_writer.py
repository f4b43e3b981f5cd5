"""Sessions that write take turns on both databases; those that read, and families' answers, wait for none of them."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError

from engage.storage import engine as storage
from engage.storage.engine import read_session, write_session
from engage.storage.group_commit import GroupWriter
from engage.storage.models.schools import School

PATIENCE = 20.0  # seconds until a thread that hangs fails the test
A_MOMENT = 0.3  # seconds: far longer than a transaction that waits for nothing


def add_school(engine: Engine) -> str:
    """Look, then act: the next school gets the next number."""
    with write_session(engine) as session:
        number = session.scalar(select(func.count()).select_from(School))
        session.add(School(id=f"school-{number}", name="A school"))
        session.commit()
        return f"school-{number}"


@pytest.fixture
def beside() -> Callable[..., Future[object]]:
    """Run a function in another thread."""
    pool = ThreadPoolExecutor(4)
    return pool.submit


def test_a_second_session_reads_after_the_first_has_committed(
    engine: Engine, beside: Callable[..., Future[str]]
) -> None:
    with write_session(engine) as session:
        assert session.scalar(select(func.count()).select_from(School)) == 0
        waiting = beside(add_school, engine)
        with pytest.raises(TimeoutError):
            waiting.result(A_MOMENT)
        session.add(School(id="school-0", name="The first"))
        session.commit()
    assert waiting.result(PATIENCE) == "school-1"


def test_many_who_look_and_then_act_never_see_the_same(engine: Engine) -> None:
    barrier = threading.Barrier(6, timeout=PATIENCE)

    def act(_: int) -> str:
        barrier.wait()
        return add_school(engine)

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(act, range(6))) == [f"school-{number}" for number in range(6)]


def test_a_session_that_reads_waits_for_nobody(engine: Engine, beside: Callable[..., Future[int]]) -> None:
    def count() -> int | None:
        with read_session(engine) as session:
            return session.scalar(select(func.count()).select_from(School))

    with write_session(engine) as session:
        session.add(School(id="cedar", name="Cedar Hill"))
        session.flush()
        assert beside(count).result(PATIENCE) == 0


@pytest.mark.postgres
def test_a_familys_answer_waits_for_no_session_that_writes(engine: Engine, beside: Callable[..., Future[None]]) -> None:
    writer = GroupWriter(engine)
    with write_session(engine) as session:
        session.add(School(id="cedar", name="Cedar Hill"))
        session.flush()
        work = School.__table__.insert().values(id="lincoln", name="Lincoln")
        beside(writer.run, lambda connection: connection.execute(work) and None).result(PATIENCE)
        session.commit()
    writer.stop()


@pytest.mark.postgres
def test_a_session_gives_up_when_its_turn_does_not_come(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "BUSY_TIMEOUT", 0.1)
    with write_session(engine) as session:
        session.add(School(id="cedar", name="Cedar Hill"))
        session.flush()
        with write_session(engine) as second, pytest.raises(OperationalError, match="lock timeout"):
            second.scalar(select(School.id))
