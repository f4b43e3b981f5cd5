"""Sheets of households in a confidential wave: a keyed sheet is its household's response, and a household has only
one."""

import json
from datetime import date
from random import SystemRandom
from typing import Any

import pytest
from sqlalchemy import select

from engage.domain.intake.access_code_use import destroy_due_links
from engage.domain.security.access_codes import ACCESS_KEY, digest, generate_access_code
from engage.services.data_entry import saving
from engage.services.waves.invitations import replace_invitation, withdraw_codes
from engage.services.waves.opening import NewInvitation, add_invitations
from engage.storage.engine import write_session
from engage.storage.models.conversations import Message
from engage.storage.models.invitations import Invitation
from engage.storage.models.paper import Keying, Sheet, SheetLink
from engage.storage.models.responses import Response, ResponseLink
from engage.storage.models.roster import OptOut
from engage.storage.models.schools import Household, School
from engage.storage.models.waves import Wave
from tests.makers import PASSWORD, a_school, a_wave, staff
from tests.people import Family, Leader, Liaison
from tests.sites.liaison.packets import Home, a_packet, belongs, forget_on, homes

pytestmark = pytest.mark.slow

RNG = SystemRandom()
NEUTRAL = "This household has already answered."
PHONE = "This household has already answered online."
SHEET = "Another form from this household has already been entered."
KEPT = "This form is saved as you entered it, but its answers are not counted a second time."


@pytest.fixture
def key(site: Any) -> bytes:
    """The key for the site's digests of codes."""
    secret: bytes = site.family.extensions["engage"].secret(ACCESS_KEY)
    return secret


@pytest.fixture
def three(arrange: Any, key: bytes, desk: Any) -> list[Home]:
    """Three households of Lincoln in a confidential wave with codes, with two sheets each."""

    def make(session: Any) -> list[Home]:
        schools = [a_school(session), a_school(session, "cedar", "Cedar Middle School")]
        wave = a_wave(session, "asked", schools, identity="confidential", entry="code")
        return homes(session, wave, key, [generate_access_code(RNG) for _ in range(3)], sheets=2)

    return arrange(make)


def used(stored: Any) -> dict[str, date]:
    """Return the day on which each used code was used."""
    return {one.digest: one.used_on for one in stored(Invitation) if one.used_on}


def of_wave(stored: Any) -> list[Response]:
    return [one for one in stored(Response) if one.wave_id == "asked"]


def raw_of(stored: Any, serial: str) -> Any:
    return next(json.loads(one.raw) for one in stored(Keying) if one.serial == serial)


def test_a_keyed_sheet_is_its_households_answer(
    liaison: Liaison, site: Any, three: list[Home], stored: Any, arrange: Any, today: date
) -> None:
    home = three[0]
    liaison.takes(home.sheets[0]).keys({"internet": "no"}).sees("was saved").sees_no("This household")
    [response] = of_wave(stored)
    [link] = stored(ResponseLink)
    assert (link.response_id, link.invitation, link.forget_on) == (response.id, home.digest, date(2027, 4, 29))
    assert used(stored) == {home.digest: today}
    Family(site).opens(f"/en/c/{home.code}", 410)
    arrange(lambda session: staff(session, "leader", email="lea@district.example"))
    leader = Leader(site)
    leader.signs_in("lea@district.example", PASSWORD)
    leader.opens("/staff/district/waves/asked/answered").sees("1 of 3 access codes was used.")
    leader.sends(button="Show the households").sends(button="Show the answers").sees("One household's answers")


def test_a_household_that_answered_on_the_phone_is_counted_once(
    liaison: Liaison, site: Any, three: list[Home], stored: Any
) -> None:
    home = three[0]
    Family(site).begins_with(home.code).walks({"internet": "yes"}).sends_answers()
    liaison.takes(home.sheets[0]).sees_no("This household")
    liaison.keys({"internet": "no", "question": "When?"}).sees("was saved", NEUTRAL, KEPT).sees_no(PHONE)
    [response] = of_wave(stored)
    assert (response.mode, json.loads(response.answers)) == ("web", {"internet": "yes"})
    assert raw_of(stored, home.sheets[0]) == {"internet": ["no"], "question": ["When?"]}
    assert [message.text for message in stored(Message)] == ["When?"]
    assert {one.serial for one in stored(Sheet) if one.state == "keyed"} == {home.sheets[0]}
    liaison.takes(home.sheets[0]).sees(NEUTRAL, KEPT).sees_no(PHONE)
    liaison.keys({"internet": "yes", "speed": "fairly"}).sees(NEUTRAL).sees_no(PHONE)
    assert len(of_wave(stored)) == 1
    assert raw_of(stored, home.sheets[0])["speed"] == ["fairly"]
    liaison.takes(home.sheets[0]).sends(button="Withdraw").sees("The form was withdrawn").sees_no("is counted now")
    assert [one.mode for one in of_wave(stored)] == ["web"]
    assert set(used(stored)) == {home.digest}


