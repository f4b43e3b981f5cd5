"""When responses are deleted, and that deletion is complete."""

from datetime import date, datetime, timedelta
from gettext import NullTranslations
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from engage.base.config import Settings
from engage.domain.conversations.threads import NewMessage, add_message, open_thread
from engage.questionnaire.editions import build_edition
from engage.services.waves.opening import WaveRefused
from engage.services.waves.retention import (
    ANSWERS,
    answers_deleted_on,
    answers_due,
    conversations_due,
    delete_answers,
    delete_conversations,
    delete_ledgers,
    fix_deletion_date,
)
from engage.services.waves.schedule import NewDays, change_days
from engage.storage.engine import read_session, write_session
from engage.storage.models.base import Base
from engage.storage.models.conversations import Message, Thread
from engage.storage.models.invitations import UsedCode
from engage.storage.models.paper import Keying, KeyingDraft, Packet, PrintRun, Sheet
from engage.storage.models.responses import Draft, PendingResponse, Response, WaveColumns
from engage.storage.models.waves import StoredEdition, Wave
from tests.makers import a_survey, a_wave, accept, printed_sheets, staff

TODAY = date(2026, 10, 14)
STORED = {  # tables of a wave that have no answers of families
    *("checkpoint_waves", "wave_schools", "wave_strata", "joined_groups", "invitations", "withdrawn_invitations"),
    *("announced_events", "burst_days", "burst_decisions"),
    *("threads", "packets", "print_runs", "sheet_links"),  # each with its own retention period
}


def closed(days: int) -> Wave:
    return Wave(id="fall", opens=date(2026, 9, 1), closes=TODAY - timedelta(days=days))


def test_answers_are_stored_for_three_years_unless_the_district_says_otherwise() -> None:
    wave = Wave(id="fall", opens=date(2026, 9, 1), closes=date(2026, 10, 2))
    assert answers_deleted_on(wave, Settings()) == date(2029, 10, 1)
    assert answers_deleted_on(wave, Settings(keep_answers_days=30)) == date(2026, 11, 1)


def test_the_day_that_families_were_told_stands() -> None:
    """Regardless of later settings; only an earlier last day of the wave makes it earlier."""
    wave, short, long = closed(0), Settings(keep_answers_days=30), Settings(keep_answers_days=400)
    wave.edition = StoredEdition(document=build_edition(a_survey(), {}).document)
    fix_deletion_date(wave, short)
    assert answers_deleted_on(wave, long) == TODAY + timedelta(days=30)
    wave.closes += timedelta(days=10)
    fix_deletion_date(wave, short)
    assert answers_deleted_on(wave, short) == TODAY + timedelta(days=30)
    wave.closes -= timedelta(days=15)
    fix_deletion_date(wave, short)
    assert answers_deleted_on(wave, short) == TODAY + timedelta(days=25)


def test_a_wave_cannot_be_made_longer_than_its_answers_are_stored(engine: Engine) -> None:
    with write_session(engine) as session:
        wave = a_wave(session, closes=TODAY)
        fix_deletion_date(wave, Settings(keep_answers_days=30))
        about: dict[str, Any] = {"today": TODAY, "keep_links": timedelta(days=180), "words": NullTranslations()}
        with pytest.raises(WaveRefused, match="answers will be deleted on 2026-11-13"):
            change_days(session, wave, NewDays(TODAY + timedelta(days=30), None), **about)
        change_days(session, wave, NewDays(TODAY + timedelta(days=29), None), **about)


def fill(session: Any, wave: Wave, keyer: int, rng: Random) -> None:
    """Add a row of everything that a wave collects."""
    place = {"wave_id": wave.id, "school_id": "lincoln", "language": "en"}
    id = f"{rng.getrandbits(256):064x}"
    about = {"mode": "paper", "keyed_by": keyer}
    session.add(Keying(id=id, raw='{"internet":["yes"]}', keyed_at=datetime(2026, 10, 1), **place, **about))
    draft = {"sheet": id[:32], "blocks": 1, "raw": "{}", "touched_at": datetime(2026, 10, 1)}
    session.add(KeyingDraft(**draft, **place, **about))
    session.add(Draft(key=rng.randbytes(32), wave_id=wave.id, sealed=b"x", touched_on=TODAY))
    session.add(UsedCode(digest=id, wave_id=wave.id))
    session.add(WaveColumns(wave_id=wave.id, rows=1, digest=id, edits=0))
    session.flush()
    stored = {"raw": {"internet": ["yes"]}, "submission_key": id, "today": TODAY, "rng": rng, "provenance": id}
    stored |= {"group_key": bytes(32)}
    accept(session.connection(), a_survey(), wave, school_id="lincoln", language="en", mode="paper", **stored)


