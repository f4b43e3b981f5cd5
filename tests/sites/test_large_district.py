"""Pages and actions of a large district: the number of statements does not grow with the number of schools, pages stay
short, and nothing is drawn while a write transaction is open.

Times are measured by tests/bench/bench_large_site.py; here statements are counted, so that a busy machine causes no
failures.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import jinja2
import pytest
import xlsxwriter
from sqlalchemy import Engine

from engage.app import create_app
from engage.base.config import Settings
from engage.base.exports import csv as csv_export
from engage.domain.security.encryption import Sealer
from engage.services.printing import layouts, orders
from engage.storage.engine import connect
from engage.storage.upgrade import upgrade
from tests.bench.large_district import Size, generate
from tests.bench.large_visits import ACTIONS, PAGES, Browser, Visit, with_number
from tests.conftest import close
from tests.statements import Log, watched

pytestmark = [pytest.mark.slow, pytest.mark.sqlite]

FEW, MANY = Size(schools=4, households=120, responses=80), Size(schools=24, households=720, responses=480)
PAGE_MOST = 300_000  # bytes of a page
WITHIN_MOST = 60  # statements in a write transaction
RUNS = 6  # print runs of a packet, at most: one for each language that the wave offers


@dataclass
class Place:
    """A generated district, its site, and the browsers of its staff."""

    folder: Path
    site: Any
    browsers: dict[str, Browser]

    @property
    def engine(self) -> Engine:
        """The engine of the site."""
        return self.site.staff.extensions["engage"].engine

    def does(self, visit: Visit) -> tuple[int, Log]:
        """Visit a page or do an action. Returns the number of bytes, and what ran."""
        deed = with_number(visit, self.engine).prepare(self.site, self.browsers)
        if not visit.form:
            deed()  # fills caches
        with watched(self.engine) as log:
            return deed(), log


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Place]]:
    """A district with few schools, and one with six times as many."""
    made = []
    for size in (FEW, MANY):
        folder = tmp_path_factory.mktemp(f"district-{size.schools}")
        settings = Settings(data_dir=folder, second_factor="offered")
        generate(settings, size, date.today())
        made.append(Place(folder, create_app(settings), {}))
    yield made[0], made[1]
    for each in made:
        close(each.site)


@pytest.mark.parametrize("visit", PAGES, ids=[each.name for each in PAGES])
def test_a_page_needs_as_many_statements_however_many_schools_there_are(
    places: tuple[Place, Place], visit: Visit
) -> None:
    few, many = places
    (_, before), (size, after) = few.does(visit), many.does(visit)
    assert len(after.statements) <= len(before.statements), after.statements
    assert size < PAGE_MOST
    assert not after.writes


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Callable[[Log], None]:
    """Records what is drawn, compressed, or decrypted while a write transaction is open."""
    current: list[Log] = []
    found: list[str] = []

    def guard(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def checked(*values: Any, **options: Any) -> Any:
            if current and current[-1].is_writing:
                found.append(name)
            return real(*values, **options)

        monkeypatch.setattr(owner, name, checked)

    for owner, name in (
        (jinja2.Template, "render"),
        (csv_export.csv, "writer"),
        (xlsxwriter.Workbook, "close"),
        (layouts, "lay_out_sheet"),
        (orders, "build_set_layout"),
        (Sealer, "open"),
    ):
        guard(owner, name)

    def begin(log: Log) -> list[str]:
        current.append(log)
        found.clear()
        return found

    return begin


def test_an_action_holds_the_lock_for_few_statements_and_draws_nothing_meanwhile(
    places: tuple[Place, Place], guarded: Any
) -> None:
    """In the order of the table: one depends on another."""
    few, many = places
    for visit in ACTIONS:
        within = []
        for place in (few, many):
            deed = with_number(visit, place.engine).prepare(place.site, place.browsers)
            with watched(place.engine) as log:
                drawn = guarded(log)
                deed()
            assert not drawn, f"{visit.name}: {drawn} while others cannot write"
            within.append(max((len(each.statements) for each in log.writes), default=0))
        assert within[1] <= within[0] + RUNS, f"{visit.name}: {within}"
        assert within[1] <= WITHIN_MOST, f"{visit.name}: {within}"


def test_the_guard_sees_what_is_drawn_while_a_transaction_is_open(tmp_path: Path, guarded: Any) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'engage.db'}")
    upgrade(engine)
    with watched(engine) as log:
        drawn = guarded(log)
        with engine.begin() as connection:
            connection.exec_driver_sql("select 1")
            jinja2.Template("x").render()
        assert drawn == ["render"]
        assert [each.statements for each in log.writes] == [["select 1"]]
    engine.dispose()
