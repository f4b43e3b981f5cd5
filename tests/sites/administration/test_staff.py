"""Management of staff accounts."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select

from engage.storage.engine import write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.mail import Mail
from engage.storage.models.staff import Organisation, Staff, StaffSession
from tests.makers import PASSWORD, staff
from tests.people import StaffMember

pytestmark = pytest.mark.slow

STAFF = "/staff/administration/staff"
ORGANISATIONS = "/staff/administration/organisations"
Someone = Callable[[str], StaffMember]
NEW = {"email": "New@District.example", "name": "Amina Ali", "roles": ["liaison"], "schools": ["lincoln"]}


def the(stored: Any, email: str) -> Staff:
    return next(person for person in stored(Staff) if person.email == email)


def shown_password(person: StaffMember) -> str:
    return next(one.text for one in person.page.all("p") if one.get("class") == "code")


def letters(site: Any, stored: Any) -> list[dict[str, str]]:
    """Return the unsent emails, decrypted."""
    unseal = site.staff.extensions["engage"].sealer.open
    return [json.loads(unseal(each.sealed)) for each in sorted(stored(Mail), key=lambda each: each.written_at)]


def link(letter: dict[str, str]) -> str:
    return re.search(r"http://127.0.0.1:8000(/staff/welcome/\S+)", letter["text"])[1]  # type: ignore[index]


def told(stored: Any, *deeds: str) -> list[tuple[str, str, str]]:
    return [(each.deed, each.about, each.detail) for each in stored(AuditEvent) if each.deed in deeds]


def test_someone_is_added_gets_a_letter_and_chooses_a_password(someone: Someone, site: Any, stored: Any) -> None:
    administrator = someone("administrator")
    administrator.opens(STAFF).sends(button="Add this person", **NEW)
    administrator.sees("The email to new@district.example has a one-time setup link.", "No mail server is set up")
    amina = the(stored, "new@district.example")
    assert [role.name for role in amina.roles] == ["liaison"]
    assert [school.id for school in amina.schools] == ["lincoln"]
    (letter,) = letters(site, stored)
    assert letter["to"] == "new@district.example"
    person = StaffMember(site)
    person.opens(link(letter)).sees("Welcome. Choose a password").sends(new="eleven blue kettles")
    person.sees("Your password is set.").signs_in("new@district.example", "eleven blue kettles")
    person.opens("/staff/").sees("To do", "Lincoln Elementary")
    person.opens("/staff/liaison/keying")
    assert told(stored, "add staff", "change sign-in") == [
        ("add staff", "new@district.example", '{"roles":"liaison","schools":1}'),
        ("change sign-in", "new@district.example", '{"what":"invitation"}'),
    ]


def test_the_letter_speaks_the_persons_language_and_its_address_is_the_sites_own(
    someone: Someone, site: Any, stored: Any
) -> None:
    administrator = someone("administrator")
    administrator.base_url = "http://evil.example"
    administrator.signs_in("administrator@district.example", PASSWORD)
    administrator.opens(STAFF).sends(button="Add this person", **NEW, language="es")
    (letter,) = letters(site, stored)
    assert "evil" not in letter["text"]
    assert link(letter)
    assert the(stored, "new@district.example").language == "es"


def test_a_new_link_makes_the_old_one_worthless(someone: Someone, site: Any, stored: Any) -> None:
    administrator = someone("administrator")
    administrator.opens(STAFF).sends(button="Add this person", **NEW)
    first = link(letters(site, stored)[0])
    change(administrator, the(stored, "new@district.example").id, "letter")
    second = next(one for one in map(link, letters(site, stored)) if one != first)
    StaffMember(site).opens(first, status=410)
    StaffMember(site).opens(second)


def test_what_a_person_may_do_is_changed_and_their_sessions_end(
    someone: Someone, site: Any, stored: Any, arrange: Any
) -> None:
    arrange(lambda session: session.add(Organisation(name="Harbor House")))
    liaison, administrator = someone("liaison"), someone("administrator")
    liaison.opens("/staff/liaison/keying")
    before = the(stored, "liaison@district.example")
    house = next(iter(stored(Organisation)))
    administrator.opens(f"{STAFF}/{before.id}").sends(
        schools=["cedar"], languages=["es", "so"], organisation=str(house.id), name="Lía"
    )
    administrator.sees(
        "The changes for liaison@district.example were saved.", "Harbor House", "Español", "Cedar Middle School"
    )
    after = the(stored, "liaison@district.example")
    assert ([each.id for each in after.schools], after.languages) == (["cedar"], "es so")
    liaison.opens("/staff/liaison/keying")
    assert liaison.path.startswith("/staff/login")
    assert stored(StaffSession)
    assert all(row.staff_id != after.id for row in stored(StaffSession))
    ((_deed, about, detail),) = told(stored, "change staff")
    assert about == "liaison@district.example"
    assert json.loads(detail) == {
        "schools": "lincoln → cedar",
        "languages": "all → es so",
        "organisation": "none → Harbor House",
    }
    administrator.opens(f"{STAFF}/{before.id}").sends(roles=["leader"])
    after = the(stored, "liaison@district.example")
    assert ([role.name for role in after.roles], after.schools, after.languages) == (["leader"], [], "")


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"roles": ["king"]}, "Choose an option from the list."),
        ({"schools": ["atlantis"]}, "Choose an option from the list."),
        ({"roles": None}, "Choose at least one role."),
        ({"schools": None}, "Choose at least one school."),
        ({"languages": ["tlh"]}, "Choose an option from the list."),
        ({"organisation": "99"}, "Choose an option from the list."),
        ({"organisation": "x' or 1=1"}, "Choose an option from the list."),
        ({"name": "x" * 201}, "This is too long."),
    ],
)
def test_what_cannot_be_made_of_a_person(someone: Someone, stored: Any, wrong: dict[str, Any], problem: str) -> None:
    administrator = someone("administrator")
    who = the(stored, "liaison@district.example")
    administrator.opens(f"{STAFF}/{who.id}").sends(status=422, **wrong).sees(problem)
    after = the(stored, "liaison@district.example")
    assert ([role.name for role in after.roles], after.languages) == (["liaison"], "")


def test_nobody_changes_what_they_may_do_themselves(someone: Someone, stored: Any) -> None:
    administrator = someone("administrator")
    own = the(stored, "administrator@district.example").id
    administrator.opens(f"{STAFF}/{own}").sends(roles=["translator"]).sees("You cannot do this to your own account.")
    assert [role.name for role in the(stored, "administrator@district.example").roles] == ["administrator"]


def test_a_lost_phone(someone: Someone, stored: Any, arrange: Any, site: Any) -> None:
    def lose(session: Any) -> None:
        person = session.scalars(select(Staff).where(Staff.email == "leader@district.example")).one()
        person.tf_totp_secret, person.mf_recovery_codes = "0 sealed", "a" * 64

    arrange(lose)
    administrator = someone("administrator")
    change(administrator, the(stored, "leader@district.example").id, "steps")
    administrator.sees("leader@district.example now signs in with only a password")
    after = the(stored, "leader@district.example")
    assert (after.tf_totp_secret, after.tf_primary_method, after.mf_recovery_codes) == (None, None, None)
    StaffMember(site).signs_in("leader@district.example", PASSWORD)


def test_organisations_are_added_and_renamed(someone: Someone, stored: Any) -> None:
    administrator = someone("administrator")
    administrator.opens(STAFF).follows("Partner organizations").sends(name="Harbor House")
    administrator.sees("Saved.").sends(name="harbor house", status=422).sees(
        "There is already an organization with this name."
    )
    administrator.opens(ORGANISATIONS).sends(name="", status=422).sees("Enter a name of 1 to 200 characters.")
    administrator.opens(ORGANISATIONS).sends(name="x" * 201, status=422)
    administrator.opens(ORGANISATIONS).sends(button="Rename Harbor House", name="Harbor Haus")
    assert [each.name for each in stored(Organisation)] == ["Harbor Haus"]
    administrator.opens(ORGANISATIONS)
    for made_up in (99, 10**30):
        token = administrator.field("csrf_token")
        answer = administrator.client.post(f"{ORGANISATIONS}/{made_up}", data={"csrf_token": token, "name": "x"})
        assert answer.status_code == 404


def test_schools_are_for_liaisons(someone: Someone, stored: Any) -> None:
    someone("administrator").opens(STAFF).sends(button="Add this person", **(NEW | {"roles": ["leader"]}))
    assert the(stored, "new@district.example").schools == []


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"email": ""}, "Enter an email address"),
        ({"email": "nobody"}, "Enter an email address"),
        ({"email": "a@b"}, "Enter an email address"),
        ({"email": "x" * 5000 + "@district.example"}, "Enter an email address"),
        ({"email": "a\x00b@district.example\r\nBcc: x"}, "Enter an email address"),
        ({"email": "LIAISON@district.example"}, "This person can already sign in."),
        ({"name": "x" * 201}, "This is too long."),
        ({"roles": ["king"]}, "Choose an option from the list."),
        ({"schools": None}, "Choose at least one school."),
        ({"schools": ["lincoln", "atlantis"]}, "Choose an option from the list."),
        ({"roles": None}, "Choose at least one role."),
        ({"roles": ["liaison", "king"]}, "Choose an option from the list."),
        ({"organisation": "7"}, "Choose an option from the list."),
        ({"languages": ["tlh"]}, "Choose an option from the list."),
        ({"language": "tlh"}, "Choose an option from the list."),
    ],
)
def test_who_cannot_be_added(someone: Someone, stored: Any, wrong: dict[str, Any], problem: str) -> None:
    before = len(stored(Staff))
    administrator = someone("administrator")
    administrator.opens(STAFF).sends(button="Add this person", status=422, **(NEW | wrong)).sees(problem)
    assert len(stored(Staff)) == before


def test_a_hostile_name_is_only_a_name(someone: Someone) -> None:
    administrator = someone("administrator")
    administrator.opens(STAFF).sends(button="Add this person", **(NEW | {"name": "<script>alert(1)</script>"}))
    administrator.opens(STAFF).sees("<script>alert(1)</script>")
    assert not list(administrator.page.all("script"))


def test_switching_off_ends_the_session_at_once(someone: Someone, site: Any, stored: Any) -> None:
    liaison, administrator = someone("liaison"), someone("administrator")
    liaison.opens("/staff/liaison/keying")
    change(administrator, the(stored, "liaison@district.example").id, "off")
    administrator.sees("liaison@district.example can no longer sign in.", "deactivated")
    liaison.opens("/staff/liaison/keying")
    assert liaison.path.startswith("/staff/login")
    liaison.sends(email="liaison@district.example", password=PASSWORD)
    assert liaison.path.startswith("/staff/login")
    change(administrator, the(stored, "liaison@district.example").id, "on")
    administrator.sees("can sign in again")
    StaffMember(site).signs_in("liaison@district.example", PASSWORD)


def change(person: StaffMember, staff_id: int, deed: str, status: int = 200) -> None:
    person.opens(STAFF)
    token = person.field("csrf_token")
    data = person.client.post(f"{STAFF}/{staff_id}/{deed}", data={"csrf_token": token})
    if data.status_code == 302:
        person.opens(STAFF)
    else:
        assert data.status_code == status


def test_signing_out_everywhere(someone: Someone, stored: Any) -> None:
    liaison, administrator = someone("liaison"), someone("administrator")
    change(administrator, the(stored, "liaison@district.example").id, "out")
    administrator.sees("liaison@district.example was signed out everywhere.")
    liaison.opens("/staff/liaison/keying")
    assert liaison.path.startswith("/staff/login")
    liaison.signs_in("liaison@district.example", PASSWORD)


def test_a_forgotten_password(someone: Someone, site: Any, stored: Any) -> None:
    administrator = someone("administrator")
    administrator.opens(STAFF)
    form = next(
        form
        for form in administrator.page.all("form")
        if form.get("action") == f"{STAFF}/{the(stored, 'leader@district.example').id}/password"
    )
    administrator.sends(button=next(form.all("button")).text)
    password = shown_password(administrator)
    StaffMember(site).signs_in("leader@district.example", password)
    stranger = StaffMember(site)
    stranger.opens("/staff/login").sends(email="leader@district.example", password=PASSWORD)
    assert stranger.path == "/staff/login"


@pytest.mark.parametrize("deed", ["off", "password"])
def test_nobody_locks_themselves_out(someone: Someone, stored: Any, deed: str) -> None:
    administrator = someone("administrator")
    before = the(stored, "administrator@district.example")
    change(administrator, before.id, deed)
    administrator.sees("You cannot do this to your own account.")
    after = the(stored, "administrator@district.example")
    assert (after.active, after.password, after.fs_uniquifier) == (True, before.password, before.fs_uniquifier)


def test_made_up_people_and_deeds_are_not_found(someone: Someone) -> None:
    administrator = someone("administrator")
    for staff_id, deed in [(99_999, "off"), (10**30, "off"), (1, "delete"), (1, "..")]:
        change(administrator, staff_id, deed, status=404)


@pytest.mark.parametrize("role", ["liaison", "leader", "translator"])
def test_others_stay_out(someone: Someone, stored: Any, role: str) -> None:
    person = someone(role)
    person.opens(STAFF, status=403)
    person.opens("/staff/me")
    data = {"csrf_token": person.field("csrf_token")}
    assert person.client.post(STAFF, data=data | NEW).status_code == 403
    assert person.client.post(f"{STAFF}/1/off", data=data).status_code == 403


def test_people_are_found_by_a_part_of_their_name_or_address(someone: Someone, engine: Engine) -> None:
    administrator = someone("administrator")
    with write_session(engine) as session:
        for number in range(60):
            staff(session, "translator", email=f"t{number:02}@district.example").name = f"Person {number:02}"
        session.commit()
    administrator.opens("/staff/administration/staff").sees("Page 1 of 2", "Person 40").sees_no("Person 55")
    administrator.follows("Next page").sees("Person 55")
    page = "/staff/administration/staff?person="
    administrator.opens(f"{page}PERSON+55").sees("t55@district.example").sees_no("Person 54")
    administrator.opens(f"{page}t07%40").sees("Person 07").sees_no("Person 08")
    administrator.opens(f"{page}%25").sees("No one matches.")
