"""What libraries may write into a log: no address of a computer, no address of a page, no line for each refused try."""

import logging

# Their notices are one line for each refused try.
# "engage.sites.family" and "engage.staff" are the loggers that Flask makes for its apps.
_AUTHLIB = "authlib.integrations.base_client.sync_app"  # writes the secret of each authorization request
NOTICES_DROPPED = ("flask_wtf.csrf", "waitress", "engage.sites.family", "engage.staff", _AUTHLIB)
_WITH_PATH = ("Exception while serving", "Exception on")  # waitress and Flask add the path, with an access code in it


def install() -> None:
    """Filter what those libraries write, whatever level an operator sets. Safe to call again."""
    for name in NOTICES_DROPPED:
        logging.getLogger(name).addFilter(filter_record)


def filter_record(record: logging.LogRecord) -> bool:
    """Whether a record is about a problem of ours; it is written without the address of the page."""
    if record.levelno < logging.ERROR:
        return False
    if isinstance(record.msg, str) and record.msg.startswith(_WITH_PATH):
        record.msg, record.args = "Exception while a request was served", ()
    return True
