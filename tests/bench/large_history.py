"""What staff of a generated large district have done so far: accounts, opt-outs, paper, conversations, the audit log,
and a published checkpoint. Numbers of rows are proportional to the number of schools."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from gettext import NullTranslations
from itertools import islice
from random import Random
from typing import Any

from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.domain.security import form_serials
from engage.domain.security.accounts import NewStaff, create_staff, new_uniquifier
from engage.domain.security.audit_log import AUDIT_KEY, AuditEntry, record_event
from engage.domain.security.encryption import derive_key
from engage.services.checkpoints.counting import count_and_freeze
from engage.services.checkpoints.freezing import publish
from engage.services.checkpoints.planning import create_checkpoint
from engage.storage.engine import write_session
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.conversations import Message, Thread
from engage.storage.models.paper import Keying, Packet, PrintRun, Sheet
from engage.storage.models.roster import OptOut
from engage.storage.models.schools import Household
from engage.storage.models.staff import Staff, staff_roles, staff_schools

BATCH = 5_000  # rows in one statement
LEADER, LIAISON, ADMINISTRATOR = (f"{role}@large.example" for role in ("leader", "liaison", "administrator"))
PASSWORD = "bench-large-2026"
FROZEN = "bench-published"  # the published checkpoint over the closed waves
CONFIDENTIAL, CLOSED = "confidential-open", ("anonymous-closed", "confidential-closed")
PAPER_LANGUAGES = ("en", "es", "ar")
# For each school:
LIAISONS, SHEETS, KEYED, THREADS, EVENTS, OPT_OUTS = 2, 75, 15, 10, 100, 3


def school(number: int) -> str:
    """Return a school's id."""
    return f"school-{number:03}"


