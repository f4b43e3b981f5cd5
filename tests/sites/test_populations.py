"""What is for families has no survey of other people in it: paper, reminders, who answered, access codes. A survey that
liaisons answer has no public page either."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine
from werkzeug.test import Client

from engage.services.printing.orders import PacketRefused, PacketRequest, prepare_order
from engage.services.printing.sheets import PrintContext
from engage.services.runtime import open_runtime
from engage.storage.engine import read_session, write_session
from tests.makers import PASSWORD, a_school, a_wave, staff
from tests.people import StaffMember
from tests.populations import a_wave_of

pytestmark = pytest.mark.slow

OTHERS = ("educator", "student", "liaison")
NAME = "0" * 32  # of a form without a number
ROLE = {"liaison": "liaison", "district": "leader"}  # who opens a page of a site

# Pages that list surveys: what they have of the one of families, and never of another.
LISTS = {
    "/staff/liaison/keying/unnumbered": "The fall wave",
    "/staff/liaison/print": "The fall wave",
    "/staff/district/reminders": "The second wave",
}

# Pages and actions of one survey of families. What they answer there, without values; "not found" for others.
OF_ONE = {
    "GET /staff/district/waves/{wave}/reminders": 200,
    "GET /staff/district/waves/{wave}/reminders.csv": 200,
    "GET /staff/district/waves/{wave}/answered": 200,
    "POST /staff/district/waves/{wave}/answered/lincoln": 200,
    "GET /staff/district/waves/{wave}/codes": 200,
    "POST /staff/district/waves/{wave}/codes": 422,
    "POST /staff/district/waves/{wave}/codes/lost": 422,
    "POST /staff/district/waves/{wave}/codes/households": 302,
    "GET /staff/district/waves/{wave}/codes/back": 200,
    "POST /staff/district/waves/{wave}/codes/back": 422,
    "GET /staff/liaison/card/{wave}/en.pdf": 200,
    f"GET /staff/liaison/keying/papers/{NAME}?wave={{wave}}&school=lincoln&language=en": 200,
    f"POST /staff/liaison/keying/papers/{NAME}/save?wave={{wave}}&school=lincoln&language=en": 409,
}
OF_AN_OPEN_LINK = ("events", "bursts")


@pytest.fixture
def arranged(engine: Engine) -> None:
    """A confidential survey of families with codes, another with an open link, and one of each other population."""
    with write_session(engine) as session:
        school = a_school(session)
        a_wave(session, "fall", [school], identity="confidential", entry="code")
        a_wave(session, "second", [school])
        for population in OTHERS:
            wave = a_wave_of(session, population, schools=[school])
            wave.modes = "web paper interview"  # so that the survey is left out for its population, not for its modes
        for role in ROLE.values():
            staff(session, role, email=f"{role}@district.example")
        session.commit()


@pytest.fixture
def person(site: Any, arranged: None) -> Callable[[str], StaffMember]:
    """The person who opens pages of a site, signed in once."""
    people: dict[str, StaffMember] = {}

    def find(address: str) -> StaffMember:
        role = ROLE[address.split("/")[2]]
        if role not in people:
            people[role] = StaffMember(site).signs_in(f"{role}@district.example", PASSWORD)
        return people[role]

    return find


def status(someone: StaffMember, case: str, wave: str) -> int:
    """The status of the answer to a request, with a form of nothing but the kind of file if it changes something."""
    method, _, address = case.format(wave=wave).partition(" ")
    token = someone.opens("/staff/me").field("csrf_token")
    data = {"csrf_token": token, "kind": "csv"} if method == "POST" else None
    return someone.client.open(address, method=method, data=data).status_code


@pytest.mark.parametrize("address", LISTS)
def test_a_list_of_surveys_has_those_of_families_only(person, address):
    text = person(address).opens(address).response.text
    assert LISTS[address] in text
    assert [population for population in OTHERS if f"The {population} wave" in text] == []


def test_the_list_of_all_surveys_leads_to_no_reminders_of_others(person):
    page = person("/staff/district/waves").opens("/staff/district/waves").sees("The student wave").page
    links = [link.get("href") or "" for link in page.all("a")]
    assert {f"/staff/district/waves/{id}/reminders" for id in ("fall", "second")} == {
        link for link in links if link.endswith("/reminders") and link != "/staff/district/reminders"
    }
    assert "/staff/liaison/debriefs?wave=liaison" in links


@pytest.mark.parametrize("case", OF_ONE)
def test_a_page_of_one_survey_is_there_for_those_of_families_only(person, case):
    someone = person(case.split(" ")[1])
    answers = {wave: status(someone, case, wave) for wave in ("fall", *OTHERS)}
    assert answers == {"fall": OF_ONE[case], **dict.fromkeys(OTHERS, 404)}


@pytest.mark.parametrize("page", OF_AN_OPEN_LINK)
def test_a_survey_of_liaisons_has_no_open_link_for_families(person, page):
    leader = person("/staff/district/waves")
    answers = [status(leader, f"GET /staff/district/waves/{{wave}}/{page}", wave) for wave in ("second", *OTHERS)]
    assert answers == [200, 404, 404, 404]


@pytest.mark.parametrize("population", OTHERS)
def test_the_print_page_shows_another_place_than_the_one_in_the_address(person, population):
    liaison = person("/staff/liaison/print").opens(f"/staff/liaison/print?wave={population}&school=lincoln")
    assert liaison.field("shown") in ("fall lincoln", "second lincoln")


@pytest.mark.parametrize("population", OTHERS)
def test_no_packet_is_prepared_by_any_way(engine, settings, clock, arranged, population):
    """The command line and requests for all schools go through the same function."""
    runtime = open_runtime(settings, clock)
    context = PrintContext(settings, runtime.sealer, date(2026, 10, 14))
    with read_session(engine) as session:
        want = PacketRequest("blanks", {"en": 1})
        assert prepare_order(session, context, "second", "lincoln", want).sets == {"en": 1}
        with pytest.raises(PacketRefused) as refused:
            prepare_order(session, context, population, "lincoln", want)
    assert (refused.value.code, refused.value.values["known"]) == ("wave", "fall, second")
    runtime.engine.dispose()


def public_answers(site: Any, wave: str) -> dict[tuple[str, str], tuple[int, bytes]]:
    """The status and text of every public address of a survey, by rule and method, in two languages."""
    client, answers = Client(site), {}
    for rule in site.family.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"} if "wave_id" in rule.arguments else ():
            for language in ("en", "es"):
                address = rule.rule.replace("<lang:lang>", language).replace("<wave_id>", wave)
                answer = client.open(address.replace("<int:number>", "1"), method=method)
                answers[f"{language} {rule.rule}", method] = (
                    answer.status_code,
                    answer.get_data().replace(wave.encode(), b""),
                )
    return answers


def test_every_public_address_of_a_survey_of_liaisons_is_as_if_there_were_none(site: Any, arranged: None) -> None:
    of_liaisons, of_nobody = public_answers(site, "liaison"), public_answers(site, "nobodys")
    assert of_liaisons == of_nobody
    pages = {status for (_, method), (status, _) in of_liaisons.items() if method == "GET"}
    assert pages == {404}
    assert {status for (_, method), (status, _) in public_answers(site, "second").items() if method == "GET"} >= {200}


def test_the_front_page_has_no_survey_of_liaisons(site: Any, arranged: None) -> None:
    front = Client(site).get("/en/").text
    assert ("/en/w/second" in front, "/w/liaison" in front, "After an event" in front) == (True, False, False)
