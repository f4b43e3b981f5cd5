"""Storing responses: once, completely or not at all, and with the same bytes in every mode."""

import json
import threading
from datetime import date
from random import SystemRandom

import pytest
from sqlalchemy import select

from engage.domain.intake import drafts
from engage.domain.intake.access_code_use import CodeUse, destroy_due_links, destroy_salts, is_anonymous_code_used
from engage.domain.intake.corrections import NoSuchResponse, replace_response
from engage.domain.intake.draft_encryption import DraftContent, DraftKeys
from engage.domain.intake.follow_up_requests import list_follow_ups
from engage.domain.intake.group_encryption import JOINED, ResponseGroup, open_group
from engage.domain.intake.submission import (
    AnswersRejected,
    CodeAlreadyUsed,
    build_answer_document,
    find_response_school,
)
from engage.questionnaire.library import shipped_survey
from engage.storage.engine import read_session, write_session
from engage.storage.models.invitations import Invitation, UsedCode
from engage.storage.models.paper import Keying
from engage.storage.models.responses import Draft, PendingResponse, Response, ResponseLink
from engage.storage.models.waves import Wave
from tests.makers import a_survey, a_wave, accept, group_key, group_of, staff

TODAY = date(2026, 10, 14)
RNG = SystemRandom()
KEY = b"a key for sealing response group"
RAW = {"children": ["2"], "internet": ["yes"], "speed": ["well"], "child.2.grade": [" K "], "question": ["When?"]}


@pytest.fixture
def wave(engine):
    """A stored anonymous wave."""
    with write_session(engine) as session:
        made = a_wave(session)
        session.commit()
        return made


def give(connection, wave, raw=RAW, key="a" * 64, **more):
    given = {"school_id": "lincoln", "language": "en", "mode": "web", "today": TODAY, "rng": RNG, "group_key": KEY}
    return accept(connection, a_survey(), wave, raw=raw, submission_key=key, **(given | more))


def rows(engine, table):
    with read_session(engine) as session:
        return list(session.scalars(select(table)))


def invited(engine, wave):
    """An invitation of the wave."""
    with write_session(engine) as session:
        row = {"wave_id": wave.id, "identity": wave.identity, "school_id": "lincoln", "language": "en"}
        session.add(Invitation(digest="d" * 64, **row))
        session.commit()


def keyed(engine, wave, id):
    """Add a keying to which a paper response can refer."""
    from datetime import UTC, datetime

    with write_session(engine) as session:
        person = staff(session, "liaison")
        row = {"id": id, "wave_id": wave.id, "school_id": "lincoln", "serial": None, "language": "en", "mode": "paper"}
        session.add(Keying(**row, raw="{}", keyed_by=person.id, keyed_at=datetime.now(UTC), corrected_at=None))
        session.commit()


def test_a_response_is_stored_once_and_waits_to_be_counted(engine, wave):
    with engine.begin() as connection:
        first = give(connection, wave)
    with engine.begin() as connection:
        again = give(connection, wave, {"internet": ["no"]})
    assert first.fresh
    assert not again.fresh
    assert (again.response_id, again.answers) == (first.response_id, first.answers)
    kept = {"child": [{}, {"grade": "K"}], "children": 2, "internet": "yes", "speed": "well"}
    assert json.loads(first.answers) == kept
    assert [row.id for row in rows(engine, Response)] == [row.response_id for row in rows(engine, PendingResponse)]
    assert find_response_school(engine, "a" * 64, KEY) == "lincoln"
    assert find_response_school(engine, "b" * 64, KEY) is None


def test_phone_and_paper_give_the_same_bytes(engine, wave):
    keyed(engine, wave, "c" * 64)
    with engine.begin() as connection:
        phone = give(connection, wave)
        paper = give(connection, wave, key="b" * 64, mode="paper", provenance="c" * 64)
    assert phone.answers.encode() == paper.answers.encode()


