"""Staff passwords: their hashes (Argon2id), and which passwords are too weak to use."""

import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

PASSES = 2
MEMORY = 19_456  # KiB; with two passes and one lane OWASP's first recommendation for Argon2id
LANES = 1
FORM: Final = "NFKD"  # the same letters typed on another keyboard are the same password

LEAST = 12  # characters, after normalising
MOST = 200
LEAST_NAME = 3  # characters before the @: one or two are in most good passwords by chance
LEAST_DIFFERENT = 5  # different characters among them

_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY, parallelism=LANES, hash_len=32, salt_len=16)


def hash_password(password: str) -> str:
    """The hash of a password, in Argon2's own notation."""
    return _hasher.hash(unicodedata.normalize(FORM, password))


def verify_password(stored: str | None, password: str) -> bool:
    """Whether a stored hash is that of the password. None, for an account that does not exist, takes as long."""
    if stored is None:
        hash_password(password)
        return False
    try:
        return _hasher.verify(stored, unicodedata.normalize(FORM, password))
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    """Whether a hash was made with other parameters than those of today."""
    return _hasher.check_needs_rehash(stored)


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
