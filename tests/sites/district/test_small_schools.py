"""Codes of an anonymous wave: enough to protect a school's families, or none; a lost code that was used stays used."""

import csv
import io

import pytest
from sqlalchemy import func, select

from engage.storage.engine import read_session, write_session
from engage.storage.models.invitations import Invitation, UsedCode
from tests.makers import a_school, a_wave
from tests.people import Family

PAGE = "/staff/district/waves/small/codes"


@pytest.fixture
def small(engine):
    """An anonymous wave with codes at two schools."""
    with write_session(engine) as session:
        a_wave(session, "small", [a_school(session), a_school(session, "cedar", "Cedar Hill")], entry="code")
        session.commit()


def count(engine, table):
    with read_session(engine) as session:
        return session.scalar(select(func.count()).select_from(table))


def makes(leader, **form):
    """Fill in the form for codes without a roster; returns the codes."""
    leader.opens(PAGE).sends(button="Create codes and download the list", **form)
    rows = list(csv.reader(io.StringIO(leader.response.data.decode("utf-8-sig"))))
    return [row[rows[0].index("Access code")] for row in rows[1:]]


def test_fewer_than_ten_for_a_school_are_refused_kindly(leader, small, engine):
    leader.opens(PAGE)
    button = "Create codes and download the list"
    leader.sends(button=button, status=422, school="lincoln", language="es", number=9)
    leader.sees("This survey is anonymous", "Create at least 10 codes for each school", "Lincoln Elementary")
    leader.sees_no("Cedar Hill).")
    assert count(engine, Invitation) == 0
    assert len(makes(leader, school="lincoln", language="es", number=10)) == 10
    assert len(makes(leader, school="lincoln", language="ar", number=2)) == 2, "the school has ten by now"
    leader.opens(PAGE).sends(button=button, status=422, school="cedar", language="en", number=1)
    assert count(engine, Invitation) == 12


def test_a_used_code_is_not_replaced(leader, small, engine, site):
    codes = makes(leader, school="lincoln", language="en", number=10)
    Family(site).begins_with(codes[0]).walks({}).sends_answers()
    assert count(engine, UsedCode) == 1
    leader.opens(PAGE).sends(button="Replace this code", status=422, code=codes[0])
    leader.sees("This is not a code for this survey, or it has been used.")
    leader.opens(PAGE).sends(button="Replace this code", code=codes[1])
    assert count(engine, Invitation) == 10
    Family(site).opens(f"/en/c/{codes[1]}", 404)
