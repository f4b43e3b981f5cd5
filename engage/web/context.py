"""The runtime of the site that serves a request."""

from typing import cast

from flask import current_app

from engage.services.runtime import Runtime

EXTENSION = "engage"


def runtime() -> Runtime:
    """The runtime, which all views share."""
    return cast(Runtime, current_app.extensions[EXTENSION])
