"""Attack on an anonymous wave on paper: someone who has the whole database cannot link a sheet to a household or, from
14 days after keying, an answer to a sheet. Each attack is also run on a confidential wave, where it must succeed."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from engage.services.data_entry.retention import KEYED_DAYS, delete_keyings, keying_cutoff
from engage.services.printing import orders
from engage.services.printing.orders import CreatedPacket, PacketRequest
from engage.services.printing.sheets import PrintContext
from engage.storage.engine import read_session, write_session
from engage.storage.models.base import Base
from engage.storage.models.invitations import Invitation
from engage.storage.models.paper import Keying, PrintRun, Sheet, SheetLink
from engage.storage.models.roster import HouseholdStudent, Student
from engage.storage.models.schools import Household
from tests.makers import PASSWORD, a_school, a_wave, staff
from tests.people import Liaison

pytestmark = pytest.mark.slow

ROOMS = {"1A": ["en", "en", "es"], "2B": ["en", "es", "es", "ar"], "": ["en", "ar"]}
"""Reading languages of the households of each class; the last class is unknown."""
WAVES = {"open": "anonymous", "known": "confidential"}


def district(session: Session, rng: Random) -> None:
    """Add two waves at Lincoln, and its households: the same numbers of languages in each class, for any random
    order."""
    school = a_school(session)
    for id, identity in WAVES.items():
        a_wave(session, id, [school], identity=identity, entry="code")
    seats = [(room, tongue) for room, tongues in ROOMS.items() for tongue in tongues]
    rng.shuffle(seats)
    for number, (room, tongue) in enumerate(seats, 1):
        session.add(Household(id=f"{number:032x}", school_id=school.id, language=tongue))
        session.add(Student(id=f"child-{number}", school_id=school.id, grade="01", class_name=room))
        session.flush()
        session.add(HouseholdStudent(household_id=f"{number:032x}", student_id=f"child-{number}"))
    session.commit()


def printed(site: Any, wave: str, rng: Random) -> CreatedPacket:
    """Request a packet with a form for each household."""
    state = site.staff.extensions["engage"]
    context = PrintContext(state.settings, state.sealer, state.today())
    with read_session(state.engine) as session:
        order = orders.prepare_order(session, context, wave, "lincoln", PacketRequest())
    with write_session(state.engine) as session:
        made = orders.create_packet(session, context, order, by=None, rng=rng)
        session.commit()
    return made


def sheets(session: Session, wave: str) -> list[tuple[Any, ...]]:
    """Return all values of a wave's sheets in the database except random names, by serial."""
    of_run = select(
        Sheet.serial, Sheet.position, Sheet.state, PrintRun.language, PrintRun.copies, PrintRun.layout_digest
    )
    whose = of_run.add_columns(SheetLink.household_id, SheetLink.invitation)
    joined = whose.join(PrintRun, PrintRun.id == Sheet.run_id).outerjoin(SheetLink, SheetLink.serial == Sheet.serial)
    return [tuple(row) for row in session.execute(joined.where(PrintRun.wave_id == wave).order_by(Sheet.serial))]


def test_sheets_lie_in_the_database_by_serial(engine: Engine, site: Any, database_kind: str) -> None:
    with write_session(engine) as session:
        district(session, Random(1))
    printed(site, "open", Random(7))
    with engine.connect() as connection:
        place = "" if database_kind == "sqlite" else "order by ctid"
        rows = connection.execute(text(f"select serial, state from sheets {place}"))  # state: no index scan
        lying = [row.serial for row in rows]
    assert lying == sorted(lying)
    assert len(lying) == sum(map(len, ROOMS.values()))


@pytest.mark.parametrize("wave", WAVES)
def test_whoever_the_households_are_the_sheets_are_the_same(engine: Engine, site: Any, wave: str) -> None:
    """The same numbers, with other families in their places and the same random numbers: only a confidential wave may
    differ."""
    seen = []
    for seating in (1, 2):
        with write_session(engine) as session:
            for table in reversed(Base.metadata.sorted_tables):
                session.execute(table.delete())
            district(session, Random(seating))
        made = printed(site, wave, Random(7))
        with read_session(engine) as session:
            seen.append((made.packet.asked, made.packet.classes, sheets(session, wave)))
            linked = session.scalars(select(SheetLink)).all()
            invitations = session.scalars(select(Invitation)).all()
        if wave == "open":
            assert (linked, invitations) == ([], [])
            assert {row[1] for row in seen[-1][2]} == {None}, "no place in the pile"
        else:
            assert len(linked) == len(invitations) == sum(map(len, ROOMS.values()))
    assert seen[0][:2] == seen[1][:2]
    assert len(seen[0][2]) == len(seen[1][2])
    assert (seen[0][2] == seen[1][2]) == (wave == "open")


