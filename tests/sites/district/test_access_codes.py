"""A code for each household: created once, handed out once, and not for opted-out households."""

import csv
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor

import openpyxl
import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from engage.domain.intake.access_code_use import SPENT_KEY, used_code_digest
from engage.domain.roster.import_state import RosterIncomplete
from engage.domain.roster.sampling_units import SamplingUnit
from engage.domain.security.access_codes import ACCESS_KEY, digest, parse_access_code
from engage.services.waves.opening import NewInvitation, add_invitations
from engage.sites.district import code_withdrawal, household_codes
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.invitations import Invitation, UsedCode
from engage.storage.models.responses import Response
from engage.storage.models.roster import OptOut, RosterImport
from engage.storage.models.schools import Household
from engage.storage.models.waves import Wave
from tests.makers import a_school, a_wave
from tests.people import Family
from tests.sites.district.homes import a_home

pytestmark = pytest.mark.slow

CODES = "/staff/district/waves/fall/codes"
ROWS = {"added": 1, "changed": 0, "gone": 0, "refused": 0}  # of an import
CSV = "Create codes (CSV list)"
HEADS = [
    "Letter number", "School", "Student numbers", "Guardians", "Students", "Language", "Access code", "Link",
]  # fmt: skip


@pytest.fixture
def sealer(site):
    return site.staff.extensions["engage"].sealer


@pytest.fixture
def rostered(engine, sealer):
    """Three households in a confidential wave with codes. One reads Somali, which is not offered."""
    with write_session(engine) as session:
        a_home(session, 1, ("s1", "lincoln"), ("s2", "cedar"), language="es", sealer=sealer)
        a_home(session, 2, ("s3", "lincoln"), language="so")
        a_home(session, 3, ("s4", "cedar"))
        schools = [a_school(session, "lincoln"), a_school(session, "cedar")]
        a_wave(session, "fall", schools, entry="code", identity="confidential", languages=("en", "es"))
        session.commit()


def the_list(visitor):
    heads, *rows = csv.reader(io.StringIO(visitor.response.data.decode("utf-8-sig")))
    assert heads == HEADS
    return rows


def count(engine, table):
    with read_session(engine) as session:
        return session.scalar(select(func.count()).select_from(table))


def test_each_household_gets_a_code_that_opens_the_survey(leader, rostered, engine, site):
    leader.opens(CODES).sees("3 households are included in this survey.", "3 have no code yet.")
    leader.sends(button=CSV, kind="csv")
    assert leader.response.headers["Content-Disposition"] == 'attachment; filename="codes-fall.csv"'
    assert leader.response.headers["Cache-Control"] == "no-store"
    rows = the_list(leader)
    assert [row[:6] for row in rows] == [
        ["1", "Cedar", "s4", "", "", "English"],
        ["2", "Lincoln", "s3", "", "", "English"],
        ["3", "Lincoln", "s1 s2", "'=HYPERLINK(1), Yusuf Ali", "Amina Ali", "Español"],
    ]
    key = site.staff.extensions["engage"].secret(ACCESS_KEY)
    with read_session(engine) as session:
        kept = {each.digest: each for each in session.scalars(select(Invitation))}
    reads = {row[2]: kept[digest(parse_access_code(row[6]), key)].language for row in rows}
    assert reads == {"s4": "en", "s3": "so", "s1 s2": "es"}  # regardless of the language of the letter
    for row in rows:
        assert row[7] == f"http://127.0.0.1:8000/{'es' if row[5] == 'Español' else 'en'}/c/{row[6]}"
        Family(site).opens(row[7].removeprefix("http://127.0.0.1:8000")).sends()


def test_a_second_press_makes_codes_for_new_households_only(leader, rostered, engine):
    leader.opens(CODES).sends(button=CSV, kind="csv")
    leader.opens(CODES).sees("0 have no code yet.").sees_no(CSV)
    with write_session(engine) as session:
        a_home(session, 4, ("s5", "cedar"))
        session.commit()
    leader.opens(CODES).sees("1 has no code yet.").sends(button=CSV, kind="csv")
    assert [row[2] for row in the_list(leader)] == ["s5"]
    assert count(engine, Invitation) == 4


