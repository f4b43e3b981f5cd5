"""Explanations of exceptions for operators. A full disk is checked for, because SQLite may report it as "disk I/O
error"."""

import errno
import os
import pwd
import shutil
from pathlib import Path

MAKE_ROOM = "Free some space and start again"
LEAST_FREE = 1_000_000  # bytes; with less, SQLite cannot even open a database


def explain_problem(problem: Exception) -> str | None:
    """Explain an exception in one sentence for an operator; None for a programming error."""
    kind = type(problem)
    from_database = kind.__module__ == "sqlalchemy.exc" and kind.__name__ == "OperationalError"
    if (from_database or _is_disk_full(problem) or "disk" in str(problem)) and (full := _disk_full_sentence()):
        return full
    if kind.__module__.startswith("engage."):
        return str(problem)
    if from_database:
        return f"the database did not answer: {getattr(problem, 'orig', problem)}"
    if isinstance(problem, PermissionError) and problem.filename:
        return f"the account {_account_name()} has no permission for {problem.filename}"
    return f"there is no space left: {problem}. {MAKE_ROOM}" if _is_disk_full(problem) else None


def _account_name() -> str:
    """Return the name of the account that runs this process, or its number if it has no name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _is_disk_full(problem: BaseException | None) -> bool:
    """Whether the exception, or one of its causes, reports a full disk."""
    while problem is not None:
        if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        problem = problem.__cause__ or problem.__context__
    return False


def _disk_full_sentence() -> str | None:
    """The sentence for a full disk of the data directory; None if it has space."""
    place = _existing_data_dir()
    free = shutil.disk_usage(place).free
    return None if free >= LEAST_FREE else f"the disk is full: {free / 1e6:.1f} MB are free at {place}. {MAKE_ROOM}"


def _existing_data_dir() -> Path:
    from engage.base.config import SettingProblem, Settings

    try:
        folder = Settings.read(os.environ).data_dir.resolve()
    except SettingProblem:
        folder = Path.cwd()
    return next(each for each in (folder, *folder.parents) if each.exists())
