"""Fixtures for all tests: a date, settings, a database at head, a site, a browser."""

import os
import shutil
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Engine, make_url, select, text

from engage.base.config import Settings
from engage.storage.engine import connect
from engage.storage.models.base import Base
from engage.storage.upgrade import upgrade
from tests import axe, speed

speed.install()
hypothesis.settings.register_profile("engage", deadline=None)  # so that a busy machine causes no failures
hypothesis.settings.load_profile("engage")

HERE = Path(__file__).parent
POSTGRES = os.environ.get("ENGAGE_TEST_DATABASE_URL", "")
CHROMIUM = os.environ.get("ENGAGE_TEST_CHROMIUM", "/usr/bin/chromium")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCK_PATIENCE = "10s"  # for emptying tables: a transaction left open by a test gives an error instead of a hang


NOT_FAST = {"browser", "postgres", "slow", "thorough"}  # markers
SERVED = {"browser", "page", "live", "server"}  # fixtures that start a browser or a server


ALL_ON_POSTGRES = {"attack", "intake", "retention", "security", "storage"}  # data and privacy
SHARE = 3  # every third of the other tests also runs on PostgreSQL, selected by its name; in .ci/thorough all do


LONG_FORM = frozenset((HERE / "thorough.txt").read_text("utf-8").splitlines())  # written by .ci/slow_tests.py


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip long forms unless requested; mark tests without browser and server, and with little run time, as `fast`."""
    _sample_postgres(items)
    for item in items:
        if item.nodeid in LONG_FORM:
            item.add_marker(pytest.mark.thorough)
    for item in items:
        if not NOT_FAST & {mark.name for mark in item.iter_markers()} and not SERVED & set(_fixtures(item)):
            item.add_marker(pytest.mark.fast)
    axe.EVERY_PAGE = "thorough" in config.option.markexpr
    if not axe.EVERY_PAGE:
        long = [item for item in items if item.get_closest_marker("thorough")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in set(long)]


def _sample_postgres(items: list[pytest.Item]) -> None:
    """Select a sample of tests for PostgreSQL: most differ in what a page shows, and few in what the database does."""
    for item in items:
        chosen = zlib.crc32(item.nodeid.encode()) % SHARE == 0
        guards = ALL_ON_POSTGRES & set(item.path.relative_to(HERE).parts)
        if item.get_closest_marker("second_database") and not chosen and not guards:
            item.add_marker(pytest.mark.thorough)


def _fixtures(item: pytest.Item) -> list[str]:
    return item.fixturenames if isinstance(item, pytest.Function) else []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that uses the database on SQLite, and on PostgreSQL if available; tests marked postgres only
    there."""
    if "database_kind" in metafunc.fixturenames:
        own = {mark.name for mark in metafunc.definition.iter_markers()}
        kinds: list[Any] = [] if "postgres" in own else ["sqlite"]
        if POSTGRES and not own & {"sqlite", "browser"}:
            marks = [pytest.mark.postgres, *([pytest.mark.second_database] if kinds else [])]
            kinds.append(pytest.param("postgres", marks=marks))
        metafunc.parametrize("database_kind", kinds, indirect=True)


@pytest.fixture
def today() -> date:
    """A school day in fall, in the middle of the waves from tests/makers.py."""
    return date(2026, 10, 14)


@pytest.fixture
def clock(today: date) -> Callable[[], datetime]:
    """A clock fixed at noon."""
    return lambda: datetime.combine(today, time(18), UTC)


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """sqlite or postgres."""
    return str(request.param)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database at head, created once and copied for each test."""
    path = tmp_path_factory.mktemp("migrated") / "engage.db"
    engine = connect(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_postgres() -> str:
    """The URL of this worker's own PostgreSQL database, at head."""
    name = "engage_" + os.environ.get("PYTEST_XDIST_WORKER", "alone")
    admin = connect(POSTGRES).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'drop database if exists "{name}" with (force)'))
        connection.execute(text(f'create database "{name}"'))
    admin.dispose()
    url = make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    engine = connect(url)
    upgrade(engine)
    engine.dispose()
    return url


