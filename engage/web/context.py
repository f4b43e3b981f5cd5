"""What every view needs and none may make for itself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import cast

from flask import current_app
from sqlalchemy import Engine

from engage.base.config import Settings
from engage.domain.security.encryption import Sealer, derive_key
from engage.storage.group_commit import GroupWriter

EXTENSION = "engage"


@dataclass(frozen=True, slots=True)
class State:
    """One site at work."""

    settings: Settings
    engine: Engine
    writer: GroupWriter
    clock: Callable[[], datetime]
    key: bytes
    sealer: Sealer

    def now(self) -> datetime:
        """The moment, with its zone."""
        return self.clock()

    def today(self) -> date:
        """The day in the district's time zone."""
        return self.settings.local_day(self.clock())

    def secret(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose only, derived from the site's secret."""
        return _derive_key(self.key, purpose)


_derive_key = lru_cache(maxsize=64)(derive_key)  # a family's journey asks for one of them on every page


def state() -> State:
    """The state of the site that serves this request."""
    return cast(State, current_app.extensions[EXTENSION])
