"""Sealing: contacts and letters at rest say nothing without a key that lies outside the database (Fernet: AES-128-CBC
with HMAC-SHA-256, https://github.com/fernet/spec)."""

import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from engage.base.config import SEALING_FILE, Settings
from engage.base.files import create_private_file


class SealBroken(Exception):
    """What was sealed cannot be opened: it was changed, or its key is gone. Look for the key in an older key file."""


class KeyProblem(Exception):
    """A key that is none; the message says what to do."""


def derive_key(secret: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose only, made from the site's secret."""
    return hmac.digest(secret, purpose.encode(), hashlib.sha256)


def new_key() -> str:
    """A new key: 44 letters and digits of URL-safe base64."""
    return Fernet.generate_key().decode()


def key_file(settings: Settings) -> Path:
    """Where the keys lie, unless they are set from outside."""
    return settings.data_dir / SEALING_FILE


def load_keys(settings: Settings) -> list[str]:
    """The keys at hand, the newest first: from the setting, or from a file that is made when it is first asked for."""
    if settings.sealing_keys:
        return settings.sealing_keys.split()
    path = key_file(settings)
    if not path.exists():
        create_private_file(path, new_key() + "\n")
    return path.read_text().split()


class Sealer:
    """Seals with the first key, opens with any of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys`: the newest first. Raises KeyProblem."""
        self._use(keys)
        self._again: Callable[[], None] = lambda: None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """A sealer with the site's keys, which reads their file again whenever it has changed: a site at work follows
        `engage keys rotate` without a new start. Raises KeyProblem."""
        sealer = cls(load_keys(settings))
        if not settings.sealing_keys:
            sealer._again = _KeyFileReader(sealer, settings)
        return sealer

    def seal(self, text: str) -> bytes:
        """The text, sealed; the same text again gives other bytes."""
        self._again()
        return self._keys.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """What was sealed. Raises SealBroken."""
        self._again()
        try:
            return self._keys.decrypt(sealed).decode()
        except InvalidToken as problem:
            raise SealBroken("this cannot be opened with the keys at hand") from problem

    def reseal(self, sealed: bytes) -> bytes:
        """The same, sealed under the newest key; what is already stays as it is. Raises SealBroken."""
        self._again()
        try:
            return sealed if self.newest(sealed) else self._keys.rotate(sealed)
        except InvalidToken as problem:
            raise SealBroken("this cannot be opened with the keys at hand") from problem

    def newest(self, sealed: bytes) -> bool:
        """Whether it is sealed under the newest key."""
        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            return False
        return True

    def _use(self, keys: Sequence[str]) -> None:
        if not keys:
            raise KeyProblem("there is no sealing key; put the key back that was in DATA_DIR/sealing-keys")
        try:
            fernets = [Fernet(key) for key in keys]
        except ValueError as problem:
            raise KeyProblem(f"a sealing key is 32 bytes in URL-safe base64: {problem}") from problem
        self._first, self._keys = fernets[0], MultiFernet(fernets)


class _KeyFileReader:
    """Reads the file of keys again when it has changed."""

    def __init__(self, sealer: Sealer, settings: Settings) -> None:
        self._sealer, self._settings = sealer, settings
        self._seen: tuple[int, ...] = ()  # read once more at the first use: it may have changed since

    def __call__(self) -> None:
        mark = self._mark()
        if mark and mark != self._seen:  # a file that went away is no reason to forget its keys
            self._sealer._use(load_keys(self._settings))
            self._seen = mark

    def _mark(self) -> tuple[int, ...]:
        try:
            stat = os.stat(key_file(self._settings))
        except FileNotFoundError:
            return ()
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