def test_the_web_is_strict_and_paper_is_not(engine, wave):
    keyed(engine, wave, "c" * 64)
    wrong = {"internet": ["yes", "no"], "children": ["many"]}
    with engine.begin() as connection, pytest.raises(AnswersRejected) as refused:
        give(connection, wave, wrong)
    assert {trouble.slot_key for trouble in refused.value.troubles} == {"internet", "children"}
    assert "internet" in str(refused.value)
    with engine.begin() as connection:
        paper = give(connection, wave, wrong, mode="paper", provenance="c" * 64)
    assert json.loads(paper.answers) == {"children": {"missing": "unclear"}, "internet": {"missing": "two_marks"}}


def test_the_words_of_a_question_stay_out_of_an_anonymous_response_only(engine, wave):
    with write_session(engine) as session:
        open_wave = a_wave(session, "known", identity="confidential")
        session.commit()
    with engine.begin() as connection:
        assert "question" not in json.loads(give(connection, wave).answers)
        assert json.loads(give(connection, open_wave, key="b" * 64).answers)["question"] == "When?"


def test_the_help_wanted_stays_out_of_an_anonymous_response_only(engine):
    survey, raw = (
        shipped_survey("home-access", version=1),
        {"help_wanted": ["device", "interpreter"], "internet": ["yes"]},
    )
    with write_session(engine) as session:
        hidden = a_wave(session, "hidden", survey=survey)
        known = a_wave(session, "known", survey=survey, identity="confidential")
        session.commit()
    assert [wish.kind for wish in list_follow_ups(survey, raw)] == ["help"], "the family asks for help"
    assert build_answer_document(survey, hidden, raw, "web").keys() == {"internet"}
    assert build_answer_document(survey, known, raw, "web")["help_wanted"] == ["device", "interpreter"]
    assert build_answer_document(survey, hidden, raw, "paper").keys() == {"internet"}


def test_a_code_is_used_up_in_the_same_transaction_and_only_once(engine, wave):
    invited(engine, wave)
    mine = CodeUse("d" * 64, spent="1" * 64)
    with engine.begin() as connection:
        assert not is_anonymous_code_used(connection, mine.invitation, mine.spent)
        give(connection, wave, chance=mine)
        assert is_anonymous_code_used(connection, mine.invitation, mine.spent)
    assert [row.used_on for row in rows(engine, Invitation)] == [None]
    assert [(row.digest, row.wave_id) for row in rows(engine, UsedCode)] == [("1" * 64, wave.id)]
    with engine.begin() as connection:
        assert not give(connection, wave, chance=mine).fresh, "the same submission again is welcome"
    with engine.begin() as connection, pytest.raises(CodeAlreadyUsed):
        give(connection, wave, key="b" * 64, chance=mine)
    with engine.begin() as connection, pytest.raises(CodeAlreadyUsed):
        give(connection, wave, key="e" * 64, chance=CodeUse("f" * 64, spent="2" * 64))
    with engine.begin() as connection, pytest.raises(ValueError, match="spent"):
        give(connection, wave, key="e" * 64, chance=CodeUse("d" * 64))
    assert len(rows(engine, Response)) == len(rows(engine, UsedCode)) == 1


def test_a_code_used_before_codes_were_unlinked_stays_used(engine, wave):
    invited(engine, wave)
    with write_session(engine) as session:
        session.add(UsedCode(digest="d" * 64, wave_id=wave.id))
        session.commit()
    with engine.begin() as connection, pytest.raises(CodeAlreadyUsed):
        give(connection, wave, chance=CodeUse("d" * 64, spent="1" * 64))
    with engine.begin() as connection:
        assert is_anonymous_code_used(connection, "d" * 64, "1" * 64)


