"""Cost of a school's packet from the roster to the file: `python -m tests.bench.bench_packet_road`.

A confidential wave with codes and names, six languages, and one household per child is previewed (`order`), numbered
(`ask`, in one writing transaction), read from its rows (`pile`), and drawn, as by the staff page and the worker. Prints
a table and never fails because of time. Reports CPU seconds and peak memory in one new process; `ms a set` is how long
other writers wait during `ask`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from engage.base.config import Settings
from engage.domain.security.encryption import Sealer, load_keys
from engage.questionnaire.library import shipped_survey
from engage.services.printing.orders import OUTSIDES
from engage.storage.engine import connect, write_session
from engage.storage.models.roster import HouseholdStudent, Student
from engage.storage.models.schools import Household
from engage.storage.upgrade import upgrade
from tests.bench.packets import FAMILIES, SIX
from tests.makers import a_school, a_wave

CLASS = 25  # households


def prepare(folder: Path, households: int) -> None:
    """Create a site with one school and one open wave."""
    settings = Settings(data_dir=folder)
    sealer, engine = Sealer(load_keys(settings)), connect(settings.database)
    upgrade(engine)
    with write_session(engine) as session:
        about: dict[str, Any] = {"identity": "confidential", "entry": "code", "languages": SIX}
        a_wave(session, "fall", [a_school(session)], shipped_survey("home-access", version=1), **about)
        session.flush()
        homes, children, links = zip(*(_home(sealer, number) for number in range(households)), strict=True)
        for table, rows in ((Household, homes), (Student, children), (HouseholdStudent, links)):
            session.execute(insert(table), rows)
        session.commit()
    engine.dispose()


def _home(sealer: Sealer, number: int) -> tuple[dict[str, Any], ...]:
    language, id, child = SIX[number % len(SIX)], f"{number:032x}", f"s{number}"
    names = FAMILIES[language]
    told = {"guardians": [f"{names[number % len(names)]} {number}"], "students": [f"{names[0]} {number}"]}
    room = number // CLASS
    return (
        {"id": id, "school_id": "lincoln", "language": language, "greeting": sealer.seal(json.dumps(told))},
        {"id": child, "school_id": "lincoln", "grade": f"{room % 6 + 1:02}", "class_name": f"{room}A"},
        {"household_id": id, "student_id": child},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=10_000)
    parser.add_argument("--outside", choices=OUTSIDES, default="window")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), given.households)
        command = [sys.executable, "-m", "tests.bench.packet_road", folder, given.outside]
        environment = {**os.environ, "PYTHONHASHSEED": "1"}
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    table([json.loads(line) for line in done.stdout.splitlines()], given.households)


def table(rows: list[dict[str, Any]], households: int) -> None:
    *steps, file = rows
    print(f"{households} households, six languages, {file['pages']} pages, {file['bytes'] / 1e6:.0f} MB")
    print(f"{'step':8}{'CPU s':>8}{'wall s':>8}{'ms a set':>10}{'peak MB':>9}")
    for row in steps:
        each = 1000 * row["cpu"] / households
        print(f"{row['step']:8}{row['cpu']:>8.2f}{row['wall']:>8.2f}{each:>10.2f}{row['peak']:>9.0f}")


if __name__ == "__main__":
    main()
