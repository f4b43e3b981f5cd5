"""Addresses of our own style sheets and scripts; each carries its file's digest, so it may be kept for good."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask

STATIC = Path(__file__).parent / "static"


@cache
def asset(name: str) -> str:
    """The address of a file in static/. Raises FileNotFoundError."""
    return f"/static/{name}?{hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:8]}"


def install(app: Flask) -> None:
    """Let templates ask for addresses."""
    app.jinja_env.globals["asset"] = asset
