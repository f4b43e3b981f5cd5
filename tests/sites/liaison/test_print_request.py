"""Requesting a packet: the preview, invalid requests, and the result."""

from contextlib import closing
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any

import pypdfium2
import pytest
from werkzeug.datastructures import MultiDict

from engage import create_app
from engage.domain.security import form_serials
from engage.services.printing.orders import PacketRefused
from engage.storage.models.paper import Packet, PrintRun, Sheet
from engage.storage.models.roster import OptOut
from engage.storage.models.waves import Wave
from tests.conftest import close
from tests.makers import PASSWORD, staff
from tests.people import StaffMember, rows
from tests.sites.liaison.conftest import REFUSING, Desk, a_roster

pytestmark = pytest.mark.slow

PRINT = "/staff/liaison/print"
FALL = "fall lincoln"


def looks(person: StaffMember, place: str = FALL) -> StaffMember:
    """Open the page for a school and wave."""
    wave, school = place.split()
    return person.opens(f"{PRINT}?wave={wave}&school={school}")


def asks(person: StaffMember, status: int = 200, at: str = FALL, **values: Any) -> StaffMember:
    """Request a packet, of blank forms by default."""
    looks(person, at)
    numbers = {} if any(name.startswith("copies") for name in values) else {"copies-en": "2"}
    return person.sends(button="Create the packet", status=status, **({"contents": "blanks"} | numbers | values))


@pytest.fixture
def someone(site: Any, desk: Desk, arrange: Any) -> Any:
    """A signed-in person with a role."""

    def sign_in(role: str) -> StaffMember:
        arrange(lambda session: staff(session, role, email=f"{role}@wide.example"))
        person = StaffMember(site)
        person.signs_in(f"{role}@wide.example", PASSWORD)
        return person

    return sign_in


def test_blanks_are_numbered_in_each_language(liaison: Any, stored: Any) -> None:
    before = {sheet.serial for sheet in stored(Sheet)}
    asks(liaison, **{"copies-en": "3", "copies-ar": "٢", "copies-es": ""}, paper="a4", style="large")
    [packet] = stored(Packet)
    assert liaison.path == f"/staff/liaison/packets/{packet.id}"
    assert (packet.wave_id, packet.school_id, packet.contents, packet.outside) == ("fall", "lincoln", "blanks", "code")
    assert (packet.paper, packet.style, packet.second, packet.state) == ("a4", "large", None, "waiting")
    runs = {run.language: run for run in stored(PrintRun) if run.packet_id == packet.id}
    assert {tag: run.copies for tag, run in runs.items()} == {"en": 3, "ar": 2}
    made = {sheet.serial for sheet in stored(Sheet)} - before
    assert len(made) == 5
    assert all(form_serials.parse_serial(serial) == serial for serial in made)
    liaison.sees("Blank forms for an event", "Large print", "A4")


def test_the_second_language_and_where_it_stands_are_kept(liaison: Any, stored: Any) -> None:
    asks(liaison, second="es", arrangement="beside")
    [packet] = stored(Packet)
    assert (packet.second, packet.arrangement) == ("es", "beside")
    liaison.sees("Second language on the same form: Español")


def test_the_page_tells_how_many_sets_the_households_need_and_asks_for_them(
    liaison: Any, arrange: Any, stored: Any
) -> None:
    arrange(a_roster)
    looks(liaison).sees("5 forms, each in the language the household reads.")
    liaison.sees(f"{REFUSING} households have opted out. Nothing is printed for them.")
    told = rows(next(table for table in liaison.page.all("table") if "Class" in table.text))
    # English, Spanish, Arabic, total; 2A before 10B, those without a class last
    assert list(told.items()) == [
        ("2A", ["2", "1", "0", "3"]),
        ("10B", ["0", "0", "1", "1"]),
        ("Class not known", ["0", "1", "0", "1"]),
        ("Total", ["2", "2", "1", "5"]),
    ]
    liaison.sends(button="Create the packet", contents="households", outside="window")
    [packet] = stored(Packet)
    assert (packet.contents, packet.outside) == ("households", "window")
    made = {run.language: run.copies for run in stored(PrintRun) if run.packet_id == packet.id}
    assert made == {"en": 2, "es": 2, "ar": 1}
    again = rows(next(table for table in liaison.page.all("table") if "Class" in table.text))
    assert again == told


