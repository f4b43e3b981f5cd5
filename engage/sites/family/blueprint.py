"""The blueprint of the family pages; their modules add the views."""

from typing import Any

from flask import Blueprint, abort, request

from engage.base.languages import LANGUAGES
from engage.sites.family.context import install_memory
from engage.web.headers import is_same_site
from engage.web.page_language import set_language

blueprint = Blueprint("family", __name__, template_folder="templates")
blueprint.record(install_memory)


@blueprint.app_url_value_preprocessor
def set_language_from_url(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Set the language of the page, and of any error page, from its address."""
    tag = (values or {}).get("lang") or request.path.split("/", 2)[1]
    if tag in LANGUAGES:
        set_language(tag)


@blueprint.before_request
def require_same_site() -> None:
    """Accept forms only from pages of this site. The cookie is SameSite too, so no token is needed."""
    if request.method == "POST" and not is_same_site(request.host):
        abort(400)
