"""The migration that stores since when a thread waits, with an existing database."""

from datetime import date

from alembic.script import ScriptDirectory
from sqlalchemy import Engine, select, text

from engage.storage.engine import MIGRATIONS, write_session
from engage.storage.models.conversations import Message, Thread
from tests.makers import a_wave

# thread: author and day of each message in October 2026
THREADS = {
    "asked": [("family", 3)],
    "asked twice": [("family", 3), ("family", 5)],
    "answered": [("family", 3), ("staff", 4)],
    "asked again": [("family", 3), ("staff", 4), ("family", 6), ("family", 7)],
    "answered twice": [("family", 3), ("staff", 4), ("family", 6), ("staff", 7)],
}
WAITING = {"asked": 3, "asked twice": 3, "answered": None, "asked again": 6, "answered twice": None}


def test_a_thread_waits_since_its_first_message_without_an_answer(engine: Engine) -> None:
    with write_session(engine) as session:
        a_wave(session)
        for name, messages in THREADS.items():
            about = {"wave_id": "fall", "school_id": "lincoln", "language": "en", "kind": "question"}
            session.add(Thread(id=name, opened_on=date(2026, 10, 3), **about))
            session.flush()
            for position, (author, day) in enumerate(messages, 1):
                about = {"author": author, "text": "?", "language": "en", "written_on": date(2026, 10, day)}
                session.add(Message(id=f"{name} {position}", thread_id=name, position=position, **about))
        session.commit()
    step = ScriptDirectory(str(MIGRATIONS)).get_revision("0021_large_districts").module
    with engine.begin() as connection:
        connection.execute(text(step.WAITING))
        found = dict(connection.execute(select(Thread.id, Thread.waiting_since)).all())
    assert {name: day and day.day for name, day in found.items()} == WAITING
