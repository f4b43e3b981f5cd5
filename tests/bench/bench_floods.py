"""How a flood of requests affects families: `python -m tests.bench.bench_floods [--seconds 15]`.

Prints a table and never fails. Families answer over an open link. At the same time, a few connections send requests as
fast as they are answered: whole responses from one address, drafts of the maximum first-page size from one address, or
wrong access codes, each from its own address on loopback. After each flood, households with valid codes arrive from
addresses that sent nothing before. Disk is the growth of the database and its log.
"""

import argparse
import asyncio
import contextlib
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from urllib.parse import urlencode

from sqlalchemy import select

from engage.base.config import Settings
from engage.domain.security.access_codes import ACCESS_KEY, digest, format_access_code, generate_access_code
from engage.domain.security.encryption import derive_key
from engage.questionnaire.library import shipped_survey
from engage.storage.engine import connect, write_session
from engage.storage.models.invitations import Invitation
from engage.storage.models.schools import School
from engage.storage.models.waves import StoredEdition, Wave
from tests.bench.families import WAVE, Phone, Refused, Script, Tally, crowd, journey, script, serving

FAMILIES = 8  # concurrent
ATTACKERS = 8  # connections
VALID = 20  # households with a code after each flood
KEEP_ALIVE = 50  # requests with a wrong code per address
FILL = 58_000  # characters in a draft, slightly less than the limit for a first page


class Attacker(Phone):
    """A connection from a given address on loopback."""

    source = "127.66.0.1"

    async def _once(self, method: str, path: str, body: bytes) -> tuple[int, str]:
        if self.lines is None:
            self.lines = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(self.source, 0))
        return await super()._once(method, path, body)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15)
    given = parser.parse_args()
    print(f"{'':34}{'flood/s':>9}{'journeys/s':>12}{'p50 ms':>9}{'p95 ms':>9}{'errors':>8}{'disk MB':>9}{'codes':>9}")
    for name, flood in FLOODS.items():
        with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as (server, plan):
            codes = _codes(Path(folder))
            said = script(plan, 0)
            asyncio.run(crowd(server.port, FAMILIES, said, Tally(), _for(3), False))
            before = _size(Path(folder))
            tally, sent = asyncio.run(_both(server.port, said, flood, given.seconds))
            grown = (_size(Path(folder)) - before) / 1e6
            opened = asyncio.run(_open_codes(server.port, codes))
            _print(name, tally, sent, given.seconds, grown, opened)
            print(f"{'':4}answers to the flood: {_answers(sent)}; {_stored(Path(folder))}")


def _print(name: str, tally: Tally, sent: Counter[int], seconds: float, grown: float, opened: int) -> None:
    waits = sorted(tally.waits) or [0.0]
    middle, high = waits[len(waits) // 2], waits[int(len(waits) * 0.95)]
    done = len(tally.acknowledged) / seconds
    print(f"{name:34}{sum(sent.values()) / seconds:>9.1f}{done:>12.1f}{middle:>9.1f}{high:>9.1f}", end="")
    print(f"{len(tally.errors):>8}{grown:>9.2f}{f'{opened} of {VALID}':>9}")


def _answers(sent: Counter[int]) -> str:
    return ", ".join(f"{status or 'no answer'}: {count}" for status, count in sorted(sent.items())) or "none"


def _for(seconds: float) -> Callable[[], bool]:
    until = time.monotonic() + seconds
    return lambda: time.monotonic() < until


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("engage.db*"))


def _stored(folder: Path) -> str:
    """Return the numbers of rows that the flood and the families have stored."""
    with contextlib.closing(sqlite3.connect(folder / "engage.db")) as database:
        responses, burst = database.execute("select count(*), sum(is_burst) from responses").fetchone()
        drafts, size = database.execute("select count(*), sum(length(sealed)) from drafts").fetchone()
    return f"{responses} responses, {burst or 0} of them marked; {drafts} drafts with {(size or 0) / 1e6:.1f} MB"


