"""Statements that bypass SQLAlchemy have the same results and errors as SQLAlchemy's, on both databases."""

from datetime import date

import pytest
from sqlalchemy import Engine, bindparam, delete, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, OperationalError

from engage.storage.engine import read_session, write_session
from engage.storage.fast_statements import QuickRead, QuickWrite, QuickWrites, execute
from engage.storage.models.responses import Draft
from tests.makers import a_wave

KEY, DAY = b"k" * 32, date(2026, 10, 14)
ROW = {"key": KEY, "wave_id": "fall", "sealed": b"\x00\xff", "touched_on": DAY, "is_empty": True}

sealed = QuickRead(select(Draft.sealed).where(Draft.key == bindparam("draft")))
second = QuickRead(select(Draft.key).order_by(Draft.key).offset(1).limit(1))
add = QuickWrite(insert(Draft))
add_once = QuickWrites(
    sqlite=sqlite.insert(Draft).on_conflict_do_nothing(index_elements=["key"]),
    postgresql=postgresql.insert(Draft).on_conflict_do_nothing(index_elements=["key"]),
)
fill = QuickWrite(
    update(Draft)
    .where(Draft.key == bindparam("draft"))
    .values(sealed=bindparam("text"), touched_on=bindparam("day"), is_empty=bindparam("empty"))
)
remove = QuickWrite(delete(Draft).where(Draft.key == bindparam("draft")))


@pytest.fixture(autouse=True)
def wave(engine: Engine) -> None:
    with write_session(engine) as session:
        a_wave(session, "fall")
        session.commit()


def drafts(engine: Engine) -> list[Draft]:
    with read_session(engine) as session:
        return list(session.scalars(select(Draft)))


def test_a_row_is_stored_changed_and_removed_as_the_models_read_it(engine: Engine) -> None:
    with engine.begin() as connection:
        assert add.run(connection, ROW) == 1
    (draft,) = drafts(engine)
    assert (draft.key, draft.wave_id, draft.sealed, draft.touched_on, draft.is_empty) == tuple(ROW.values())
    with engine.begin() as connection:
        new = {"draft": KEY, "text": b"new", "day": date(2026, 10, 15), "empty": False}
        assert fill.run(connection, new) == 1
        assert fill.run(connection, new | {"draft": b"none"}) == 0
    (draft,) = drafts(engine)
    assert (draft.sealed, draft.touched_on, draft.is_empty) == (b"new", date(2026, 10, 15), False)
    with engine.begin() as connection:
        assert remove.run(connection, {"draft": KEY}) == 1
    assert drafts(engine) == []


def test_the_same_row_twice_is_stored_once_where_the_statement_says_so(engine: Engine) -> None:
    with engine.begin() as connection:
        assert [add_once.run(connection, ROW) for _ in range(2)] == [1, 0]


def test_a_transaction_sees_what_it_wrote_and_others_do_not(engine: Engine) -> None:
    with engine.begin() as connection:
        add.run(connection, ROW)
        assert sealed.within(connection, {"draft": KEY}) == (b"\x00\xff",)
        assert sealed.one(engine, {"draft": KEY}) is None
    assert sealed.one(engine, {"draft": KEY}) == (b"\x00\xff",)


def test_a_statement_holds_its_own_numbers(engine: Engine) -> None:
    with engine.begin() as connection:
        add.run(connection, ROW)
        assert second.within(connection, {}) is None
        add.run(connection, ROW | {"key": b"z" * 32})
        assert second.within(connection, {}) == (b"z" * 32,)


def test_nothing_is_kept_of_a_transaction_that_is_rolled_back(engine: Engine) -> None:
    with engine.connect() as connection:
        add.run(connection, ROW)
        connection.rollback()
    assert drafts(engine) == []


def test_errors_are_sqlalchemys_and_tell_no_values(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(IntegrityError) as found:
        add.run(connection, ROW | {"sealed": b"what a family wrote", "wave_id": "none"})
    assert "what a family wrote" not in str(found.value)


@pytest.mark.sqlite
def test_what_the_driver_cannot_do_is_an_operational_error(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("drop table unfolded"))
        with pytest.raises(OperationalError, match="no such table"):
            execute(connection, "select * from unfolded")
