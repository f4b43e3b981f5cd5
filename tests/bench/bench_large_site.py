"""Every staff page and heavy action of a large district: cost, how it grows, and how long write transactions are open.

    .venv/bin/python -m tests.bench.bench_large_site --size M [--folder FOLDER]

The sizes up to the requested one (`large_district`; generated in FOLDER if they do not exist) are each measured in a
new process, on a copy. For each page or action: CPU seconds (of the second visit of a page, and the first run of an
action), kB of the response, number of SQL statements, and the longest write transaction in ms with its number of
statements. `e` is the growth exponent of the CPU time by households between two sizes: 0 is constant, 1 linear, 2
quadratic.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from engage.app import create_app
from engage.base.config import Settings
from tests.bench.large_district import SIZES, generate
from tests.bench.large_visits import ACTIONS, COMMANDS, PAGES, Browser, with_number
from tests.statements import watched

NOISE = 0.005  # seconds of CPU below which growth is not computed
HEAD = "CPU s     kB  stmts  write ms (stmts)"

Measured = dict[str, list[float]]
"""By name: CPU s, kB, statements, ms of the longest write transaction, its statements."""


def measure(deed: Callable[[], int]) -> list[float]:
    """Run an action and return its row."""
    with watched(Engine) as log:  # type: ignore[arg-type]  # all engines: commands have their own
        began = time.process_time()
        size = deed()
        spent = time.process_time() - began
    longest = log.longest
    return [spent, size / 1000, len(log.statements), longest.seconds * 1000, len(longest.statements)]


def measure_site(folder: Path) -> Measured:
    """Measure everything on a site that may be changed."""
    os.environ["ENGAGE_DATA_DIR"] = str(folder)  # of the commands
    site = create_app(Settings(data_dir=folder, second_factor="offered"))
    browsers: dict[str, Browser] = {}
    rows = {}
    for each in PAGES:
        deed = each.prepare(site, browsers)
        deed()
        rows[each.name] = measure(deed)
        print(each.name, rows[each.name], file=sys.stderr, flush=True)
    for each in ACTIONS:
        rows[each.name] = measure(with_number(each, site.staff.extensions["engage"].engine).prepare(site, browsers))
        print(each.name, rows[each.name], file=sys.stderr, flush=True)
    for name, command in COMMANDS:
        rows[name] = measure(command)
    return rows


def print_table(measured: dict[str, Measured]) -> None:
    """Print a row for each page or action, with all sizes beside each other."""
    sizes = list(measured)
    print(f"{'':26}" + "   e    ".join(f"{size + ': ' + HEAD:42}" for size in sizes))
    for name in measured[sizes[0]]:
        parts = [_cells(measured[size][name]) for size in sizes]
        for at in range(1, len(sizes)):
            parts[at] = f"{_growth(name, sizes[at - 1], sizes[at], measured):>5}  {parts[at]}"
        print(f"{name:26}" + " ".join(parts))


def _cells(row: list[float]) -> str:
    cpu, size, statements, lock, within = row
    write = f"{lock:>9.0f} ({within:.0f})" if lock else f"{'-':>9}"
    return f"{cpu:>8.3f} {size:>7.0f} {statements:>6.0f} {write:<17}"


def _growth(name: str, small: str, large: str, measured: dict[str, Measured]) -> str:
    before, after = (max(measured[size][name][0], NOISE) for size in (small, large))
    if after <= NOISE:
        return "-"
    return f"{math.log(after / before) / math.log(SIZES[large].households / SIZES[small].households):.2f}"


def _generated(folder: Path, size: str) -> Path:
    place = folder / size
    if not (place / "engage.db").exists():
        place.mkdir(parents=True, exist_ok=True)
        generate(Settings(data_dir=place), SIZES[size], date.today())
    return place


def _measure_in_new_process(place: Path, size: str) -> Any:
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(place, Path(copy) / size)
        command = [sys.executable, "-m", "tests.bench.bench_large_site", "--measure", str(Path(copy) / size)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        return json.loads(done.stdout)


def main() -> None:
    """Measure the sizes up to the requested one, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=list(SIZES), default="M")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure_site(options.measure)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        wanted = list(SIZES)[: list(SIZES).index(options.size) + 1]
        print_table({size: _measure_in_new_process(_generated(folder, size), size) for size in wanted})


if __name__ == "__main__":
    main()