def test_two_who_press_at_once_make_one_code_for_each(leader, signs_in, rostered, engine):
    other = signs_in("administrator").opens(CODES)
    leader.opens(CODES).sends(button=CSV, kind="csv")
    other.sends(button=CSV, kind="csv")
    other.sees("Every household already has a code.")
    assert count(engine, Invitation) == 3


def test_a_workbook_says_the_same(leader, rostered):
    leader.opens(CODES).sends(button=CSV, kind="xlsx")
    book = openpyxl.load_workbook(io.BytesIO(leader.response.data))
    heads, *rows = book["Access codes"].iter_rows(values_only=True)
    assert list(heads) == HEADS
    assert [row[2] for row in rows] == ["s4", "s3", "s1 s2"]
    cell = book["Access codes"]["D4"]
    assert (cell.data_type, cell.value) == ("s", "'=HYPERLINK(1), Yusuf Ali")
    assert ("Survey", "The fall wave") in list(book["About"].iter_rows(values_only=True))


def test_households_that_do_not_want_to_be_asked_get_none(leader, rostered, engine, today):
    with write_session(engine) as session:
        session.add(OptOut(household_id=f"{1:032x}", recorded_on=today))
        session.commit()
    leader.opens(CODES).sees("2 households are included in this survey.").sends(button=CSV, kind="csv")
    assert [row[2] for row in the_list(leader)] == ["s4", "s3"]
    leader.opens("/staff/district/waves/fall").sees("2 access codes created", "1 household has opted out")


@pytest.mark.parametrize(
    ("counting", "numbers"),
    [
        ("family", ["s1 s2", "s3", "s4"]),
        ("family_school", ["s1 s2", "s1 s2", "s3", "s4"]),
        ("student", ["s1", "s2", "s3", "s4"]),
    ],
)
def test_units_follow_the_waves_own_counting(leader, rostered, engine, counting, numbers):
    with write_session(engine) as session:
        session.get_one(Wave, "fall").counting = counting
        session.commit()
    leader.opens(CODES).sends(button=CSV, kind="csv")
    assert sorted(row[2] for row in the_list(leader)) == numbers
    leader.opens(CODES).sees("0 have no code yet.")


def test_only_some_households_are_invited(leader, rostered, engine):
    with write_session(engine) as session:
        a_home(session, 5, ("s6", "cedar"), english_learner=True)
        session.get_one(Wave, "fall").asked = "english_learners"
        session.commit()
    leader.opens(CODES).sends(button=CSV, kind="csv")
    assert [row[2] for row in the_list(leader)] == ["s6"]


def test_making_codes_is_written_down_without_a_code(leader, rostered, engine):
    leader.opens(CODES).sends(button=CSV, kind="csv")
    codes = [row[6] for row in the_list(leader)]
    with read_session(engine) as session:
        [event] = [each for each in session.scalars(select(AuditEvent)) if each.deed == "make access codes"]
    assert event.about == "fall"
    assert '"codes":3' in event.detail
    assert not any(code in event.detail for code in codes)


def test_no_code_stands_in_the_database(leader, rostered, engine, settings):
    leader.opens(CODES).sends(button=CSV, kind="csv")
    codes = [row[6] for row in the_list(leader)]
    with read_session(engine) as session:
        kept = " ".join(f"{each.digest} {each.household_id}" for each in session.scalars(select(Invitation)))
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


def test_a_lost_letters_code_is_replaced(leader, rostered, engine, site):
    leader.opens(CODES).sends(button=CSV, kind="csv")
    old = next(row[6] for row in the_list(leader) if row[2] == "s3")
    leader.opens(CODES).sends(button="Replace this code", code=old.lower().replace("-", " "))
    leader.sees("The new code is shown only once.")
    new = next(one.text for one in leader.page.all("p") if one.get("class") == "code")
    assert new != old
    Family(site).opens(f"/en/c/{old}", status=404)
    Family(site).opens(f"/en/c/{new}").sends()
    assert count(engine, Invitation) == 3
    leader.opens(CODES).sees_no(new)


