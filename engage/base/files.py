"""Files that are written whole or not at all: a reader sees the old file or the new one, never half of one."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o600  # mode of files that are for their owner only


def replace_file(path: Path, content: bytes, *, mode: int | None = PRIVATE, durable: bool = True) -> None:
    """Put a file in the place of the one before. `mode` None: as the umask has it. Only a `durable` one is there after
    a power cut, and only if its folder was there before (`sync_path`). Raises OSError."""
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
        with suppress(OSError):  # a name too long: what went wrong is raised above
            part.unlink(missing_ok=True)


def create_private_file(path: Path, text: str) -> None:
    """Make a file for its owner only; of two processes that start at once, the first one's stays. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    replace_file(part, text.encode())
    with suppress(FileExistsError):
        os.link(part, path)
    part.unlink()


def sync_path(path: Path) -> None:
    """Make a file or a folder outlast a power cut. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
