"""Sheets as in a packet, added directly to the database, and households with codes for answering online instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, islice
from random import Random

from sqlalchemy.orm import Session

from engage.domain.security import form_serials
from engage.domain.security.access_codes import digest
from engage.services.waves.opening import NewInvitation, add_invitations
from engage.storage.models.invitations import Invitation
from engage.storage.models.paper import Packet, PrintRun, Sheet, SheetLink
from engage.storage.models.schools import Household
from engage.storage.models.waves import Wave

KEEP = timedelta(days=180)  # retention of links after the wave closes
_numbers = count(1)


@dataclass(frozen=True)
class Home:
    """A household of a confidential wave, its code, and the serials of its sheets."""

    id: str
    code: str
    digest: str
    sheets: tuple[str, ...]


def a_packet(session: Session, wave: Wave, copies: int, *, school: str = "lincoln", language: str = "en") -> list[str]:
    """The serials of a packet's sheets in one language."""
    number = next(_numbers)
    packet = Packet(
        id=f"{number:032x}", wave_id=wave.id, school_id=school, contents="households", outside="code", paper="letter",
        style="standard", second=None, arrangement="under", asked="{}", classes="{}", state="ready", made_by=None,
        made_on=wave.opens,
    )  # fmt: skip
    session.add(packet)
    session.flush()
    run = PrintRun(
        id=f"a{number:031x}", wave_id=wave.id, school_id=school, language=language, copies=copies, paper="letter",
        printed_by=None, printed_on=wave.opens, packet_id=packet.id,
    )  # fmt: skip
    session.add(run)
    session.flush()
    found = list(islice(form_serials.generate_serials(Random(f"packet {number}"), ()), copies))
    session.add_all(Sheet(serial=serial, run_id=run.id) for serial in found)
    session.flush()
    return found


def homes(
    session: Session, wave: Wave, key: bytes, codes: Sequence[str], sheets: int = 1, *, school: str = "lincoln"
) -> list[Home]:
    """Add a household for each code (made with `key`), each with this number of sheets."""
    found = []
    for code in codes:
        id = f"{next(_numbers):032x}"
        session.add(Household(id=id, school_id=school, language="en"))
        session.flush()
        add_invitations(session, wave, [NewInvitation(digest(code, key), school, "en", id)])
        session.flush()
        mine = a_packet(session, wave, sheets, school=school)
        for serial in mine:
            belongs(session, wave, serial, id, digest(code, key))
        found.append(Home(id, code, digest(code, key), tuple(mine)))
    return found


def belongs(session: Session, wave: Wave, serial: str, household: str | None, invitation: str | None) -> None:
    """Link a sheet to a household."""
    link = {"wave_id": wave.id, "identity": wave.identity, "label": b"sealed", "forget_on": forget_on(wave)}
    session.add(SheetLink(serial=serial, household_id=household, invitation=invitation, **link))
    session.flush()


def forget_on(wave: Wave) -> date:
    """Return the day on which its links are deleted."""
    return wave.closes + KEEP


def invited(session: Session, home: Home) -> Invitation | None:
    """Return the household's invitation."""
    return session.get(Invitation, home.digest)
