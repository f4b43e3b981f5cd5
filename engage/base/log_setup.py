"""The log of the server and of the worker: lines on standard error."""

import logging

FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


def set_up_logging() -> None:
    """Write notices of our own and problems of the libraries."""
    logging.basicConfig(level=logging.INFO, format=FORMAT)
    logging.getLogger("pikepdf").setLevel(logging.WARNING)  # it greets on import
    logging.getLogger("waitress").setLevel(logging.ERROR)
