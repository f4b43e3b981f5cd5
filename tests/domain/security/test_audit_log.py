"""The audit chain detects all tampering, and supports concurrent writers."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from engage.domain.security import audit_anchor
from engage.domain.security.audit_log import BROKEN, DEEDS, START, AuditEntry, Verdict, record_event, verify_chain
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent, AuditHead

pytestmark = pytest.mark.slow

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
NOON = datetime(2026, 10, 14, 18, tzinfo=UTC)
EVENTS = AuditEvent.__table__
LENGTH = 40


def put(session: Session, number: int, key: bytes = KEY) -> None:
    deed = sorted(DEEDS)[number % len(DEEDS)]
    detail: dict[str, int | str] = {"rows": number, "format": "csv"}
    entry = AuditEntry(f"person{number % 5}@district.example", deed, f"checkpoint-{number}", detail)
    record_event(session, entry, key=key, now=NOON + timedelta(minutes=number))


@pytest.fixture
def chain(engine: Engine) -> Engine:
    """A chain of LENGTH events."""
    with write_session(engine) as session:
        for number in range(LENGTH):
            put(session, number)
        session.commit()
    return engine


@pytest.fixture
def unguarded(chain: Engine) -> Iterator[Session]:
    """A writing session for the chain with its triggers dropped; rolled back at the end."""
    with write_session(chain) as session:
        drop_triggers(session)
        yield session
        session.rollback()


def drop_triggers(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":  # one database for all tests, so they are restored
        session.execute(text("alter table audit_events disable trigger user"))
    else:
        for deed in ("update", "delete"):
            session.execute(text(f"drop trigger audit_events_no_{deed}"))


def test_an_empty_chain_is_whole(engine: Engine) -> None:
    with read_session(engine) as session:
        assert verify_chain(session, KEY) == Verdict(0, None)


def test_a_chain_that_was_left_alone_is_whole(chain: Engine) -> None:
    with read_session(chain) as session:
        assert verify_chain(session, KEY) == Verdict(LENGTH, None)
        assert verify_chain(session, OTHER_KEY).broken == 1


@pytest.mark.parametrize("statement", [update(EVENTS).values(actor="x"), delete(EVENTS)], ids=["update", "delete"])
def test_the_database_itself_refuses_to_change_an_event(chain: Engine, statement: Any) -> None:
    with write_session(chain) as session, pytest.raises(DBAPIError, match="append-only"):
        session.execute(statement)


# --- Tampering: each takes the session, the current events (a list of dicts), and a random generator, and changes the
# database.


def edit(session: Session, rows: list[dict[str, Any]], rng: Random) -> str:
    row = rng.choice(rows)
    field = rng.choice([name for name in row if name not in ("number", "at")])
    value = row[field][:-1] + ("x" if row[field][-1] != "x" else "y")
    session.execute(update(EVENTS).where(EVENTS.c.number == row["number"]).values({field: value}))
    return f"edit {field}"


def edit_time(session: Session, rows: list[dict[str, Any]], rng: Random) -> str:
    row = rng.choice(rows)
    when = row["at"] + timedelta(seconds=rng.choice([-1, 1, 86_400]))
    session.execute(update(EVENTS).where(EVENTS.c.number == row["number"]).values(at=when))
    return "edit at"


def renumber(session: Session, rows: list[dict[str, Any]], rng: Random) -> str:
    row = rng.choice(rows)
    session.execute(update(EVENTS).where(EVENTS.c.number == row["number"]).values(number=len(rows) + rng.randint(2, 9)))
    return "edit number"


def remove(session: Session, rows: list[dict[str, Any]], rng: Random) -> str:
    session.execute(delete(EVENTS).where(EVENTS.c.number == rng.choice(rows)["number"]))
    return "delete one"


def remove_and_close_up(session: Session, rows: list[dict[str, Any]], rng: Random) -> str:
    gone = rng.choice(rows[:-1])["number"]
    session.execute(delete(EVENTS).where(EVENTS.c.number == gone))
    for number in range(gone + 1, len(rows) + 1):
        session.execute(update(EVENTS).where(EVENTS.c.number == number).values(number=number - 1))
    session.execute(update(AuditHead).values(number=len(rows) - 1))
    return "delete one and renumber"


def cut(session: Session, rows: list[dict[str, Any]], rng: Random) -> str:
    session.execute(delete(EVENTS).where(EVENTS.c.number > len(rows) - rng.randint(1, len(rows))))
    return "delete the tail"


def cut_with_head(session: Session, rows: list[dict[str, Any]], rng: Random) -> str:
    left = len(rows) - rng.randint(1, len(rows) - 1)
    session.execute(delete(EVENTS).where(EVENTS.c.number > left))
    digest = rng.choice([rows[left - 1]["digest"], START, hashlib.sha256(b"x").hexdigest()])
    session.execute(update(AuditHead).values(number=left, digest=digest))
    return "delete the tail and forge the head"


def swap(session: Session, rows: list[dict[str, Any]], rng: Random) -> str:
    one, other = rng.sample(rows, 2)
    for here, there in ((one, other), (other, one)):
        values = {name: each for name, each in there.items() if name != "number"}
        session.execute(update(EVENTS).where(EVENTS.c.number == here["number"]).values(values))
    return "swap two"


def forge(session: Session, rows: list[dict[str, Any]], rng: Random) -> str:
    last = rows[-1]
    plain = {**last, "number": len(rows) + 1, "previous": last["digest"], "actor": "nobody@district.example"}
    plain["digest"] = hashlib.sha256(json.dumps(str(plain)).encode()).hexdigest()
    session.execute(insert(EVENTS).values(plain))
    if rng.random() < 0.5:
        session.execute(update(AuditHead).values(number=len(rows) + 1))
    return "add a forged one"


def duplicate(session: Session, rows: list[dict[str, Any]], rng: Random) -> str:
    again = {**rng.choice(rows), "number": len(rows) + 1}
    session.execute(insert(EVENTS).values(again))
    if rng.random() < 0.5:
        session.execute(update(AuditHead).values(number=len(rows) + 1))
    return "duplicate"


def head(session: Session, rows: list[dict[str, Any]], rng: Random) -> str:
    if rng.random() < 0.2:
        session.execute(delete(AuditHead))
        return "delete the head"
    other = {"number": rng.choice([0, len(rows) - 1, len(rows) + 1]), "digest": "f" * 64}
    field = rng.choice(list(other))
    session.execute(update(AuditHead).values({field: other[field]}))
    return f"edit head {field}"


def another_key(session: Session, rows: list[dict[str, Any]], rng: Random) -> str:
    session.execute(delete(EVENTS))
    session.execute(delete(AuditHead))
    session.expire_all()
    for number in range(rng.randint(1, len(rows))):
        put(session, number, OTHER_KEY)
    return "replace all by a chain of another key"


def empty(session: Session, _rows: list[dict[str, Any]], _rng: Random) -> str:
    session.execute(delete(EVENTS))
    return "delete all"


TAMPERINGS: list[Callable[[Session, list[dict[str, Any]], Random], str]] = [
    *([edit] * 6),
    edit_time,
    renumber,
    remove,
    remove_and_close_up,
    cut,
    cut_with_head,
    swap,
    forge,
    duplicate,
    head,
    another_key,
    empty,
]


@pytest.mark.parametrize("times", [150, pytest.param(1000, marks=pytest.mark.thorough)])
def test_all_tamperings_are_found(unguarded: Session, times: int) -> None:
    rows = [dict(row._mapping) for row in unguarded.execute(select(EVENTS).order_by(EVENTS.c.number))]
    rng, tried, missed = Random(20261014), Counter[str](), []
    for _ in range(times):
        step = unguarded.begin_nested()
        kind = rng.choice(TAMPERINGS)(unguarded, rows, rng)
        tried[kind] += 1
        if verify_chain(unguarded, KEY).broken is None:
            missed.append(kind)
        step.rollback()
        unguarded.expire_all()
    print(f"\n{times} tamperings of {len(tried)} kinds, {times - len(missed)} found: {dict(tried)}")
    assert not missed
    assert len(tried) >= 18
    assert verify_chain(unguarded, KEY) == Verdict(LENGTH, None), "the control: the chain itself is whole"


STRANGE = ["at = 'yesterday'", "actor = x'ff00'", "detail = cast(x'ff' as text)", "digest = 'é'"]


@pytest.mark.sqlite
@pytest.mark.parametrize("change", STRANGE)
def test_a_value_of_another_kind_is_found_too(unguarded: Session, change: str) -> None:
    unguarded.execute(text(f"update audit_events set {change} where number = 7"))
    assert verify_chain(unguarded, KEY).broken is not None


@pytest.mark.sqlite
def test_a_row_replaced_past_the_triggers_is_found(chain: Engine) -> None:
    columns = "number, at, 'x', deed, about, detail, previous, digest"
    with write_session(chain) as session:
        session.execute(text(f"insert or replace into audit_events select {columns} from audit_events where number=9"))
        assert verify_chain(session, KEY) == Verdict(9, 9, "changed")


@pytest.mark.parametrize("harm", ["cut", "cut and forged", "head gone", "edited"])
def test_going_on_after_a_break_does_not_hide_it(unguarded: Session, harm: str) -> None:
    if harm == "edited":
        unguarded.execute(update(EVENTS).where(EVENTS.c.number == 9).values(actor="x"))
    elif harm == "head gone":
        unguarded.execute(delete(AuditHead))
    else:
        unguarded.execute(delete(EVENTS).where(EVENTS.c.number > 30))
    if harm == "cut and forged":
        last = unguarded.scalar(select(EVENTS.c.digest).where(EVENTS.c.number == 30))
        unguarded.execute(update(AuditHead).values(number=30, digest=last))
    for number in range(3):
        put(unguarded, number)
    verdict = verify_chain(unguarded, KEY)
    assert verdict.broken == {"cut": 31, "cut and forged": 31, "head gone": 41, "edited": 9}[harm]
    assert (harm == "edited") == (BROKEN not in set(unguarded.scalars(select(EVENTS.c.previous))))


def test_many_hands_at_once_make_one_chain(engine: Engine) -> None:
    """There is a race for the first event too."""

    def work(hand: int) -> None:
        for number in range(15):
            with write_session(engine) as session:
                put(session, hand * 100 + number)
                session.commit()

    with ThreadPoolExecutor(4) as hands:
        list(hands.map(work, range(4)))
    with read_session(engine) as session:
        assert verify_chain(session, KEY) == Verdict(60, None)


def test_a_look_while_others_write_sees_a_whole_chain(chain: Engine) -> None:
    def work() -> None:
        for number in range(60):
            with write_session(chain) as session:
                put(session, number)
                session.commit()

    with ThreadPoolExecutor(1) as hand:
        busy, looks = hand.submit(work), 0
        while not busy.done() or looks < 5:
            with read_session(chain) as session:
                assert verify_chain(session, KEY).broken is None
            looks += 1
        busy.result()


def test_a_deed_that_is_undone_leaves_no_event(chain: Engine) -> None:
    with write_session(chain) as session:
        put(session, 1)
        session.rollback()
        put(session, 2)
        session.commit()
        assert verify_chain(session, KEY) == Verdict(LENGTH + 1, None)


def test_only_known_deeds_are_written(engine: Engine) -> None:
    with write_session(engine) as session, pytest.raises(KeyError):
        record_event(session, AuditEntry("a", "dance", "", {}), key=KEY, now=NOON)


def test_what_a_person_typed_never_stops_the_writing(engine: Engine) -> None:
    typed = "a\x00b\ud800\u202e" + "x" * 400
    with write_session(engine) as session:
        record_event(session, AuditEntry(typed, "sign in", typed, {"by": typed}), key=KEY, now=NOON)
        session.commit()
        [event] = session.scalars(select(AuditEvent)).all()
        assert event.actor == "ab" + "x" * 253
        assert verify_chain(session, KEY).broken is None


# --- The anchor: a restored database


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit-anchor"


def follow(engine: Engine, file: Path, minutes: int) -> bool:
    with read_session(engine) as session:
        return audit_anchor.advance_anchor(session, file, KEY, NOON + timedelta(minutes=minutes))


def look(engine: Engine, file: Path) -> Verdict:
    with read_session(engine) as session:
        return audit_anchor.check_chain(session, file, KEY, NOON + timedelta(hours=1))


def roll_back(engine: Engine, to: int) -> None:
    """Change the chain as restoring an older copy of the whole database does."""
    with write_session(engine) as session:
        drop_triggers(session)
        session.execute(delete(EVENTS))
        session.execute(delete(AuditHead))
        session.expire_all()
        for number in range(to):
            put(session, number)
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("alter table audit_events enable trigger user"))
        session.commit()


def test_a_database_put_back_is_seen_to_be_shorter(chain: Engine, file: Path) -> None:
    assert follow(chain, file, 0)
    roll_back(chain, 30)
    with read_session(chain) as session:
        assert verify_chain(session, KEY).broken is None, "in itself it is consistent"
    assert look(chain, file) == Verdict(30, 31, "shorter")
    assert not follow(chain, file, 5), "deeds do not move the anchor back"
    assert look(chain, file).reason == "shorter"


def test_a_database_put_back_that_grew_again_is_seen_to_be_another(chain: Engine, file: Path) -> None:
    assert follow(chain, file, 0)
    roll_back(chain, 30)
    with write_session(chain) as session:
        for number in range(50, 65):
            put(session, number)
        session.commit()
    assert look(chain, file) == Verdict(45, LENGTH, "another")
    assert not follow(chain, file, 5)


def test_after_a_restore_the_anchor_is_reset_knowingly(chain: Engine, file: Path) -> None:
    follow(chain, file, 0)
    roll_back(chain, 30)
    with read_session(chain) as session:
        audit_anchor.reset_anchor(session, file, KEY, NOON)
    assert look(chain, file) == Verdict(30, None)


def test_the_anchor_moves_once_a_minute_and_remembers_the_last_look(chain: Engine, file: Path) -> None:
    follow(chain, file, 0)
    with write_session(chain) as session:
        put(session, 1)
        session.commit()
    follow(chain, file, 0)
    kept = audit_anchor.read_anchor(file, KEY)
    assert kept is not None
    assert (kept.number, kept.verdict) == (LENGTH, None)
    follow(chain, file, 2)
    look(chain, file)
    kept = audit_anchor.read_anchor(file, KEY)
    assert kept is not None
    assert (kept.number, kept.verdict) == (LENGTH + 1, Verdict(LENGTH + 1, None))
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("harm", ["number", "digest", "text"])
def test_an_anchor_that_was_changed_is_not_believed(chain: Engine, file: Path, harm: str) -> None:
    follow(chain, file, 0)
    kept = json.loads(file.read_text())
    file.write_text("nothing" if harm == "text" else json.dumps({**kept, harm: 1}))
    assert look(chain, file).reason == "anchor changed"
    assert not follow(chain, file, 5)
