"""Staff passwords: how they are kept, and which are too weak to keep."""

import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

PASSES = 2
MEMORY = 19_456  # KiB; with two passes and one lane OWASP's first recommendation for Argon2id
LANES = 1
FORM: Final = "NFKD"  # the same letters typed on another keyboard are the same password; Flask-Security's own default

LEAST = 12  # characters, after normalising
MOST = 200
LEAST_NAME = 3  # characters before the @: one or two are in most good passwords by chance
LEAST_DIFFERENT = 5  # different characters among them

_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY, parallelism=LANES, hash_len=32, salt_len=16)


def hash_password(password: str) -> str:
    """What is stored, in Argon2's own notation, as Flask-Security verifies it."""
    return _hasher.hash(unicodedata.normalize(FORM, password))


def verify_password(stored: str, password: str) -> bool:
    """Whether the password is the one that was stored."""
    try:
        return _hasher.verify(stored, unicodedata.normalize(FORM, password))
    except (VerifyMismatchError, InvalidHashError):
        return False


def password_weakness(password: str, email: str) -> str | None:
    """Why a password may not be kept: "short", "long", "simple" (few different characters) or "own" (the person's
    address is in it). None for one that may."""
    plain = unicodedata.normalize(FORM, password)
    if len(plain) < LEAST:
        return "short"
    if len(plain) > MOST:
        return "long"
    if len(set(plain.casefold())) < LEAST_DIFFERENT:
        return "simple"
    name = email.split("@")[0].casefold()
    return "own" if len(name) >= LEAST_NAME and name in plain.casefold() else None
