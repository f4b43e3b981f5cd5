"""What a person reads when something is not there, not allowed or not working."""

import logging

from flask import Flask, render_template
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from engage.web.locale import gettext

RETRY_AFTER = "30"  # seconds

log = logging.getLogger("engage")


def sentences(code: int) -> tuple[str, str]:
    """A heading and what to do, for a status code, in the page's language."""
    if code == 403:
        # translators: heading of an error page
        # translators: shown to staff who opened a page that is not part of their work
        return gettext("This page is not open to you"), gettext(
            "Your account may not do this. Ask the administrator if you need it."
        )
    if code == 404:
        # translators: heading of an error page
        return gettext("We cannot find this page"), gettext("Check the address, or start again from the first page.")
    if code == 413:
        return gettext("That is too much at once"), gettext("Please make your text shorter and send it again.")
    if code == 429:
        return gettext("Too many tries"), gettext("Please wait a minute and try again.")
    if code >= 500:
        return gettext("Something on our side did not work"), gettext(
            "What you sent before is safe. Please wait a minute and try again."
        )
    return gettext("We could not use what was sent"), gettext("Please go back and try again.")


def install(app: Flask, template: str) -> None:
    """Answer every error of an app with a page a person can read."""

    def page(code: int) -> tuple[str, int, dict[str, str]]:
        heading, advice = sentences(code)
        headers = {"Retry-After": RETRY_AFTER} if code in (429, 503) else {}
        return render_template(template, heading=heading, advice=advice, code=code), code, headers

    @app.errorhandler(HTTPException)
    def refused(problem: HTTPException) -> object:
        if problem.response is not None or (problem.code or 500) < 400:
            return problem
        return page(problem.code or 500)

    @app.errorhandler(OperationalError)
    def unreachable(problem: OperationalError) -> object:
        log.error("the database did not answer: %s", problem.orig)
        return page(503)

    @app.errorhandler(Exception)
    def broken(problem: Exception) -> object:
        log.exception("a page broke", exc_info=problem)
        return page(500)
