"""Files that a command is told to write."""

from pathlib import Path

import click

from engage.base.files import replace_file


def check_writable(target: Path) -> None:
    """Refuse what no file can be put in the place of: a device would be gone. Raises ClickException."""
    try:
        target.with_name(f".{target.name}.part").exists()  # files are written beside, under a longer name
        folder, other = target.parent.is_dir(), target.exists() and not target.is_file()
    except OSError as problem:  # a name too long
        raise click.ClickException(f"{target} cannot be written: {problem.strerror}") from problem
    if other:
        raise click.ClickException(f"{target} is no file; name one that ends in .pdf")
    if not folder:
        raise click.ClickException(f"there is no folder {target.parent}")


def write_output(target: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all. Raises ClickException."""
    check_writable(target)
    try:
        replace_file(target, content, mode=None)
    except OSError as problem:
        raise click.ClickException(f"{target} cannot be written: {problem.strerror}") from problem
