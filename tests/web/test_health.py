"""Health checks for monitoring: JSON with each check in every situation, with little work per request."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from werkzeug.test import Client

from engage import create_app
from engage.base.config import Settings
from engage.storage.group_commit import CommitFailed
from engage.storage.models.base import Heartbeat
from engage.web import health
from engage.web.health import EXTENSION, FRESH, STALE, Readiness, _write_and_read
from tests.conftest import close

GOOD = {"schema": True, "writes": True, "disk": True}


def failing(_connection: object) -> None:
    raise CommitFailed("the database did not keep it (attempt to write a readonly database)")


def test_a_site_that_works_is_ready(site: Any, engine: Engine) -> None:
    answer = Client(site).get("/readyz")
    assert (answer.status_code, answer.json) == (200, GOOD | answer.json)
    assert all(answer.json.values())
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Heartbeat)) == 0, "nothing stays"


@pytest.mark.parametrize(
    ("check", "broken"), [("writes", "_write_and_read"), ("schema", "current_revision"), ("disk", "shutil")]
)
def test_what_fails_is_named_in_json(
    site: Any, check: str, broken: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(health, broken, failing)
    answer = Client(site).get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {**answer.json, **GOOD, check: False}
    assert [each.exc_info for each in caplog.records if check in each.getMessage()] == [None]
    assert "Traceback" not in caplog.text


def test_a_database_that_only_reads_is_not_ready(site: Any, engine: Engine, database_kind: str) -> None:
    """Like a standby, or a disk that was mounted read-only."""
    state = site.family.extensions["engage"]
    if database_kind == "sqlite":
        state.writer.run(lambda connection: connection.exec_driver_sql("PRAGMA query_only=ON"))
    else:
        state.engine.dispose()
        name = engine.url.database
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql(f'alter database "{name}" set default_transaction_read_only = on')
    try:
        answer = Client(site).get("/readyz")
        assert (answer.status_code, answer.content_type) == (503, "application/json")
        assert (answer.json["writes"], answer.json["schema"], answer.json["disk"]) == (False, True, True)
        assert Client(site).get("/").status_code == 200
    finally:
        if database_kind != "sqlite":
            with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                connection.exec_driver_sql("set transaction_read_only = off")
                connection.exec_driver_sql("set default_transaction_read_only = off")
                connection.exec_driver_sql(f'alter database "{name}" reset default_transaction_read_only')


def test_many_questions_are_one_write(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    state, writes = site.family.extensions["engage"], []
    run = type(state.writer).run
    monkeypatch.setattr(type(state.writer), "run", lambda self, work: (writes.append(work), run(self, work))[1])
    client = Client(site)
    assert {client.get("/readyz").status_code for _ in range(20)} == {200}
    assert writes == [_write_and_read]


def test_many_at_once_all_get_an_answer(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL, two concurrent checks used to read each other's row."""
    monkeypatch.setattr(health, "FRESH", 0.0)
    found: list[int] = []
    gate = threading.Barrier(6)

    def ask() -> None:
        client = Client(site)
        gate.wait()
        found.extend(client.get("/readyz").status_code for _ in range(10))

    _all(ask, 6)
    assert found == [200] * 60


def test_processes_of_one_database_do_not_see_each_others_rows(site: Any) -> None:
    state, results = site.family.extensions["engage"], []
    gate = threading.Barrier(6)

    def write() -> None:
        gate.wait()
        for _ in range(10):
            with state.engine.begin() as connection:
                results.append(_write_and_read(connection))

    _all(write, 6)
    assert results == [True] * 60


@pytest.mark.sqlite
@pytest.mark.parametrize("doors", ["staff", "family"])
def test_a_machine_with_one_door_is_watched_too(settings: Settings, clock: Callable[[], datetime], doors: str) -> None:
    site = create_app(replace(settings, doors=doors), clock)
    assert Client(site).get("/readyz").status_code == 200
    assert Client(site).get("/healthz").text == "ok"
    assert (Client(site).get("/en/").status_code == 200) is (doors == "family")
    close(site)


class Clock:
    """A clock that is set manually."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_result_is_made_anew_after_some_seconds() -> None:
    clock, works = Clock(), [True]
    ready = Readiness({"one": lambda _: works[-1]}, clock)
    assert ready.results(None) == {"one": True}  # type: ignore[arg-type]
    works.append(False)
    clock.now += FRESH - 1
    assert ready.results(None) == {"one": True}  # type: ignore[arg-type]
    clock.now += 1
    assert ready.results(None) == {"one": False}  # type: ignore[arg-type]


def test_a_check_that_hangs_holds_one_caller_and_is_told_in_time() -> None:
    clock, hangs, free = Clock(), threading.Event(), threading.Event()

    def slow(_state: object) -> bool:
        hangs.set()
        return free.wait(10)

    ready = Readiness({"one": lambda _: True}, clock)
    ready.results(None)  # type: ignore[arg-type]
    ready._checks = {"one": slow}
    clock.now += FRESH
    caller = threading.Thread(target=ready.results, args=(None,))
    caller.start()
    hangs.wait(10)
    assert ready.results(None) == {"one": True}, "the last result, at once"  # type: ignore[arg-type]
    clock.now += STALE
    assert ready.results(None) == {"one": False}  # type: ignore[arg-type]
    free.set()
    caller.join(10)


def test_who_asks_while_the_first_checks_are_made_waits_for_them() -> None:
    """Results without a time looked older than STALE to a second caller, which returned 503 from a working site."""
    found: list[dict[str, bool]] = []
    second = threading.Thread(target=lambda: found.append(ready.results(None)))  # type: ignore[arg-type]

    def ask_meanwhile(_state: object) -> None:
        second.start()
        second.join(0.3)

    ready = Readiness({"one": lambda _: True}, Clock(), also=ask_meanwhile)
    assert ready.results(None) == {"one": True}  # type: ignore[arg-type]
    second.join(10)
    assert found == [{"one": True}]


def test_the_checks_belong_to_the_site(site: Any) -> None:
    assert isinstance(site.family.extensions[EXTENSION], Readiness)
    assert Client(site).get("/healthz").text == "ok"


def _all(work: Callable[[], None], number: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(number)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