@pytest.mark.parametrize("identity", ["confidential", "anonymous"])
def test_what_was_begun_with_a_replaced_code_is_not_taken(leader, engine, site, identity):
    """Otherwise the household could answer twice, with the old code and with the new one."""
    with write_session(engine) as session:
        for number in range(10):
            a_home(session, number + 1, (f"s{number}", "lincoln"))
        a_wave(session, "fall", [a_school(session, "lincoln")], entry="code", identity=identity)
        session.commit()
    leader.opens(CODES).sends(button=CSV, kind="csv")
    old = the_list(leader)[0][6]
    family = Family(site).begins_with(old).walks({"internet": "yes"})
    leader.opens(CODES).sends(button="Replace this code", code=old)
    family.sends(button="Send my answers", status=410)
    assert (count(engine, Response), count(engine, UsedCode)) == (0, 0)


def test_two_clicks_at_the_same_moment_make_one_code_for_each(signs_in, rostered, engine):
    """The second waits, and has nothing left to do."""
    clickers = [signs_in("leader", language=tag).opens(CODES) for tag in ("en", "es", "so", "vi")]
    forms = [(each.client, {"csrf_token": each.field("csrf_token"), "kind": "csv"}) for each in clickers]
    with ThreadPoolExecutor(len(forms)) as at_once:
        sent = [at_once.submit(client.post, f"{CODES}/households", data=form) for client, form in forms]
    assert sorted(each.result().status_code for each in sent) == [200, 302, 302, 302]
    assert count(engine, Invitation) == 3


@pytest.mark.parametrize("typed", ["", "nonsense", "22222-22222", "\x00", "x" * 100_000])
def test_what_is_no_code_replaces_nothing(leader, rostered, engine, typed):
    leader.opens(CODES).sends(button="Replace this code", status=422, code=typed)
    assert "aria-invalid" in leader.response.text


def test_a_used_code_of_an_anonymous_wave_is_not_replaced(leader, engine, site):
    """Otherwise the household could answer twice. The page does not say which of the two reasons applies."""
    with write_session(engine) as session:
        for number in range(10):
            a_home(session, number + 1, (f"s{number}", "lincoln"))
        wave = a_wave(session, "fall", [a_school(session, "lincoln")], entry="code")
        session.commit()
    leader.opens(CODES).sends(button=CSV, kind="csv")
    code = the_list(leader)[0][6]
    secret = site.staff.extensions["engage"].secret(SPENT_KEY)
    with write_session(engine) as session:
        session.add(UsedCode(digest=used_code_digest(secret, wave.burn_salt, parse_access_code(code)), wave_id="fall"))
        session.commit()
    leader.opens(CODES).sends(button="Replace this code", status=422, code=code)
    leader.sees("This is not a code for this survey, or it has been used.")


def test_an_anonymous_wave_needs_ten_households_in_each_school(leader, rostered, engine):
    with write_session(engine) as session:
        a_wave(session, "anonymous", [a_school(session, "lincoln")], entry="code")
        session.commit()
    leader.opens("/staff/district/waves/anonymous/codes").sends(button=CSV, kind="csv")
    leader.sees("fewer than 10 households at a school would have a code")
    assert count(engine, Invitation) == 0


def test_a_lost_list_is_made_anew_while_nobody_has_begun(leader, rostered, engine, site):
    leader.opens(CODES).sends(button=CSV, kind="csv")
    old = the_list(leader)[0][6]
    leader.opens(CODES).follows("Cancel all access codes…")
    leader.sees("3 codes will stop working.", "This cannot be undone.", "October 14, 2026, by leader")
    for typed in ("", "2", "all", "x" * 100_000):
        leader.sends(number=typed, status=422).sees("Enter 3, the number of codes that will stop working.")
    assert count(engine, Invitation) == 3
    leader.sends(number="٣").sees("3 access codes were canceled.")
    Family(site).opens(f"/en/c/{old}", status=404)
    leader.sends(button=CSV, kind="csv")
    code = the_list(leader)[0][6]
    Family(site).begins_with(code)
    leader.opens(CODES).sees_no("Cancel all access codes")
    token = re.search(r'name="csrf_token" value="([^"]+)"', leader.response.text).group(1)
    answer = leader.client.post(f"{CODES}/back", data={"csrf_token": token, "number": "3"})
    assert answer.status_code == 409
    leader.opens(f"{CODES}/back").sees("Families have started to answer. The codes stay as they are.")
    assert count(engine, Invitation) == 3