@pytest.mark.parametrize(("first", "sentence", "other"), [("phone", PHONE, SHEET), ("sheet", SHEET, PHONE)])
def test_by_which_way_a_household_answered_is_told_to_those_who_may_look_it_up(
    site: Any, liaison: Liaison, three: list[Home], arrange: Any, first: str, sentence: str, other: str
) -> None:
    def make(session: Any) -> None:
        both = staff(session, "liaison", [session.get_one(School, "lincoln")], "both@district.example")
        both.roles.extend(staff(session, "leader", email="lea@district.example").roles)

    arrange(make)
    home = three[0]
    if first == "phone":
        Family(site).begins_with(home.code).walks({"internet": "yes"}).sends_answers()
    else:
        liaison.takes(home.sheets[1]).keys({"internet": "yes"})
    both = Liaison(site)
    both.signs_in("both@district.example", PASSWORD)
    both.takes(home.sheets[0]).keys({}).sees(sentence, KEPT).sees_no(other, NEUTRAL)
    liaison.takes(home.sheets[0]).sees(NEUTRAL, KEPT).sees_no(sentence, other)


def test_a_sheet_that_is_taken_out_gives_the_code_back(
    liaison: Liaison, site: Any, three: list[Home], stored: Any
) -> None:
    home, other = three[:2]
    liaison.takes(other.sheets[0]).keys({"internet": "no"})
    liaison.takes(home.sheets[0]).keys({"internet": "no"})
    liaison.takes(home.sheets[0]).sends(button="Withdraw").sees("The form was withdrawn")
    assert set(used(stored)) == {other.digest}
    assert [link.invitation for link in stored(ResponseLink)] == [other.digest]
    Family(site).begins_with(home.code).walks({"internet": "yes"}).sends_answers()
    liaison.takes(home.sheets[0]).keys({"internet": "no"}).sees(NEUTRAL).sees_no(PHONE)
    assert sorted(one.mode for one in of_wave(stored)) == ["paper", "web"]


def test_of_two_sheets_the_first_counts_and_the_second_takes_its_place(
    liaison: Liaison, three: list[Home], stored: Any
) -> None:
    first, second = three[0].sheets
    liaison.takes(first).keys({"internet": "no"})
    liaison.takes(second).keys({"internet": "yes"}).sees(NEUTRAL, KEPT).sees_no(SHEET)
    [response] = of_wave(stored)
    assert json.loads(response.answers) == {"internet": "no"}
    liaison.takes(first).sees_no(NEUTRAL).sends(button="Withdraw").sees("It is counted now.")
    [response] = of_wave(stored)
    [keying] = stored(Keying)
    assert (json.loads(response.answers), response.provenance) == ({"internet": "yes"}, keying.id)
    assert [link.response_id for link in stored(ResponseLink)] == [response.id]
    assert set(used(stored)) == {three[0].digest}
    liaison.takes(second).sees_no(NEUTRAL)
    liaison.takes(first).keys({}).sees(NEUTRAL)


def test_when_links_are_forgotten_nobody_is_told_by_which_way_it_was(
    liaison: Liaison, three: list[Home], stored: Any, arrange: Any
) -> None:
    first, second = three[0].sheets
    liaison.takes(first).keys({"internet": "no"})
    arrange(lambda session: destroy_due_links(session, date(2030, 1, 1)))
    liaison.takes(second).keys({}).sees(NEUTRAL, KEPT).sees_no(PHONE, SHEET)
    liaison.takes(first).sends(button="Withdraw").sees("The form was withdrawn")
    assert of_wave(stored) == []


def test_the_same_sheet_sent_twice_is_one_answer(liaison: Liaison, three: list[Home], stored: Any) -> None:
    serial = three[0].sheets[0]
    for speed in ("fairly", "fairly", "well"):
        liaison.takes(serial).keys({"internet": "yes", "speed": speed}).sees_no("This household", "Another form")
    [response] = of_wave(stored)
    assert json.loads(response.answers) == {"internet": "yes", "speed": "well"}
    assert len(stored(ResponseLink)) == 1


