"""Signed links for choosing a password. They expire, and become invalid once a password was chosen."""

import hashlib
import hmac
from datetime import datetime, timedelta

from engage.storage.models.staff import Staff

LINK_KEY = "staff links"  # purpose of the derived key that signs them
KINDS = {"invitation": timedelta(days=7), "reset": timedelta(hours=2)}
MAC = 32  # hex digits: 128 bits


def make_token(key: bytes, person: Staff, kind: str, now: datetime) -> str:
    """Return a token: the person, one of KINDS, the expiry, and the signature. The person must have an id."""
    payload = f"{person.id}.{kind}.{int((now + KINDS[kind]).timestamp())}"
    return f"{payload}.{_token_mac(key, payload, person)}"


def make_link(base_url: str, key: bytes, person: Staff, kind: str, now: datetime) -> str:
    """Return the whole URL. `base_url` must be the site's setting, never a value from a request."""
    return f"{base_url.rstrip('/')}/staff/welcome/{make_token(key, person, kind, now)}"


def read_staff_id(text: str) -> int | None:
    """Return the person's id in a token, before verification; None if there is none."""
    first = text.partition(".")[0]
    return int(first) if first.isascii() and first.isdecimal() and len(first) <= 9 else None


def verify_token(key: bytes, text: str, person: Staff, now: datetime) -> str | None:
    """Return the kind of a token that is valid for this person, unexpired, and unused; else None."""
    payload, _, proof = text.rpartition(".")
    if not hmac.compare_digest(proof.encode(), _token_mac(key, payload, person).encode()):
        return None
    _, kind, until = payload.split(".")
    return kind if person.active and now.timestamp() < int(until) else None


def _token_mac(key: bytes, payload: str, person: Staff) -> str:
    """Return the signature. It changes with the password, and whenever the person is signed out everywhere."""
    bound = f"{payload} {person.fs_uniquifier} {person.password}"
    return hmac.new(key, bound.encode(), hashlib.sha256).hexdigest()[:MAC]