def test_without_a_roster_the_page_says_so(leader, engine):
    with write_session(engine) as session:
        a_wave(session, "fall", entry="code")
        session.commit()
    leader.opens(CODES).sees("There is no roster for these schools yet")


@pytest.mark.parametrize("kind", ["pdf", "", "../x"])
def test_an_unknown_kind_of_list_makes_nothing(leader, rostered, engine, kind):
    leader.opens(CODES).sends(button=CSV, status=400, kind=kind)
    assert count(engine, Invitation) == 0


def test_codes_are_stored_with_their_entry_in_the_log_before_the_list_is_drawn(leader, rostered, engine, monkeypatch):
    """Drawing takes long in a large district, and nobody else could write meanwhile."""

    def broken(*_values):
        raise RuntimeError("the list cannot be drawn")

    leader.opens(CODES)
    monkeypatch.setattr(household_codes, "download_code_list", broken)
    leader.sends(button=CSV, kind="csv", status=500)
    assert count(engine, Invitation) == 3
    with read_session(engine) as session:
        [event] = session.scalars(select(AuditEvent).where(AuditEvent.deed == "make access codes"))
    assert '"codes":3' in event.detail


@pytest.mark.parametrize("change", ["opt out", "home", "codes"])
def test_what_changes_while_codes_are_drawn_is_taken_into_account(leader, rostered, engine, today, monkeypatch, change):
    real = household_codes.draw_invitations
    pending = [True]

    def draw(wave, units, *how):
        if pending and pending.pop():
            with write_session(engine) as session:
                if change == "opt out":
                    session.add(OptOut(household_id=f"{1:032x}", recorded_on=today))
                elif change == "home":
                    a_home(session, 4, ("s5", "cedar"))
                    session.add(RosterImport(id="1" * 32, imported_on=today, digest="d" * 64, **ROWS))
                else:
                    home = NewInvitation("9" * 64, "cedar", "en", f"{3:032x}")
                    add_invitations(session, session.get_one(Wave, "fall"), [home])
                session.commit()
        return real(wave, units, *how)

    monkeypatch.setattr(household_codes, "draw_invitations", draw)
    leader.opens(CODES).sends(button=CSV, kind="csv")
    expected = {"opt out": {"s4", "s3"}, "home": {"s4", "s5", "s3", "s1 s2"}, "codes": {"s3", "s1 s2"}}
    assert {row[2] for row in the_list(leader)} == expected[change]
    with read_session(engine) as session:
        homes = session.scalars(select(Invitation.household_id)).all()
    assert len(homes) == len(set(homes)) == {"opt out": 2, "home": 4, "codes": 3}[change]


def test_where_changes_do_not_stop_nothing_is_created(leader, rostered, engine, today, monkeypatch):
    real, numbers = household_codes.draw_invitations, iter(range(10))

    def draw(wave, units, *how):
        with write_session(engine) as session:
            session.add(RosterImport(id=f"{next(numbers):032x}", imported_on=today, digest="d" * 64, **ROWS))
            session.commit()
        return real(wave, units, *how)

    monkeypatch.setattr(household_codes, "draw_invitations", draw)
    leader.opens(CODES).sends(button=CSV, kind="csv").sees("were just changed. Try again.")
    assert count(engine, Invitation) == 0


def _store_one_school_at_a_time(monkeypatch, before_second):
    """Each school's codes are a batch of their own; something happens before the second is stored."""
    real, numbers = household_codes._store_batch, iter(range(10))

    def store(*values):
        if next(numbers) == 1:
            before_second()
        return real(*values)

    monkeypatch.setattr(household_codes, "BATCH", 1)
    monkeypatch.setattr(household_codes, "_store_batch", store)