def test_what_shows_in_the_window_is_told(liaison: Any) -> None:
    number = "The household's name shows in the window, or the student number if the district does not store names."
    looks(liaison, "known lincoln").sees(number)
    looks(liaison).sees_no("the student number").sees("This survey is anonymous, so no name is printed on it.")


def test_a_school_without_households_offers_blanks_only(liaison: Any, stored: Any) -> None:
    looks(liaison).sees("There is no list of households for this school")
    assert [one.get("value") for one in liaison.page.all("input") if one.get("name") == "contents"] == ["blanks"]
    _posted(liaison, contents="households")
    liaison.sees("does not include any household at Lincoln Elementary")
    assert stored(Packet) == []


def test_opted_out_households_alone_need_nothing(liaison: Any, arrange: Any) -> None:
    arrange(lambda session: a_roster(session, rooms={}))
    looks(liaison).sees("There is no list of households for this school").sees_no("One form for each household")
    assert arrange(lambda session: session.query(OptOut).count()) == REFUSING


def test_another_school_is_shown_before_anything_is_made_for_it(someone: Any, stored: Any) -> None:
    leader = someone("leader")
    looks(leader).sends(
        button="Create the packet",
        status=422,
        school="cedar",
        contents="blanks",
        style="large",
        **{"copies-es": "7"},
    )
    leader.sees("You chose a different survey or school.")
    assert leader.field("copies-es") == "7"
    assert leader.field("style") == "large"
    assert stored(Packet) == []
    leader.sends(button="Create the packet")
    [packet] = stored(Packet)
    assert (packet.school_id, packet.asked) == ("cedar", '{"es": 7}')


def test_showing_another_school_keeps_what_is_typed(someone: Any) -> None:
    leader = someone("leader")
    looks(leader)
    form = {"school": "cedar", "contents": "blanks", "copies-es": "7", "second": "ar"}
    leader.sends(button="Show this school", **form)
    assert leader.field("shown") == "fall cedar"
    assert (leader.field("copies-es"), leader.field("second"), leader.field("contents")) == ("7", "ar", "blanks")


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"copies-es": "201"}, "copies-es", "Enter a number from 0 to 200."),
        ({"copies-es": "-3"}, "copies-es", "Enter a number from 0 to 200."),
        ({"copies-es": "many"}, "copies-es", "Enter a number from 0 to 200."),
        ({"copies-es": "9" * 5000}, "copies-es", "Enter a number from 0 to 200."),
        ({"copies-es": "1.5"}, "copies-es", "Enter a number from 0 to 200."),
        ({"copies-es": "²"}, "copies-es", "Enter a number from 0 to 200."),
        ({"copies-es": ""}, "copies-en", "Enter how many forms you want in at least one language."),
        ({"copies-es": "0"}, "copies-en", "Enter how many forms you want in at least one language."),
        ({"contents": None}, "contents", "Choose an option from the list."),
        ({"contents": "everything"}, "contents", "Choose an option from the list."),
        ({"paper": "a3"}, "paper", "Choose an option from the list."),
        ({"style": "tiny"}, "style", "Choose an option from the list."),
        ({"second": "vi"}, "second", "Choose an option from the list."),
        ({"second": "xx"}, "second", "Choose an option from the list."),
        ({"arrangement": "inside"}, "arrangement", "Choose an option from the list."),
        ({"outside": "glass"}, "outside", "Choose an option from the list."),
        ({"wave": "none"}, "wave", "Choose an option from the list."),
        ({"school": ""}, "school", "Choose an option from the list."),
        ({"school": "cedar"}, "school", "Choose an option from the list."),
        ({"wave": "../../etc", "school": "passwd"}, "wave", "Choose an option from the list."),
        ({"wave": "%00"}, "wave", "Choose an option from the list."),
        ({"wave": "known"}, "school", "You chose a different survey or school."),
    ],
)
def test_what_cannot_be_asked_for_is_told_and_kept(
    liaison: Any, stored: Any, wrong: dict[str, Any], field: str, sentence: str
) -> None:
    typed = {"contents": "blanks", "copies-es": "12", "paper": "a4", "style": "compact", "second": "ar"}
    asks(liaison, 422, **(typed | {"arrangement": "beside", "outside": "window"} | wrong))
    liaison.sees(sentence)
    assert f"#{field}" in [link.get("href") for link in liaison.page.all("a")]
    for name in typed.keys() - wrong.keys():
        assert liaison.field(name) == typed[name]
    if "copies-es" in wrong:
        assert liaison.field("copies-es") == wrong["copies-es"]
    assert stored(Packet) == []