class TestCodesThatAreGone:
    def test_another_code_was_made_for_the_household(
        self, liaison: Liaison, site: Any, three: list[Home], stored: Any, arrange: Any, key: bytes
    ) -> None:
        home, code = three[0], generate_access_code(RNG)

        def anew(session: Any) -> None:
            wave = session.get_one(Wave, "asked")
            replace_invitation(session, wave, home.digest, digest(code, key), lambda _: False)

        arrange(anew)
        assert {link.invitation for link in stored(SheetLink) if link.household_id == home.id} == {None}
        liaison.takes(home.sheets[0]).keys({"internet": "no"}).sees_no("This household")
        assert set(used(stored)) == {digest(code, key)}
        Family(site).opens(f"/en/c/{code}", 410)
        liaison.takes(home.sheets[1]).keys({}).sees(NEUTRAL)
        liaison.takes(home.sheets[0]).sends(button="Withdraw").sees("It is counted now.")
        assert len(of_wave(stored)) == 1

    def test_a_code_is_made_anew_in_the_moment_of_saving(
        self, liaison: Liaison, three: list[Home], stored: Any, monkeypatch: Any
    ) -> None:
        right, calls = saving.find_household_code, []

        def late(session: Any, paper: Any) -> Any:
            calls.append(paper)
            chance = right(session, paper)
            return type(chance)("f" * 64, forget_on=chance.forget_on) if len(calls) == 1 else chance

        monkeypatch.setattr(saving, "find_household_code", late)
        liaison.takes(three[0].sheets[0]).keys({"internet": "no"})
        assert (len(calls), set(used(stored)), len(of_wave(stored))) == (2, {three[0].digest}, 1)

    def test_the_household_does_not_want_to_be_asked_any_more(
        self, liaison: Liaison, three: list[Home], stored: Any, arrange: Any
    ) -> None:
        home = three[0]

        def out(session: Any) -> None:
            session.add(OptOut(household_id=home.id, recorded_on=date(2026, 10, 14)))
            withdraw_codes(session, home.id, [session.get_one(Wave, "asked")])

        arrange(out)
        liaison.takes(home.sheets[0]).keys({"internet": "no"}).sees("was saved").sees_no("This household")
        assert (len(of_wave(stored)), stored(ResponseLink), used(stored)) == (1, [], {})
        liaison.takes(home.sheets[0]).sends(button="Withdraw")
        assert of_wave(stored) == []

    def test_a_sheet_is_taken_out_after_the_household_said_so(
        self, liaison: Liaison, site: Any, three: list[Home], stored: Any, arrange: Any
    ) -> None:
        home = three[0]
        liaison.takes(home.sheets[0]).keys({"internet": "no"})
        arrange(lambda session: session.add(OptOut(household_id=home.id, recorded_on=date(2026, 10, 14))))
        liaison.takes(home.sheets[0]).sends(button="Withdraw")
        assert home.digest not in {one.digest for one in stored(Invitation)}
        Family(site).opens(f"/en/c/{home.code}", 404)
        liaison.takes(home.sheets[0]).keys({"internet": "no"}).sees("was saved")
        assert len(of_wave(stored)) == 1

    def test_where_each_child_has_a_code_a_sheet_without_takes_the_one_no_other_sheet_has(
        self, liaison: Liaison, stored: Any, arrange: Any, desk: Any
    ) -> None:
        def make(session: Any) -> list[str]:
            wave = a_wave(session, "asked", [a_school(session)], identity="confidential", entry="code")
            session.add(Household(id="h", school_id="lincoln", language="en"))
            session.flush()
            add_invitations(session, wave, [NewInvitation(letter * 64, "lincoln", "en", "h") for letter in "abc"])
            serials = a_packet(session, wave, 4)
            for serial, code in zip(serials, ("a", "b", None, None), strict=True):
                belongs(session, wave, serial, "h", code and code * 64)
            return serials

        one, two, three, four = arrange(make)
        liaison.takes(one).keys({}).sees_no("household")
        liaison.takes(three).keys({}).sees_no("household")
        assert set(used(stored)) == {"a" * 64, "c" * 64}
        liaison.takes(four).keys({}).sees(NEUTRAL)
        liaison.takes(two).keys({}).sees_no("household")
        liaison.takes(one).sends(button="Withdraw").sees_no("It is counted now.")  # the other sheet is of another child
        liaison.takes(three).sends(button="Withdraw").sees("It is counted now.")
        assert set(used(stored)) == {"b" * 64, "c" * 64}
        assert len(of_wave(stored)) == 2


def test_a_sheet_that_belongs_to_nobody_counts_by_itself(
    liaison: Liaison, three: list[Home], stored: Any, arrange: Any
) -> None:
    def make(session: Any) -> list[str]:
        wave = session.get_one(Wave, "asked")
        serials = a_packet(session, wave, 3)
        belongs(session, wave, serials[1], None, None)
        return serials

    serials = arrange(make)
    for serial in serials:
        liaison.takes(serial).keys({"internet": "no"}).sees_no("household")
    assert (len(of_wave(stored)), stored(ResponseLink), used(stored)) == (3, [], {})
    liaison.takes(serials[0]).sends(button="Withdraw")
    assert len(of_wave(stored)) == 2


def test_a_household_that_left_the_roster_leaves_its_sheet(
    liaison: Liaison, three: list[Home], stored: Any, engine: Any
) -> None:
    home = three[0]
    with write_session(engine) as session:
        session.delete(session.get_one(Invitation, home.digest))
        session.flush()
        session.delete(session.get_one(Household, home.id))
        session.commit()
        links = session.scalars(select(SheetLink).where(SheetLink.serial.in_(home.sheets))).all()
        assert [(one.household_id, one.invitation) for one in links] == [(None, None)] * 2
        assert {one.forget_on for one in links} == {forget_on(session.get_one(Wave, "asked"))}
    liaison.takes(home.sheets[0]).keys({"internet": "no"}).sees("was saved").sees_no("household")
    assert len(of_wave(stored)) == 1
