"""The secret that a family's phone stores for each survey, and the keys derived from it. The site never stores it."""

import base64
import binascii
import hashlib
import secrets
from datetime import date, timedelta
from functools import lru_cache

from flask import Response, request

from engage.domain.intake import draft_encryption
from engage.domain.intake.draft_encryption import DRAFT_KEY, HOUSEHOLD_KEY, DraftKeys
from engage.domain.security.access_codes import REPLY_KEY, REPLY_PEPPER, derive_reply_code, hash_reply_code
from engage.web.context import runtime

SIZE = 32  # bytes
NAME, SECURE_NAME = "engage-", "__Host-engage-"  # the prefix of the cookie's name
DAY_MARK = "."  # in the cookie, before the last day on which the phone stores it


def cookie_name(wave_id: str, secure: bool) -> str:
    """The name of the cookie for one survey, so that each survey has a new secret."""
    return (SECURE_NAME if secure else NAME) + _wave_digest(wave_id)


@lru_cache(maxsize=256)
def _wave_digest(wave_id: str) -> str:
    return hashlib.sha256(wave_id.encode()).hexdigest()[:8]


def _read_cookie(wave_id: str) -> tuple[str, str]:
    """The cookie of a survey: the secret as text, and its last day ("" for a session cookie)."""
    name = cookie_name(wave_id, runtime().settings.secure)
    pairs = (part.strip().partition("=") for part in request.environ.get("HTTP_COOKIE", "").split(";"))
    secret, _, day = next((value for key, _, value in pairs if key == name), "").partition(DAY_MARK)
    return secret, day


def read_secret(wave_id: str) -> bytes | None:
    """The secret that the phone sent for a survey, if any."""
    try:
        secret = base64.b64decode(_read_cookie(wave_id)[0] + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return secret if len(secret) == SIZE else None


def read_secret_expiry(wave_id: str) -> date | None:
    """The last day on which the phone stores its secret; None for a session cookie."""
    try:
        return date.fromisoformat(_read_cookie(wave_id)[1])
    except ValueError:
        return None


def make_secret() -> bytes:
    """A new secret, for a phone that has none or starts over."""
    return secrets.token_bytes(SIZE)


def set_secret_cookie(response: Response, wave_id: str, secret: bytes, until: date | None = None) -> Response:
    """Set the phone's secret for a survey: until a day, or until the browser is closed."""
    text = base64.urlsafe_b64encode(secret).decode().rstrip("=")
    age = None
    if until is not None:
        text, age = f"{text}{DAY_MARK}{until.isoformat()}", until - runtime().today()
    secure = runtime().settings.secure
    name = cookie_name(wave_id, secure)
    response.set_cookie(name, text, max_age=age, httponly=True, samesite="Lax", path="/", secure=secure)
    return response


def draft_expiry_day() -> date:
    """The last day on which answers given today are stored as a draft."""
    return runtime().today() + timedelta(days=runtime().settings.keep_drafts_days)


def clear_secret_cookies(response: Response, wave_id: str | None = None) -> Response:
    """Delete the cookie of one survey, or of all."""
    secure = runtime().settings.secure
    start = SECURE_NAME if secure else NAME
    names = [name for name in request.cookies if name.startswith(start)]
    for name in names if wave_id is None else [cookie_name(wave_id, secure)]:
        response.delete_cookie(name, httponly=True, samesite="Lax", path="/", secure=secure)
    response.headers["Clear-Site-Data"] = '"cache"'  # pages that the browser caches for its back button
    return response


def draft_pocket(secret: bytes, wave_id: str) -> DraftKeys:
    """The keys of this phone's draft in a wave: its storage id and its encryption."""
    return draft_encryption.phone_draft_keys(secret, wave_id, runtime().secret(DRAFT_KEY))


def household_pocket(code: str, wave_id: str) -> DraftKeys:
    """The keys of the draft shared by a household with an access code."""
    return draft_encryption.household_draft_keys(code, wave_id, runtime().secret(HOUSEHOLD_KEY))


def submission_key(secret: bytes, wave_id: str) -> str:
    """The key of this phone's submission in a wave; without the secret it cannot be linked to the draft's key."""
    return hashlib.sha256(b"submission" + secret + wave_id.encode()).hexdigest()


def phone_reply_code(secret: bytes, wave_id: str) -> str:
    """This phone's reply code in a wave: 16 digits."""
    return derive_reply_code(runtime().secret(REPLY_KEY), secret + wave_id.encode())


def reply_code_hash(reply: str) -> str:
    """The stored hash of a reply code. Takes about 20 ms: never call it inside a transaction."""
    return hash_reply_code(reply, runtime().secret(REPLY_PEPPER))