def test_a_confidential_code_leaves_its_day_and_a_link_until_a_day(engine):
    with write_session(engine) as session:
        known = a_wave(session, "known", identity="confidential", entry="code")
        session.commit()
    invited(engine, known)
    mine = CodeUse("d" * 64, forget_on=date(2027, 4, 29))
    with engine.begin() as connection:
        stored = give(connection, known, chance=mine)
    with engine.begin() as connection:
        assert not give(connection, known, chance=mine).fresh
    assert [(row.used, row.used_on) for row in rows(engine, Invitation)] == [(True, TODAY)]
    [link] = rows(engine, ResponseLink)
    assert (link.response_id, link.invitation) == (stored.response_id, "d" * 64)
    assert rows(engine, UsedCode) == []
    with engine.begin() as connection, pytest.raises(CodeAlreadyUsed):
        give(connection, known, key="b" * 64, chance=mine)
    with engine.begin() as connection, pytest.raises(ValueError, match="forget_on"):
        give(connection, known, key="b" * 64, chance=CodeUse("d" * 64))
    with write_session(engine) as session:
        assert destroy_due_links(session, date(2027, 4, 28)) == 0
        assert destroy_due_links(session, date(2027, 4, 29)) == 1
        session.commit()
    assert rows(engine, ResponseLink) == []
    assert [row.day for row in rows(engine, Response)] == [date(2026, 10, 1)], "the wave's first day"
    assert [(row.used, row.used_on) for row in rows(engine, Invitation)] == [(True, None)], "it stays used"
    with engine.begin() as connection, pytest.raises(CodeAlreadyUsed):
        give(connection, known, key="c" * 64, chance=CodeUse("d" * 64, forget_on=date(2027, 4, 29)))


def test_small_groups_are_joined_when_the_last_link_is_destroyed(engine):
    """Otherwise a school and language with one response would identify it."""
    with write_session(engine) as session:
        known = a_wave(session, "known", identity="confidential", entry="code")
        row = {"wave_id": "known", "identity": "confidential", "school_id": "lincoln"}
        for number in range(13):
            session.add(Invitation(digest=f"{number:064}", language="ar" if number < 3 else "en", **row))
        session.commit()
        for number in range(13):
            by = CodeUse(f"{number:064}", forget_on=date(2027, 4, 29))
            give(session.connection(), known, key=f"{number:064}", chance=by)
        session.commit()
        assert {each.language for each in session.scalars(select(Response))} == {"en", "ar"}
        destroy_due_links(session, date(2027, 4, 29))
        session.commit()
    assert {each.language for each in rows(engine, Response)} == {"mul"}


def test_the_day_of_an_answer_without_a_code_goes_with_the_last_link(engine):
    """Such as a blank form from an event. Until then, only the answers whose links are due lose their day."""
    with write_session(engine) as session:
        known = a_wave(session, "known", identity="confidential", entry="code")
        row = {"wave_id": "known", "identity": "confidential", "school_id": "lincoln", "language": "en"}
        session.add_all(Invitation(digest=each * 64, **row) for each in "de")
        session.commit()
        give(session.connection(), known, key="a" * 64)
        give(session.connection(), known, key="b" * 64, chance=CodeUse("d" * 64, forget_on=date(2027, 4, 29)))
        give(session.connection(), known, key="c" * 64, chance=CodeUse("e" * 64, forget_on=date(2027, 5, 9)))
        session.commit()
    first = date(2026, 10, 1)
    for today, days in ((date(2027, 4, 29), [TODAY, first, TODAY]), (date(2027, 5, 9), [first] * 3)):
        with write_session(engine) as session:
            destroy_due_links(session, today)
            session.commit()
        assert [each.day for each in sorted(rows(engine, Response), key=lambda row: row.submission)] == days


def test_a_household_counts_under_the_language_it_reads(engine, settings):
    """In whichever language it answered; that is stored separately."""
    with write_session(engine) as session:
        waves = [a_wave(session, id, identity=id, entry="code") for id in ("confidential", "anonymous")]
        for wave in waves:
            row = {"wave_id": wave.id, "identity": wave.identity, "school_id": "lincoln", "language": "ar"}
            session.add(Invitation(digest=wave.id.ljust(64, "d"), **row))
        session.commit()
        for wave in waves:
            by = CodeUse(wave.id.ljust(64, "d"), spent="e" * 64, forget_on=date(2027, 4, 29))
            give(session.connection(), wave, key=wave.id.ljust(64, "a"), chance=by, group_key=group_key(settings))
        session.commit()
    groups = [group_of(settings, each) for each in rows(engine, Response)]
    assert groups == [ResponseGroup("lincoln", "ar", "web", "en")] * 2


