"""The runtime of a site: its settings, database, keys, and clock, created once by each process."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

from sqlalchemy import Engine

from engage.base.catalogs import use_catalogues
from engage.base.config import Settings
from engage.domain.security.encryption import Sealer, derive_key
from engage.storage.engine import connect
from engage.storage.group_commit import GroupWriter

WORKER = "engage worker"  # purpose of the connections of a worker


@dataclass(frozen=True, slots=True)
class Runtime:
    """`key` is the site's secret, from which every other key is derived."""

    settings: Settings
    engine: Engine
    writer: GroupWriter
    clock: Callable[[], datetime]
    key: bytes
    sealer: Sealer

    def now(self) -> datetime:
        """The current time, with its time zone."""
        return self.clock()

    def today(self) -> date:
        """The current day in the district's time zone."""
        return self.settings.local_day(self.clock())

    def secret(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose, derived from the site's secret."""
        return _derive_key(self.key, purpose)


_derive_key = lru_cache(maxsize=64)(derive_key)  # each family page uses one of them


def open_runtime(
    settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC), purpose: str = ""
) -> Runtime:
    """Create the data directory if there is none, and connect to the database for this `purpose` (storage/engine.py).
    Raises SettingProblem."""
    settings.require_shared_dir()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    use_catalogues(settings.data_dir / "catalogues")
    engine = connect(settings.database, purpose)
    return Runtime(settings, engine, GroupWriter(engine), clock, settings.secret().encode(), Sealer.of(settings))
