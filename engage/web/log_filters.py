"""Log filters for libraries: no network addresses, no page addresses, no line for each refused attempt."""

import logging

# These libraries log one line for each refused attempt.
# "engage.sites.family" and "engage.staff" are the loggers that Flask creates for the apps.
_AUTHLIB = "authlib.integrations.base_client.sync_app"  # logs the secret of each authorization request
NOTICES_DROPPED = ("flask_wtf.csrf", "waitress", "engage.sites.family", "engage.staff", _AUTHLIB)
_WITH_PATH = ("Exception while serving", "Exception on")  # they are followed by a path, which may have an access code


def install() -> None:
    """Filter the log records of these libraries, at any log level. Safe to call again."""
    for name in NOTICES_DROPPED:
        logging.getLogger(name).addFilter(filter_record)


def filter_record(record: logging.LogRecord) -> bool:
    """Whether a record reports an error and is kept; removes the address of the page from it."""
    if record.levelno < logging.ERROR:
        return False
    if isinstance(record.msg, str) and record.msg.startswith(_WITH_PATH):
        record.msg, record.args = "Exception while a request was served", ()
    return True
