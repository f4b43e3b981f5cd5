"""Crash test: kill the server repeatedly and count the results: `python -m tests.kill_and_count`.

Families answer during the test, and repeat requests without a response. At the end every acknowledged submission must
be stored exactly once, every stored one must have been acknowledged, and the database file must be intact. Exit code 0
if all of this holds.
"""

import argparse
import asyncio
import signal
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.bench.families import Server, Tally, crowd, script, serving, stored

FAMILIES = 24  # concurrent
ASKING = 0.02  # share of families that also open a thread


@dataclass(frozen=True)
class Count:
    """The results. `lost` and `double` must be 0."""

    kills: int
    acknowledged: int
    stored: int
    lost: int
    double: int
    unknown: int
    retries: int
    errors: list[str]
    integrity: str

    @property
    def holds(self) -> bool:
        """Whether nothing was lost, duplicated, or damaged."""
        clean = not (self.lost or self.double or self.unknown or self.errors) and self.integrity == "ok"
        return clean and self.acknowledged > 0

    def __str__(self) -> str:
        told = f"{self.kills} kills, {self.acknowledged} acknowledged, {self.stored} stored, {self.lost} lost, "
        told += f"{self.double} double, {self.unknown} stored without an acknowledgement, {self.retries} sent again, "
        return told + f"integrity {self.integrity}" + "".join(f"\n  {each}" for each in self.errors[:5])


def kill_and_count(kills: int, between: float, seed: int = 0, families: int = FAMILIES) -> Count:
    """Kill a server this number of times, on average `between` seconds after it starts, then let all families
    finish."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as (server, plan):
        said = script(plan, ASKING)
        # in a separate thread: a browser test may have left an event loop running in this one
        with ThreadPoolExecutor(1) as alone:
            alone.submit(
                lambda: asyncio.run(_kill(server, kills, between, families, said, tally, Random(seed)))
            ).result()
        server.stop()
        keys, integrity = stored(Path(name))
    acknowledged, kept = set(tally.acknowledged), set(keys)
    return Count(
        kills=kills,
        acknowledged=len(tally.acknowledged),
        stored=len(keys),
        lost=len(acknowledged - kept),
        double=len(keys) - len(kept) + len(tally.acknowledged) - len(acknowledged),
        unknown=len(kept - acknowledged),
        retries=tally.retries,
        errors=tally.errors,
        integrity=integrity,
    )


async def _kill(
    server: Server, kills: int, between: float, families: int, said: object, tally: Tally, rng: Random
) -> None:
    going = [True]
    answering = crowd(server.port, families, said, tally, lambda: going[0], patient=True)  # type: ignore[arg-type]
    crowded = asyncio.create_task(answering)
    for _ in range(kills):
        await asyncio.sleep(rng.uniform(0.2, 1.8) * between)
        server.stop(signal.SIGKILL)
        await asyncio.to_thread(server.start)
    await asyncio.sleep(between)
    going[0] = False
    await asyncio.wait_for(crowded, 60)


def main() -> None:
    """Run the test and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--between", type=float, default=2.0, help="seconds of work before a kill, on average")
    given = parser.parse_args()
    count = kill_and_count(given.kills, given.between)
    print(count)
    raise SystemExit(not count.holds)


if __name__ == "__main__":
    main()
