"""Threads, and the codes with which a family reads them."""

from datetime import date
from random import SystemRandom

import pytest
from sqlalchemy import select

from engage.domain.conversations.threads import (
    LONGEST,
    InvalidMessage,
    NewMessage,
    add_message,
    find_conversations,
    load_conversations,
    open_thread,
    post_by_reply_code,
    thread_reply_hash,
)
from engage.storage.engine import read_session, write_session
from engage.storage.models.conversations import Message, Thread
from tests.makers import a_wave

TODAY = date(2026, 10, 14)
RNG = SystemRandom()
HASH = "a" * 64


@pytest.fixture(autouse=True)
def wave(engine):
    with write_session(engine) as session:
        a_wave(session)
        session.commit()


def asked(connection, text="When?", kind="question", **more):
    given = {"wave_id": "fall", "school_id": "lincoln", "language": "so", "today": TODAY, "rng": RNG}
    return post_by_reply_code(connection, HASH, kind=kind, text=text, **(given | more))


def replied(connection, thread_id, text="Soon.", language="en"):
    add_message(connection, thread_id, NewMessage("staff", text, language), today=TODAY, rng=RNG)


def test_a_question_is_found_behind_its_code_only(engine):
    with engine.begin() as connection:
        asked(connection)
    with engine.connect() as connection:
        [found] = find_conversations(connection, HASH)
        assert find_conversations(connection, "b" * 64) == []
    assert (found.kind, found.wave_id, found.school_id, found.language) == ("question", "fall", "lincoln", "so")
    assert [(said.author, said.text, said.language) for said in found.said] == [("family", "When?", "so")]
    assert not found.answered


def test_an_answer_and_what_the_family_writes_back_come_in_order(engine):
    with engine.begin() as connection:
        asked(connection)
        [thread] = find_conversations(connection, HASH)
        replied(connection, thread.id)
        asked(connection, "Thank you.")
    with engine.connect() as connection:
        [found] = find_conversations(connection, HASH)
    assert [said.text for said in found.said] == ["When?", "Soon.", "Thank you."]
    assert found.answered


def test_the_same_words_sent_twice_are_kept_once_but_may_be_said_again_later(engine):
    with engine.begin() as connection:
        asked(connection, "Hello?")
        asked(connection, "Hello?")
        asked(connection, " Hello?\r\n")
        [thread] = find_conversations(connection, HASH)
        assert len(thread.said) == 1
        replied(connection, thread.id)
        asked(connection, "Hello?")
        assert len(find_conversations(connection, HASH)[0].said) == 3


def test_question_and_help_are_two_threads_under_one_code(engine):
    with engine.begin() as connection:
        asked(connection, kind="help", text="A device", written_in="en")
        asked(connection)
        found = find_conversations(connection, HASH)
    assert [each.kind for each in found] == ["question", "help"]
    assert found[1].said[0].language == "en"
    assert found[1].language == "so"
    with read_session(engine) as session:
        hashes = list(session.scalars(select(Thread.reply_hash)))
    assert set(hashes) == {thread_reply_hash(HASH, "question"), thread_reply_hash(HASH, "help")}
    assert len(set(hashes)) == 2


@pytest.mark.parametrize("text", ["", "  \n\t", "\u202e\x00", "x" * (LONGEST + 1)])
def test_nothing_and_too_much_are_refused(engine, text):
    with engine.connect() as connection, pytest.raises(InvalidMessage):
        asked(connection, text)


def test_text_is_made_clean_and_nothing_else(engine):
    with engine.begin() as connection:
        asked(connection, "a\x00b \u202ec\r\nd <b>&")
    with read_session(engine) as session:
        assert session.scalars(select(Message.text)).one() == "ab c\nd <b>&"


def test_a_thread_from_paper_has_no_code(engine):
    given = {"wave_id": "fall", "school_id": "lincoln", "language": "so", "today": TODAY, "rng": RNG}
    with engine.begin() as connection:
        one, two = (open_thread(connection, kind="question", text="When?", **given) for _ in range(2))
    with read_session(engine) as session:
        assert {thread.id: thread.reply_hash for thread in session.scalars(select(Thread))} == {one: None, two: None}
    with engine.connect() as connection:
        assert load_conversations(connection, []) == []
