"""How passwords and reply codes are hashed where it counts: OWASP Password Storage Cheat Sheet, Argon2id, at least 19
MiB of memory, 2 passes, 1 lane. The tests hash with less (tests/speed.py), so what the product does is held here."""

import subprocess
import sys

from tests.speed import REAL_PASSWORDS, REAL_REPLY_CODES

OWASP = (2, 19_456, 1)  # passes, KiB, lanes


def test_passwords_and_reply_codes_are_hashed_as_owasp_says() -> None:
    assert REAL_PASSWORDS == OWASP
    assert REAL_REPLY_CODES == OWASP


def test_what_is_stored_of_a_password_says_so_too() -> None:
    code = "from engage.domain.security.passwords import hash_password; print(hash_password('seven quiet otters'))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