class _Compiled(BytecodeCache):
    """Cache of compiled templates for all sites that the tests build."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": _Compiled()}


@pytest.fixture(scope="session")
def compiled_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogs of every language, compiled once and shared by all data directories of tests."""
    return tmp_path_factory.mktemp("catalogues")


@pytest.fixture
def settings(tmp_path: Path, database_kind: str, compiled_words: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings with an empty database at head and a separate data directory."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "catalogues").symlink_to(compiled_words)
    secret = "a secret for tests only, " * 2
    settings = Settings(data_dir=folder, secret_key=secret, district_phone="555 0100", second_factor="offered")
    if database_kind == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), folder / "engage.db")
        return settings
    url = request.getfixturevalue("migrated_postgres")
    _empty(url)
    return replace(settings, database_url=url)


def _empty(url: str) -> None:
    """Delete the rows of nonempty tables; truncating all tables takes four times as long."""
    tables = [table.name for table in Base.metadata.sorted_tables]
    filled = " union all ".join(f"select '{name}' where exists (select 1 from {name})" for name in tables)
    with _way_to(url).begin() as connection:
        connection.execute(text(f"set local lock_timeout = '{LOCK_PATIENCE}'"))
        names = connection.scalars(text(filled)).all()
        if names:
            connection.execute(text(f"truncate {', '.join(names)} cascade"))
        advanced = text("select sequencename from pg_sequences where last_value is not null")
        for sequence in connection.scalars(advanced).all():
            connection.execute(text(f'alter sequence "{sequence}" restart'))


@cache
def _way_to(url: str) -> Engine:
    return connect(url)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """The engine of that database."""
    engine = connect(settings.database)
    yield engine
    engine.dispose()


@pytest.fixture
def groups(settings: Settings, engine: Engine) -> Callable[[], list[Any]]:
    """The groups of all stored responses by id, decrypted with the site's key if they are encrypted."""
    from engage.storage.engine import read_session
    from engage.storage.models.responses import Response
    from tests.makers import group_of

    def found() -> list[Any]:
        with read_session(engine) as session:
            return [group_of(settings, each) for each in session.scalars(select(Response).order_by(Response.id))]

    return found


@pytest.fixture
def site(settings: Settings, clock: Callable[[], datetime]) -> Iterator[Any]:
    """The whole site with that database, at noon of `today`."""
    from engage import create_app

    site = create_app(settings, clock)
    yield site
    close(site)


def close(site: Any) -> None:
    """Close a site's database."""
    state = (site.family or site.staff).extensions["engage"]
    state.writer.stop()
    state.engine.dispose()


@dataclass
class Live:
    """A site that is served on a port of this machine."""

    url: str
    site: Any


@pytest.fixture
def live(settings: Settings, clock: Callable[[], datetime]) -> Iterator[Live]:
    """The site served over HTTP by the real server, in a thread."""
    with serving(settings, clock) as live:
        yield live


@contextmanager
def serving(settings: Settings, clock: Callable[[], datetime], host: str = "127.0.0.1") -> Iterator[Live]:
    """Serve the site over HTTP. `host` is the name in its URL; browsers store passkeys for "localhost" only."""
    from waitress.server import create_server

    from engage import create_app

    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://{host}:{listening.getsockname()[1]}"
    site = create_app(replace(settings, base_url=url), clock)
    channels: dict[int, Any] = {}
    server = create_server(site, sockets=[listening], threads=2, map=channels)
    stopping = threading.Event()
    thread = threading.Thread(target=_serve, args=(server, channels, stopping), daemon=True)
    thread.start()
    yield Live(url, site)
    stopping.set()
    server.pull_trigger()
    thread.join(10)
    close(site)


def _serve(server: Any, channels: dict[int, Any], stopping: threading.Event) -> None:
    from waitress import wasyncore

    while not stopping.is_set():
        wasyncore.loop(timeout=1, use_poll=True, map=channels, count=1)
    server.task_dispatcher.shutdown()
    wasyncore.close_all(channels)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, started once."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"{CHROMIUM} is not there: apt-get install chromium, or name another by ENGAGE_TEST_CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A new browser page the size of a small phone. The test must be marked `browser`."""
    context = browser.new_context(viewport={"width": 360, "height": 640})
    context.set_default_timeout(10_000)  # ms
    yield context.new_page()
    context.close()
