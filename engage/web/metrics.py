"""The page /metrics for Prometheus, and the measurement of each request by its site and route group."""

import hmac
import time
from collections.abc import Callable
from typing import Any, cast

from flask import Flask, Response, abort, current_app, request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from werkzeug.exceptions import Unauthorized

from engage.base.measurements import recorder, replace_recorder
from engage.base.prometheus_recorder import PrometheusRecorder
from engage.domain.security.permissions import PUBLIC
from engage.services.runtime import Runtime
from engage.services.site_metrics import SiteCollector
from engage.web.context import runtime as current_runtime
from engage.web.permissions import enters

ADDRESS = "/metrics"
EXTENSION = "engage.metrics"
BEGAN = "engage.began"  # in the WSGI environment: when the request began, by time.perf_counter
FAMILY, STAFF, STATIC = "family", "staff", "static"  # the sites
NO_ROUTE = "none"

# A family group must not tell what one family did at a moment: answering, sending, and asking are one group, and access
# codes and reply codes another, together with the front pages.
FAMILY_GROUPS = {
    **dict.fromkeys(("choose_language", "front", "code_form", "code_typed", "personal", "begin_personal"), "entry"),
    **dict.fromkeys(("reply", "reply_typed"), "entry"),
    **dict.fromkeys(("results_list", "results"), "results"),
    "blank_form_pdf": "files",
}
STAFF_GROUPS = {
    **dict.fromkeys(("sign_in", "me", "factors", "second", "forgotten", "sso"), "account"),
    **dict.fromkeys(("home", "liaison"), "liaison"),
    "district": "district",
    "administration": "administration",
}
HEALTH = ("healthz", "readyz", "metrics")
FILES = (".pdf", ".csv", ".xlsx")


def route_group(endpoint: str | None, rule: str) -> str:
    """The group of a route, from its names in the code; nothing that a visitor sends is part of it."""
    if endpoint is None:
        return NO_ROUTE
    if endpoint in HEALTH:
        return "health"
    blueprint, _, view = endpoint.rpartition(".")
    if blueprint == "family":
        return FAMILY_GROUPS.get(view, "survey")
    return "files" if rule.endswith(FILES) else STAFF_GROUPS[blueprint or view]


def install(app: Flask, site: str) -> None:
    """Measure every request of an app, if this process measures."""
    groups: dict[str | None, str] = {}

    def group() -> str:
        endpoint = request.endpoint
        if endpoint not in groups:  # at most one entry for each endpoint
            groups[endpoint] = route_group(endpoint, request.url_rule.rule if request.url_rule else "")
        return groups[endpoint]

    @app.after_request
    def measure(response: Response) -> Response:
        if recorder().active and BEGAN in request.environ:  # the tests of one app have none
            seconds = time.perf_counter() - request.environ[BEGAN]
            recorder().record_request(site, group(), response.status_code, seconds)
        return response


def measuring(began: float, start_response: Callable[..., Any]) -> Callable[..., Any]:
    """A start_response that also measures the request of a static file, which began at `began`."""
    if not recorder().active:
        return start_response

    def start(status: str, *rest: Any) -> Any:
        recorder().record_request(STATIC, "files", int(status[:3]), time.perf_counter() - began)
        return start_response(status, *rest)

    return start


def install_page(app: Flask, runtime: Runtime) -> None:
    """Add /metrics to an app. A process that nothing told to measure begins to, in its memory, if there is a token."""
    if runtime.settings.metrics_token and not recorder().active:
        replace_recorder(PrometheusRecorder())
    app.extensions[EXTENSION] = SiteCollector(runtime)
    app.add_url_rule(ADDRESS, "metrics", metrics)


@enters(PUBLIC)
def metrics() -> Response:
    """All metrics of the site and of the processes of this machine, for whoever has the token of the settings."""
    token = current_runtime().settings.metrics_token
    if not token:
        abort(404)
    if not hmac.compare_digest(_bearer_token(request.headers.get("Authorization", "")), token.encode()):
        raise Unauthorized(response=Response("The token is wrong.\n", 401, {"WWW-Authenticate": "Bearer"}))
    collector = cast(SiteCollector, current_app.extensions[EXTENSION])
    return Response(generate_latest(collector), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _bearer_token(header: str) -> bytes:
    scheme, _, token = header.partition(" ")
    return token.strip().encode() if scheme.lower() == "bearer" else b""
