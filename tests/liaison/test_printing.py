"""Printing numbered sheets: the paper is asked, not weighed."""

import re
from io import BytesIO
from typing import Any

import pypdfium2
import pytest

from engage.access import serials
from engage.records.schools import Wave
from engage.records.session import writing
from engage.records.sheets import PrintRun, Sheet
from tests.liaison.conftest import Desk
from tests.makers import PASSWORD, staff
from tests.people import Liaison, StaffMember

PRINT = "/staff/liaison/print"
GOOD = {"place": "fall lincoln", "language": "en", "copies": "3", "paper": "letter"}


def texts(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(BytesIO(pdf))
    found = [page.get_textpage().get_text_range() for page in document]
    document.close()
    return found


def prints(person: StaffMember, status: int = 200, **values: Any) -> bytes:
    person.opens(PRINT)
    person.sends(button="Make the sheets", status=status, **(GOOD | values))
    return bytes(person.response.data)


def test_every_sheet_has_a_serial_on_every_page(liaison: Liaison, stored: Any) -> None:
    before = {sheet.serial for sheet in stored(Sheet)}
    pages = texts(prints(liaison))
    [run] = [run for run in stored(PrintRun) if run.copies == 3]
    assert (run.wave_id, run.school_id, run.language, run.paper, run.large_print) == (
        "fall",
        "lincoln",
        "en",
        "letter",
        False,
    )
    made = {sheet.serial for sheet in stored(Sheet)} - before
    assert made == {sheet.serial for sheet in stored(Sheet) if sheet.run_id == run.id}
    assert len(made) == 3
    found = [re.sub(r"[^0-9A-Z-]", "", re.search(r"Sheet\s+(\S+)", page)[1]) for page in pages]
    assert set(found) == made
    assert all(serials.read(serial) == serial for serial in found)
    assert liaison.response.headers["Content-Type"] == "application/pdf"
    disposition = liaison.response.headers["Content-Disposition"]
    assert re.fullmatch(r"attachment; filename=fall-lincoln-en-[0-9a-f]{6}\.pdf", disposition)


def test_the_same_run_again_is_the_same_bytes(liaison: Liaison, stored: Any) -> None:
    first = prints(liaison, copies="2", language="es")
    [run] = [run for run in stored(PrintRun) if (run.language, run.printed_on.day) == ("es", 14)]
    liaison.opens(PRINT)
    links = [link.attributes["href"] for link in liaison.page.all("a") if link.text.startswith("The same sheets")]
    assert f"{PRINT}/{run.id}.pdf" in links
    assert liaison.client.get(f"{PRINT}/{run.id}.pdf").data == first


def test_two_runs_never_share_a_serial(liaison: Liaison, stored: Any) -> None:
    first, second = (prints(liaison, copies="5") for _ in range(2))
    assert first != second
    assert len({sheet.serial for sheet in stored(Sheet)}) == len(stored(Sheet))


@pytest.mark.parametrize(("language", "size"), [("es", "a4"), ("ar", "letter")])
def test_other_languages_and_papers(liaison: Liaison, language: str, size: str) -> None:
    pdf = prints(liaison, language=language, paper=size, large_print="y", copies="1")
    document = pypdfium2.PdfDocument(BytesIO(pdf))
    width = document[0].get_width()
    document.close()
    assert round(width) == (595 if size == "a4" else 612)


def test_printed_sheets_can_be_keyed(liaison: Liaison, stored: Any) -> None:
    before = {sheet.serial for sheet in stored(Sheet)}
    prints(liaison, language="es", copies="1")
    [serial] = {sheet.serial for sheet in stored(Sheet)} - before
    liaison.takes(serial).sees("Español").keys({"internet": "no"})
    liaison.opens(PRINT).sees("Printed so far")
    rows = [[cell.text for cell in row.all("td")] for row in liaison.page.all("tr")]
    assert any(row[3:6] == ["1", "1", "0"] for row in rows if row)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"copies": "0"}, "copies"),
        ({"copies": "201"}, "copies"),
        ({"copies": "-3"}, "copies"),
        ({"copies": "many"}, "copies"),
        ({"copies": "9" * 5000}, "copies"),
        ({"copies": None}, "copies"),
        ({"place": "fall cedar"}, "place"),
        ({"place": "fall"}, "place"),
        ({"place": "../../etc passwd"}, "place"),
        ({"language": "xx"}, "language"),
        ({"language": "so"}, "language"),
        ({"paper": "a3"}, "paper"),
    ],
)
def test_what_cannot_be_printed_is_told_and_makes_nothing(
    liaison: Liaison, stored: Any, wrong: dict[str, Any], field: str
) -> None:
    runs, sheets = len(stored(PrintRun)), len(stored(Sheet))
    prints(liaison, status=422, **wrong)
    links = [link.get("href") for link in liaison.page.all("a")]
    assert f"#{field}" in links
    assert (len(stored(PrintRun)), len(stored(Sheet))) == (runs, sheets)


def test_a_foreign_run_is_not_there(liaison: Liaison, desk: Desk, stored: Any) -> None:
    foreign = next(run for run in stored(PrintRun) if run.school_id == "cedar")
    own = next(run for run in stored(PrintRun) if run.school_id == "lincoln")
    liaison.opens(f"{PRINT}/{own.id}.pdf")
    for run in (foreign.id, "0" * 32, "%00", "..%2f..%2fsecret-key"):
        liaison.opens(f"{PRINT}/{run}.pdf", status=404)
    liaison.opens(PRINT).sees_no("Cedar Middle School")


@pytest.mark.parametrize("role", ["administrator", "leader", "translator"])
def test_those_who_see_the_district_print_for_every_school(site: Any, desk: Desk, arrange: Any, role: str) -> None:
    arrange(lambda session: staff(session, role, email="wide@district.example"))
    person = StaffMember(site)
    person.signs_in("wide@district.example", PASSWORD)
    assert prints(person, place="fall cedar")[:5] == b"%PDF-"


def test_a_wave_without_paper_is_not_printed(liaison: Liaison, engine: Any, stored: Any) -> None:
    with writing(engine) as session:
        session.get_one(Wave, "fall").modes = "web interview"
        session.commit()
    before = len(stored(PrintRun))
    prints(liaison, 422)
    liaison.sees("This survey is not asked on paper.")
    assert len(stored(PrintRun)) == before
