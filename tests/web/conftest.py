"""Time that moves, for whoever signs in, waits and comes back."""

from collections.abc import Callable
from datetime import datetime

import pytest


@pytest.fixture
def moment(clock: Callable[[], datetime]) -> list[datetime]:
    """The time, to be moved by the test."""
    return [clock()]
