"""Pages and actions of a large district: the number of statements does not grow with the number of schools, pages stay
short, and nothing is drawn while a write transaction is open.

Times are measured by tests/bench/bench_large_site.py; here statements are counted, so that a busy machine causes no
failures.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import jinja2
import pypdfium2
import pytest
import xlsxwriter
from sqlalchemy import Engine

from engage.app import create_app
from engage.base.config import Settings
from engage.base.exports import csv as csv_export
from engage.domain.security.encryption import Sealer
from engage.services.checkpoints.freezing import load_frozen_figures
from engage.services.printing import layouts, orders
from engage.storage.engine import connect, read_session
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.upgrade import upgrade
from tests.bench.large_district import Size, generate
from tests.bench.large_history import FROZEN, LEADER, school
from tests.bench.large_visits import ACTIONS, CHECKPOINTS, PAGES, Browser, Visit, with_number
from tests.conftest import close
from tests.hygiene import read
from tests.statements import Log, watched

pytestmark = [pytest.mark.slow, pytest.mark.sqlite, pytest.mark.thorough]

FEW, MANY = Size(schools=4, households=400, responses=360), Size(schools=22, households=2_200, responses=1_980)
PAGE_MOST = 300_000  # bytes of a page
WITHIN_MOST = 60  # statements in a write transaction
QUESTION = re.compile(r'id="([a-z-]+\.[a-z_.-]+)"')  # a question that can be chosen
RUNS = 18  # statements for the print runs of a packet, at most: three for each language that the wave offers


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


def visible_school(place: Place, audience: str) -> str:
    """The id of the school with figures of the most questions that are not suppressed."""
    with read_session(place.engine) as session:
        document = load_frozen_figures(session.get_one(Checkpoint, FROZEN))
    questions = [question for wave in document["waves"] for question in wave["audiences"][audience]["questions"]]
    groups = [group for question in questions for group in question["breakdowns"].get("school", [])]
    [(code, number)] = Counter(group["group"] for group in groups if group["answered"] is not None).most_common(1)
    assert number, "all schools are suppressed, so nothing can be tested"
    return code


def text_of(response: Any) -> str:
    """The text of the main part of a page, without tags."""
    return next(read(response.text).all("main")).text


TOKEN = re.compile(r'name="csrf_token" value="[^"]*"')


def browser(place: Place, who: str) -> Any:
    """Return the browser of somebody, who is signed in on first use."""
    if who not in place.browsers:
        place.browsers[who] = Browser(place.site, who)
    return place.browsers[who].client


def test_a_leader_chooses_a_school_or_a_question(places: tuple[Place, Place]) -> None:
    """The school's figures stand at every question; a question has all its tables."""
    leader, address = browser(places[1], LEADER), f"{CHECKPOINTS}/{FROZEN}"
    plain = leader.get(address).text
    one = leader.get(f"{address}?school={school(7)}").text
    questions = plain.count('class="finding"')
    assert one.count("School 007</th>") > plain.count("School 007</th>") + questions // 2
    assert "School 008</th>" in plain, "who answered is shown for every school"
    assert one.count("School 008</th>") == plain.count("School 008</th>")
    key = QUESTION.search(plain)[1]
    whole = leader.get(f"{address}?question={key}").text
    assert all(f"School {number:03}</th>" in whole for number in range(MANY.schools))
    assert TOKEN.sub("", leader.get(f"{address}?school=nowhere&question=x.y").text) == TOKEN.sub("", plain)


def test_families_choose_their_school(places: tuple[Place, Place]) -> None:
    client, address, chosen = (
        browser(places[1], ""),
        f"/en/results/{FROZEN}",
        visible_school(places[1], "public"),
    )
    plain, one = client.get(address), client.get(f"{address}?school={chosen}")
    name = f"{chosen.replace('school-', 'School ')}<"
    assert "Choose your school" in text_of(plain)
    assert plain.text.count(name) == 1, "in the list only"
    assert one.text.count(name) > 1
    assert client.get(f"{address}?school=nowhere").data == plain.data
    assert client.get(f"{address}?question=x.y").data == plain.data
    key = QUESTION.search(plain.text)[1]
    tables = client.get(f"{address}?question={key}").text.partition("</form>")[2]
    assert all(f"School {number:03}<" in tables for number in range(MANY.schools))


def test_a_packet_has_the_tables_of_the_chosen_school(places: tuple[Place, Place]) -> None:
    leader, address = browser(places[1], LEADER), f"{CHECKPOINTS}/{FROZEN}/packet.pdf"
    chosen = visible_school(places[1], "leaders")
    plain, one = (packet_text(leader.get(address + query).data) for query in ("", f"?school={chosen}"))
    assert "The tables of 22 schools are not included here." in plain
    assert "The tables of 21 schools are not included here." in one
    name = chosen.replace("school-", "School ")
    assert one.count(name) > plain.count(name) + 10


def packet_text(pdf: bytes) -> str:
    """The text of all pages, on one line."""
    with closing(pypdfium2.PdfDocument(BytesIO(pdf))) as document:
        pages = [page.get_textpage().get_text_range() for page in document]
    return " ".join(" ".join(pages).split())
