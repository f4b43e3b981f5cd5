"""The first two pages: the choice of language, and the front page."""

from flask import Response

from engage.domain.security.permissions import PUBLIC
from engage.sites.family.blueprint import blueprint
from engage.sites.family.context import cached_front as front_today
from engage.sites.family.context import family_memory
from engage.sites.family.page_cache import render_page, send_page
from engage.web.browser_language import preferred_language
from engage.web.permissions import enters


@blueprint.get("/")
@enters(PUBLIC)
def choose_language() -> Response:
    """All languages by their native names; the phone's language is highlighted, never selected automatically."""
    yours = preferred_language()
    page = family_memory().pages.get(("tongues", yours), lambda: render_page("languages.html", yours=yours))
    response = send_page(page)
    response.headers["Vary"] = "Accept-Encoding, Accept-Language"
    return response


@blueprint.get("/<lang:lang>/")
@enters(PUBLIC)
def front(lang: str) -> Response:
    """Open surveys, entry with a code, replies, and published results."""
    today = front_today()
    return send_page(
        family_memory().pages.get(
            ("front", lang, today), lambda: render_page("home.html", found=today, lang=lang, path="/")
        )
    )
