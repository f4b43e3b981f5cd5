"""A person with several roles, since small districts have one person for everything."""

import json
from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from engage.domain.conversations.threads import open_thread
from engage.storage.models.audit import AuditEvent
from engage.storage.models.schools import School
from engage.storage.models.staff import Role, Staff, StaffSession
from tests.makers import PASSWORD, a_wave
from tests.people import StaffMember, rows
from tests.sites.administration.test_staff import NEW, STAFF, change, the, told

pytestmark = pytest.mark.slow

Someone = Callable[[str], StaffMember]
EVERYTHING = ["liaison", "leader", "administrator"]


def role_names(stored: Any, email: str) -> set[str]:
    return {role.name for role in the(stored, email).roles}


def give_roles(arrange: Any, email: str, *names: str) -> None:
    """Assign roles in the database, as another administrator would."""

    def put(session: Any) -> None:
        person = session.scalars(select(Staff).where(Staff.email == email)).one()
        person.roles = list(session.scalars(select(Role).where(Role.name.in_(names))))

    arrange(put)


def test_somebody_with_three_roles_is_added_without_a_school(someone: Someone, stored: Any) -> None:
    administrator = someone("administrator")
    new = NEW | {"roles": EVERYTHING, "schools": None, "languages": ["es"]}
    administrator.opens(STAFF).sees("such as a liaison who is also a leader, sees all schools")
    administrator.sends(button="Add this person", **new)
    added = the(stored, "new@district.example")
    assert role_names(stored, "new@district.example") == set(EVERYTHING)
    assert (added.schools, added.languages) == ([], ""), "schools and languages are of those who are liaisons only"
    (event,) = told(stored, "add staff")
    assert event[2] == '{"roles":"administrator liaison leader","schools":0}'
    shown = rows(next(administrator.page.all("table")))
    cells = next(cells for name, cells in shown.items() if "new@district.example" in name)
    assert cells[:2] == ["Administrator · Community liaison · District leader", "All schools"]


@pytest.mark.parametrize(("roles", "schools"), [(["liaison"], ["lincoln"]), (["liaison", "leader"], [])])
def test_schools_are_stored_for_a_liaison_only(
    someone: Someone, stored: Any, roles: list[str], schools: list[str]
) -> None:
    someone("administrator").opens(STAFF).sends(button="Add this person", **(NEW | {"roles": roles}))
    assert [school.id for school in the(stored, "new@district.example").schools] == schools


def test_what_was_typed_is_still_there_when_something_is_wrong(someone: Someone) -> None:
    administrator = someone("administrator")
    wrong = NEW | {"email": "nobody", "roles": ["leader", "liaison"], "languages": ["so"]}
    administrator.opens(STAFF).sends(button="Add this person", status=422, **wrong)
    form = administrator._form("Add this person")
    checked = {(one.get("name"), one.get("value")) for one in form.all("input") if "checked" in one.attributes}
    assert checked == {("roles", "leader"), ("roles", "liaison"), ("schools", "lincoln"), ("languages", "so")}
    assert (administrator.field("email"), administrator.field("name")) == ("nobody", "Amina Ali")


def test_roles_are_changed_and_the_sessions_of_the_person_end(someone: Someone, stored: Any) -> None:
    liaison, administrator = someone("liaison"), someone("administrator")
    who = the(stored, "liaison@district.example")
    administrator.opens(f"{STAFF}/{who.id}").sends(roles=["liaison", "leader"])
    assert role_names(stored, who.email) == {"liaison", "leader"}
    ((_deed, _about, detail),) = told(stored, "change staff")
    assert json.loads(detail) == {"roles": "liaison → liaison leader", "schools": "lincoln → all"}
    assert all(row.staff_id != who.id for row in stored(StaffSession))
    liaison.opens("/staff/liaison/keying")
    assert liaison.path.startswith("/staff/login")
    liaison.signs_in(who.email, PASSWORD).opens("/staff/district/checkpoints")
    administrator.opens(f"{STAFF}/{who.id}")
    checked = [one.get("value") for one in administrator.page.all("input") if "checked" in one.attributes]
    assert checked == ["liaison", "leader"]
    administrator.sends(roles=["liaison"], status=422).sees("Choose at least one school.")
    administrator.sends(schools=["cedar"])
    assert [school.id for school in the(stored, who.email).schools] == ["cedar"]
    liaison.opens("/staff/district/checkpoints")
    assert liaison.path.startswith("/staff/login")
    liaison.signs_in(who.email, PASSWORD).opens("/staff/district/checkpoints", status=403)


