"""Recovery codes for signing in after the loss of a phone. Each works once, and only a keyed digest is stored."""

import hashlib
import hmac
from random import Random

from engage.domain.security.access_codes import ALPHABET, LOOK_ALIKES, normalize_code

HOW_MANY = 10
LENGTH = 12  # symbols of 23: 54 random bits
GROUP = 4
RECOVERY_KEY = "recovery codes"  # purpose of the derived key for digests
BETWEEN = ","


def generate_recovery_codes(rng: Random) -> list[str]:
    """Return new codes, formatted for people: XXXX-XXXX-XXXX. `rng` must be a `SystemRandom`."""
    return [_format_code("".join(rng.choice(ALPHABET) for _ in range(LENGTH))) for _ in range(HOW_MANY)]


def hash_recovery_codes(codes: list[str], key: bytes, staff_id: int) -> str:
    """Return the stored form of a person's codes."""
    return BETWEEN.join(_code_digest(code, key, staff_id) for code in codes)


def use_recovery_code(stored: str, typed: str, key: bytes, staff_id: int) -> str | None:
    """Return the stored codes without the one that was used; None if it is not among them."""
    digests = stored.split(BETWEEN) if stored else []
    used = _code_digest(typed, key, staff_id)
    left = [each for each in digests if not hmac.compare_digest(each, used)]
    return None if len(left) == len(digests) else BETWEEN.join(left)


def count_unused_codes(stored: str | None) -> int:
    """Return the number of unused codes."""
    return len(stored.split(BETWEEN)) if stored else 0


def _format_code(code: str) -> str:
    return "-".join(code[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def _code_digest(code: str, key: bytes, staff_id: int) -> str:
    symbols = normalize_code(code).translate(LOOK_ALIKES)
    return hmac.new(key, f"{staff_id} {symbols}".encode(), hashlib.sha256).hexdigest()