def add_rows(session: Session, table: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows in batches."""
    rows = list(rows)
    for start in range(0, len(rows), BATCH):
        session.execute(insert(table), rows[start : start + BATCH])


def add_history(settings: Settings, engine: Engine, schools: int, today: date) -> None:
    """Add everything to a generated district whose roster, waves, and responses are committed."""
    rng = Random(77)
    places = [school(each) for each in range(schools)]
    with write_session(engine) as session:
        people = _staff(session, places)
        homes = session.scalars(select(Household.id).order_by(Household.id).limit(OPT_OUTS * schools))
        add_rows(session, OptOut, [{"household_id": home, "recorded_on": today} for home in homes])
        _paper(session, places, people, today, rng)
        _threads(session, places, people, today, rng)
        _audit(session, settings, EVENTS * schools)
        create_checkpoint(session, "Bench published", today, CLOSED, NullTranslations())
        session.commit()
    count_and_freeze(engine, FROZEN, settings.data_dir, today, lambda _session, _checkpoint: None)
    with write_session(engine) as session:
        publish(session.get_one(Checkpoint, FROZEN), today, without_promise=True)
        session.commit()


def _staff(session: Session, places: list[str]) -> list[int]:
    """Add one person of each role with PASSWORD, and liaisons of two schools each. Returns the ids of liaisons."""
    now = datetime.now(UTC)
    for email, role in ((LEADER, "leader"), (ADMINISTRATOR, "administrator"), (LIAISON, "liaison")):
        create_staff(session, NewStaff(email, f"Bench {role}", [role], places[:2], PASSWORD), now)
    session.flush()
    liaison = session.scalars(select(Staff).where(Staff.email == LIAISON)).one()
    ids = [1000 + each for each in range(LIAISONS * len(places))]
    base = {"password": liaison.password, "create_datetime": now.replace(tzinfo=None)}
    rows = ({"id": id, "email": f"l{id}@large.example", "name": f"Liaison {id}"} | base for id in ids)
    add_rows(session, Staff, ({**row, "fs_uniquifier": new_uniquifier()} for row in rows))
    add_rows(session, staff_roles, ({"staff_id": id, "role_id": liaison.roles[0].id} for id in ids))
    pairs = ((id, places[(id + step) % len(places)]) for id in ids for step in (0, 1))
    add_rows(session, staff_schools, ({"staff_id": id, "school_id": place} for id, place in pairs))
    return ids


def _paper(session: Session, places: list[str], people: list[int], today: date, rng: Random) -> None:
    """Add a packet for each school, with sheets of which some are keyed."""
    serials = form_serials.generate_serials(rng, ())
    rows = list(zip(places, people[: len(places)], strict=True))
    packets = [_packet(place, by, today) for place, by in rows]
    add_rows(session, Packet, packets)
    runs = [
        {"id": f"{rng.getrandbits(128):032x}", "wave_id": CONFIDENTIAL, "school_id": packet["school_id"]}
        | {"language": tag, "copies": SHEETS // 3, "paper": "letter", "printed_on": today, "packet_id": packet["id"]}
        for packet in packets
        for tag in PAPER_LANGUAGES
    ]
    add_rows(session, PrintRun, runs)
    sheets, keyings = [], []
    for run in runs:
        for number, serial in enumerate(islice(serials, SHEETS // 3)):
            is_keyed = number < KEYED // 3
            sheets.append({"serial": serial, "run_id": run["id"], "state": "keyed" if is_keyed else "printed"})
            if is_keyed:
                keyings.append(_keying(run, serial, people[0], rng))
    add_rows(session, Sheet, sheets)
    add_rows(session, Keying, keyings)


def _packet(place: str, by: int, today: date) -> dict[str, Any]:
    form = {"contents": "blanks", "outside": "code", "paper": "letter", "style": "standard", "arrangement": "under"}
    asked = '{"en": 25, "es": 25, "ar": 25}'
    state = {"asked": asked, "classes": "{}", "state": "ready", "made_by": by, "made_on": today, "second": None}
    return {"id": f"{place:0>32}".replace("-", "0"), "wave_id": CONFIDENTIAL, "school_id": place} | form | state


def _keying(run: dict[str, Any], serial: str, by: int, rng: Random) -> dict[str, Any]:
    stored = {name: run[name] for name in ("wave_id", "school_id", "language")}
    now = datetime.now(UTC).replace(tzinfo=None)
    return stored | {
        "id": f"{rng.getrandbits(256):064x}",
        "serial": serial,
        "mode": "paper",
        "raw": "{}",
        "keyed_by": by,
        "keyed_at": now - timedelta(days=3),
    }


def _threads(session: Session, places: list[str], people: list[int], today: date, rng: Random) -> None:
    """Add conversations, two of five of them waiting for an answer."""
    threads = [
        {"id": f"{rng.getrandbits(128):032x}", "reply_hash": f"{rng.getrandbits(256):064x}", "school_id": place}
        | {"wave_id": CONFIDENTIAL, "language": PAPER_LANGUAGES[number % 3], "kind": "question"}
        | {"opened_on": today - timedelta(days=rng.randrange(50))}
        for place in places
        for number in range(THREADS)
    ]
    add_rows(session, Thread, threads)
    add_rows(session, Message, (row for at, thread in enumerate(threads) for row in _messages(at, thread, people, rng)))


def _messages(at: int, thread: dict[str, Any], people: list[int], rng: Random) -> Iterator[dict[str, Any]]:
    for position in range(1, 2 if at % 5 < 2 else 3):
        author = ("family", "staff")[position - 1]
        yield {
            "id": f"{rng.getrandbits(128):032x}",
            "thread_id": thread["id"],
            "position": position,
            "author": author,
            "staff_id": people[0] if author == "staff" else None,
            "text": f"A question about the bus, number {at}. " * 3,
            "language": thread["language"],
            "written_on": thread["opened_on"],
        }


def _audit(session: Session, settings: Settings, number: int) -> None:
    key, now = derive_key(settings.secret().encode(), AUDIT_KEY), datetime.now(UTC) - timedelta(days=5)
    for each in range(number):
        entry = AuditEntry(f"l{1000 + each % 10}@large.example", "see who answered", CONFIDENTIAL, {"households": each})
        record_event(session, entry, key=key, now=now + timedelta(seconds=each))
