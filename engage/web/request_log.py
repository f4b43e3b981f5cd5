"""Log records of requests in the format "json": what a record says about its request, and a record for each request of
a staff page, and for each that failed.

Family pages that work are not recorded: the time of a request would show when an access code was used.
"""

import logging
import secrets
import time

from flask import Flask, Response, g, has_request_context, request

from engage.base.config import Settings
from engage.web.metrics import BEGAN, STAFF, route_group

ID_BYTES = 8  # random, so that an id says nothing about the request, the person, or the time

log = logging.getLogger("engage.requests")


def install(app: Flask, site: str, settings: Settings) -> None:
    """Record the requests of an app, if the format is "json"."""
    if settings.log_format != "json":
        return
    for handler in logging.getLogger().handlers:  # a logger's own filter would not see the records of its children
        handler.addFilter(describe_request)

    @app.after_request
    def record(response: Response) -> Response:
        if site == STAFF or response.status_code >= 500:
            seconds = time.perf_counter() - request.environ.get(BEGAN, time.perf_counter())
            extra = {"site": site, "status": response.status_code, "ms": round(seconds * 1000, 1)}
            log.info("request", extra=extra)
        return response


def describe_request(record: logging.LogRecord) -> bool:
    """Add the request's random id and its route group to a record that is logged during a request."""
    if has_request_context():
        if "request_id" not in g:
            g.request_id = secrets.token_hex(ID_BYTES)
        record.request_id = g.request_id
        record.route = route_group(request.endpoint, request.url_rule.rule if request.url_rule else "")
    return True