def count(session: Any, table: type[Base]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_all_of_it_goes_on_its_day_and_nothing_of_another_wave(engine: Engine) -> None:
    settings = Settings(keep_answers_days=30)
    with write_session(engine) as session:
        keyer = staff(session, "liaison").id
        last = {"due": 30, "later": 29}
        for name, days in last.items():
            wave = a_wave(session, name, opens=date(2026, 8, 1), closes=TODAY - timedelta(days=days))
            fill(session, wave, keyer, Random(days))
        told = a_wave(session, "told", opens=date(2026, 8, 1), closes=TODAY - timedelta(days=9))
        told.delete_on = TODAY
        fill(session, told, keyer, Random(1))
        session.commit()
    with write_session(engine) as session:
        assert set(session.scalars(select(Wave.id).where(answers_due(TODAY, settings)))) == {"due", "told"}
        delete_answers(session, TODAY, settings)
        session.commit()
    with read_session(engine) as session:
        for table in (Response, PendingResponse, Keying, KeyingDraft, Draft, UsedCode, WaveColumns):
            assert session.scalars(select(table.wave_id)).all() == ["later"], table.__tablename__
        assert {wave.id: wave.deleted_on for wave in session.scalars(select(Wave))} == {
            "due": TODAY,
            "told": TODAY,
            "later": None,
        }
        assert session.scalars(select(Wave).where(answers_due(TODAY, settings))).all() == []


def test_paper_that_is_keyed_after_that_day_goes_the_next_night(engine: Engine) -> None:
    with write_session(engine) as session:
        wave = a_wave(session, opens=date(2023, 9, 1), closes=date(2023, 10, 1))
        delete_answers(session, TODAY, Settings())
        fill(session, wave, staff(session, "liaison").id, Random(2))
        assert session.scalars(select(Wave.id).where(answers_due(TODAY, Settings()))).all() == ["fall"]
        delete_answers(session, TODAY, Settings())
        assert (count(session, Response), count(session, Keying)) == (0, 0)


def test_every_table_of_a_wave_is_deleted_or_has_a_reason_to_stay() -> None:
    """A new table with answers must be listed in services/waves/retention.py."""
    of_waves = {table.name for table in Base.metadata.tables.values() if "wave_id" in table.columns}
    assert {table.__tablename__ for table in ANSWERS} | STORED == of_waves
    assert not {table.__tablename__ for table in ANSWERS} & STORED


def test_a_conversation_goes_when_nothing_was_written_for_long(engine: Engine) -> None:
    rng, before = Random(3), TODAY - timedelta(days=30)
    asked = {"school_id": "lincoln", "language": "en", "kind": "question", "text": "When?", "rng": rng}
    with write_session(engine) as session:
        wave = a_wave(session)
        connection = session.connection()
        old, answered, young = (
            open_thread(connection, wave_id=wave.id, today=day, **asked)
            for day in (before - timedelta(days=1), before - timedelta(days=1), before)
        )
        add_message(connection, answered, NewMessage("staff", "Soon.", "en"), today=TODAY, rng=rng)
        session.commit()
    with write_session(engine) as session:
        assert session.scalars(select(Thread.id).where(conversations_due(before))).all() == [old]
        delete_conversations(session, before)
        session.commit()
    with read_session(engine) as session:
        assert set(session.scalars(select(Thread.id))) == {answered, young}
        assert count(session, Message) == 3


def test_the_records_of_printing_go_with_their_sheets(engine: Engine) -> None:
    with write_session(engine) as session:
        keyer = staff(session, "liaison")
        for name, days in (("due", 91), ("later", 90)):
            wave = a_wave(session, name, opens=date(2026, 6, 1), closes=TODAY - timedelta(days=days))
            serial, _ = printed_sheets(session, wave, keyer, 2)
            place = {"wave_id": wave.id, "school_id": "lincoln", "language": "en"}
            keyed = {"mode": "paper", "raw": "{}", "keyed_by": keyer.id, "keyed_at": datetime(2026, 8, 1)}
            session.add(Keying(id=name, serial=serial, **keyed, **place))
            session.add(Thread(id=name, serial=serial, kind="question", opened_on=TODAY, **place))
            looks = {"paper": "letter", "style": "standard", "arrangement": "under", "outside": "window"}
            about = {"contents": "blanks", "asked": "{}", "classes": "{}", "state": "ready", "made_on": TODAY}
            session.add(Packet(id=name, wave_id=wave.id, school_id="lincoln", **looks, **about))
        session.commit()
    with write_session(engine) as session:
        delete_ledgers(session, TODAY - timedelta(days=90))
        session.commit()
    with read_session(engine) as session:
        assert [count(session, table) for table in (PrintRun, Sheet, Packet, Keying, Thread)] == [1, 2, 1, 2, 2]
        assert session.scalars(select(Keying.id).where(Keying.serial.is_(None))).all() == ["due"]
        assert session.scalars(select(Thread.id).where(Thread.serial.is_(None))).all() == ["due"]
