"""The first two pages: which language, and what can be done here."""

from flask import Response

from engage.domain.security.permissions import PUBLIC
from engage.sites.family.blueprint import blueprint
from engage.sites.family.context import desk
from engage.sites.family.context import front as front_today
from engage.sites.family.page_cache import draw, send
from engage.web.browser_language import preferred
from engage.web.permissions import enters


@blueprint.get("/")
@enters(PUBLIC)
def tongues() -> Response:
    """Every language by its own name; the one the phone is set to is marked, never chosen for the family."""
    yours = preferred()
    page = desk().pages.get(("tongues", yours), lambda: draw("tongues.html", yours=yours))
    response = send(page)
    response.headers["Vary"] = "Accept-Encoding, Accept-Language"
    return response


@blueprint.get("/<lang:lang>/")
@enters(PUBLIC)
def front(lang: str) -> Response:
    """Open surveys, the way in with a code, replies, and published results."""
    found = front_today()
    return send(desk().pages.get(("front", lang, found), lambda: draw("front.html", found=found, lang=lang, path="/")))
