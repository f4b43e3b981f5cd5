"""Correction of mistyped addresses: redirects if they differ in case, in the region of a language, or in a slash at the
end; an address with a code behind it redirects to the code's page."""

from typing import Any
from urllib.parse import quote, urlsplit

from flask import abort, current_app, request
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import RequestRedirect

from engage.domain.security.access_codes import format_access_code, parse_access_code
from engage.sites.family.blueprint import blueprint
from engage.sites.family.page_cache import redirect_with_get
from engage.web.browser_language import closest_language, preferred_language
from engage.web.page_language import SOURCE

SEGMENTS_MOST = 6  # segments between slashes; no address of this site has more


@blueprint.app_url_value_preprocessor
def redirect_mistyped(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Redirect an unknown address that is close to a known one, only ever to a path of this site."""
    if endpoint is not None:
        return
    problem = request.routing_exception
    if not isinstance(problem, NotFound | RequestRedirect) or request.method not in ("GET", "HEAD"):
        return
    address = corrected_address(request.path)
    if address is None and isinstance(problem, RequestRedirect):
        address = "/" + urlsplit(problem.new_url).path.lstrip("/\\")
    if address is not None:
        query = request.query_string.decode("ascii", "ignore")
        abort(redirect_with_get(address + (f"?{query}" if query else "")))


def corrected_address(path: str) -> str | None:
    """The address that a path was meant as, quoted; None if there is none."""
    first, *rest = [segment for segment in path.split("/") if segment][:SEGMENTS_MOST] or [""]
    tag = closest_language([first]) if first else None
    if tag is None:
        code = None if rest else parse_access_code(first)
        return code and f"/{preferred_language() or SOURCE}/c/{format_access_code(code)}"
    for segments in (rest, [segment.lower() for segment in rest]):
        corrected = "/".join([f"/{tag}", *(quote(segment, safe="") for segment in segments)]) + (
            "" if segments else "/"
        )
        if corrected != path and _is_routed("/".join([f"/{tag}", *segments]) + ("" if segments else "/")):
            return corrected
    return None


def _is_routed(path: str) -> bool:
    adapter = current_app.create_url_adapter(request)
    try:
        return adapter is not None and adapter.match(path, method="GET") is not None
    except HTTPException:
        return False
