"""Import of 120,000 students and 180,000 guardians into SQLite, again, in a new term, and with other families: seconds
and memory of each step, in new processes.

    .venv/bin/python -m tests.bench.bench_roster [students]

OneRoster 1.2 with names, contacts, homes, and six enrollments for each student; 1,000 students are 890 households. For
"storing": the number of write transactions, and how long they held the write lock, with the commit. The second figure
is the CPU time of the process so far.
"""

import csv
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from random import SystemRandom

from sqlalchemy import Connection, Engine, PoolProxiedConnection, event

from engage.base.config import Settings
from engage.domain.roster.files import open_roster
from engage.domain.roster.importer import ImportOptions, prepare_import
from engage.domain.roster.staging_db import FILE, StagingDb, new_folder
from engage.domain.security.encryption import Sealer, new_key
from engage.services.tasks.store_roster import ImportSite, begin_roster, continue_roster
from engage.storage.engine import connect, read_session
from engage.storage.upgrade import upgrade
from tests.domain.roster.generator import GRADES, large


def _peak() -> float:
    """Return the peak memory of this process in MB, including mapped files."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def _said(what: str, start: float, note: str = "") -> None:
    spent = time.perf_counter() - start
    print(f"  {what:<24} {spent:>8.1f} s {time.process_time():>8.1f} s {_peak():>6.0f} MB   {note}", flush=True)


def _import(place: Path, key: str, folder_name: str) -> None:
    """Run one import in this process."""
    engine = connect(f"sqlite:///{place / 'engage.db'}")
    folder = new_folder(place)
    stage = StagingDb(folder / FILE)
    how = ImportOptions(date(2026, 10, 14), True, b"k" * 32, Sealer([key]), SystemRandom(), b"o" * 32)
    begun = start = time.perf_counter()

    def told(what: str, number: int) -> None:
        _said(what, start, f"{number:,}")

    with open_roster(place / folder_name) as source, read_session(engine) as session:
        seen = prepare_import(session, source, stage, how, told)
    print(*(f"  {kind}: {change}" for kind, change in seen.changes.items()), f"  {seen.refused} refused", sep="\n")
    stage.close()
    settings = Settings.read({"ENGAGE_DATA_DIR": str(place), "ENGAGE_SEALING_KEYS": key, "ENGAGE_SECRET_KEY": "s" * 32})
    site = ImportSite(engine, settings, datetime(2026, 10, 14, 12, tzinfo=UTC))
    begin_roster(site, folder, None)
    size = sum(each.stat().st_size for each in folder.iterdir()) / 1e6
    _said("sealed, begun", start)
    start = time.perf_counter()
    with _write_times(engine) as times:
        continue_roster(site, folder)
    longest = sorted(1000 * each for each in times)
    _said(
        "storing",
        start,
        f"{len(longest)} transactions, median {longest[len(longest) // 2]:.0f} ms, "
        f"longest {', '.join(f'{each:.0f}' for each in longest[-3:])} ms",
    )
    _said("all", begun, f"stage {size:.0f} MB")


@contextmanager
def _write_times(engine: Engine) -> Iterator[list[float]]:
    """The seconds for which each write transaction of SQLite held the lock, to the end of its commit."""
    times: list[float] = []
    began: dict[int, float] = {}
    commit = engine.dialect.do_commit

    def begins(connection: Connection) -> None:
        if not connection.get_execution_options().get("reads"):
            began[id(connection.connection.dbapi_connection)] = time.perf_counter()

    def commits(connection: PoolProxiedConnection) -> None:
        commit(connection)
        if start := began.pop(id(connection.dbapi_connection), None):
            times.append(time.perf_counter() - start)

    event.listen(engine, "begin", begins)
    engine.dialect.do_commit = commits
    try:
        yield times
    finally:
        engine.dialect.do_commit = commit
        event.remove(engine, "begin", begins)


def main() -> None:
    """Write the files here, and import them twice in separate processes."""
    if len(sys.argv) > 3:
        return _import(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
    students = int(sys.argv[1]) if len(sys.argv) > 1 else 120_000
    with tempfile.TemporaryDirectory() as name:
        place, key = Path(name), new_key()
        start = time.perf_counter()
        large(place / "files", students)
        print(f"{students:,} students; files written in {time.perf_counter() - start:.0f} s")
        engine = connect(f"sqlite:///{place / 'engage.db'}")
        upgrade(engine)
        engine.dispose()
        changes: dict[str, Callable[[], object]] = {
            "first import": lambda: None,
            "the same files again": lambda: None,
            "a new term, with every student in another grade": lambda: _advance_grades(place / "files" / "users.csv"),
            "other families, and a fifth of the students gone": lambda: large(
                place / "files", students * 4 // 5, seed=2
            ),
        }
        for what, change in changes.items():
            change()
            print(what, flush=True)
            subprocess.run([sys.executable, "-m", "tests.bench.bench_roster", str(place), key, "files"], check=True)
    return None


def _advance_grades(users: Path) -> None:
    """Move every student to another grade, so that each one changes."""
    with users.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["grades"]:
            row["grades"] = GRADES[(GRADES.index(row["grades"]) + 1) % len(GRADES)]
    with users.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
