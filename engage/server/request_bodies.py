"""Limits on request bodies: only a roster upload may be large, and no body may take longer than some minutes."""

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

WITHIN = 300.0  # seconds within which a body must arrive: 200 MB at 6 Mbit/s
TOO_SLOW = "This took too long."

_active_uploads: "WeakSet[Parser]" = WeakSet()


def _deny_all(_cookies: str) -> bool:
    return False


class Parser(HeadParser):
    """Parser of one request. One roster upload at a time in each process may be large, if the browser is signed in. The
    person's permissions are checked only when the whole body is here, and strangers must neither fill the disk nor
    block others."""

    adj: Any
    signed_in: Callable[[str], bool] = staticmethod(_deny_all)
    """Whether a Cookie header is that of a signed-in staff member; set when the process starts serving."""
    until = float("inf")  # monotonic seconds

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the head; the server reads the body limit from `adj` afterwards."""
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
        """Process bytes; a body that arrives too slowly is refused."""
        if time.monotonic() > self.until and not self.completed:
            _active_uploads.discard(self)
            self.error, self.completed = BadRequest(TOO_SLOW), True
            return len(data)
        return super().received(data)


def session_checker(app: Flask) -> Callable[[str], bool]:
    """Returns a check whether a Cookie header holds a session cookie that this app signed, of a signed-in person, and
    not too old. Whether the session is still active is checked by the view."""
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    name = str(app.config["SESSION_COOKIE_NAME"])

    def signed(cookies: str) -> bool:
        try:
            session = signer.loads(SimpleCookie(cookies)[name].value, max_age=int(LONGEST.total_seconds()))
        except (BadData, CookieError, KeyError):
            return False
        return WHO in session

    return signed
