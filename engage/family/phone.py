"""The one secret that a family's phone holds, and the keys made from it. The secret itself is never stored."""

import base64
import binascii
import hashlib
import secrets

from flask import Response, request

from engage.access.codes import REPLY_KEY, REPLY_PEPPER, reply_code, reply_hash
from engage.intake import sealed
from engage.intake.sealed import DRAFT_KEY, Pocket
from engage.web.state import state

SIZE = 32  # bytes
NAME, SECURE_NAME = "engage", "__Host-engage"


def _name() -> str:
    return SECURE_NAME if state().settings.secure else NAME


def held() -> bytes | None:
    """The secret the phone sent, if it holds one."""
    given = (part.strip().partition("=") for part in request.environ.get("HTTP_COOKIE", "").split(";"))
    text = next((value for name, _, value in given if name == _name()), "")
    try:
        secret = base64.b64decode(text + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return secret if len(secret) == SIZE else None


def new() -> bytes:
    """A secret for a phone that holds none, or that starts anew."""
    return secrets.token_bytes(SIZE)


def hand_over(response: Response, secret: bytes) -> Response:
    """Give the phone its secret, until the browser is closed."""
    text = base64.urlsafe_b64encode(secret).decode().rstrip("=")
    secure = state().settings.secure
    response.set_cookie(_name(), text, httponly=True, samesite="Lax", path="/", secure=secure)
    return response


def take_back(response: Response) -> Response:
    """Make the phone forget."""
    response.delete_cookie(_name(), httponly=True, samesite="Lax", path="/", secure=state().settings.secure)
    response.headers["Clear-Site-Data"] = '"cache"'  # pages a browser keeps for its back button
    return response


def pocket(secret: bytes, wave_id: str) -> Pocket:
    """Where this phone's draft in a wave lies, and what opens it."""
    return sealed.pocket(secret, wave_id, state().secret(DRAFT_KEY))


def submission_key(secret: bytes, wave_id: str) -> str:
    """The key of this phone's submission in a wave, unrelated to the draft's for whoever lacks the secret."""
    return hashlib.sha256(b"submission" + secret + wave_id.encode()).hexdigest()


def code(secret: bytes, wave_id: str) -> str:
    """This phone's reply code in a wave: 16 digits."""
    return reply_code(state().secret(REPLY_KEY), secret + wave_id.encode())


def slow_hash(reply: str) -> str:
    """What is kept of a reply code. Takes about 20 ms: never inside a transaction."""
    return reply_hash(reply, state().secret(REPLY_PEPPER))
