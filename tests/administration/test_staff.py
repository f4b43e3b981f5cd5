"""Who may sign in."""

from collections.abc import Callable
from typing import Any

import pytest

from engage.records.staff import Staff
from tests.makers import PASSWORD
from tests.people import StaffMember

STAFF = "/staff/administration/staff"
Someone = Callable[[str], StaffMember]
NEW = {"email": "New@District.example", "name": "Amina Ali", "role": "liaison", "schools": ["lincoln"]}


def the(stored: Any, email: str) -> Staff:
    return next(person for person in stored(Staff) if person.email == email)


def shown_password(person: StaffMember) -> str:
    return next(one.text for one in person.page.all("p") if one.get("class") == "code")


def test_someone_is_added_and_signs_in_with_the_password_shown_once(
    someone: Someone, site: Any, stored: Any
) -> None:
    administrator = someone("administrator")
    administrator.opens(STAFF).sends(button="Add this person", **NEW)
    administrator.sees("First password of new@district.example:")
    password = shown_password(administrator)
    amina = the(stored, "new@district.example")
    assert [role.name for role in amina.roles] == ["liaison"]
    assert [school.id for school in amina.schools] == ["lincoln"]
    assert password not in amina.password
    administrator.opens(STAFF).sees("Amina Ali").sees_no(password)
    person = StaffMember(site)
    person.signs_in("new@district.example", password)
    person.opens("/staff/").sees("What waits for you", "Lincoln Elementary")
    person.opens("/staff/liaison/keying")


def test_schools_are_for_liaisons(someone: Someone, stored: Any) -> None:
    someone("administrator").opens(STAFF).sends(button="Add this person", **(NEW | {"role": "leader"}))
    assert the(stored, "new@district.example").schools == []


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"email": ""}, "Write an e-mail address"),
        ({"email": "nobody"}, "Write an e-mail address"),
        ({"email": "a@b"}, "Write an e-mail address"),
        ({"email": "x" * 5000 + "@district.example"}, "Write an e-mail address"),
        ({"email": "a\x00b@district.example\r\nBcc: x"}, "Write an e-mail address"),
        ({"email": "LIAISON@district.example"}, "This person can sign in already."),
        ({"name": "x" * 201}, "This is too long."),
        ({"role": "king"}, "Choose one from the list."),
        ({"schools": None}, "Choose at least one school."),
        ({"schools": ["lincoln", "atlantis"]}, "Choose at least one school."),
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
    administrator.sees("liaison@district.example can no longer sign in.", "switched off")
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
    administrator.sees("liaison@district.example is signed out everywhere.")
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
