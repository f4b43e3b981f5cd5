"""Import of 120,000 students and 180,000 guardians into SQLite, again, and in a new term: seconds and memory of each
step, in new processes.

    .venv/bin/python -m tests.bench.bench_roster [students]

OneRoster 1.2 with names, contacts, homes, and six enrollments for each student. "storing" is how long the database is
locked for other writers. The second figure is the CPU time of the process so far.
"""

import csv
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from random import SystemRandom

from engage.domain.roster.files import open_roster
from engage.domain.roster.importer import ImportOptions, prepare_import, seal_names, store_roster
from engage.domain.roster.staging_db import FILE, StagingDb, delete_folder, new_folder
from engage.domain.security.encryption import Sealer, new_key
from engage.storage.engine import connect, read_session, write_session
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
    seal_names(stage, how.sealer)
    _said("sealed", start)
    start = time.perf_counter()
    with write_session(engine) as session:
        store_roster(session, stage, how.today, None, how.rng)
        session.commit()
    _said("storing", start)
    stage.close()
    size = sum(each.stat().st_size for each in folder.iterdir()) / 1e6
    delete_folder(folder)
    _said("all", begun, f"stage {size:.0f} MB")


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
        for what, change in (("first import", False), ("the same files again", False), ("a new term", True)):
            if change:
                _advance_grades(place / "files" / "users.csv")
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
