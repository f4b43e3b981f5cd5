"""Engage asks families in their own language, on a phone or on paper, and gives back what was heard."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engage.config import Settings
    from engage.web.site import Site


def create_app(settings: "Settings", clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> "Site":
    """The whole site as one WSGI callable. Raises SettingProblem."""
    # Flask is loaded only by those who serve pages, not by every command
    from engage import administration, district, family, liaison  # noqa: PLC0415
    from engage.web.site import found, site  # noqa: PLC0415

    staff = [liaison.blueprint, district.blueprint, administration.blueprint]
    return site(found(settings, clock), [family.blueprint], staff)
