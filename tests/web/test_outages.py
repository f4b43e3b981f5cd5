"""The database is away, read-only, or full: everybody is asked to come back soon, and nothing breaks."""

import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError

from engage.base.config import Settings
from engage.storage.engine import POOL_TIMEOUT, connect, write_session
from engage.storage.outages import is_outage
from tests.makers import PASSWORD, a_wave, staff
from tests.people import Family, StaffMember, Visitor

MANY = 300  # families, more than fit into the free pages of a small file

# The pool drops connections that the server has ended; they are collected at any later time.
DROPPED = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

Outage = Callable[[], None]


@pytest.fixture
def outage(engine: Engine, site: Any, request: pytest.FixtureRequest) -> Iterator[Outage]:
    """Cause the outage that the test names; it ends with the test."""
    kind, undo = request.param, []

    def cause() -> None:
        if kind == "full":
            _fill_disk(site)
        else:
            undo.append(_change_database(engine, kind))

    try:
        yield cause
    finally:
        for back in undo:
            back()


def _fill_disk(site: Any) -> None:
    """SQLite: no page more than there is, as on a full disk."""
    for app in (site.family, site.staff):
        engine = app.extensions["engage"].engine
        app.extensions["engage"].writer.stop()
        engine.dispose()
        event.listen(engine, "connect", lambda connection, _record: connection.execute("pragma max_page_count = 1"))


def _change_database(engine: Engine, kind: str) -> Callable[[], None]:
    """PostgreSQL: make the database read-only, or refuse every connection, old ones included."""
    name = engine.url.database
    setting = "set default_transaction_read_only = on" if kind == "read-only" else "allow_connections false"
    back = "reset default_transaction_read_only" if kind == "read-only" else "allow_connections true"
    admin = create_engine(make_url(engine.url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    terminate = text("select pg_terminate_backend(pid) from pg_stat_activity where datname = :name")

    def run(statement: str) -> None:
        with admin.connect() as connection:
            connection.execute(text(f'alter database "{name}" {statement}'))
            connection.execute(terminate, {"name": name})

    def undo() -> None:
        run(back)
        admin.dispose()

    run(setting)
    return undo


@pytest.fixture
def visitors(site: Any, engine: Engine) -> tuple[Family, StaffMember]:
    """A family with a begun survey, and a leader who is signed in."""
    with write_session(engine) as session:
        a_wave(session)
        email = staff(session, "leader").email
        session.commit()
    family, leader = Family(site), StaffMember(site)
    family.begins("fall")
    leader.signs_in(email, PASSWORD)
    return family, leader


def asked_to_come_back(visitor: Visitor, method: str, path: str) -> bool:
    answer = visitor.client.open(path, method=method, base_url=visitor.base_url)
    assert answer.status_code == 503, f"{method} {path}: {answer.status}"
    return answer.headers["Retry-After"] == "30" and "Please wait a minute" in answer.text


@pytest.mark.postgres
@DROPPED
@pytest.mark.parametrize("outage", ["away", "read-only"], indirect=True)
def test_nobody_sees_a_broken_page_while_postgresql_cannot_write(
    outage: Outage, visitors: tuple[Family, StaffMember], site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    family, _leader = visitors
    page = family.path
    outage()
    with caplog.at_level(logging.ERROR):
        assert asked_to_come_back(family, "POST", page)
        assert asked_to_come_back(Family(site), "POST", "/en/w/fall")
        ready = Visitor(site).client.get("/readyz")
    assert (ready.status_code, ready.json and ready.json["writes"]) == (503, False)
    assert not [record for record in caplog.records if record.exc_info], "a traceback was logged"
    assert all(len(record.getMessage().splitlines()) == 1 for record in caplog.records if record.name == "engage")


@pytest.mark.postgres
@DROPPED
@pytest.mark.parametrize("outage", ["away"], indirect=True)
def test_staff_are_asked_to_come_back(outage: Outage, visitors: tuple[Family, StaffMember], site: Any) -> None:
    _, leader = visitors
    leader.opens("/staff/login")
    outage()
    assert asked_to_come_back(leader, "GET", "/staff/district/waves")


@pytest.mark.sqlite
@pytest.mark.parametrize("outage", ["full"], indirect=True)
def test_a_full_disk_takes_no_answer_and_breaks_no_page(
    outage: Outage, visitors: tuple[Family, StaffMember], site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    outage()
    with caplog.at_level(logging.ERROR):
        begun = [Family(site).client.post("/en/w/fall").status_code for _ in range(MANY)]
        assert set(begun) == {303, 503}, "pages of the file that are free take some"
        assert asked_to_come_back(Family(site), "POST", "/en/w/fall")
    assert not [record for record in caplog.records if record.exc_info], "a traceback was logged"


@pytest.mark.postgres
def test_who_gets_no_connection_in_seconds_is_asked_to_come_back(
    visitors: tuple[Family, StaffMember], site: Any
) -> None:
    family, leader = visitors
    with ExitStack() as held:
        engine = site.staff.extensions["engage"].engine  # also the family pages'
        for _ in range(engine.pool.size() + engine.pool._max_overflow):
            held.enter_context(engine.connect())
        for visitor, method, path in (
            (family, "POST", family.path),
            (Family(site), "POST", "/en/w/fall"),
            (leader, "GET", "/staff/district/waves"),
        ):
            since = time.monotonic()
            assert asked_to_come_back(visitor, method, path)
            assert POOL_TIMEOUT <= time.monotonic() - since < 3 * POOL_TIMEOUT
    leader.opens("/staff/district/waves")


@pytest.mark.postgres
def test_who_waits_too_long_for_another_writer_is_asked_to_come_back(
    visitors: tuple[Family, StaffMember], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, leader = visitors
    leader.opens("/staff/me")
    monkeypatch.setattr("engage.storage.engine.BUSY_TIMEOUT", 0.5)
    with write_session(engine) as session:
        session.connection()
        leader.sends(button="Sign out", status=503)
    leader.opens("/staff/me").sends(button="Sign out").sees("Sign in")


@pytest.mark.postgres
def test_a_server_that_never_answers_is_given_up_in_seconds(settings: Settings) -> None:
    """A machine that is switched off answers nothing, unlike a server that is stopped."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = make_url(settings.database).set(host="127.0.0.1", port=silent.getsockname()[1])
        engine = connect(url.render_as_string(hide_password=False))
        since = time.monotonic()
        with pytest.raises(OperationalError) as refused:
            engine.connect()
        assert time.monotonic() - since < 8
        assert is_outage(refused.value)
        engine.dispose()
