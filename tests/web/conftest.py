"""A clock that tests can advance."""

from collections.abc import Callable
from datetime import datetime

import pytest


@pytest.fixture
def moment(clock: Callable[[], datetime]) -> list[datetime]:
    """The time, which the test can change."""
    return [clock()]
