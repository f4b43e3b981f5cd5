"""Simulation of waves in which families answer and ask, through the real intake and keying code. After some nights an
attacker takes the whole database. In a confidential wave the links are deleted by then, and the attacker looks for
households."""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engage.domain.conversations.paper_threads import clear_expired_serials
from engage.domain.conversations.threads import post_by_reply_code
from engage.domain.intake.access_code_use import CodeUse, destroy_due_links, used_code_digest
from engage.domain.intake.group_assignment import assign_due_groups
from engage.domain.intake.submission import find_response
from engage.services.data_entry.duplicates import submission_key
from engage.services.data_entry.keyed_sheet import build_keyed_sheet
from engage.services.data_entry.lookup import find_numbered_sheet
from engage.services.data_entry.retention import delete_keyings, keying_cutoff
from engage.services.data_entry.saving import KeyingContext, save_keying
from engage.services.waves.opening import NewInvitation, add_invitations
from engage.storage.engine import connect, write_session
from engage.storage.language_groups import store_language_groups
from engage.storage.models.conversations import Thread
from engage.storage.models.paper import Keying
from engage.storage.models.schools import Household
from engage.storage.models.waves import Wave
from tests.makers import a_school, a_survey, a_wave, accept, printed_sheets, staff

KINDS = ("web", "code", "paper", "mixed", "confidential")
OPENS, CLOSES = date(2026, 10, 1), date(2026, 11, 30)
LAST = 20  # days after the first on which answers arrive
OPEN, OVER = OPENS + timedelta(days=LAST + 14), CLOSES + timedelta(days=2)  # nights before an attack
LINKED = CLOSES + timedelta(days=30)
HOMES = {("lincoln", "en"): 22, ("lincoln", "es"): 12, ("lincoln", "ar"): 3, ("harbor", "en"): 9, ("harbor", "ar"): 2}
ANSWERING, ASKING, ELSEWHERE = (
    0.8,
    0.4,
    0.1,
)  # shares: of households, of those that answer, of these in another language
KEY, SITE, ZONE = bytes(32), b"a key the attacker does not have", "America/Chicago"
SURVEY = a_survey()

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Home:
    """A household, and the day, language, and mode of its answer."""

    number: int
    school: str
    language: str
    page: str
    day: date
    paper: bool
    asks: bool


@dataclass
class Diary:
    """What really happened, in order. The attacker does not see it. `subject` is the thread or used code to be
    linked."""

    homes: list[Home] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    responses: list[str] = field(default_factory=list)
    keyed: list[Row] = field(default_factory=list)


