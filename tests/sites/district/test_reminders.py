"""Reminders are for groups, never for single families."""

import csv
import io

import pytest

from engage.services.waves.opening import NewInvitation, add_invitations, add_unnamed_invitations
from engage.storage.engine import write_session
from engage.storage.models.responses import Response
from engage.storage.models.roster import OptOut
from tests.makers import a_school, a_wave
from tests.people import rows
from tests.sites.district.homes import a_home

pytestmark = pytest.mark.slow

PAGE = "/staff/district/waves/fall/reminders"


def respond(session, language, count, school="lincoln", start=0):
    for number in range(start, start + count):
        row = {"wave_id": "fall", "school_id": school, "language": language, "mode": "web"}
        id = f"{school}{language}{number}".encode().hex()
        session.add(Response(id=f"{id:0>32}", answers="{}", submission=f"{id:0>64}", day=DAY, **row))
    session.flush()


@pytest.fixture(autouse=True)
def _day(today):
    global DAY
    DAY = today


@pytest.fixture
def open_link(engine):
    """40 English, 20 Spanish, and 9 Somali households on the roster of Lincoln; 25, 8, and 9 of them have answered."""
    with write_session(engine) as session:
        tongues = ["en"] * 40 + ["es"] * 20 + ["so"] * 9
        for number, language in enumerate(tongues, 1):
            a_home(session, number, (f"s{number}", "lincoln"), language=language)
        schools = [a_school(session, "lincoln"), a_school(session, "cedar", "Cedar Hill")]
        a_wave(session, "fall", schools, languages=("en", "es", "so"))
        respond(session, "en", 25)
        respond(session, "es", 8)
        respond(session, "so", 9)
        session.commit()


def test_groups_are_told_in_bands(leader, open_link):
    leader.opens("/staff/district/waves").follows("Reminders The fall wave")
    table = rows(next(leader.page.all("table")))
    assert table == {"English": ["40", "about half or more"], "Español": ["20", "fewer than a quarter"]}
    leader.sees("Languages with fewer than 10 households are not shown.").sees_no("Soomaali", "25")
    leader.sees("We do not know the households at this school")


def test_one_answer_more_changes_nothing_that_is_seen(leader, open_link, engine):
    before = leader.opens(PAGE).page.text
    with write_session(engine) as session:
        respond(session, "es", 1, start=50)
        session.commit()
    assert leader.opens(PAGE).page.text == before
    with write_session(engine) as session:
        respond(session, "es", 1, start=51)
        session.commit()
    assert leader.opens(PAGE).page.text != before


def test_the_table_says_the_same(leader, open_link):
    leader.opens(PAGE).follows("Download as CSV")
    assert leader.response.headers["Content-Disposition"] == 'attachment; filename="reminders-fall.csv"'
    assert list(csv.reader(io.StringIO(leader.response.data.decode("utf-8-sig")))) == [
        ["School", "Language", "Households asked", "Answered so far"],
        ["Lincoln", "Español", "20", "fewer than a quarter"],
        ["Lincoln", "English", "40", "about half or more"],
    ]


def test_opted_out_households_are_not_expected(leader, open_link, engine, today):
    with write_session(engine) as session:
        session.add(OptOut(household_id=f"{1:032x}", recorded_on=today))
        session.commit()
    leader.opens(PAGE).sees("1 household has opted out and is not counted.")
    assert rows(next(leader.page.all("table")))["English"][0] == "39"


def test_where_there_are_codes_these_are_counted(leader, engine):
    with write_session(engine) as session:
        wave = a_wave(session, "fall", [a_school(session, "lincoln")], entry="code", identity="confidential")
        add_unnamed_invitations(session, wave, "lincoln", "ar", [f"{number:064x}" for number in range(12)])
        session.commit()
    leader.opens(PAGE)
    assert rows(next(leader.page.all("table"))) == {"العربية": ["12", "fewer than a quarter"]}


def test_a_household_that_changes_its_mind_after_it_got_a_code_is_not_expected(leader, engine, today):
    with write_session(engine) as session:
        homes = [a_home(session, number, (f"s{number}", "lincoln")) for number in range(1, 13)]
        wave = a_wave(session, "fall", [a_school(session, "lincoln")], entry="code", identity="confidential")
        add_invitations(session, wave, (NewInvitation(home.ljust(64, "d"), "lincoln", "en", home) for home in homes))
        session.add(OptOut(household_id=homes[0], recorded_on=today))
        session.commit()
    leader.opens(PAGE)
    assert rows(next(leader.page.all("table")))["English"][0] == "11"


def test_a_liaison_sees_their_own_schools_only(signs_in, open_link):
    signs_in("liaison", ("cedar",)).opens(PAGE).sees("Cedar Hill").sees_no("Lincoln")
    signs_in("liaison", ("high",)).opens(PAGE, status=404)
    signs_in("liaison", ("high",)).opens(f"{PAGE}.csv", status=404)


def test_an_unknown_wave_is_not_found(leader):
    leader.opens(PAGE, status=404)
    leader.opens("/staff/district/waves/%00/reminders", status=404)
