"""Finished pages: drawn once, kept with their gzip form, sent as they are."""

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
PAGES_MOST = 2000  # pages; about 20 kB each, so 40 MB at the very most
LEVEL_KEPT = 9  # gzip: packed once, sent many times
LEVEL_ONCE = 4  # gzip: packed for one family; measured 27 us for a page of 7 kB, to 1.6 kB
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """A page as bytes, plain and packed."""

    plain: bytes
    packed: bytes


class PageCache:
    """The pages drawn so far, the least used ones forgotten first."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Hashable, RenderedPage] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, draw: Callable[[], str]) -> RenderedPage:
        """The page under a key, drawn if it is not there. Everything the page depends on stands in the key."""
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
    """A page ready to be sent."""
    return pack_bytes(html.encode(), level)


def pack_bytes(plain: bytes, level: int = LEVEL_ONCE) -> RenderedPage:
    """The same for a page that is bytes already."""
    return RenderedPage(plain, gzip.compress(plain, level, mtime=0))


def render_page(template: str, **values: Any) -> str:
    """A template of the family's door, filled. `path` is the address after the language, for changing the language."""
    if "offer" in values:
        values["tongues"] = [LANGUAGES[tag] for tag in values["offer"].languages if tag in LANGUAGES]
    return current_app.jinja_env.get_template(f"family/{template}").render(values)


class CompleteResponse(Response):
    """An answer whose body and headers are complete, so that nothing is worked out again: 25 us less each."""

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
        """Send it as it stands."""
        body = self.response
        assert isinstance(body, list)
        start_response(self.status, self.headers.to_wsgi_list())
        return [] if environ["REQUEST_METHOD"] == "HEAD" else body


def complete_response(body: bytes, status: int, headers: list[tuple[str, str]], kind: str = HTML) -> Response:
    """An answer with these bytes."""
    return CompleteResponse([body], status, [("Content-Type", kind), ("Content-Length", str(len(body))), *headers])


def send_page(page: RenderedPage, status: int = 200) -> Response:
    """The page, packed where the browser takes it."""
    if "gzip" not in request.environ.get("HTTP_ACCEPT_ENCODING", ""):
        return complete_response(page.plain, status, [("Vary", "Accept-Encoding")])
    return complete_response(page.packed, status, [("Vary", "Accept-Encoding"), ("Content-Encoding", "gzip")])


def render_response(template: str, status: int = 200, **values: Any) -> Response:
    """A page drawn for one family, at the address asked for."""
    values.setdefault("path", "/" + request.full_path.rstrip("?").split("/", 2)[2])
    return send_page(pack_page(render_page(template, **values)), status)


def add_retry_header(page: Response) -> Response:
    """The page of somebody who has to wait, with how long."""
    page.headers["Retry-After"] = RETRY_AFTER
    return page


def busy_message() -> str:
    """What a family reads whose text could not be taken yet; it stands in the form below."""
    # translators: above a form with a button; many families use one network in this minute
    return gettext("Many people are sending at once. Nothing is lost. Wait one minute, then tap Send again.")


def redirect_with_get(address: str) -> Response:
    """Send the browser on with a GET, so that going back or reloading repeats nothing."""
    return complete_response(b"", 303, [("Location", iri_to_uri(address))])


def redirect_with_form(address: str) -> Response:
    """Send the browser on with the same form: what was typed stands in no address."""
    return complete_response(b"", 307, [("Location", iri_to_uri(address))])