Cell = tuple[str, int]
HUBS = ("waves", "schools", "editions", "staff", "packets", "print_runs", "layouts")
"""Tables to which many rows refer: all sheets and answers of a school refer to the same rows."""


class Linker:
    """Has the whole database, and follows every value that few rows share from row to row."""

    def __init__(self, engine: Engine) -> None:
        self.rows: dict[Cell, Mapping[str, Any]] = {}
        with engine.connect() as connection:
            for table in Base.metadata.sorted_tables:
                for number, row in enumerate(connection.execute(table.select()).mappings()):
                    self.rows[table.name, number] = row
        shared = {word for cell, row in self.rows.items() if cell[0] in HUBS for word in words(row)}
        self.by_word: dict[str, set[Cell]] = defaultdict(set)
        for cell, row in self.rows.items():
            for word in words(row) - shared:
                self.by_word[word].add(cell)

    def reaches(self, table: str, wave: str) -> set[str]:
        """Return the tables with a row that is reachable from any row of this table and wave."""
        found = {cell for cell, row in self.rows.items() if cell[0] == table and row.get("wave_id") == wave}
        assert found, f"no {table} to begin at"
        edge = set(found)
        while edge:
            edge = {near for cell in edge for word in words(self.rows[cell]) for near in self.by_word[word]} - found
            found |= edge
        return {name for name, _ in found}


def words(row: Mapping[str, Any]) -> set[str]:
    """Return the values of a row that could identify something: serials, ids, and digests, also within texts; no dates,
    no plain text."""
    told = [each.hex() if isinstance(each, bytes) else each for each in row.values() if isinstance(each, bytes | str)]
    found = {word for text in told for word in re.split(r"[^\w-]+", text)}
    return {word for word in found if len(word) >= 6 and (word.isupper() or re.search(r"\d", word))}


@pytest.fixture
def keyed(engine: Engine, site: Any) -> Callable[[str], list[str]]:
    """Keys three sheets of a wave's packet, one of them with a question; returns their serials."""

    def key(wave: str) -> list[str]:
        with write_session(engine) as session:
            district(session, Random(3))
            staff(session, "liaison", email="lin@district.example")
            session.commit()
        printed(site, wave, Random(7))
        liaison = Liaison(site)
        liaison.signs_in("lin@district.example", PASSWORD)
        with read_session(engine) as session:
            serials = [row[0] for row in sheets(session, wave)][:3]
        for number, serial in enumerate(serials):
            liaison.takes(serial).keys({"internet": "no"} | ({"question": "When is it?"} if number == 1 else {}))
        return serials

    return key


def later(engine: Engine, today: date) -> None:
    """Run the nightly retention for the days after which no sheet is linked to its answers."""
    with write_session(engine) as session:
        delete_keyings(session, keying_cutoff("America/Chicago", today + timedelta(days=KEYED_DAYS - 1)), Random(1))
        assert session.scalar(select(func.count()).select_from(Keying)) == 3, "not yet"
        delete_keyings(session, keying_cutoff("America/Chicago", today + timedelta(days=KEYED_DAYS)), Random(1))
        session.commit()


def test_from_an_answer_no_way_leads_to_a_sheet_or_a_household(
    engine: Engine, keyed: Callable[[str], list[str]], today: date
) -> None:
    keyed("open")
    assert {"keyings", "sheets"} <= Linker(engine).reaches("responses", "open"), "for some days its keyer corrects it"
    later(engine, today)
    linker = Linker(engine)
    assert linker.reaches("responses", "open") <= {"responses", "unfolded"}
    asked = linker.reaches("threads", "open")
    assert {"messages", "sheets"} <= asked, "the answer is carried back to its sheet"
    assert not asked & {"responses", "keyings", "households", "students", "invitations", "sheet_links"}


def test_the_linker_finds_its_way_in_a_confidential_wave(
    engine: Engine, keyed: Callable[[str], list[str]], today: date
) -> None:
    keyed("known")
    later(engine, today)
    assert {"invitations", "households", "students", "sheet_links"} <= Linker(engine).reaches("responses", "known")