def _posted(person: Any, **values: Any) -> None:
    """Send a request that ignores the limits of the page."""
    token = next(one.get("value") for one in person.page.all("input") if one.get("name") == "csrf_token")
    given = {"wave": "fall", "school": "lincoln", "shown": FALL, "contents": "blanks", "copies-en": "1"} | values
    person._goes("POST", PRINT, MultiDict({"csrf_token": token, **_usual(), **given}), 422)


def _usual() -> dict[str, str]:
    return {"paper": "letter", "style": "standard", "second": "", "arrangement": "under", "outside": "code"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"closes": date(2026, 10, 13)}, "closed on October 13, 2026"),
        ({"modes": "web interview"}, "“The fall wave” is not offered on paper."),
    ],
)
def test_a_wave_that_is_over_or_not_on_paper_is_not_offered_and_says_so(
    liaison: Any, arrange: Any, stored: Any, change: dict[str, Any], sentence: str
) -> None:
    def made(session: Any) -> None:
        for name, value in change.items():
            setattr(session.get_one(Wave, "fall"), name, value)

    looks(liaison)
    arrange(made)
    _posted(liaison, **{"copies-es": "4"})
    liaison.sees(sentence)
    assert liaison.field("copies-es") == "4"
    assert "#school" in [link.get("href") for link in liaison.page.all("a")]
    liaison.opens(PRINT)
    assert "fall" not in [option.get("value") for option in liaison.page.all("option")]
    assert stored(Packet) == []


def test_where_nothing_is_asked_on_paper_the_page_says_so(site: Any, arrange: Any) -> None:
    arrange(lambda session: staff(session, "liaison", email="new@district.example"))
    person = StaffMember(site)
    person.signs_in("new@district.example", PASSWORD)
    person.opens(PRINT).sees("No survey is offered on paper at your schools now.")


@pytest.mark.parametrize(
    ("refused", "field", "sentence"),
    [
        (PacketRefused("font", language="es"), "copies-es", "The fonts for Español are not installed"),
        (PacketRefused("glyph", language="es", question="speed", character="U+1F600"), "copies-es", "U+1F600"),
        (PacketRefused("tall", language="es", question="speed"), "style", "does not fit on one page"),
        (PacketRefused("name_glyph", character="U+1F600"), "contents", "U+1F600"),
        (PacketRefused("many", sets=30000, most=20000), "contents", "A packet can have at most 20000"),
    ],
)
@pytest.mark.parametrize("deed", ["prepare_order", "create_packet"])
def test_what_the_printer_refuses_stands_beside_its_field(
    liaison: Any, stored: Any, monkeypatch: Any, deed: str, refused: PacketRefused, field: str, sentence: str
) -> None:
    def refuse(*_args: Any, **_more: Any) -> None:
        raise refused

    monkeypatch.setattr(f"engage.services.printing.orders.{deed}", refuse)
    asks(liaison, 422, **{"copies-es": "12"}, paper="a4")
    liaison.sees(sentence)
    assert f"#{field}" in [link.get("href") for link in liaison.page.all("a")]
    assert (liaison.field("copies-es"), liaison.field("paper")) == ("12", "a4")
    assert stored(Packet) == []


@pytest.mark.parametrize("role", ["administrator", "leader"])
def test_those_of_the_district_print_for_every_school_and_with_codes(
    someone: Any, arrange: Any, stored: Any, role: str
) -> None:
    arrange(a_roster)
    person = someone(role)
    asks(person, at="fall cedar")
    asks(person, at="known lincoln", contents="households")
    assert {(packet.school_id, packet.contents) for packet in stored(Packet)} == {
        ("cedar", "blanks"),
        ("lincoln", "households"),
    }


def test_a_translator_prints_blanks_and_is_told_no_numbers(someone: Any, arrange: Any, stored: Any) -> None:
    arrange(a_roster)
    translator = someone("translator")
    looks(translator).sees("Your account can print only blank forms.").sees_no("2A", "10B", "each household")
    _posted(translator, contents="households")
    translator.sees("Your account can print only blank forms.")
    assert stored(Packet) == []
    asks(translator)
    assert len(stored(Packet)) == 1


