"""Files that a command is told to write."""

import os
from contextlib import suppress
from pathlib import Path

import click


def check_writable(target: Path) -> None:
    """Refuse what no file can be put in the place of: a device would be gone. Raises ClickException."""
    try:
        _partial_path(target).exists()
        folder, other = target.parent.is_dir(), target.exists() and not target.is_file()
    except OSError as problem:  # a name too long
        raise click.ClickException(f"{target} cannot be written: {problem.strerror}") from problem
    if other:
        raise click.ClickException(f"{target} is no file; name one that ends in .pdf")
    if not folder:
        raise click.ClickException(f"there is no folder {target.parent}")


def write_atomically(target: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all. Raises ClickException."""
    check_writable(target)
    part = _partial_path(target)
    try:
        with part.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    except OSError as problem:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise click.ClickException(f"{target} cannot be written: {problem.strerror}") from problem


def _partial_path(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")