def test_an_anonymous_group_is_sealed_and_its_length_tells_nothing(engine, wave, settings):
    with engine.begin() as connection:
        give(connection, wave)
        give(connection, wave, key="b" * 64, language="zh-Hans", mode="interview", provenance="c" * 64)
        with pytest.raises(ValueError, match="group_key"):
            give(connection, wave, key="c" * 64, group_key=None)
    found = rows(engine, Response)
    columns = ("school_id", "language", "mode", "answered_in", "day")
    assert {tuple(getattr(row, name) for name in columns) for row in found} == {
        (None, "mul", "mul", None, date(2026, 10, 1))
    }
    assert len({len(row.sealed_group) for row in found}) == 1
    other = open_group(bytes(32), found[0].id, found[0].sealed_group)
    assert other == JOINED, "another key opens nothing"
    moved = open_group(KEY, found[0].id, found[1].sealed_group)
    assert moved == JOINED, "and no group opens beside another response"


def test_salts_are_destroyed_when_a_wave_is_long_over(engine):
    with write_session(engine) as session:
        a_wave(session, "coded", entry="code")  # until 31 October
        session.commit()
    assert [len(row.burn_salt) for row in rows(engine, Wave)] == [64]
    with write_session(engine) as session:
        assert destroy_salts(session, date(2026, 11, 2), 0) == 0, "the last answers may come a day late"
        assert destroy_salts(session, date(2026, 11, 30), 30) == 0
        assert destroy_salts(session, date(2026, 12, 1), 30) == 1
        assert destroy_salts(session, date(2026, 12, 1), 30) == 0
        session.commit()
    assert [row.burn_salt for row in rows(engine, Wave)] == [None]


def test_a_code_of_another_wave_opens_nothing(engine, wave):
    with write_session(engine) as session:
        other = a_wave(session, "other")
        session.commit()
    invited(engine, other)
    with engine.begin() as connection, pytest.raises(CodeAlreadyUsed):
        give(connection, wave, chance=CodeUse("d" * 64, spent="1" * 64))
    assert rows(engine, UsedCode) == []


def test_many_at_the_same_moment_store_one(engine, wave):
    found, barrier = [], threading.Barrier(6)

    def one():
        barrier.wait()
        with engine.begin() as connection:
            found.append(give(connection, wave))

    threads = [threading.Thread(target=one) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len({accepted.response_id for accepted in found}) == 1
    assert [accepted.fresh for accepted in found].count(True) == 1
    assert len(rows(engine, Response)) == len(rows(engine, PendingResponse)) == 1


def test_the_draft_goes_with_the_response_or_stays_with_its_failure(engine, wave):
    with engine.begin() as connection:
        new = DraftContent("lincoln", None, None, {})
        drafts.begin_draft(connection, DraftKeys(b"k" * 32, b"l" * 32), new, wave_id=wave.id, today=TODAY)
    with pytest.raises(AnswersRejected), engine.begin() as connection:
        give(connection, wave, {"internet": ["perhaps"]}, draft_key=b"k" * 32)
    assert len(rows(engine, Draft)) == 1
    with engine.begin() as connection:
        give(connection, wave, draft_key=b"k" * 32)
    assert rows(engine, Draft) == []


def test_a_correction_changes_the_answers_and_has_the_wave_counted_anew(engine, wave):
    keyed(engine, wave, "c" * 64)
    with engine.begin() as connection:
        first = give(connection, wave, mode="paper", provenance="c" * 64)
    with engine.begin() as connection:
        second = replace_response(connection, wave, first.response_id, '{"internet":"no"}')
    assert (second.response_id, second.answers) == (first.response_id, '{"internet":"no"}')
    assert [row.answers for row in rows(engine, Response)] == ['{"internet":"no"}']
    assert [row.edits for row in rows(engine, Wave)] == [1]
    with engine.begin() as connection, pytest.raises(NoSuchResponse):
        replace_response(connection, wave, "0" * 32, "{}")


def test_ids_tell_nothing_about_order(engine, wave):
    with engine.begin() as connection:
        ids = [give(connection, wave, key=f"{n:064x}").response_id for n in range(40)]
    assert len(set(ids)) == 40
    assert ids != sorted(ids)
    assert all(len(id) == 32 and int(id, 16) >= 0 for id in ids)