def test_a_liaison_prints_for_the_households_of_the_own_school_only(liaison: Any, arrange: Any, stored: Any) -> None:
    arrange(a_roster)
    asks(liaison, at="known lincoln", contents="households")
    [packet] = stored(Packet)
    assert (packet.school_id, packet.contents) == ("lincoln", "households")
    _posted(liaison, wave="known", school="cedar", shown="known cedar", contents="households")
    assert len(stored(Packet)) == 1


def test_where_a_second_step_is_required_names_wait_for_it(
    settings: Any, desk: Desk, arrange: Any, clock: Any, stored: Any
) -> None:
    arrange(a_roster)
    arrange(lambda session: staff(session, "leader", email="leader@wide.example"))
    site = create_app(replace(settings, second_factor="required"), clock)
    leader = StaffMember(site)
    leader.signs_in("leader@wide.example", PASSWORD)
    looks(leader, "known lincoln").sees("you need a second step when you sign in")
    _posted(leader, wave="known", school="lincoln", shown="known lincoln", contents="households")
    leader.sees("you need a second step when you sign in")
    assert stored(Packet) == []
    close(site)


def test_sheets_from_before_there_were_packets_are_listed_and_printed_again(
    liaison: Any, desk: Desk, stored: Any
) -> None:
    liaison.opens(PRINT).sees("Printed before packets were introduced").sees_no("Cedar Middle School")
    run = next(run for run in stored(PrintRun) if run.school_id == "lincoln" and run.language == "es")
    pages = [liaison.client.get(f"{PRINT}/{run.id}.pdf") for _ in range(2)]
    assert pages[0].data == pages[1].data
    document = pypdfium2.PdfDocument(BytesIO(pages[0].data))
    text = " ".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    assert all(serial in text for serial in desk.spanish)


def test_the_form_number_is_where_data_entry_says(liaison: Any, desk: Desk, stored: Any) -> None:
    liaison.opens("/staff/liaison/keying").sees("It is printed at the top of every page.")
    run = next(run for run in stored(PrintRun) if run.school_id == "lincoln" and run.language == "es")
    with closing(pypdfium2.PdfDocument(BytesIO(liaison.client.get(f"{PRINT}/{run.id}.pdf").data))) as document:
        for page in document:
            top = page.get_textpage().get_text_bounded(bottom=page.get_height() * 0.9)
            assert any(serial in top for serial in desk.spanish), top


def test_a_foreign_run_is_not_there(liaison: Any, stored: Any) -> None:
    foreign = next(run for run in stored(PrintRun) if run.school_id == "cedar")
    for run in (foreign.id, "0" * 32, "%00", "..%2f..%2fsecret-key"):
        liaison.opens(f"{PRINT}/{run}.pdf", status=404)


def test_a_run_of_a_packet_leads_to_the_packet(liaison: Any, stored: Any) -> None:
    asks(liaison)
    [run] = [run for run in stored(PrintRun) if run.packet_id]
    liaison.opens(f"{PRINT}/{run.id}.pdf")
    assert liaison.path == f"/staff/liaison/packets/{run.packet_id}"


def test_the_packets_so_far_are_listed_with_state_and_counts(liaison: Any, works: Any, stored: Any) -> None:
    asks(liaison, **{"copies-es": "2", "copies-ar": "1"})
    works()
    [run] = [run for run in stored(PrintRun) if run.packet_id and run.language == "es"]
    serial = next(sheet.serial for sheet in stored(Sheet) if sheet.run_id == run.id)
    liaison.takes(serial).sees("Español").keys({"internet": "no"})
    liaison.opens(PRINT)
    table = next(table for table in liaison.page.all("table") if "Created on" in table.text)
    [cells] = [[cell.text for cell in row.all("td")] for row in table.all("tr") if list(row.all("td"))]
    assert cells[2:] == ["Español · العربية", "ready", "3", "1", "0"]


def test_two_packets_never_share_a_serial(liaison: Any, stored: Any) -> None:
    for _ in range(2):
        asks(liaison, **{"copies-en": "9"})
    assert len({sheet.serial for sheet in stored(Sheet)}) == len(stored(Sheet))
