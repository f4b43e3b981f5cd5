"""Sealing: contacts and letters at rest say nothing without a key that lies outside the database (Fernet: AES-128-CBC
with HMAC-SHA-256, https://github.com/fernet/spec)."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from engage.config import SEALING_FILE, Settings, make_private


class SealBroken(Exception):
    """What was sealed cannot be opened: it was changed, or its key is gone. Look for the key in an older key file."""


class KeyProblem(Exception):
    """A key that is none; the message says what to do."""


def new_key() -> str:
    """A new key: 44 letters and digits of URL-safe base64."""
    return Fernet.generate_key().decode()


def keys(settings: Settings) -> list[str]:
    """The keys at hand, the newest first: from the setting, or from a file that is made when it is first asked for."""
    if settings.sealing_keys:
        return settings.sealing_keys.split()
    path = settings.data_dir / SEALING_FILE
    if not path.exists():
        make_private(path, new_key() + "\n")
    return path.read_text().split()


class Sealer:
    """Seals with the first key, opens with any of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys`: the newest first. Raises KeyProblem."""
        try:
            self._keys = MultiFernet([Fernet(key) for key in keys])
        except ValueError as problem:
            raise KeyProblem(f"a sealing key is 32 bytes in URL-safe base64: {problem}") from problem

    def seal(self, text: str) -> bytes:
        """The text, sealed; the same text again gives other bytes."""
        return self._keys.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """What was sealed. Raises SealBroken."""
        try:
            return self._keys.decrypt(sealed).decode()
        except InvalidToken as problem:
            raise SealBroken("this cannot be opened with the keys at hand") from problem

    def again(self, sealed: bytes) -> bytes:
        """The same, sealed under the newest key. Raises SealBroken."""
        try:
            return self._keys.rotate(sealed)
        except InvalidToken as problem:
            raise SealBroken("this cannot be opened with the keys at hand") from problem
