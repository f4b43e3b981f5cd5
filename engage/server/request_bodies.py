"""Letting a roster in: every other request is small, and stays small. No body may take longer than some minutes."""

import time
from collections.abc import Callable
from copy import copy
from http.cookies import CookieError, SimpleCookie
from typing import Any
from weakref import WeakSet

from flask import Flask
from itsdangerous import BadData
from waitress.utilities import BadRequest

from engage.server.request_heads import HeadParser
from engage.sites.administration.roster import ADDRESS, MOST_BYTES
from engage.web.auth.sessions import LONGEST, WHO

WITHIN = 300.0  # seconds in which a body must be here: 200 MB at 6 Mbit/s
TOO_SLOW = "This took too long."

_active_uploads: "WeakSet[Parser]" = WeakSet()


def _deny_all(_cookies: str) -> bool:
    return False


class Parser(HeadParser):
    """One request. A roster may be large, one at a time in each process, from a browser that is signed in: what the
    person may do is known only when all of it is here, and strangers must neither fill the disk nor keep others out."""

    adj: Any
    signed_in: Callable[[str], bool] = staticmethod(_deny_all)
    """Whether a Cookie header is that of somebody of the staff; set when the process begins to serve."""
    until = float("inf")  # monotonic seconds

    def parse_header(self, header_plus: bytes) -> None:
        """Read the header; the server asks `adj` afterwards how long the body may be."""
        super().parse_header(header_plus)
        if self.body_rcv is not None:
            self.until = time.monotonic() + WITHIN
        large = self.content_length >= self.adj.max_request_body_size
        if large and not _active_uploads and (self.command, self.path) == ("POST", ADDRESS):
            if not self.signed_in(self.headers.get("COOKIE", "")):
                return
            self.adj = copy(self.adj)
            self.adj.max_request_body_size = MOST_BYTES
            _active_uploads.add(self)

    def received(self, data: bytes) -> int:
        """Take the next bytes; one that comes too slowly is refused."""
        if time.monotonic() > self.until and not self.completed:
            _active_uploads.discard(self)
            self.error, self.completed = BadRequest(TOO_SLOW), True
            return len(data)
        return super().received(data)


def session_checker(app: Flask) -> Callable[[str], bool]:
    """Whether a Cookie header holds a session that this app signed, of somebody signed in, not too long ago. Whether
    it still stands is for the page to say."""
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    name = str(app.config["SESSION_COOKIE_NAME"])

    def signed(cookies: str) -> bool:
        try:
            session = signer.loads(SimpleCookie(cookies)[name].value, max_age=int(LONGEST.total_seconds()))
        except (BadData, CookieError, KeyError):
            return False
        return WHO in session

    return signed
