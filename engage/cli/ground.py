"""What commands stand on: the settings, and the database when it is as this version needs it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, make_url

from engage.config import Settings
from engage.records.revision import current, head
from engage.records.session import connect


class NotReady(Exception):
    """The database is missing or is not the one this version needs."""


def settings() -> Settings:
    """The settings of this process. Raises SettingProblem."""
    return Settings.read(os.environ)


def sqlite_file(settings: Settings) -> Path | None:
    """The database's file; None where it is not SQLite's."""
    url = make_url(settings.database)
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


@contextmanager
def database(settings: Settings) -> Iterator[Engine]:
    """The way to a database at head. Raises NotReady."""
    file = sqlite_file(settings)
    if file and not file.is_file():
        raise NotReady(f"there is no database at {file}; make it with: engage db upgrade")
    engine = connect(settings.database)
    try:
        _at_head(engine)
        yield engine
    finally:
        engine.dispose()


def _at_head(engine: Engine) -> None:
    if (at := current(engine)) != head():
        raise NotReady(f"the database is at {at or 'no revision'}, this version needs {head()}; run: engage db upgrade")
