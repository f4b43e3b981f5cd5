"""Access codes (letters and digits) and reply codes (digits only, for every script), which people copy by hand."""

import hashlib
import hmac
import unicodedata
from random import Random

from argon2.low_level import Type, hash_secret_raw

from engage.questionnaire.text_cleaning import visible_text

ALPHABET = "23456789CDFGHJKMNPRTVWX"
"""23 symbols: no vowels, so no words, and no look-alikes. The number is a prime, so that the check symbol below detects
all single errors."""
RANDOM = 9  # symbols: 9 * log2(23) = 40.7 random bits
LENGTH = RANDOM + 1
ACCESS_KEY = "access codes"  # purpose of the derived key for digests: `runtime().secret(ACCESS_KEY)`
LOOK_ALIKES = str.maketrans({"Z": "2", "S": "5", "B": "8", "U": "V"})  # each looks like only one of the symbols

REPLY_RANDOM = 15  # digits: 49.8 bits
REPLY_LENGTH = REPLY_RANDOM + 1
REPLY_GROUP = 4
REPLY_KEY = "reply codes"  # purpose of the key from which reply codes are derived
REPLY_PEPPER = "reply pepper"  # purpose of the key that salts their hashes

# OWASP Password Storage Cheat Sheet, Argon2id, second setting: 19 MiB, 2 passes, 1 lane
ARGON2_MEMORY = 19_456  # KiB
ARGON2_PASSES = 2
ARGON2_LANES = 1

# H. Michael Damm's quasigroup of order 10 (thesis, Marburg 2004): detects every single wrong digit and every swap of
# two adjacent digits
DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)


def generate_access_code(rng: Random) -> str:
    """Return a new access code: 9 random symbols and a check symbol, without the hyphen. `rng` must be a
    `SystemRandom`."""
    body = "".join(rng.choice(ALPHABET) for _ in range(RANDOM))
    return body + check_symbol(body)


def format_access_code(code: str) -> str:
    """Format an access code for people: XXXXX-XXXXX."""
    half = LENGTH // 2
    return f"{code[:half]}-{code[half:]}"


def parse_access_code(text: str) -> str | None:
    """Return the access code that a person typed, with any spacing, case, and hyphens; None if it is not valid."""
    symbols = normalize_code(text).translate(LOOK_ALIKES)
    if len(symbols) != LENGTH or any(symbol not in ALPHABET for symbol in symbols):
        return None
    return symbols if check_symbol(symbols[:-1]) == symbols[-1] else None


def digest(code: str, key: bytes) -> str:
    """Return the stored digest of an access code: 64 hex digits that reveal nothing without the site's key."""
    return hmac.new(key, code.encode(), hashlib.sha256).hexdigest()


def derive_reply_code(key: bytes, secret: bytes) -> str:
    """Return the 16-digit reply code for a secret.

    The same secret always gives the same code, so nothing needs to be stored until the family opens a thread.
    """
    number = int.from_bytes(hmac.digest(key, b"reply" + secret, hashlib.sha256)) % 10**REPLY_RANDOM
    body = f"{number:0{REPLY_RANDOM}d}"
    return body + str(_damm_digit(body))


def format_reply_code(code: str) -> str:
    """Format a reply code in groups of four: 1234 5678 9012 3456."""
    return " ".join(code[at : at + REPLY_GROUP] for at in range(0, REPLY_LENGTH, REPLY_GROUP))


def parse_reply_code(text: str) -> str | None:
    """Return the reply code that a person typed, in the digits of any script; None if it is not valid."""
    digits = normalize_code(text)
    if len(digits) != REPLY_LENGTH or not (digits.isascii() and digits.isdecimal()):
        return None
    return digits if _damm_digit(digits) == 0 else None


def hash_reply_code(code: str, pepper: bytes) -> str:
    """Return the stored hash of a reply code: 64 hex digits (Argon2id, about 20 ms). `pepper` is the site's key."""
    hashed = hash_secret_raw(
        code.encode(),
        salt=pepper,
        time_cost=ARGON2_PASSES,
        memory_cost=ARGON2_MEMORY,
        parallelism=ARGON2_LANES,
        hash_len=32,
        type=Type.ID,
    )
    return hashed.hex()


def check_symbol(body: str) -> str:
    """Return the symbol that makes the weighted sum 0 modulo 23; weights are 1, 2, 3 …, the last for the check symbol
    itself.

    Weights differ and 23 is prime, so one wrong symbol, or any two swapped, change the sum (21 symbols at most).
    """
    total = sum(weight * ALPHABET.index(symbol) for weight, symbol in enumerate(body, 1))
    size = len(ALPHABET)
    return ALPHABET[-total * pow(len(body) + 1, -1, size) % size]


def _damm_digit(digits: str) -> int:
    interim = 0
    for digit in digits:
        interim = int(DAMM[interim][int(digit)])
    return interim


def normalize_code(text: str) -> str:
    """Return the text in uppercase ASCII where possible, without spaces, hyphens, direction marks, and other
    punctuation."""
    return "".join(
        symbol
        for symbol in visible_text(unicodedata.normalize("NFKC", text[:200])).upper()
        if symbol != "\u2212" and unicodedata.category(symbol)[0] not in "PZC"  # the minus sign has category Sm
    )
