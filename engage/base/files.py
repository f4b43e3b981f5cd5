"""Atomic file writes: a reader sees the old file or the new one, never a partial one. And locks between processes."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

PRIVATE = 0o600  # permissions: only the owner may read and write


def replace_file(path: Path, content: bytes, *, mode: int | None = PRIVATE, durable: bool = True) -> None:
    """Replace a file atomically. Raises OSError.

    `mode` None uses the umask. Only a `durable` write survives a power failure, and only if the folder itself has been
    synced (`sync_path`).
    """
    part = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else PRIVATE)
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):  # the name was too long; the OSError below reports it
            part.unlink(missing_ok=True)


def create_private_file(path: Path, text: str) -> None:
    """Create a file that only its owner can read. If two processes start at once, the first one's file stays. Raises
    OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    replace_file(part, text.encode())
    with suppress(FileExistsError):
        os.link(part, path)
    part.unlink()


def modification_time(path: Path) -> datetime | None:
    """Return when a file was last modified, by the clock of its file system; None if it no longer exists."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:  # another machine has deleted it
        return None


def sync_path(path: Path) -> None:
    """Sync a file or folder to disk, so that it survives a power failure. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Hold the lock of a file, which is created if it does not exist. The system releases the lock however the process
    ends. Yields False if another process holds it, on any machine (flock). Raises OSError."""
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
