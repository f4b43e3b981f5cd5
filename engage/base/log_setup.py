"""Logging of the server and of the worker, to standard error: as text, or as one JSON object a line.

JSON lines are for log servers, which store them for long and index them. They have no address of a visitor, a page, or
a mailbox, no code, and no value from an exception; the format "text" has what helps a person most.
"""

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType

FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
LONGEST = 2000  # characters of a message
FRAMES = 30  # of a traceback, the innermost
FIELDS = ("request_id", "site", "route", "status", "ms")  # attributes that records of requests have

# In this order: an address of a page can have an address of a mailbox, or a code, in it.
REMOVED = (
    (re.compile(r"\b[a-z][a-z+.-]*://[^\s\"'<>]+", re.IGNORECASE), "[address]"),
    (re.compile(r"[^\s\"'<>(),:;=]+@[^\s\"'<>(),:;]+"), "[mailbox]"),
    (re.compile(r"(?<![\w/])/[\w-]+/[^\s\"'<>]*"), "[path]"),
    (re.compile(r"\?[\w%.-]+=[^\s\"'<>]*"), "[query]"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "[network address]"),
    (re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE), "[network address]"),
    (re.compile(r"(?<![\w:])[0-9a-f:]*::[0-9a-f:]*(?![\w:])", re.IGNORECASE), "[network address]"),
    (re.compile(r"\b[2-9CDFGHJKMNPRTVWX]{5}[ -]?[2-9CDFGHJKMNPRTVWX]{5}\b", re.IGNORECASE), "[code]"),
    (re.compile(r"\b\d{4}(?:[ -]?\d{4}){3}\b"), "[code]"),
)


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON object on one line. Control characters and line ends are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {"time": moment, "level": record.levelname, "logger": record.name}
        line |= {"process": record.process, "message": _message(record)}
        line |= {name: value for name in FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = list(_describe_exception(record.exc_info[1]))
        return json.dumps(line)  # ASCII: no character that another program takes for the end of a line


def _message(record: logging.LogRecord) -> str:
    """The message, without what identifies somebody. An exception in its arguments gives its first line: the others of
    a database's message can have values."""
    if isinstance(record.args, tuple):
        record.args = tuple(_first_line(each) if isinstance(each, BaseException) else each for each in record.args)
    return remove_identifiers(record.getMessage())


def _first_line(problem: BaseException) -> str:
    lines = str(getattr(problem, "orig", None) or problem).strip().splitlines()
    return lines[0] if lines else type(problem).__name__


def remove_identifiers(text: str) -> str:
    """Replace addresses, mailboxes, paths, queries, and codes in a text, and shorten it."""
    text = text[:LONGEST]
    for pattern, name in REMOVED:
        text = pattern.sub(name, text)
    return text


def _describe_exception(problem: BaseException) -> Iterator[dict[str, object]]:
    """The type and the places of an exception and of its causes, the first cause last. What an exception says is left
    out: it often repeats a value."""
    seen: set[int] = set()
    following: BaseException | None = problem
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        kind = type(following)
        yield {"type": f"{kind.__module__}.{kind.__qualname__}", "at": _places(following.__traceback__)}
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-FRAMES:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


def set_up_logging(log_format: str = "text") -> None:
    """Log messages from level INFO, but only problems of pikepdf and waitress."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else logging.Formatter(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("pikepdf").setLevel(logging.WARNING)  # logs a message at INFO on import
    logging.getLogger("waitress").setLevel(logging.ERROR)
    if log_format == "json":
        _use_only_the_root_handler("dbos", handler)
        logging.captureWarnings(True)
        sys.excepthook = _log_uncaught
        threading.excepthook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _use_only_the_root_handler(name: str, handler: logging.Handler) -> None:
    """Give a logger that writes text by itself our handler; DBOS adds its own only where there is none."""
    logger = logging.getLogger(name)
    logger.handlers[:] = [handler]
    logger.propagate = False


def _log_uncaught(kind: type[BaseException], problem: BaseException | None, trace: TracebackType | None) -> None:
    if problem is not None:
        logging.getLogger("engage").critical("not expected: %s", problem, exc_info=(kind, problem, trace))
