"""The site of a command: its settings, and the database at the revision that this version needs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, make_url

from engage.base.config import Settings
from engage.storage.engine import connect, current_revision, head

DEMO = "demo"  # in the data directory: the demo, a separate site
BUILT_FILE = "built.json"  # in that folder; exists only when the demo is complete


class DatabaseNotReady(Exception):
    """The database is missing or is not the one this version needs."""


def read_settings() -> Settings:
    """Read the settings of this process. Raises SettingProblem."""
    return Settings.read(os.environ)


def sqlite_file(settings: Settings) -> Path | None:
    """The SQLite database file; None for other databases."""
    url = make_url(settings.database)
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


@contextmanager
def open_database(settings: Settings) -> Iterator[Engine]:
    """Open a database at head. Raises DatabaseNotReady."""
    file = sqlite_file(settings)
    if file and not file.is_file():
        refuse_interrupted_restore(file)
        raise DatabaseNotReady(f"there is no database at {file}; {_missing_database_advice(settings)}")
    engine = connect(settings.database)
    try:
        _require_head(engine)
        yield engine
    finally:
        engine.dispose()


def refuse_interrupted_restore(file: Path) -> None:
    """Refuse to work without a database if an interrupted restore left one beside its place: a new, empty one would
    hide it. Raises DatabaseNotReady."""
    left = sorted(each for each in file.parent.glob(f"{file.name}.old*") if not each.name.endswith(("-wal", "-shm")))
    left += sorted(file.parent.glob(f"{file.name}.new*"))
    if not file.exists() and left:
        names = ", ".join(each.name for each in left)
        raise DatabaseNotReady(
            f"there is no database at {file}, but an interrupted restore left {names} beside it. Rename the "
            f"right one, for example: mv {left[0]} {file} (.old is the previous database, .new the backup). To start "
            "with an empty database, move them to another folder first"
        )


def _missing_database_advice(settings: Settings) -> str:
    """How to create a database, or, if there is a demo, how to use it."""
    demo = settings.data_dir / DEMO
    if (demo / BUILT_FILE).is_file():
        return f"the demo is in {demo}: to use it, set ENGAGE_DATA_DIR={demo}"
    return "create it with: engage db upgrade"


def _require_head(engine: Engine) -> None:
    if (at := current_revision(engine)) != head():
        raise DatabaseNotReady(
            f"the database is at {at or 'no revision'}, this version needs {head()}; run: engage db upgrade"
        )
