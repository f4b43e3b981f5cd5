"""Storage of authenticator app secrets (RFC 6238): Base32, encrypted with a key derived from the site's secret."""

import base64
import hashlib
import json

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from engage.domain.security.encryption import SealBroken, Sealer, derive_key

PURPOSE = "authenticator apps"
PASSLIB_PURPOSE = "authenticator"  # purpose of the derived key with which passlib encrypted, in hex
AES_KEY = 32  # bytes
AES_BLOCK = 16  # bytes


def seal_app_secret(secret: str, site_secret: bytes) -> str:
    """Encrypt a secret, as text."""
    return _sealer(site_secret).seal(secret).decode("ascii")


def open_app_secret(sealed: str, site_secret: bytes) -> str:
    """Decrypt a secret in Base32. Raises SealBroken."""
    if is_passlib_form(sealed):
        return _open_passlib_form(sealed, derive_key(site_secret, PASSLIB_PURPOSE).hex().encode())
    return _sealer(site_secret).open(sealed.encode())


def is_passlib_form(sealed: str) -> bool:
    """Whether the secret was encrypted by passlib, as earlier versions did through Flask-Security."""
    return sealed.startswith("{")


def _sealer(site_secret: bytes) -> Sealer:
    return Sealer([base64.urlsafe_b64encode(derive_key(site_secret, PURPOSE)).decode("ascii")])


def _open_passlib_form(sealed: str, password: bytes) -> str:
    """Decrypt the format of passlib.totp.AppWallet: AES-256-CTR, key and counter by PBKDF2-HMAC-SHA256. It has no
    checksum, so a wrong key gives a wrong secret and not an error."""
    try:
        box = json.loads(sealed)["enckey"]
        salt, encrypted, rounds = _base32_bytes(box["s"]), _base32_bytes(box["k"]), 1 << int(box["c"])
        derived = hashlib.pbkdf2_hmac("sha256", password, salt, rounds, AES_KEY + AES_BLOCK)
    except (ValueError, KeyError, TypeError) as problem:
        raise SealBroken("this is no secret of an app") from problem
    opener = Cipher(AES(derived[:AES_KEY]), CTR(derived[AES_KEY:])).decryptor()
    return base64.b32encode(opener.update(encrypted) + opener.finalize()).decode("ascii")


def _base32_bytes(text: str) -> bytes:
    return base64.b32decode(text + "=" * (-len(text) % 8))
