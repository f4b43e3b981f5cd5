"""Engage: a survey and engagement platform for families and their school districts."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engage.app import Site
    from engage.base.config import Settings


def create_app(settings: "Settings", clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> "Site":
    """The whole site as one WSGI callable. Raises SettingProblem."""
    from engage import app  # noqa: PLC0415  Flask is loaded only by those who serve pages, not by every command

    return app.create_app(settings, clock)
