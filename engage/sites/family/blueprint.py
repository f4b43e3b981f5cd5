"""The family's door itself: the rooms behind it hang their pages here."""

from typing import Any

from flask import Blueprint, abort, request

from engage.base.languages import LANGUAGES
from engage.sites.family.context import set_up
from engage.web.headers import same_site
from engage.web.page_language import speak

blueprint = Blueprint("family", __name__, template_folder="templates")
blueprint.record(set_up)


@blueprint.app_url_value_preprocessor
def hear(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Write the page, and any error in its place, in the language of its address."""
    tag = (values or {}).get("lang") or request.path.split("/", 2)[1]
    if tag in LANGUAGES:
        speak(tag)


@blueprint.before_request
def stays_here() -> None:
    """Take forms from our own pages only. The cookie is SameSite too; no other token is needed."""
    if request.method == "POST" and not same_site(request.host):
        abort(400)