def _codes(folder: Path) -> list[str]:
    """Return valid access codes of a second wave."""
    settings, rng = Settings(data_dir=folder), Random(3)
    key, codes = derive_key(settings.secret().encode(), ACCESS_KEY), [generate_access_code(rng) for _ in range(VALID)]
    engine = connect(settings.database)
    with write_session(engine) as session:
        open_wave = session.get_one(Wave, WAVE)
        edition = session.get_one(StoredEdition, open_wave.edition_digest)
        wave = Wave(id="coded", edition_digest=edition.digest, title="Coded", identity="confidential", entry="code")
        wave.opens, wave.closes, wave.results_on, wave.languages = open_wave.opens, open_wave.closes, None, "en es ar"
        wave.schools = list(session.scalars(select(School)))
        session.add(wave)
        session.flush()
        for code in codes:
            own = {"wave_id": wave.id, "school_id": "lincoln", "language": "en", "identity": wave.identity}
            session.add(Invitation(digest=digest(code, key), **own))
        session.commit()
    engine.dispose()
    return codes


async def _open_codes(port: int, codes: list[str]) -> int:
    """Return how many households can use their code."""
    found = 0
    for number, code in enumerate(codes, 1):
        phone = Attacker(port, Tally(), patient=False)
        phone.source = f"127.77.{number}.1"
        status, _ = await phone.ask("GET", f"/en/c/{format_access_code(code)}")
        phone.hang_up()
        found += status == 200
    return found


Flood = Callable[[int, Script, Callable[[], bool], Counter[int], int], Awaitable[None]]


async def _both(port: int, said: Script, flood: Flood | None, seconds: float) -> tuple[Tally, Counter[int]]:
    tally, sent, going = Tally(), Counter[int](), _for(seconds)
    others = [flood(port, said, going, sent, number) for number in range(ATTACKERS)] if flood else []
    await asyncio.gather(crowd(port, FAMILIES, said, tally, going, False), *others)
    return tally, sent


async def _whole_responses(port: int, said: Script, going: Callable[[], bool], sent: Counter[int], _: int) -> None:
    while going():
        phone = Attacker(port, Tally(), patient=False)
        with contextlib.suppress(Refused):
            await journey(phone, said, Tally())
            sent[303] += 1
        phone.hang_up()


async def _drafts(port: int, said: Script, going: Callable[[], bool], sent: Counter[int], _: int) -> None:
    body = urlencode(dict.fromkeys(WRITTEN, "x" * (FILL // len(WRITTEN)))).encode()
    while going():
        phone = Attacker(port, Tally(), patient=False)
        try:
            await phone.ask("POST", f"/en/w/{WAVE}", said.begin)
            status, _place = await phone.ask("POST", f"/en/w/{WAVE}/1", body)
            sent[status] += 1
        except Refused:
            sent[0] += 1
        phone.hang_up()


async def _wrong_codes(port: int, _said: Script, going: Callable[[], bool], sent: Counter[int], number: int) -> None:
    rng, turn = Random(1000 + number), 0
    while going():
        phone = Attacker(port, Tally(), patient=False)
        turn += 1
        phone.source = f"127.{100 + number}.{turn // 250 % 250}.{1 + turn % 250}"
        for _ in range(KEEP_ALIVE):
            try:
                status, _place = await phone.ask("GET", f"/en/c/{format_access_code(generate_access_code(rng))}")
                sent[status] += 1
            except Refused:
                sent[0] += 1
                break
            if not going():
                break
        phone.hang_up()


WRITTEN = [slot.id for _, slot in shipped_survey("family-beliefs", version=1).questions()][:3]  # on the first page
FLOODS: dict[str, Flood | None] = {
    "nobody else": None,
    "whole responses, one address": _whole_responses,
    "drafts, one address": _drafts,
    "wrong codes, many addresses": _wrong_codes,
}

if __name__ == "__main__":
    main()
