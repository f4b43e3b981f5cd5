"""The first two pages: which language, and what can be done here."""

from flask import Response

from engage.access.permits import PUBLIC
from engage.family.desk import desk
from engage.family.desk import front as front_today
from engage.family.door import blueprint
from engage.family.pages import draw, send
from engage.web.guards import enters
from engage.web.preferred import preferred


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
