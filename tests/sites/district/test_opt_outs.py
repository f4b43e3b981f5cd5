"""The list of families that opted out, and removal from it."""

from datetime import date, timedelta
from random import Random

import pytest
from sqlalchemy import select

from engage.domain.security.access_codes import ACCESS_KEY, digest, format_access_code, generate_access_code
from engage.services.waves.invitations import delete_withdrawn_codes
from engage.services.waves.opening import NewInvitation, add_invitations
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.invitations import Invitation, WithdrawnInvitation
from engage.storage.models.roster import OptedOutStudent, OptOut
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave
from tests.makers import a_wave
from tests.people import Family
from tests.sites.district.homes import a_home

pytestmark = pytest.mark.slow

LIST = "/staff/district/opt-outs"
TWO_HOMES = "This student has more than one household."


@pytest.fixture
def homes(engine, site):
    """A household at Lincoln, one with children at Lincoln and Cedar, one child with two homes, and one at Cedar
    only."""
    sealer = site.staff.extensions["engage"].sealer
    with write_session(engine) as session:
        a_home(session, 1, ("s1", "lincoln"), sealer=sealer)
        a_home(session, 2, ("s2", "cedar"), ("s3", "lincoln"))
        a_home(session, 3, ("s4", "lincoln"), language="es")
        a_home(session, 4, ("s4", "lincoln"), language="so")
        a_home(session, 5, ("s5", "cedar"))
        session.commit()


@pytest.fixture
def liaison(signs_in, homes):
    return signs_in("liaison", ("lincoln",))


def outs(engine):
    with read_session(engine) as session:
        return sorted(int(each.household_id, 16) for each in session.scalars(select(OptOut)))


def test_a_household_goes_on_the_list_and_off_again(liaison, engine, today):
    liaison.opens("/staff/").follows("Roster").sees("No family has opted out.")
    liaison.sends(button="Add to opt-outs", student=" s1 ").sees(
        "The family has been opted out.", "1 family has opted out"
    )
    liaison.sees("=HYPERLINK(1), Yusuf Ali", "October 14, 2026", "A liaison")
    assert outs(engine) == [1]
    liaison.sends(button="Remove from opt-outs").sees("The family can be asked again.")
    assert outs(engine) == []
    with read_session(engine) as session:
        events = [each for each in session.scalars(select(AuditEvent)) if each.deed == "opt out"]
    assert [(each.about, each.detail) for each in events] == [("lincoln", '{"added":1}'), ("lincoln", '{"removed":1}')]


def test_the_children_are_marked_and_unmarked(liaison, engine):
    def marks():
        with read_session(engine) as session:
            return len(session.scalars(select(OptedOutStudent)).all())

    liaison.opens(LIST).sends(button="Add to opt-outs", student="s3")
    assert marks() == 2
    liaison.sends(button="Remove from opt-outs")
    assert marks() == 0


@pytest.mark.parametrize("identity", ["confidential", "anonymous"])
def test_codes_that_are_made_already_open_nothing(liaison, engine, today, identity):
    def invitations():
        with read_session(engine) as session:
            return sorted(each.digest for each in session.scalars(select(Invitation)))

    with write_session(engine) as session:
        schools = [session.get_one(School, "lincoln")]
        for wave, closes in (("fall", date(2026, 10, 31)), ("over", date(2026, 10, 2))):
            a_wave(session, wave, schools, entry="code", identity=identity, closes=closes)
            for number in (1, 2):
                session.add(an_invitation(f"{wave}{number}", wave, number, identity))
        if identity == "confidential":
            a_wave(session, "used", schools, entry="code", identity=identity)
            session.add(an_invitation("used1", "used", 1, identity, used=True, used_on=today))
        session.commit()
    liaison.opens(LIST).sends(button="Add to opt-outs", student="s1").sees("The family has been opted out.")
    assert invitations() == ["fall2", "over1", "over2", *(["used1"] if identity == "confidential" else [])]


@pytest.mark.parametrize("identity", ["confidential", "anonymous"])
def test_a_mailed_code_opens_again_when_the_family_can_be_asked_again(liaison, site, engine, identity):
    code = generate_access_code(Random(1))
    with write_session(engine) as session:
        schools = [session.get_one(School, "lincoln")]
        wave = a_wave(session, "fall", schools, entry="code", identity=identity)
        own = digest(code, site.family.extensions["engage"].secret(ACCESS_KEY))
        add_invitations(session, wave, [NewInvitation(own, "lincoln", "en", f"{1:032x}")])
        session.commit()
    Family(site).opens(f"/en/c/{code}").sees("Start")
    liaison.opens(LIST).sends(button="Add to opt-outs", student="s1")
    Family(site).opens(f"/en/c/{code}", status=404)
    liaison.sends(button="Remove from opt-outs").sees("Access codes it has for open surveys work again.")
    Family(site).begins_with(format_access_code(code)).walks({}).sends_answers()
    liaison.opens(LIST).sends(button="Add to opt-outs", student="s1").sends(button="Remove from opt-outs")
    Family(site).opens(f"/en/c/{code}", status=410).sees("This code has been used")


