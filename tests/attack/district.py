"""Simulation of a small anonymous wave with codes, through the real intake code: who answers when, and who asks."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, update

from engage.cli.backup import copy_database
from engage.domain.conversations.threads import post_by_reply_code
from engage.domain.intake import drafts
from engage.domain.intake.access_code_use import SPENT_KEY, CodeUse, used_code_digest
from engage.domain.intake.draft_encryption import DRAFT_KEY, DraftContent, DraftKeys, phone_draft_keys
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.domain.security import access_codes
from engage.questionnaire.model import Survey
from engage.services.waves.opening import add_unnamed_invitations
from engage.storage.engine import connect, write_session
from engage.storage.models.invitations import Invitation
from engage.storage.models.responses import Response
from engage.storage.models.waves import Wave
from tests.attack.loot import Invited, Loot, tables
from tests.attack.pages import Watcher
from tests.makers import a_survey, a_wave, accept

WAVE, SURVEY = "small", a_survey()
INVITED = {"en": 12, "es": 12}
ANSWERS = 16
AT_ONCE = 3  # families that answer concurrently
ASKING = 0.25  # share of families that also ask the school something, in the same transaction
DAYS = 12
BACKUP = 20  # actions before the backup is made, while some drafts exist
FIRST = date(2026, 10, 1)
SITE = b"a key the attacker does not have"
Send = Callable[["Played", Connection, "Home"], None]


@dataclass(frozen=True)
class Home:
    """A household that answers: its line in the list of codes, its phone's secret, its answers, and when."""

    number: int
    invited: Invited
    secret: bytes
    raw: dict[str, list[str]]
    day: date
    asks: bool


@dataclass
class Played:
    """One wave with all its answers, and what an attacker can obtain."""

    seed: int
    wave: Any
    survey: Survey
    homes: list[Home]
    listed: list[Invited]
    ids: Random
    truth: dict[str, int]

    def pocket(self, home: Home) -> DraftKeys:
        """Return the keys of the household's draft."""
        return phone_draft_keys(home.secret, self.wave.id, key(DRAFT_KEY))

    def spent(self, home: Home) -> str:
        """Return the digest that its used code leaves."""
        return used_code_digest(key(SPENT_KEY), self.wave.burn_salt, home.invited.code)

    def accepts(self, connection: Connection, home: Home, *, rng: Random | None = None, **more: Any) -> str:
        """Store the answers as the site's web layer does. Returns the response's id."""
        given = {"chance": CodeUse(home.invited.digest, spent=self.spent(home)), "today": home.day}
        submission = hashlib.sha256(b"submission" + home.secret).hexdigest()
        accepted = accept(
            connection,
            self.survey,
            self.wave,
            school_id="lincoln",
            language=home.invited.language,
            mode="web",
            raw=home.raw,
            submission_key=submission,
            rng=rng or self.ids,
            draft_key=self.pocket(home).key,
            group_key=key(GROUP_KEY),
            **(given | more),
        )
        self.truth[accepted.response_id] = home.number
        if home.asks:
            hash = hashlib.sha256(b"reply" + home.secret).hexdigest()
            place = {"wave_id": self.wave.id, "school_id": "lincoln", "language": home.invited.language}
            said = {"kind": "question", "text": f"When, {self.ids.random()}?", "today": home.day, "rng": self.ids}
            post_by_reply_code(connection, hash, **place, **said)
        return accepted.response_id


def key(purpose: str) -> bytes:
    """Return the site's key for a purpose."""
    return hashlib.sha256(SITE + purpose.encode()).digest()


def soundly(played: Played, connection: Connection, home: Home) -> None:
    """Submit the answers as the site does, without any leak."""
    played.accepts(connection, home)


def wave_in(template: Path, folder: Path) -> Path:
    """Create a database with the wave, to be copied for each seed."""
    path = shutil.copy(template, folder / "wave.db")
    engine = connect(f"sqlite:///{path}")
    with write_session(engine) as session:
        a_wave(session, WAVE, entry="code", languages=tuple(INVITED), opens=FIRST)
        session.commit()
    engine.dispose()
    return Path(path)


def play(template: Path, folder: Path, seed: int, send: Send = soundly) -> tuple[Loot, dict[str, int]]:
    """Simulate a whole wave in a new database. Returns what the attacker obtains, and the truth: response id to line in
    the list."""
    path = folder / f"{seed}.db"
    shutil.copy(template, path)
    engine = connect(f"sqlite:///{path}")
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        played = _opened(engine, seed)
        connection = stack.enter_context(engine.connect())
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA synchronous=OFF")  # writes the same data, only faster
        driver.execute("PRAGMA ignore_check_constraints=ON")  # for the leaks; the site itself violates no constraint
        watcher, backups = Watcher(path), []
        watcher.look()
        for step, deed in enumerate(_deeds(played, send)):
            with connection.begin():
                deed(connection)
            watcher.look()
            if step == BACKUP:
                copy_database(path, folder / f"{seed}.backup")
                backups.append(tables(folder / f"{seed}.backup"))
        wave = {"id": played.wave.id, "burn_salt": played.wave.burn_salt}
        loot = Loot(played.listed, tables(path), watcher.commits, watcher.pages, wave, backups)
    for file in folder.glob(f"{seed}.*"):
        file.unlink()
    return loot, played.truth


