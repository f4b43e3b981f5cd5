"""Pages about work of the worker that is not finished: they load themselves again, without JavaScript, and say if no
worker runs."""

import fcntl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.services.runtime import WORKER
from engage.storage.engine import is_connected

REFRESH_SECONDS = 5  # seconds between refreshes of a page
REFRESHES_MOST = 120  # then the page stops refreshing, so that an unattended session can expire
WORKER_LOCK = "worker.lock"  # in the data directory; locked by a running worker (engage/services/tasks/worker.py)


@dataclass(frozen=True, slots=True)
class PageRefresh:
    """How a page loads itself again. The addresses are those of the page that goes on, and of one that stays still."""

    address: str
    next_address: str
    still_address: str
    is_paused: bool
    is_over: bool
    """Whether it has refreshed for so long that it stops."""

    def apply(self, answer: Response) -> Response:
        """Let the page refresh, unless that is paused. A header, because accessibility checkers reject a refresh in a
        meta element."""
        if not (self.is_paused or self.is_over):
            answer.headers["Refresh"] = f"{REFRESH_SECONDS}; url={self.next_address}"
        return answer


def page_refresh(endpoint: str, **values: Any) -> PageRefresh:
    """The refresh of the page that was requested. `values` are those of its address."""
    looks = request.args.get("look", 0, type=int)
    return PageRefresh(
        address=url_for(endpoint, **values),
        next_address=url_for(endpoint, **values, look=looks + 1),
        still_address=url_for(endpoint, **values, still="yes"),
        is_paused="still" in request.args or looks < 0,
        is_over=looks >= REFRESHES_MOST,
    )


def is_worker_running(session: Session, folder: Path) -> bool:
    """Whether a worker is connected to PostgreSQL, from any machine, or holds the lock of the data directory."""
    if session.get_bind().dialect.name == "postgresql":
        return is_connected(session, WORKER)
    try:
        with open(folder / WORKER_LOCK) as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
