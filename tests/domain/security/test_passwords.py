"""Hashing of passwords and reply codes in production: OWASP Password Storage Cheat Sheet, Argon2id, at least 19 MiB of
memory, 2 passes, 1 lane. Other tests use less (tests/speed.py), so the parameters of the product are checked here."""

import subprocess
import sys

import pytest

from engage.domain.security.passwords import password_weakness
from tests.speed import REAL_PASSWORDS, REAL_REPLY_CODES

OWASP = (2, 19_456, 1)  # passes, KiB, lanes


def test_passwords_and_reply_codes_are_hashed_as_owasp_says() -> None:
    assert REAL_PASSWORDS == OWASP
    assert REAL_REPLY_CODES == OWASP


def test_what_is_stored_of_a_password_says_so_too() -> None:
    code = "from engage.domain.security.passwords import hash_password; print(hash_password('seven quiet otters'))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    ("email", "weakness"),
    [
        ("otters@a.example", "own"),
        ("OTTERS@a.example", "own"),
        ("e@a.example", None),
        ("ott@a.example", "own"),
        ("ot@a.example", None),
    ],
)
def test_a_password_may_hold_a_short_name_but_not_a_long_one(email: str, weakness: str | None) -> None:
    """One letter before the @ used to make nearly every password weak."""
    assert password_weakness("seven quiet otters", email) == weakness