def _opened(engine: Any, seed: int) -> Played:
    rng = Random(f"wave {seed}")
    listed = []
    with write_session(engine) as session:
        wave = session.get_one(Wave, WAVE)
        wave.burn_salt = f"{rng.getrandbits(256):064x}"
        for language, number in INVITED.items():
            for _ in range(number):
                code = access_codes.generate_access_code(rng)
                listed.append(
                    Invited(code, access_codes.digest(code, key(access_codes.ACCESS_KEY)), "lincoln", language)
                )
        for one in sorted(listed, key=lambda one: one.digest):
            add_unnamed_invitations(session, wave, one.school, one.language, [one.digest])
        session.commit()
    return Played(seed, wave, SURVEY, _homes(rng, listed), listed, Random(f"ids {seed}"), {})


def _homes(rng: Random, listed: list[Invited]) -> list[Home]:
    found = []
    for number in rng.sample(range(len(listed)), ANSWERS):
        raw = {"internet": [rng.choice(["yes", "no"])], "children": [str(rng.randrange(4))]}
        day = FIRST + timedelta(days=rng.randrange(DAYS))
        found.append(Home(number, listed[number], rng.randbytes(32), raw, day, rng.random() < ASKING))
    return sorted(found, key=lambda home: home.day)


def _deeds(played: Played, send: Send) -> Iterator[Callable[[Connection], None]]:
    """Yield the actions (begin, two pages, submit) of several families, interleaved at random."""
    rng, waiting, busy = Random(f"order {played.seed}"), list(played.homes), []
    while waiting or busy:
        while waiting and len(busy) < AT_ONCE:
            busy.append((waiting.pop(0), 0))
        place = rng.randrange(len(busy))
        home, step = busy[place]
        yield lambda connection, home=home, step=step: _step(played, connection, home, step, send)  # type: ignore[misc]
        busy[place] = (home, step + 1)
        if step == 3:
            busy.pop(place)


def _step(played: Played, connection: Connection, home: Home, step: int, send: Send) -> None:
    own = played.pocket(home)
    if step == 0:
        spent = played.spent(home)
        new = DraftContent("lincoln", home.invited.digest, spent, {})
        drafts.begin_draft(connection, own, new, wave_id=played.wave.id, today=home.day)
    elif step < 3:
        page = {1: "internet", 2: "children"}[step]
        sent = drafts.SentPage(step, [page], {page: home.raw[page]})
        drafts.save_page(connection, own, sent, today=home.day)
    else:
        send(played, connection, home)


# Ways in which a site could leak, each of them once considered safe. The attacker must detect every one.


def marking_the_invitation(played: Played, connection: Connection, home: Home) -> None:
    """The invitation's row is marked as used in the same transaction as the response."""
    played.accepts(connection, home)
    used = update(Invitation).where(Invitation.digest == home.invited.digest).values(used_on=played.wave.opens)
    connection.execute(used)


def plain_digest(played: Played, connection: Connection, home: Home) -> None:
    """A used code is stored as its SHA-256, without the site's key."""
    spent = hashlib.sha256(home.invited.code.encode()).hexdigest()
    played.accepts(connection, home, chance=CodeUse(home.invited.digest, spent=spent))


def salted_digest(played: Played, connection: Connection, home: Home) -> None:
    """A used code is stored under the wave's salt only, which is in the database."""
    spent = used_code_digest(b"", played.wave.burn_salt, home.invited.code)
    played.accepts(connection, home, chance=CodeUse(home.invited.digest, spent=spent))


class _Line(Random):
    """A random generator whose numbers increase with the line in the list."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self._line = line

    def getrandbits(self, bits: int) -> int:
        return self._line << (bits - 8)


def ids_in_order(played: Played, connection: Connection, home: Home) -> None:
    """Ids of responses increase in the order of the list of codes."""
    played.accepts(connection, home, rng=_Line(home.number))


def days_on_both_sides(played: Played, connection: Connection, home: Home) -> None:
    """The day is stored with the response and with the invitation."""
    response = played.accepts(connection, home)
    connection.execute(update(Response).where(Response.id == response).values(day=home.day))
    if len(played.truth) == ANSWERS:  # in one step after all have answered, so that no commit reveals it
        for each in played.homes:
            used = update(Invitation).where(Invitation.digest == each.invited.digest).values(used_on=each.day)
            connection.execute(used)


LEAKS = (marking_the_invitation, plain_digest, salted_digest, ids_in_order, days_on_both_sides)
