"""The one gate: once, all or nothing, the same bytes by every way in."""

import json
import threading
from datetime import date
from functools import partial
from random import SystemRandom

import pytest
from sqlalchemy import select

from engage.intake import drafts
from engage.intake.accept import AlreadyUsed, NoSuchResponse, NotAccepted, accept, replace, stored_school
from engage.records.responses import Draft, Invitation, Response, Unfolded
from engage.records.schools import Wave
from engage.records.session import reading, writing
from engage.records.sheets import Keying
from tests.makers import a_survey, a_wave, staff

TODAY = date(2026, 10, 14)
RNG = SystemRandom()
RAW = {"children": ["2"], "internet": ["yes"], "speed": ["well"], "child.2.grade": [" K "], "question": ["When?"]}


@pytest.fixture
def wave(engine):
    """A stored wave, anonymous."""
    with writing(engine) as session:
        made = a_wave(session)
        session.commit()
        return made


def give(connection, wave, raw=RAW, key="a" * 64, **more):
    given = {"school_id": "lincoln", "language": "en", "mode": "web", "today": TODAY, "rng": RNG}
    return accept(connection, a_survey(), wave, raw=raw, submission_key=key, **(given | more))


def rows(engine, table):
    with reading(engine) as session:
        return list(session.scalars(select(table)))


def keyed(engine, wave, id):
    """A keying that a paper response can point to."""
    from datetime import UTC, datetime

    with writing(engine) as session:
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
    assert [row.id for row in rows(engine, Response)] == [row.response_id for row in rows(engine, Unfolded)]
    assert stored_school(engine, "a" * 64) == "lincoln"
    assert stored_school(engine, "b" * 64) is None


def test_phone_and_paper_give_the_same_bytes(engine, wave):
    keyed(engine, wave, "c" * 64)
    with engine.begin() as connection:
        phone = give(connection, wave)
        paper = give(connection, wave, key="b" * 64, mode="paper", provenance="c" * 64)
    assert phone.answers.encode() == paper.answers.encode()


def test_the_web_is_strict_and_paper_is_not(engine, wave):
    keyed(engine, wave, "c" * 64)
    wrong = {"internet": ["yes", "no"], "children": ["many"]}
    with engine.begin() as connection, pytest.raises(NotAccepted) as refused:
        give(connection, wave, wrong)
    assert {trouble.slot_key for trouble in refused.value.troubles} == {"internet", "children"}
    assert "internet" in str(refused.value)
    with engine.begin() as connection:
        paper = give(connection, wave, wrong, mode="paper", provenance="c" * 64)
    assert json.loads(paper.answers) == {"children": {"missing": "unclear"}, "internet": {"missing": "two_marks"}}


def test_the_words_of_a_question_stay_out_of_an_anonymous_response_only(engine, wave):
    with writing(engine) as session:
        open_wave = a_wave(session, "known", identity="confidential")
        session.commit()
    with engine.begin() as connection:
        assert "question" not in json.loads(give(connection, wave).answers)
        assert json.loads(give(connection, open_wave, key="b" * 64).answers)["question"] == "When?"


def test_a_code_is_used_up_in_the_same_transaction_and_only_once(engine, wave):
    with writing(engine) as session:
        row = {"wave_id": wave.id, "school_id": "lincoln", "language": "en", "household_id": None, "used_on": None}
        session.add(Invitation(digest="d" * 64, **row))
        session.commit()
    with engine.begin() as connection:
        give(connection, wave, invitation="d" * 64)
    assert [row.used_on for row in rows(engine, Invitation)] == [TODAY]
    with engine.begin() as connection:
        assert not give(connection, wave, invitation="d" * 64).fresh, "the same submission again is welcome"
    with engine.begin() as connection, pytest.raises(AlreadyUsed):
        give(connection, wave, key="b" * 64, invitation="d" * 64)
    with engine.begin() as connection, pytest.raises(AlreadyUsed):
        give(connection, wave, key="e" * 64, invitation="f" * 64)
    assert len(rows(engine, Response)) == 1


def test_a_code_of_another_wave_opens_nothing(engine, wave):
    with writing(engine) as session:
        other = a_wave(session, "other")
        row = {"school_id": "lincoln", "language": "en", "household_id": None, "used_on": None}
        session.add(Invitation(digest="d" * 64, wave_id=other.id, **row))
        session.commit()
    with engine.begin() as connection, pytest.raises(AlreadyUsed):
        give(connection, wave, invitation="d" * 64)


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
    assert len(rows(engine, Response)) == len(rows(engine, Unfolded)) == 1


def test_the_draft_goes_with_the_response_or_stays_with_its_failure(engine, wave):
    begin = partial(drafts.begin, wave_id=wave.id, school_id="lincoln", language="en", invitation=None, today=TODAY)
    with engine.begin() as connection:
        begin(connection, b"k" * 32)
    with pytest.raises(NotAccepted), engine.begin() as connection:
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
        second = replace(connection, a_survey(), wave, first.response_id, {"internet": ["no"]})
    assert (second.response_id, second.answers) == (first.response_id, '{"internet":"no"}')
    assert [row.answers for row in rows(engine, Response)] == ['{"internet":"no"}']
    assert [row.edits for row in rows(engine, Wave)] == [1]
    with engine.begin() as connection, pytest.raises(NoSuchResponse):
        replace(connection, a_survey(), wave, "0" * 32, {})


def test_ids_tell_nothing_about_order(engine, wave):
    with engine.begin() as connection:
        ids = [give(connection, wave, key=f"{n:064x}").response_id for n in range(40)]
    assert len(set(ids)) == 40
    assert ids != sorted(ids)
    assert all(len(id) == 32 and int(id, 16) >= 0 for id in ids)
