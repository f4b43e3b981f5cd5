"""What a packet reveals about single families: in an anonymous wave, nothing about returned forms."""

from typing import Any

import pytest

from engage.storage.models.paper import Packet, PrintRun, Sheet
from engage.storage.models.waves import Wave
from tests.people import rows
from tests.sites.liaison.conftest import a_roster
from tests.sites.liaison.test_print_request import asks, someone

pytestmark = pytest.mark.slow

__all__ = ["someone"]

TOGETHER = "This survey is anonymous, so returns are shown for all languages together."
NOT_TOLD = "This survey is anonymous, so returns are not shown for fewer than 10 forms."


def serials(stored: Any, language: str) -> list[str]:
    """Return the serials of the packet's forms in a language."""
    runs = {run.id for run in stored(PrintRun) if run.packet_id and run.language == language}
    return sorted(sheet.serial for sheet in stored(Sheet) if sheet.run_id in runs)


def told(person: Any, packet: Packet) -> dict[str, list[str]]:
    """Return printed, not returned, keyed, and spoiled, by language."""
    person.opens(f"/staff/liaison/packets/{packet.id}")
    return rows(next(table for table in person.page.all("table") if "Not entered" in table.text))


def listed(person: Any) -> list[str]:
    """Return the numbers of the newest packet in the list: sheets, keyed, and spoiled."""
    person.opens("/staff/liaison/print")
    table = next(table for table in person.page.all("table") if "Created on" in table.text)
    return [cell.text for cell in next(next(table.all("tbody")).all("tr")).all("td")][-3:]


def comes_back(liaison: Any, stored: Any) -> None:
    """Return the only Arabic form, keyed, and one of the Spanish ones, torn."""
    liaison.takes(serials(stored, "ar")[0]).keys({"internet": "no"})
    liaison.takes(serials(stored, "es")[0]).sends(button="Mark this form as spoiled")


@pytest.mark.parametrize(
    ("english", "together", "row", "sentence", "other"),
    [
        (7, ["10", "8", "1", "1"], ["10", "1", "1"], TOGETHER, NOT_TOLD),
        (6, ["9", "–", "–", "1"], ["9", "–", "1"], NOT_TOLD, TOGETHER),
    ],
)
def test_nobody_sees_which_language_of_an_anonymous_packet_came_back(
    liaison: Any,
    arrange: Any,
    stored: Any,
    english: int,
    together: list[str],
    row: list[str],
    sentence: str,
    other: str,
) -> None:
    rooms = {"2A": {"en": english, "es": 2, "ar": 1}}
    arrange(lambda session: a_roster(session, rooms=rooms))
    asks(liaison, contents="households")
    [packet] = stored(Packet)
    comes_back(liaison, stored)
    assert told(liaison, packet) == {
        "English": [str(english), "–", "–", "0"],
        "Español": ["2", "–", "–", "1"],
        "العربية": ["1", "–", "–", "0"],
        "Total": together,
    }
    liaison.sees(sentence).sees_no(other, "The numbers do not add up")
    assert listed(liaison) == row


def test_blanks_of_an_anonymous_wave_are_nobodys_and_told_by_language(liaison: Any, stored: Any) -> None:
    asks(liaison, **{"copies-es": "2", "copies-ar": "1"})
    [packet] = stored(Packet)
    comes_back(liaison, stored)
    assert told(liaison, packet) == {
        "Español": ["2", "1", "0", "1"],
        "العربية": ["1", "0", "1", "0"],
        "Total": ["3", "1", "1", "1"],
    }
    liaison.sees_no("This survey is anonymous")
    assert listed(liaison) == ["3", "1", "1"]


def test_a_confidential_packet_is_told_by_language(liaison: Any, someone: Any, arrange: Any, stored: Any) -> None:
    arrange(a_roster)
    asks(liaison, at="known lincoln", contents="households")
    [packet] = stored(Packet)
    assert [wave.identity for wave in stored(Wave) if wave.id == packet.wave_id] == ["confidential"]
    comes_back(liaison, stored)
    assert told(someone("translator"), packet) == {
        "English": ["2", "2", "0", "0"],
        "Español": ["2", "1", "0", "1"],
        "العربية": ["1", "0", "1", "0"],
        "Total": ["5", "3", "1", "1"],
    }
