"""Logging of the server and of the worker, to standard error."""

import logging

FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


def set_up_logging() -> None:
    """Log messages from level INFO, but only problems of pikepdf and waitress."""
    logging.basicConfig(level=logging.INFO, format=FORMAT)
    logging.getLogger("pikepdf").setLevel(logging.WARNING)  # logs a message at INFO on import
    logging.getLogger("waitress").setLevel(logging.ERROR)
