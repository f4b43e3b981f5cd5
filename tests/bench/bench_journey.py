"""Throughput of whole journeys: `python -m tests.bench.bench_journey [--seconds 30] [--families 64] [--postgresql]`.

Prints a table and never fails. With `--postgresql`, the site is on a PostgreSQL of its own here, with fsync. Server and
clients share this machine's cores, so the figures include the cost of the clients; the server's CPU is without
PostgreSQL's. The other products in the last rows were measured on the same kind of machine.
"""

import argparse
import asyncio
import resource
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.bench.families import Server, Tally, crowd, script, serving, stored
from tests.bench.postgres import serving_postgres

PEERS = (  # 64 concurrent families on two cores, including the cost of the clients; 3 pages each
    ("LimeSurvey 6.14 (php-fpm, MariaDB)", "3.05", "643"),
    ("bare Flask, no product (granian)", "219", "5.5"),
)
GOALS = ("goal", ">= 90", "<= 12")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--families", type=int, default=64)
    parser.add_argument("--survey", default="family-beliefs")
    parser.add_argument("--threads", type=int, default=4, help="in each of the two processes")
    parser.add_argument("--asking", type=float, default=0.05, help="share of families that ask a question (slow hash)")
    parser.add_argument("--postgresql", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        url = stack.enter_context(serving_postgres(Path(name) / "postgres")).url if given.postgresql else ""
        (folder := Path(name) / "site").mkdir()
        server, plan = stack.enter_context(serving(folder, given.survey, given.threads, url))
        said = script(plan, given.asking)
        asyncio.run(crowd(server.port, 8, said, Tally(), _for(2), False))  # warm-up
        before, _ = stored(folder, url)
        tally, figures = _measured(server, given, said)
        after, integrity = stored(folder, url)
    _print(given, tally, figures, len(after) - len(before), integrity)


def _measured(server: Server, given: argparse.Namespace, said: object) -> tuple[Tally, dict[str, float]]:
    tally = Tally()
    cpu, own, all_before, began = server.cpu(), _own(), _machine(), time.monotonic()
    asyncio.run(crowd(server.port, given.families, said, tally, _for(given.seconds), False))  # type: ignore[arg-type]
    took = time.monotonic() - began
    figures = {"took": took, "cpu": server.cpu() - cpu, "own": _own() - own}
    busy, steal = (after - before for after, before in zip(_machine(), all_before, strict=True))
    return tally, figures | {"others": busy - figures["cpu"] - figures["own"], "steal": steal}


def _for(seconds: float):  # type: ignore[no-untyped-def]
    until = time.monotonic() + seconds
    return lambda: time.monotonic() < until


def _print(given: argparse.Namespace, tally: Tally, figures: dict[str, float], kept: int, integrity: str) -> None:
    done = len(tally.acknowledged)
    waits = sorted(tally.waits)
    took = figures["took"]
    requests = len(waits) / done if done else 0
    print(f"{given.families} families at a time, {given.survey}, {took:.0f} s, {requests:.1f} requests each, ", end="")
    print(f"{tally.asked / done:.0%} ask a question; {tally.bytes / done / 1000:.1f} kB each" if done else "")
    print(f"{'':42}{'journeys/s':>12}{'CPU ms each':>13}")
    print(f"{'this run':42}{done / took:>12.1f}{figures['cpu'] * 1000 / done:>13.1f}")
    for row in (GOALS, *PEERS):
        print(f"{row[0]:42}{row[1]:>12}{row[2]:>13}")
    middle, high = waits[len(waits) // 2], waits[int(len(waits) * 0.95)]
    print(f"request ms: p50 {middle:.1f}  p95 {high:.1f}  most {waits[-1]:.0f}")
    print(f"acknowledged {done}, stored {kept}, errors {len(tally.errors)}, integrity {integrity}")
    print(f"CPU ms a request {figures['cpu'] * 1000 / len(waits):.2f}; ", end="")
    print(f"a loop of a million turns {_slowness():.0f} ms (24 on a whole core, 41 on half of one)")
    print(f"cores used: server {figures['cpu'] / took:.2f}, families {figures['own'] / took:.2f}", end="; ")
    print(f"by others on this machine {figures['others'] / took:.2f}, stolen by its host {figures['steal'] / took:.2f}")
    for problem in tally.errors[:5]:
        print(" ", problem)


def _slowness() -> float:
    """Return ms of CPU for a fixed computation: two virtual cores may share a physical one, and then both are slow."""
    began, total = time.process_time(), 0
    for turn in range(1_000_000):
        total += turn & 7
    return (time.process_time() - began) * 1000


def _own() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _machine() -> tuple[float, float]:
    """Return seconds of CPU used by all processes, and seconds that the host gave to other machines."""
    fields = [int(field) / 100 for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return sum(fields) - fields[3] - fields[4] - fields[7], fields[7]


if __name__ == "__main__":
    main()
