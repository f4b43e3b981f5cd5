"""Staff passwords: hashes (Argon2id), and the detection of weak passwords."""

import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

PASSES = 2
MEMORY = 19_456  # KiB; with two passes and one lane, OWASP's first recommendation for Argon2id
LANES = 1
FORM: Final = "NFKD"  # the same letters typed on different keyboards are the same password

LEAST = 12  # characters, after normalization
MOST = 200
LEAST_NAME = 3  # characters before the @; one or two occur in most good passwords by chance
LEAST_DIFFERENT = 5  # different characters

_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY, parallelism=LANES, hash_len=32, salt_len=16)


def hash_password(password: str) -> str:
    """Return the hash of a password, in Argon2's format."""
    return _hasher.hash(unicodedata.normalize(FORM, password))


def verify_password(stored: str | None, password: str) -> bool:
    """Whether a password matches the stored hash. None, for an account that does not exist, takes as long."""
    if stored is None:
        hash_password(password)
        return False
    try:
        return _hasher.verify(stored, unicodedata.normalize(FORM, password))
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    """Whether a hash was made with other parameters than the current ones."""
    return _hasher.check_needs_rehash(stored)


def password_weakness(password: str, email: str) -> str | None:
    """Return why a password is refused: "short", "long", "simple" (few different characters), or "own" (contains the
    person's address). None if it is accepted."""
    plain = unicodedata.normalize(FORM, password)
    if len(plain) < LEAST:
        return "short"
    if len(plain) > MOST:
        return "long"
    if len(set(plain.casefold())) < LEAST_DIFFERENT:
        return "simple"
    name = email.split("@")[0].casefold()
    return "own" if len(name) >= LEAST_NAME and name in plain.casefold() else None
