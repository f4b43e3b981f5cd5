"""A wave at Lincoln and Cedar, its sheets, and a liaison of Lincoln."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.domain.mail.delivery_log import AcceptedMailLog
from engage.questionnaire.library import shipped_survey
from engage.services.runtime import open_runtime
from engage.services.tasks import draw_packets
from engage.services.tasks.context import WorkerContext
from engage.storage.engine import read_session, write_session
from engage.storage.models.base import Base
from engage.storage.models.paper import Packet
from engage.storage.models.roster import HouseholdStudent, OptOut, Student
from engage.storage.models.schools import Household
from tests.makers import PASSWORD, a_school, a_wave, printed_sheets, staff
from tests.people import Liaison


@pytest.fixture
def stored(engine: Engine) -> Callable[..., list[Any]]:
    """Returns the current rows of a table."""

    def rows(table: type[Base]) -> list[Any]:
        with read_session(engine) as session:
            return list(session.scalars(select(table)))

    return rows


@pytest.fixture
def arrange(engine: Engine) -> Callable[[Callable[[Session], Any]], Any]:
    """Adds something to the database."""

    def put(make: Callable[[Session], Any]) -> Any:
        with write_session(engine) as session:
            made = make(session)
            session.commit()
            return made

    return put


@dataclass
class Desk:
    """Serials by what they belong to."""

    english: list[str]
    spanish: list[str]
    arabic: list[str]
    foreign: list[str]
    access: list[str]
    known: list[str]


@pytest.fixture
def desk(arrange: Any) -> Desk:
    """The small survey and the one about learning at home, printed for two schools."""

    def make(session: Session) -> Desk:
        schools = [a_school(session), a_school(session, "cedar", "Cedar Middle School")]
        small = a_wave(session, "fall", schools)
        access = a_wave(session, "access", schools, shipped_survey("home-access", version=1), identity="confidential")
        known = a_wave(session, "known", schools, identity="confidential")
        by = staff(session, "liaison", schools[:1], "lin@district.example")
        staff(session, "liaison", schools[:1], "second@district.example")
        staff(session, "liaison", schools[1:], "ced@district.example")
        return Desk(
            printed_sheets(session, small, by),
            printed_sheets(session, small, by, language="es"),
            printed_sheets(session, small, by, language="ar"),
            printed_sheets(session, small, by, school="cedar"),
            printed_sheets(session, access, by),
            printed_sheets(session, known, by, copies=6),
        )

    return arrange(make)


@pytest.fixture
def liaison(site: Any, desk: Desk) -> Liaison:
    """The liaison of Lincoln, signed in."""
    liaison = Liaison(site)
    liaison.signs_in("lin@district.example", PASSWORD)
    return liaison


@pytest.fixture
def second(site: Any, desk: Desk) -> Liaison:
    """Another liaison of Lincoln, signed in."""
    liaison = Liaison(site)
    liaison.signs_in("second@district.example", PASSWORD)
    return liaison


ROOMS = {"2A": {"en": 2, "es": 1}, "10B": {"ar": 1}, "": {"es": 1}}  # households by class and language
REFUSING = 2  # opted-out households, in addition, in 2A


def a_roster(
    session: Session,
    school: str = "lincoln",
    rooms: Mapping[str, Mapping[str, int]] = ROOMS,
    greeting: bytes | None = None,
) -> None:
    """Add households with one child each in these classes, and some opted-out ones."""
    homes = [(room, tag) for room, some in rooms.items() for tag, number in some.items() for _ in range(number)]
    for number, (room, tag) in enumerate([*homes, *[("2A", "es")] * REFUSING]):
        home, child = f"{number:032x}", f"{school}-{number}"
        session.add(Household(id=home, school_id=school, language=tag, greeting=greeting))
        session.add(Student(id=child, school_id=school, grade="02", class_name=room))
        session.flush()
        session.add(HouseholdStudent(household_id=home, student_id=child))
        if number >= len(homes):
            session.add(OptOut(household_id=home, recorded_on=date(2026, 9, 9)))
    session.flush()


@pytest.fixture
def works(settings: Settings, engine: Engine, clock: Any) -> Iterator[Callable[[], None]]:
    """Draws pending packets as the worker does, without its queue."""
    accepted = AcceptedMailLog(settings.data_dir / "accepted", [])
    runtime = open_runtime(settings, clock)
    context = WorkerContext(runtime, server=None, accepted=accepted, stopping=lambda: False)

    def work() -> None:
        with read_session(engine) as session:
            waiting = session.scalars(select(Packet.id).where(Packet.state == "waiting").order_by(Packet.id)).all()
        for id in waiting:
            draw_packets._draw_packet(context, id)

    yield work
    runtime.engine.dispose()
