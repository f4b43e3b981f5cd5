"""Encryption of contacts and emails in the database with keys outside the database (Fernet: AES-128-CBC with
HMAC-SHA-256, https://github.com/fernet/spec)."""

import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from engage.base.config import SEALING_FILE, Settings


class SealBroken(Exception):
    """The data cannot be decrypted: it was changed, or its key is missing. An older key file may have the key."""


class KeyProblem(Exception):
    """An invalid key. The message says what to do."""


def derive_key(secret: bytes, purpose: str) -> bytes:
    """Return a 32-byte key for one purpose, derived from the site's secret."""
    return hmac.digest(secret, purpose.encode(), hashlib.sha256)


def new_key() -> str:
    """Return a new key: 44 characters of URL-safe base64."""
    return Fernet.generate_key().decode()


def key_file(settings: Settings) -> Path:
    """Return the path of the key file, which is used unless the setting has the keys."""
    return settings.site_dir / SEALING_FILE


def load_keys(settings: Settings) -> list[str]:
    """Return the keys, the newest first: from the setting, or from the key file, which is created on first use. Raises
    SettingProblem."""
    if settings.sealing_keys:
        return settings.sealing_keys.split()
    return settings.read_key_file(SEALING_FILE, lambda: new_key() + "\n").split()


class Sealer:
    """Encrypts with the newest key and decrypts with any key."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys`: the newest first. Raises KeyProblem."""
        self._use(keys)
        self._follow: Callable[[], None] = lambda: None
        self._read_again: Callable[[], bool] = lambda: False

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return a sealer with the site's keys. Raises KeyProblem.

        It reads the key file again after each change, so that a running site follows `engage keys rotate` without a
        restart.
        """
        sealer = cls(load_keys(settings))
        if not settings.sealing_keys:
            reader = _KeyFileReader(sealer, settings)
            sealer._follow, sealer._read_again = reader.follow, reader.read_again
        return sealer

    def seal(self, text: str) -> bytes:
        """Encrypt a text. The result differs each time."""
        self._follow()
        return self._keys.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Decrypt a text. Raises SealBroken."""
        self._follow()
        try:
            return self._keys.decrypt(sealed).decode()
        except InvalidToken as problem:
            if self._read_again():
                return self.open(sealed)
            raise SealBroken("this cannot be opened with the keys at hand") from problem

    def reseal(self, sealed: bytes) -> bytes:
        """Encrypt again with the newest key, unless that was used already. Raises SealBroken."""
        self._follow()
        try:
            return sealed if self.newest(sealed) else self._keys.rotate(sealed)
        except InvalidToken as problem:
            raise SealBroken("this cannot be opened with the keys at hand") from problem

    def newest(self, sealed: bytes) -> bool:
        """Whether the data is encrypted with the newest key."""
        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            return False
        return True

    def _use(self, keys: Sequence[str]) -> None:
        if not keys:
            raise KeyProblem("there is no sealing key; put the key back that was in the file sealing-keys")
        try:
            fernets = [Fernet(key) for key in keys]
        except ValueError as problem:
            raise KeyProblem(f"a sealing key is 32 bytes in URL-safe base64: {problem}") from problem
        self._first, self._keys = fernets[0], MultiFernet(fernets)


class _KeyFileReader:
    """Reads the key file again after it has changed."""

    def __init__(self, sealer: Sealer, settings: Settings) -> None:
        self._sealer, self._settings = sealer, settings
        self._seen: tuple[int, ...] = ()  # read again on first use: the file may have changed since
        self._keys: list[str] = []

    def follow(self) -> None:
        """Use the keys of the file if it has changed."""
        mark = self._mark()
        if mark and mark != self._seen:  # if the file disappears, its keys stay in use
            self._use(load_keys(self._settings))
            self._seen = mark

    def read_again(self) -> bool:
        """Read the file and return whether its keys are other ones. A network file system may report a change of
        another machine to `stat` up to a minute late, but not to `open`."""
        if not self._mark():
            return False
        before = self._keys
        self._use(load_keys(self._settings))
        return self._keys != before

    def _use(self, keys: Sequence[str]) -> None:
        self._sealer._use(keys)
        self._keys = list(keys)

    def _mark(self) -> tuple[int, ...]:
        try:
            stat = os.stat(key_file(self._settings))
        except FileNotFoundError:
            return ()
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