def test_an_opt_out_between_two_batches_is_taken_into_account(leader, rostered, engine, site, today, monkeypatch):
    def opt_out():
        with write_session(engine) as session:
            waiting = set(session.scalars(select(Household.id))) - set(session.scalars(select(Invitation.household_id)))
            gone.append(min(waiting))
            session.add(OptOut(household_id=gone[0], recorded_on=today))
            session.commit()

    gone: list[str] = []
    _store_one_school_at_a_time(monkeypatch, opt_out)
    leader.opens(CODES).sends(button=CSV, kind="csv")
    rows = the_list(leader)
    assert [int(row[0]) for row in rows] == [1, 2]  # numbered across the batches
    with read_session(engine) as session:
        invitations = session.scalars(select(Invitation)).all()
        events = session.scalars(select(AuditEvent.detail).where(AuditEvent.deed == "make access codes")).all()
    key = site.staff.extensions["engage"].secret(ACCESS_KEY)
    assert {digest(row[6].replace("-", ""), key) for row in rows} == {each.digest for each in invitations}
    assert gone[0] not in {each.household_id for each in invitations}
    assert sum(json.loads(each)["codes"] for each in events) == 2


@pytest.mark.parametrize("problem", [OperationalError("insert", {}, Exception("disk I/O error")), RosterIncomplete()])
def test_what_is_stored_is_handed_out_if_the_rest_cannot_be(leader, rostered, engine, monkeypatch, problem):
    def fail():
        raise problem

    _store_one_school_at_a_time(monkeypatch, fail)
    leader.opens(CODES).sends(button=CSV, kind="csv")
    rows = the_list(leader)
    assert len(rows) == count(engine, Invitation) > 0
    leader.opens(CODES).sees("Some households are missing from the list you downloaded.")
    leader.sends(button=CSV, kind="csv")
    assert len(rows) + len(the_list(leader)) == 3


def test_an_anonymous_school_gets_all_its_codes_in_one_transaction(monkeypatch):
    units = [SamplingUnit(f"{number:032x}", school, "en") for number, school in enumerate("abacabc" * 3)]
    for most in range(1, 25):
        monkeypatch.setattr(household_codes, "BATCH", most)
        batches = list(household_codes._school_batches(units))
        schools = [{unit.school_id for unit in batch} for batch in batches]
        assert sum(map(len, schools)) == 3
        assert all(len(batch) <= most or len(each) == 1 for batch, each in zip(batches, schools, strict=True))
        assert sorted(unit.household_id for batch in batches for unit in batch) == sorted(u.household_id for u in units)


@pytest.mark.parametrize("change", ["begins", "replaces", "nothing"])
def test_codes_are_canceled_in_batches_until_a_family_begins(leader, rostered, engine, site, monkeypatch, change):
    leader.opens(CODES).sends(button=CSV, kind="csv")
    rows, family = the_list(leader), Family(site)
    leader.opens(CODES).follows("Cancel all access codes…")

    def between(_seconds):
        if change != "nothing":
            with read_session(engine) as session:
                left = set(session.scalars(select(Invitation.digest)))
            key = site.staff.extensions["engage"].secret(ACCESS_KEY)
            code = next(row[6] for row in rows if digest(row[6].replace("-", ""), key) in left)
            if change == "begins":
                family.begins_with(code)
            else:
                with write_session(engine) as session:
                    session.delete(session.get_one(Invitation, digest(code.replace("-", ""), key)))
                    session.commit()

    monkeypatch.setattr(code_withdrawal, "BATCH", 1)
    monkeypatch.setattr(code_withdrawal, "pause_after", between)
    leader.sends(number="3")
    if change == "nothing":
        leader.sees("3 access codes were canceled.")
        assert count(engine, Invitation) == 0
    else:
        leader.sees("Only 1 access code was canceled.", "The others still work.")
        assert count(engine, Invitation) == {"begins": 2, "replaces": 1}[change]
    with read_session(engine) as session:
        details = session.scalars(select(AuditEvent.detail).where(AuditEvent.deed == "make access codes")).all()
    canceled = sum(json.loads(each).get("taken_back", 0) for each in details)
    assert canceled == (3 if change == "nothing" else 1)