@dataclass
class Dump:
    """Every row of every table, in the order of storage."""

    tables: dict[str, list[Row]]

    @property
    def responses(self) -> list[Row]:
        return self.tables["responses"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A database with an open wave, to be copied for each seed: codes by household, serials by school and language, and
    the keyer."""

    kind: str
    path: Path
    codes: Mapping[int, str]
    serials: Mapping[tuple[str, str], list[str]]
    keyer: int


def stage(template: Path, folder: Path, kind: str) -> Stage:
    """Open a wave of a kind in a copy of an empty database."""
    path = folder / f"{kind}.db"
    shutil.copy(template, path)
    engine = connect(f"sqlite:///{path}")
    with write_session(engine) as session:
        wave, codes = _opened(session, kind, Random(kind))
        keyer = staff(session, "liaison")
        places = HOMES if kind in ("paper", "mixed") else ()
        serials = {
            place: printed_sheets(session, wave, keyer, 40, school=place[0], language=place[1]) for place in places
        }
        session.commit()
        made = Stage(kind, path, codes, serials, keyer.id)
    engine.dispose()
    return made


def play(on: Stage, folder: Path, seed: int, night: date) -> tuple[Dump, Diary]:
    """Simulate a wave in a new database, taken after a night."""
    path = folder / f"{on.kind}-{seed}.db"
    shutil.copy(on.path, path)
    engine = connect(f"sqlite:///{path}")
    diary = _answered(engine, on, Random(f"{on.kind} {seed}"))
    _night(engine, LINKED if on.kind == "confidential" else night)
    engine.dispose()
    found = dump(path)
    for each in folder.glob(f"{path.name}*"):
        each.unlink()
    return found, diary


def dump(path: Path) -> Dump:
    """Return the content of a database."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        names = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        return Dump({name: [dict(row) for row in connection.execute(_in_order(connection, name))] for name in names})


def _in_order(connection: sqlite3.Connection, table: str) -> str:
    try:
        connection.execute(f"select rowid from {table}")
    except sqlite3.OperationalError:
        return f"select * from {table}"
    return f"select * from {table} order by rowid"


def _answered(engine: Engine, on: Stage, rng: Random) -> Diary:
    diary, serials = Diary(), {place: rng.sample(some, len(some)) for place, some in on.serials.items()}
    with write_session(engine) as session:
        wave = session.get_one(Wave, "asked")
        for home in _homes(on.kind, rng):
            if home.paper:
                _on_paper(session, diary, home, on.keyer, serials[home.school, home.page].pop())
            else:
                _on_the_web(session, diary, home, wave, on.codes.get(home.number), rng)
        session.commit()
    return diary


def _homes(kind: str, rng: Random) -> list[Home]:
    found, number = [], 0
    for (school, language), size in HOMES.items():
        for _ in range(size):
            number += 1
            paper = kind == "paper" or (kind == "mixed" and rng.random() < 0.4)
            page = "en" if rng.random() < ELSEWHERE and not paper else language
            day = OPENS + timedelta(days=rng.randrange(LAST))
            home = Home(number, school, language, page, day, paper, rng.random() < ASKING)
            found += [home] if rng.random() < ANSWERING else []
    rng.shuffle(found)
    return sorted(found, key=lambda home: home.day)


def _opened(session: Session, kind: str, rng: Random) -> tuple[Wave, dict[int, str]]:
    schools = [a_school(session), a_school(session, "harbor", "Harbor")]
    coded, known = kind in ("code", "confidential"), kind == "confidential"
    about = {"entry": "code" if coded else "open", "identity": "confidential" if known else "anonymous"}
    wave = a_wave(session, "asked", schools, opens=OPENS, closes=CLOSES, results_on=None, **about)
    if not coded:
        store_language_groups(session.connection(), wave.id, HOMES)
        return wave, {}
    wave.burn_salt = None if known else f"{rng.getrandbits(256):064x}"
    codes, invited = {}, []
    for (school, language), size in HOMES.items():
        for _ in range(size):
            number, digest = len(codes) + 1, f"{rng.getrandbits(256):064x}"
            codes[number] = digest
            session.add(Household(id=f"{number:032x}", school_id=school, language=language))
            invited.append(NewInvitation(digest, school, language, f"{number:032x}"))
    session.flush()
    add_invitations(session, wave, invited)
    return wave, codes


def _on_the_web(session: Session, diary: Diary, home: Home, wave: Wave, code: str | None, rng: Random) -> None:
    connection, secret = session.connection(), rng.randbytes(32)
    chance = None
    if code is not None:
        forget_on = LINKED if wave.identity == "confidential" else None
        spent = used_code_digest(SITE, wave.burn_salt, code) if wave.burn_salt else None
        chance = CodeUse(code, spent=spent, forget_on=forget_on)
    accepted = accept(
        connection,
        SURVEY,
        wave,
        school_id=home.school,
        language=home.page,
        mode="web",
        raw={"internet": [rng.choice(["yes", "no"])]},
        submission_key=hashlib.sha256(b"submission" + secret).hexdigest(),
        today=home.day,
        rng=rng,
        chance=chance,
        group_key=KEY,
    )
    if wave.identity == "confidential":
        assert code is not None
        _noted(diary, home, code, accepted.response_id)
    elif home.asks:
        place = {"wave_id": wave.id, "school_id": home.school, "language": home.page, "kind": "question"}
        reply = hashlib.sha256(b"reply" + secret).hexdigest()
        post_by_reply_code(connection, reply, text=f"When, {rng.random()}?", today=home.day, rng=rng, **place)
        thread = connection.scalar(select(Thread.id).where(Thread.reply_hash == reply))
        _noted(diary, home, str(thread), accepted.response_id)


def _on_paper(session: Session, diary: Diary, home: Home, keyer: int, serial: str) -> None:
    now = datetime.combine(home.day, time(15), UTC) + timedelta(seconds=home.number)
    paper = find_numbered_sheet(session, serial)
    assert paper is not None
    marks = {"internet": ["yes"]} | ({"question": [f"When, {home.number}?"]} if home.asks else {})
    sheet = build_keyed_sheet(paper.survey("en"), paper.wave, marks)
    keying = save_keying(session, paper, KeyingContext(keyer, now, home.day, KEY), sheet, "paper")
    stored = find_response(session.connection(), submission_key(keying))
    assert stored is not None
    row = session.get_one(Keying, keying)
    diary.keyed.append({"id": keying, "serial": serial, "keyed_at": str(row.keyed_at), "response": stored.response_id})
    if home.asks:
        thread = session.scalar(select(Thread.id).where(Thread.serial == serial))
        _noted(diary, home, str(thread), stored.response_id)


def _noted(diary: Diary, home: Home, subject: str, response: str) -> None:
    diary.homes.append(home)
    diary.subjects.append(subject)
    diary.responses.append(response)


def _night(engine: Engine, today: date) -> None:
    with write_session(engine) as session:
        destroy_due_links(session, today)
        delete_keyings(session, keying_cutoff(ZONE, today), Random(str(today)))
        clear_expired_serials(session.connection(), today)
        assign_due_groups(session.connection(), KEY, today)
        session.commit()


# Subjects to be linked, and the responses that match them


def subjects(found: Dump) -> dict[str, Row]:
    """Return threads, or used codes of a confidential wave, with all stored values that a response may share."""
    if used := [row for row in found.tables["invitations"] if row["used"]]:
        return {row["digest"]: {**row, "day": row["used_on"], "way": "web"} for row in used}
    way = {True: "paper", False: "web"}
    return {
        row["id"]: {**row, "day": row["opened_on"], "way": way[row["reply_hash"] is None]}
        for row in found.tables["threads"]
    }


def agreeing(found: Dump) -> dict[str, list[int]]:
    """Return, for each subject, the indexes of the responses that match it in everything stored: those in the narrowest
    group that fits its school, language, and mode."""
    return {id: narrowest(found.responses, row) for id, row in subjects(found).items()}


def narrowest(responses: Sequence[Row], row: Row) -> list[int]:
    """Return the indexes of the responses in the narrowest group that fits. The day is compared if both sides have
    one."""
    exact: dict[tuple[bool, bool, bool, bool], list[int]] = {}
    for place, each in enumerate(responses):
        fits = _fits(each, row)
        if fits is not None:
            exact.setdefault(fits, []).append(place)
    return exact[max(exact)] if exact else []


def _fits(response: Row, row: Row) -> tuple[bool, bool, bool, bool] | None:
    """Return which of school, language, mode, and day both share; None if any differs."""
    pairs = (
        (response["school_id"], row["school_id"]),
        (None if response["language"] == "mul" else response["language"], row["language"]),
        (None if response["mode"] == "mul" else response["mode"], row["way"]),
    )
    if any(mine is not None and mine != theirs for mine, theirs in pairs):
        return None
    shared = tuple(mine is not None for mine, _ in pairs)
    return (shared[0], shared[1], shared[2], response["day"] == row["day"])


# Strategies for guessing

Guesses = Mapping[str, int]


def strategies(found: Dump) -> dict[str, Guesses]:
    """Return guesses by name of the strategy: subject to the index of a response."""
    sought = subjects(found)
    fits = {id: narrowest(found.responses, row) for id, row in sought.items()}
    return {
        "strata": {id: places[int(id[:8], 16) % len(places)] for id, places in fits.items() if places},
        "order of storage": _in_step(list(sought), fits),
        "order of days": _in_step(sorted(sought, key=lambda id: (str(sought[id]["day"]), id)), fits),
        "order of ids": _in_step(sorted(sought), fits),
        "order of storage, backwards": _in_step(list(sought)[::-1], fits),
        "audit log": _by_audit(found, sought),
        "serials": _by_serial(found, sought),
        "shared words": _by_words(found, sought),
        "keyings in step": _by_keyings(found, sought),
    }


def _in_step(order: Sequence[str], fits: Mapping[str, list[int]]) -> Guesses:
    """Guess the first response for the first subject and so on, with both lists scaled to the same length."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for id in order:
        groups.setdefault(tuple(fits[id]), []).append(id)
    found = {}
    for places, ids in groups.items():
        for step, id in enumerate(ids if places else ()):
            found[id] = places[round(step * (len(places) - 1) / max(len(ids) - 1, 1))]
    return found


def _by_audit(found: Dump, sought: Mapping[str, Row]) -> Guesses:
    """Guess by audit log and keying, which both have the time of keying or correction."""
    at = {row["about"]: str(row["at"])[:19] for row in found.tables["audit_events"]}
    keyed = {str(row[name])[:19]: row["id"] for row in found.tables["keyings"] for name in ("keyed_at", "corrected_at")}
    places = {row["provenance"]: place for place, row in enumerate(found.responses) if row["provenance"]}
    named = {id: keyed.get(at.get(str(row.get("serial")), "")) for id, row in sought.items()}
    return {id: places[keying] for id, keying in named.items() if keying in places}


def _by_serial(found: Dump, sought: Mapping[str, Row]) -> Guesses:
    """Guess by sheet, keying, and response."""
    keyed = {row["serial"]: row["id"] for row in found.tables["keyings"] if row["serial"]}
    places = {row["provenance"]: place for place, row in enumerate(found.responses) if row["provenance"]}
    named = {id: keyed.get(row.get("serial")) for id, row in sought.items()}
    return {id: places[keying] for id, keying in named.items() if keying in places}


def _by_words(found: Dump, sought: Mapping[str, Row]) -> Guesses:
    """Guess by an id, digest, or serial that occurs on both sides."""
    theirs = {
        word: place
        for place, row in enumerate(found.responses)
        for word in (row["id"], row["submission"], row["provenance"])
        if word
    }
    own = {id: {id, str(row.get("reply_hash")), str(row.get("serial"))} for id, row in sought.items()}
    return {id: theirs[word] for id, words in own.items() for word in words if word in theirs}


def _by_keyings(found: Dump, sought: Mapping[str, Row]) -> Guesses:
    """Guess by the storage order of keyings: threads from paper are a subset in the same order."""
    places = {row["provenance"]: place for place, row in enumerate(found.responses) if row["provenance"]}
    keyed = [places[row["id"]] for row in found.tables["keyings"] if row["id"] in places]
    own = [id for id, row in sought.items() if row["way"] == "paper"]
    return _in_step(own, dict.fromkeys(own, keyed)) if keyed else {}


# Ways in which a site could leak, each of them once considered safe. The attacker must detect every one.

Leak = Callable[[Dump, Diary], None]


def _arrival(found: Dump, diary: Diary) -> None:
    """Store threads and responses in the order of arrival."""
    order = {id: place for place, id in enumerate(diary.subjects)}
    place = {id: at for at, id in enumerate(diary.responses)}
    found.tables["threads"].sort(key=lambda row: order[row["id"]])
    found.responses.sort(key=lambda row: place.get(row["id"], len(place)))


def _truth(found: Dump, diary: Diary, *names: str) -> None:
    """Store the true values of responses, unencrypted."""
    clear = dict(zip(diary.responses, diary.homes, strict=True))
    for row in found.responses:
        if home := clear.get(row["id"]):
            values = {"school_id": home.school, "language": home.page, "mode": "web", "day": str(home.day)}
            row |= {name: values[name] for name in names}


def small_strata(found: Dump, diary: Diary) -> None:
    """Each response is stored under its own school and language."""
    _truth(found, diary, "school_id", "language")


def days_on_both_sides(found: Dump, diary: Diary) -> None:
    """The day is stored with the response and with the thread."""
    _truth(found, diary, "school_id", "day")
    day = {id: str(home.day) for id, home in zip(diary.subjects, diary.homes, strict=True)}
    for row in found.tables["threads"]:
        row["opened_on"] = day[row["id"]]


def order_of_arrival(found: Dump, diary: Diary) -> None:
    """Tables with a rowid."""
    _arrival(found, diary)


def keyings_without_serial(found: Dump, diary: Diary) -> None:
    """Keyings stay in order, and only the serial is removed."""
    _kept_keyings(found, diary)
    _arrival(found, diary)


def sheets_in_the_audit_log(found: Dump, diary: Diary) -> None:
    """Keyings stay without their serial, and the audit log has the serial with the second."""
    _kept_keyings(found, diary)
    found.tables["audit_events"] = [{"about": row["serial"], "at": row["keyed_at"]} for row in diary.keyed]


def _kept_keyings(found: Dump, diary: Diary) -> None:
    of = {row["response"]: row["id"] for row in diary.keyed}
    found.tables["keyings"] = [
        {"id": row["id"], "serial": None, "keyed_at": row["keyed_at"], "corrected_at": None} for row in diary.keyed
    ]
    for row in found.responses:
        row["provenance"] = of.get(row["id"])


LEAKS: tuple[tuple[str, Leak], ...] = (
    ("web", small_strata),
    ("web", days_on_both_sides),
    ("web", order_of_arrival),
    ("paper", keyings_without_serial),
    ("paper", sheets_in_the_audit_log),
)
