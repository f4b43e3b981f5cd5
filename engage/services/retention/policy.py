"""One rule of retention: what is deleted when, and how to see that it is gone."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Policy:
    """`due` counts what should be gone by now; `destroy` makes it so. Neither commits."""

    what: str
    rule: str
    due: Callable[[Session], int]
    destroy: Callable[[Session], object]
    table: str = ""
    """The table whose rows go, or change; empty for files."""

    @property
    def is_local(self) -> bool:
        """Whether it is about files in a data directory, which each machine has its own of."""
        return not self.table