def test_a_liaison_who_is_also_a_leader_works_with_all_schools(someone: Someone, arrange: Any) -> None:
    def ask(session: Any) -> None:
        a_wave(session, "fall", list(session.scalars(select(School))))
        place = {"wave_id": "fall", "school_id": "cedar", "language": "en", "kind": "question"}
        open_thread(session.connection(), text="When?", today=date(2026, 10, 1), rng=Random(1), **place)

    arrange(ask)
    liaison = someone("liaison")
    liaison.opens("/staff/").sees("Your schools", "Lincoln Elementary").sees_no("waiting")
    give_roles(arrange, "liaison@district.example", "liaison", "leader")
    liaison.opens("/staff/").sees("1 family is waiting for an answer.")
    liaison.opens("/staff/liaison/questions").sees("Cedar Middle School")


def test_the_menu_has_the_sections_of_all_roles(someone: Someone, arrange: Any) -> None:
    give_roles(arrange, "liaison@district.example", *EVERYTHING)
    person = someone("liaison")
    person.opens("/staff/")
    links = [link for row in person.page.all("nav") if row.get("class") == "sections" for link in row.all("a")]
    addresses = {str(link.get("href")).split("/")[2] for link in links}
    assert len(links) == 7, [link.text for link in links]
    assert addresses == {"", "district", "liaison", "administration"}
    for link in links:
        person.opens(link.attributes["href"])
    for address in ("/staff/liaison/keying", "/staff/district/checkpoints", STAFF):
        person.opens(address)
    person.sees("Administrator · Community liaison · District leader")


def test_an_administrator_of_two_loses_that_role_and_the_last_one_does_not(
    someone: Someone, stored: Any, arrange: Any
) -> None:
    give_roles(arrange, "leader@district.example", "leader", "administrator")
    administrator, other = someone("administrator"), someone("leader")
    leader, own = the(stored, "leader@district.example"), the(stored, "administrator@district.example")
    other.opens(f"{STAFF}/{leader.id}").sends(roles=["leader"]).sees("You cannot do this to your own account.")
    administrator.opens(f"{STAFF}/{leader.id}").sends(roles=["leader"])
    assert role_names(stored, leader.email) == {"leader"}
    other.signs_in(leader.email, PASSWORD).opens(f"{STAFF}/{own.id}", status=403)
    change(administrator, own.id, "off")
    assert the(stored, own.email).active
    assert role_names(stored, own.email) == {"administrator"}


def test_the_last_administrator_is_not_removed_by_a_page_that_was_open(
    someone: Someone, stored: Any, arrange: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person loses the role between the check of the page and the change."""
    give_roles(arrange, "leader@district.example", "leader", "administrator")
    administrator = someone("administrator")
    leader = the(stored, "leader@district.example")
    give_roles(arrange, "administrator@district.example", "translator")
    monkeypatch.setattr("engage.web.permissions.has_permission", lambda _roles, _permission: True)
    only = "This person is the only administrator. Give someone else that role first."
    administrator.opens(f"{STAFF}/{leader.id}").sends(roles=["leader"], status=422).sees(only)
    change(administrator, leader.id, "off")
    administrator.sees(only)
    after = the(stored, leader.email)
    assert (after.active, role_names(stored, leader.email)) == (True, {"leader", "administrator"})
    assert [event for event in stored(AuditEvent) if event.deed == "change staff"] == []
