"""A district's database, and roster imports."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.domain.roster.diff import Preview
from engage.domain.roster.files import open_roster
from engage.domain.roster.importer import ImportOptions, prepare_import
from engage.domain.roster.remarks import RowProblem
from engage.domain.roster.staging_db import FILE, StagingDb, delete_folder, new_folder
from engage.domain.security.encryption import Sealer, load_keys
from engage.services.tasks.store_roster import ImportSite, store_roster
from engage.storage.engine import read_session, write_session
from engage.storage.models.roster import (
    Guardian,
    Guardianship,
    HouseholdGuardian,
    HouseholdStudent,
    RosterImport,
    Student,
)
from engage.storage.models.schools import Household, School
from tests.domain.roster.generator import Files


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings without a second factor: these tests are not about signing in."""
    return replace(settings, second_factor="offered")


@dataclass
class District:
    """A database into which rosters are imported."""

    engine: Engine
    settings: Settings
    place: Path
    today: date = date(2026, 10, 14)
    keep_names: bool = True
    problems: list[RowProblem] = field(default_factory=list)
    rng: Random = field(default_factory=lambda: Random(5))

    def brings(self, files: Files | Path, languages: bytes | None = None, *, dry: bool = False) -> Preview:
        """Import files. Data that was not used is in `problems`."""
        folder, seen = self.stages(files, languages)
        try:
            if not dry:
                store_roster(self.site, folder, None)
            return seen
        finally:
            delete_folder(folder)

    def stages(self, files: Files | Path, languages: bytes | None = None) -> tuple[Path, Preview]:
        """Prepare an import. Returns its folder, and what it would change."""
        path = files if isinstance(files, Path) else files.folder(self.place / f"{self.rng.getrandbits(64):x}")
        folder = new_folder(self.settings.data_dir)
        try:
            with StagingDb(folder / FILE) as stage:
                with open_roster(path) as source, read_session(self.engine) as session:
                    if languages is not None:
                        (folder / "beside.csv").write_bytes(languages)
                        source = source.beside("languages.csv", folder / "beside.csv")
                    seen = prepare_import(session, source, stage, self.manner)
                self.problems = list(stage.problems())
            return folder, seen
        except BaseException:
            delete_folder(folder)
            raise

    @property
    def site(self) -> ImportSite:
        now = datetime.combine(self.today, time(12), UTC)
        return ImportSite(self.engine, self.settings, now, self.rng)

    @property
    def manner(self) -> ImportOptions:
        return ImportOptions(self.today, self.keep_names, b"k" * 32, self.sealer, self.rng, b"o" * 32)

    @property
    def sealer(self) -> Sealer:
        return Sealer(load_keys(self.settings))

    @property
    def reasons(self) -> list[tuple[str, int, str]]:
        """Return file, line, and code of the reason for all data not used."""
        return [(each.file, each.line, each.code) for each in self.problems]

    def rows(self, table: type[Any]) -> dict[str, Any]:
        """The rows of a table by id."""
        with read_session(self.engine) as session:
            return {row.id: row for row in session.scalars(select(table))}

    def rows_of(self, table: type[Any]) -> list[Any]:
        """Return the rows of any table."""
        with read_session(self.engine) as session:
            return list(session.scalars(select(table)))

    @property
    def students(self) -> dict[str, Student]:
        return self.rows(Student)

    @property
    def guardians(self) -> dict[str, Guardian]:
        return self.rows(Guardian)

    @property
    def households(self) -> dict[str, Household]:
        return self.rows(Household)

    @property
    def schools(self) -> dict[str, School]:
        return self.rows(School)

    @property
    def imports(self) -> dict[str, RosterImport]:
        return self.rows(RosterImport)

    @property
    def links(self) -> dict[str, list[str]]:
        """Return guardians by student, in order."""
        with read_session(self.engine) as session:
            wanted = select(Guardianship).order_by(Guardianship.student_id, Guardianship.position)
            found: dict[str, list[str]] = {}
            for row in session.scalars(wanted):
                found.setdefault(row.student_id, []).append(row.guardian_id)
            return found

    @property
    def homes(self) -> dict[str, frozenset[str]]:
        """Return members by household."""
        found: dict[str, set[str]] = {id: set() for id in self.households}
        with read_session(self.engine) as session:
            for table, member in ((HouseholdStudent, "student_id"), (HouseholdGuardian, "guardian_id")):
                for row in session.scalars(select(table)):
                    found[row.household_id].add(getattr(row, member))
        return {id: frozenset(members) for id, members in found.items()}

    def home_of(self, *members: str) -> str:
        """Return the household with exactly these members."""
        return next(id for id, found in self.homes.items() if found == frozenset(members))

    def opened(self, sealed: bytes | None) -> str | None:
        """Decrypt a value."""
        return None if sealed is None else self.sealer.open(sealed)

    def put(self, make: Callable[[Session], Any]) -> Any:
        """Add something to the database."""
        with write_session(self.engine) as session:
            made = make(session)
            session.commit()
            return made


@pytest.fixture
def district(engine: Engine, settings: Settings, tmp_path: Path) -> Iterator[District]:
    """An empty district."""
    yield District(engine, settings, tmp_path / "files")
    assert not list((settings.data_dir / "rosters").glob("*")), "a roster was left lying about"
