"""Error pages: something was not found, not allowed, or failed."""

import logging

from flask import Flask, g, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadHost, HTTPException

from engage.base.languages import LANGUAGES
from engage.storage.outages import is_outage, summarize
from engage.web.page_language import gettext, set_language

TEXT_DOMAIN = "family"

RETRY_AFTER = "30"  # seconds

log = logging.getLogger("engage")


def describe_error(code: int) -> tuple[str, str]:
    """A heading and advice for a status code, in the page's language."""
    if code == 403:
        # translators: heading of an error page, for staff who opened a page that is not part of their work
        heading = gettext("You do not have access to this page")
        # translators: below that heading
        return heading, gettext(
            "Your account does not have permission to do this. Ask your administrator if you need it."
        )
    if code == 404:
        # translators: heading of an error page: there is nothing at this address
        heading = gettext("We cannot find this page")
        # translators: below that heading
        return heading, gettext("Check the address, or start again from the first page.")
    if code == 413:
        # translators: heading of an error page: the text that was sent is far too long
        heading = gettext("That is too long to send")
        # translators: below that heading
        return heading, gettext("Please make your text shorter and send it again.")
    if code == 429:
        # translators: heading of an error page: somebody tried too often in a short time
        heading = gettext("Too many tries")
        # translators: below that heading
        return heading, gettext("Please wait a minute and try again.")
    if code >= 500:
        # translators: heading of an error page: the fault is ours
        heading = gettext("Something on our side did not work")
        # translators: privacy: below that heading
        return heading, gettext("What you sent before is safe. Please wait a minute and try again.")
    # translators: heading of an error page
    heading = gettext("We could not use what was sent")
    # translators: below that heading
    return heading, gettext("Please go back and try again.")


def install(app: Flask, template: str) -> None:
    """Answer every error of an app with a readable page."""

    def page(code: int) -> ResponseReturnValue:
        tag = request.path.split("/")[1]
        if "language" not in g:  # no route was found, so the address was not read yet
            set_language(tag)
        g.is_failing = code >= 500  # the menu then does not use the database
        heading, advice = describe_error(code)
        headers = {"Retry-After": RETRY_AFTER} if code in (429, 503) else {}
        front = f"/{tag}/" if tag in LANGUAGES else "/"  # without a language, families choose it there
        return render_template(template, heading=heading, advice=advice, code=code, front=front), code, headers

    @app.errorhandler(HTTPException)
    def refused(problem: HTTPException) -> ResponseReturnValue:
        if problem.response is not None or (problem.code or 500) < 400:
            return problem
        return page(problem.code or 500)

    @app.errorhandler(BadHost)
    def nowhere(_problem: BadHost) -> ResponseReturnValue:
        return (
            " ".join(describe_error(400)),
            400,
            {"Content-Type": "text/plain; charset=utf-8"},
        )  # without a page: it would have links

    @app.errorhandler(Exception)
    def broken(problem: Exception) -> ResponseReturnValue:
        if is_outage(problem):
            log.error("the database is not available: %s", summarize(problem))
            g.is_database_away = True  # the page is drawn as for somebody who is not signed in
            return page(503)
        log.exception("a page broke", exc_info=problem)
        return page(500)
