"""Who answered: in confidential waves only, with permission only, and with an audit event for each view."""

import json
from dataclasses import replace
from datetime import date, timedelta
from random import SystemRandom

import pytest
from sqlalchemy import select

from engage.domain.intake.access_code_use import CodeUse, destroy_due_links
from engage.domain.security.access_codes import ACCESS_KEY, digest
from engage.questionnaire.library import shipped_survey
from engage.services.waves.opening import NewInvitation, add_invitations
from engage.services.waves.retention import fix_deletion_date
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.roster import HouseholdStudent, Student
from engage.storage.models.schools import Household
from engage.storage.models.waves import Wave
from tests.makers import a_school, a_wave, accept

pytestmark = pytest.mark.slow

PAGE = "/staff/district/waves/access/answered"
CODES = ("2222222222", "3333333333", "4444444444")


@pytest.fixture
def access(engine, site, today):
    """A confidential wave at two schools. Three households of Lincoln have codes, and the first has answered."""
    state = site.staff.extensions["engage"]
    with write_session(engine) as session:
        schools = [a_school(session), a_school(session, "cedar", "Cedar <b>Hill</b>")]
        survey = shipped_survey("home-access", version=1)
        wave = a_wave(session, "access", schools, survey, identity="confidential", entry="code")
        a_wave(session, "private", schools, survey, entry="code")
        for number, code in enumerate(CODES):
            home = f"{number}" * 32
            named = json.dumps({"guardians": [f"Amina <i>{number}</i>"], "students": ["Omar"]})
            greeting = None if number == 2 else state.sealer.seal(named)
            session.add(Household(id=home, school_id="lincoln", language="so", greeting=greeting))
            session.add(Student(id=f"S-{number}", school_id="lincoln"))
            session.flush()
            session.add(HouseholdStudent(household_id=home, student_id=f"S-{number}"))
            add_invitations(
                session, wave, [NewInvitation(digest(code, state.secret(ACCESS_KEY)), "lincoln", "es", home)]
            )
        session.flush()
        raw = {"children": ["1"], "internet_home": ["yes"], "question": ["<script>alert(1)</script>"]}
        chance = CodeUse(digest(CODES[0], state.secret(ACCESS_KEY)), forget_on=date(2027, 4, 29))
        accept(
            session.connection(),
            survey,
            wave,
            school_id="lincoln",
            language="es",
            mode="web",
            raw={name: raw[name] for name in raw.keys() & {q.id for _, q in survey.questions()}},
            submission_key="5" * 64,
            today=today,
            rng=SystemRandom(),
            chance=chance,
        )
        session.commit()


def looks(engine):
    with read_session(engine) as session:
        found = session.scalars(select(AuditEvent).where(AuditEvent.deed == "see who answered"))
        return [(event.about, json.loads(event.detail)) for event in found]


def test_a_leader_finds_the_household_behind_a_need_and_each_look_is_written_down(leader, access, engine):
    leader.opens("/staff/district/waves").follows("The access wave").follows("Who answered")
    leader.sees("1 of 3 access codes was used.", "Cedar <b>Hill</b>", "No access codes were created for this school")
    assert looks(engine) == []
    leader.sends(button="Show the households")
    leader.sees("Amina <i>0</i>", "Omar · S-0", "Household without a name", "S-2", "not yet", "October 14, 2026")
    assert leader.page.text.index("Amina <i>1</i>") < leader.page.text.index("Amina <i>0</i>"), "the missing first"
    leader.sends(button="Show the answers")
    leader.sees("One household's answers", "Amina <i>0</i>", "<script>alert(1)</script>", "Left blank")
    assert "<script>alert" not in leader.response.text
    first = {"school": "lincoln", "households": 3}
    assert looks(engine) == [("access", first), ("access", {"school": "lincoln", "answers_of": "0" * 32})]
    leader.sends(button="Back to the households").sees("Households at this school")


def test_a_household_is_searched_for_by_name_or_student_number(leader, access, engine):
    leader.opens(PAGE).sends(button="Show the households")
    leader.sends(button="Show", search="amina <I>1").sees("Amina <i>1</i>").sees_no("Amina <i>0</i>")
    leader.sends(button="Show", search="s-2").sees("Household without a name").sees_no("Amina")
    leader.sends(button="Show", search="nobody").sees("There are no matching households.")
    assert [detail["households"] for _, detail in looks(engine)] == [3, 1, 1, 0]


def test_after_the_day_of_forgetting_the_answers_are_nobodys(leader, access, engine):
    with write_session(engine) as session:
        assert destroy_due_links(session, date(2027, 4, 29)) == 1
        session.commit()
    leader.opens(PAGE).sends(button="Show the households").sees("The link was deleted on schedule.")
    leader.sees_no("Show the answers")


@pytest.mark.parametrize("address", ["private", "none", "%00", "x" * 300])
def test_nobody_can_be_looked_up_in_another_wave(leader, access, engine, address):
    leader.opens(f"/staff/district/waves/{address}/answered", 404)
    leader.opens("/staff/district/waves/private").sees("Anonymous: no one can see who answered.")


def test_hostile_forms_find_nothing(leader, access, engine):
    leader.opens(PAGE)
    token = leader.field("csrf_token")
    for place, household in (
        ("lincoln", ""),
        ("lincoln", "\0"),
        ("lincoln", "x" * 1_000_000),
        ("cedar", "0"),
        ("no", "0"),
    ):
        data = {"csrf_token": token, "household": household}
        answer = leader.client.post(f"{PAGE}/{place}/answers", data=data)
        assert answer.status_code == 404
    assert looks(engine) == []


@pytest.mark.parametrize("role", ["liaison", "administrator", "translator"])
def test_others_may_not_look(signs_in, access, role):
    signs_in(role).opens(PAGE, 403)


@pytest.fixture
def needs(engine, access):
    """A wave about what help children need, in which nobody has answered yet."""
    with write_session(engine) as session:
        schools = [a_school(session)]
        survey = shipped_survey("supports-and-needs")
        wave = a_wave(session, "needs", schools, survey, identity="confidential", entry="code")
        add_invitations(session, wave, [NewInvitation("8" * 64, "lincoln", "es", "0" * 32)])
        session.commit()


def test_what_help_a_child_needs_is_shown_to_support_coordinators_only(leader, signs_in, needs, access):
    leader.opens(PAGE).sees("Lincoln")
    leader.opens("/staff/district/waves/needs/answered", status=403)
    coordinator = signs_in("support_coordinator")
    coordinator.opens("/staff/district/waves/needs/answered").sees("Lincoln")
    coordinator.sends().sees("Amina")
    coordinator.opens(PAGE).sees("Lincoln")
    coordinator.opens("/staff/district/checkpoints", status=403)


def test_what_help_a_child_needs_is_stored_for_a_year_at_most(engine, needs, access, settings):
    with write_session(engine) as session:
        plain, sensitive = session.get_one(Wave, "access"), session.get_one(Wave, "needs")
        for days, least in ((1000, 365), (90, 90)):
            for wave in (plain, sensitive):
                wave.delete_on = None
                fix_deletion_date(wave, replace(settings, keep_answers_days=days))
            assert plain.delete_on == plain.closes + timedelta(days=days)
            assert sensitive.delete_on == sensitive.closes + timedelta(days=least)