def test_a_code_of_a_wave_that_ended_meanwhile_stays_away_and_goes(liaison, engine, today):
    with write_session(engine) as session:
        a_wave(session, "fall", [session.get_one(School, "lincoln")], entry="code", identity="confidential")
        session.add(an_invitation("fall1", "fall", 1, "confidential"))
        session.commit()
    liaison.opens(LIST).sends(button="Add to opt-outs", student="s1")
    with write_session(engine) as session:
        session.get_one(Wave, "fall").closes = today - timedelta(days=1)
        session.commit()
    with write_session(engine) as session:
        assert delete_withdrawn_codes(session, today - timedelta(days=1)) == 0
        assert delete_withdrawn_codes(session, today) == 1
        session.rollback()
    liaison.sends(button="Remove from opt-outs")
    with read_session(engine) as session:
        assert not session.scalars(select(Invitation)).all()
        assert not session.scalars(select(WithdrawnInvitation)).all()


def an_invitation(digest, wave, number, identity, **more):
    return Invitation(
        digest=digest, wave_id=wave, school_id="lincoln", language="en", household_id=f"{number:032x}",
        identity=identity, **more,
    )  # fmt: skip


def test_twice_is_once(liaison, engine):
    for _ in range(2):
        liaison.opens(LIST).sends(button="Add to opt-outs", student="s1")
    assert outs(engine) == [1]


def test_of_two_homes_the_person_says_which(liaison, engine):
    liaison.opens(LIST).sends(button="Add to opt-outs", student="s4").sees(TWO_HOMES, "Español", "Soomaali")
    assert outs(engine) == []
    liaison.sends(button="Add to opt-outs", households=f"{4:032x}").sees("The family has been opted out.")
    assert outs(engine) == [4]
    liaison.opens(LIST).sends(button="Add to opt-outs", student="s4").sends(
        button="Add to opt-outs", households=[f"{3:032x}"]
    )
    assert outs(engine) == [3, 4]


def test_a_household_of_somebody_else_cannot_be_chosen_instead(liaison, engine):
    liaison.opens(LIST).sends(button="Add to opt-outs", student="s4")
    liaison.sends(button="Add to opt-outs", status=422, households=[f"{5:032x}"])
    liaison.sees(TWO_HOMES, "Choose an option from the list.")
    assert outs(engine) == []


def test_a_choice_for_another_student_is_not_taken_for_this_one(liaison, engine):
    liaison.opens(LIST).sends(button="Add to opt-outs", student="s4")
    liaison.sends(button="Add to opt-outs", student="s1", households=f"{4:032x}")
    assert outs(engine) == [1]


@pytest.mark.parametrize("student", ["", "s5", "nobody", "\x00", "x" * 255, "x" * 100_000, "' or 1=1 --"])
def test_unknown_and_foreign_students_are_alike(liaison, engine, student):
    liaison.opens(LIST).sends(button="Add to opt-outs", status=422, student=student)
    if len(student) < 200:
        liaison.sees("No student at your schools has this number.")
    assert outs(engine) == []


def test_a_liaison_sees_and_changes_families_of_their_own_schools_only(liaison, signs_in, engine, today):
    with write_session(engine) as session:
        session.add_all(OptOut(household_id=f"{number:032x}", recorded_on=today) for number in (2, 5))
        session.commit()
    liaison.opens(LIST).sees("1 family has opted out", "s3").sees_no("s2", "s5")
    liaison.sends(button="Remove from opt-outs")
    assert outs(engine) == [5]
    signs_in("administrator").opens(LIST).sees("s5")
    token = liaison.field("csrf_token")
    answer = liaison.client.post(f"{LIST}/{5:032x}/end", data={"csrf_token": token})
    assert answer.status_code == 404
    assert outs(engine) == [5]


@pytest.mark.parametrize("home", ["f" * 32, "..", "%00", "x" * 3000])
def test_an_unknown_household_is_not_found(liaison, home):
    token = liaison.opens(LIST).field("csrf_token")
    assert liaison.client.post(f"{LIST}/{home}/end", data={"csrf_token": token}).status_code == 404


@pytest.mark.parametrize(("role", "status"), [("administrator", 200), ("leader", 200), ("translator", 403)])
def test_only_some_keep_the_list(signs_in, homes, role, status):
    signs_in(role).opens(LIST, status=status)


def test_the_list_is_searched_by_a_student_number(liaison, engine):
    for student in ("s1", "s3"):
        liaison.opens(LIST).sends(button="Add to opt-outs", student=student)
    liaison.sees("2 families have opted out")
    liaison.opens(f"{LIST}?student_number=s3").sees("1 family has opted out").sees_no("s1")
    liaison.opens(f"{LIST}?student_number=s2").sees("0 families have opted out").sees_no("s3")  # of another school
    liaison.opens(f"{LIST}?student_number=s3%00").sees("1 family has opted out")


def test_a_long_list_has_pages(liaison, engine):
    with write_session(engine) as session:
        for number in range(100, 160):
            home = a_home(session, number, (f"s{number}", "lincoln"))
            session.add(OptOut(household_id=home, recorded_on=date(2026, 10, 1)))
        session.commit()
    liaison.opens(LIST).sees("60 families have opted out", "Page 1 of 2", "s100", "s149").sees_no("s150")
    liaison.follows("Next page").sees("Page 2 of 2", "s150", "s159").sees_no("s149")
    liaison.follows("Previous page").sees("s149")
