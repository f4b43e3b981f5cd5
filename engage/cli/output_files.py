"""Output files of commands."""

from pathlib import Path

import click

from engage.base.files import replace_file


def check_writable(target: Path) -> None:
    """Refuse a target that cannot be replaced by a regular file: a device would be overwritten. Raises
    ClickException."""
    try:
        target.with_name(f".{target.name}.part").exists()  # files are written next to the target under a longer name
        folder, other = target.parent.is_dir(), target.exists() and not target.is_file()
    except OSError as problem:  # for example, the name is too long
        raise click.ClickException(f"{target} cannot be written: {problem.strerror}") from problem
    if other:
        raise click.ClickException(f"{target} is not a regular file; use another name")
    if not folder:
        raise click.ClickException(f"there is no folder {target.parent}")


def write_output(target: Path, content: bytes) -> None:
    """Write a file completely or not at all. Raises ClickException."""
    check_writable(target)
    try:
        replace_file(target, content, mode=None)
    except OSError as problem:
        raise click.ClickException(f"{target} cannot be written: {problem.strerror}") from problem
