"""The runtime of the site that serves a request."""

from typing import cast

from flask import current_app

from engage.services.runtime import Runtime

EXTENSION = "engage"


def runtime() -> Runtime:
    """What every view needs and none may make for itself."""
    return cast(Runtime, current_app.extensions[EXTENSION])
