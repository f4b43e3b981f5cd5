"""The switch that allows surveys of students."""

import json

import pytest
from sqlalchemy import select

from engage.services.waves.student_surveys import are_student_surveys_allowed
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from tests.makers import PASSWORD, a_school, staff
from tests.people import StaffMember

pytestmark = pytest.mark.slow

PAGE = "/staff/administration/student-surveys"


@pytest.fixture
def administrator(site, engine):
    with write_session(engine) as session:
        a_school(session)
        email = staff(session, "administrator").email
        session.commit()
    return StaffMember(site.staff).signs_in(email, PASSWORD)


def state(engine):
    with read_session(engine) as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.deed == "allow student surveys")).all()
        return are_student_surveys_allowed(session), [json.loads(each.detail)["allowed"] for each in events]


def test_they_are_off_until_an_administrator_switches_them_on(administrator, engine):
    administrator.opens("/staff/administration/staff").follows("Student surveys").sees("Off")
    assert state(engine) == (False, [])
    administrator.sends(button="Save", is_on="y").sees("Your choice was saved.", "On", "Changed by")
    assert state(engine) == (True, [1])
    administrator.sends(button="Save", is_on="y").sees("On")
    assert state(engine) == (True, [1]), "nothing changed, so nothing is written down"
    administrator.sends(button="Save", is_on=None).sees("Off")
    assert state(engine) == (False, [1, 0])


def test_two_administrators_do_not_undo_each_other(administrator, engine, site):
    administrator.opens(PAGE)
    other = StaffMember(site.staff)
    other.client = administrator.client
    other.opens(PAGE).sends(button="Save", is_on="y")
    administrator.sends(button="Save").sees("On")
    assert state(engine)[0] is True
