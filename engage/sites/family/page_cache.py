"""Rendered pages: cached with their gzip form, and sent without further processing."""

import gzip
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Response, current_app, request
from werkzeug.urls import iri_to_uri

from engage.base.languages import LANGUAGES
from engage.web.page_language import gettext

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

RETRY_AFTER = "60"  # seconds
PAGES_MOST = 2000  # pages; about 20 kB each, so at most 40 MB
LEVEL_KEPT = 9  # gzip level of cached pages, which are sent many times
LEVEL_ONCE = 4  # gzip level for one family; 27 us for a page of 7 kB, to 1.6 kB
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """A page as bytes, plain and compressed."""

    plain: bytes
    packed: bytes


class PageCache:
    """Cached pages; the least recently used are dropped first."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Hashable, RenderedPage] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, draw: Callable[[], str]) -> RenderedPage:
        """The page under a key, rendered if it is missing. The key must contain everything the page depends on."""
        with self._lock:
            page = self._pages.get(key)
            if page is not None:
                self._pages.move_to_end(key)
                return page
        page = pack_page(draw(), LEVEL_KEPT)
        with self._lock:
            self._pages[key] = page
            if len(self._pages) > PAGES_MOST:
                self._pages.popitem(last=False)
        return page


def pack_page(html: str, level: int = LEVEL_ONCE) -> RenderedPage:
    """Encode and compress a page."""
    return pack_bytes(html.encode(), level)


def pack_bytes(plain: bytes, level: int = LEVEL_ONCE) -> RenderedPage:
    """Compress a page that is bytes already."""
    return RenderedPage(plain, gzip.compress(plain, level, mtime=0))


def render_page(template: str, **values: Any) -> str:
    """Render a template of the family pages. `path` is the address after the language, for changing the language."""
    if "offer" in values:
        values["tongues"] = [LANGUAGES[tag] for tag in values["offer"].languages if tag in LANGUAGES]
    return current_app.jinja_env.get_template(f"family/{template}").render(values)


class CompleteResponse(Response):
    """A response whose body and headers are final, so that Werkzeug computes nothing: 25 us less each."""

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
        """Send it unchanged."""
        body = self.response
        assert isinstance(body, list)
        start_response(self.status, self.headers.to_wsgi_list())
        return [] if environ["REQUEST_METHOD"] == "HEAD" else body


def complete_response(body: bytes, status: int, headers: list[tuple[str, str]], kind: str = HTML) -> Response:
    """A response with these bytes."""
    return CompleteResponse([body], status, [("Content-Type", kind), ("Content-Length", str(len(body))), *headers])


def send_page(page: RenderedPage, status: int = 200) -> Response:
    """Send a page, compressed if the browser accepts it."""
    if "gzip" not in request.environ.get("HTTP_ACCEPT_ENCODING", ""):
        return complete_response(page.plain, status, [("Vary", "Accept-Encoding")])
    return complete_response(page.packed, status, [("Vary", "Accept-Encoding"), ("Content-Encoding", "gzip")])


def render_response(template: str, status: int = 200, **values: Any) -> Response:
    """Render a page for one family, with the requested address."""
    values.setdefault("path", "/" + request.full_path.rstrip("?").split("/", 2)[2])
    return send_page(pack_page(render_page(template, **values)), status)


def add_retry_header(page: Response) -> Response:
    """Add Retry-After to the page of somebody who has to wait."""
    page.headers["Retry-After"] = RETRY_AFTER
    return page


def busy_message() -> str:
    """The message if a family's text could not be stored yet; the text stays in the form."""
    # translators: above a form with a button; many families use one network in this minute
    return gettext("Many people are sending at once. Nothing is lost. Wait one minute, then tap Send again.")


def redirect_with_get(address: str) -> Response:
    """Redirect with a GET, so that going back or reloading repeats nothing."""
    return complete_response(b"", 303, [("Location", iri_to_uri(address))])


def redirect_with_form(address: str) -> Response:
    """Redirect with the same form data, so that they are not in the address."""
    return complete_response(b"", 307, [("Location", iri_to_uri(address))])
