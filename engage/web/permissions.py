"""Permissions of views: the decorator, and checks for views and templates."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_login import current_user, login_required

from engage.domain.security.permissions import PERMISSIONS, PUBLIC, STRONG, has_permission, visible_schools
from engage.storage.models.staff import Staff
from engage.web.context import runtime
from engage.web.page_language import gettext

View = TypeVar("View", bound=Callable[..., Any])
MARK = "enters_by"
HOME = "/staff/"
STAFF_ADDRESS = re.compile(r"/staff(?:[/?][^\s\\\x00-\x1f]*)?")


def enters(permission: str) -> Callable[[View], View]:
    """Allow a view for people with the permission ("public": for everyone). Other signed-in people get 403."""
    if permission != PUBLIC and permission not in PERMISSIONS:
        raise KeyError(f"{permission!r} is not a permission; engage/domain/security/permissions.py states them all")

    def guard(view: View) -> View:
        guarded = view if permission == PUBLIC else _guard_view(view, permission)
        setattr(guarded, MARK, permission)
        return guarded

    return guard


def safe_next_url(target: str | None) -> str:
    """The target if it is an address of the staff pages; otherwise the staff home page."""
    return target if target and STAFF_ADDRESS.fullmatch(target) else HOME


def _guard_view(view: View, permission: str) -> View:
    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        answer = check_permission(permission)
        return view(*args, **kwargs) if answer is None else answer

    return cast(View, login_required(checked))


def check_permission(permission: str) -> Any:
    """The response for someone who must complete a second step first; None for those who may continue. Others get
    403."""
    if not has_permission(_roles(), permission):
        abort(403)
    if needs_second_step(permission):
        return _require_second_factor()
    if permission in STRONG and not has_strong_session():
        g.reminder = True
    return None


def needs_second_step(permission: str) -> bool:
    """Whether this session, started with a password only, is not enough for the permission."""
    return permission in STRONG and not has_strong_session() and runtime().settings.second_factor == "required"


def _require_second_factor() -> Any:
    """Redirect a person without a second step to where it is set up; refuse requests that would change something."""
    # translators: somebody opens a page with figures or lists; signing in with a password alone is not enough for it
    sentence = gettext("This page requires a second step when you sign in, so that a password alone does not open it.")
    if request.method in ("GET", "HEAD"):
        flash(sentence, "error")
        return redirect(url_for("factors.page", next=request.full_path.rstrip("?")))
    # translators: heading of an error page, for staff who opened a page that is not part of their work
    heading = gettext("You do not have access to this page")
    return render_template("staff_error.html", heading=heading, advice=sentence, code=403), 403


def person() -> Staff:
    """The signed-in person."""
    return cast(Staff, current_user)


def _roles() -> list[str]:
    return [role.name for role in person().roles]


def is_allowed(permission: str) -> bool:
    """Whether the signed-in person has the permission; for templates."""
    return bool(current_user.is_authenticated) and has_permission(_roles(), permission)


def has_strong_session() -> bool:
    """Whether more than a password was verified in this session."""
    return bool(g.get("strong", False))


def permitted_schools() -> frozenset[str] | None:
    """The school ids the person may see; None means all of them."""
    if "schools" not in g:
        g.schools = visible_schools(_roles(), [school.id for school in person().schools])
    return cast("frozenset[str] | None", g.schools)


def assigned_languages() -> frozenset[str] | None:
    """The language tags whose questions the person works with; None means all of them."""
    languages = frozenset(person().languages.split())
    return languages or None


def require_school(school_id: str) -> None:
    """Respond "not found" for a school that the person may not see, as if it did not exist."""
    schools = permitted_schools()
    if schools is not None and school_id not in schools:
        abort(404)


def require_language(tag: str) -> None:
    """Respond "not found" for a family's language that the person does not work with."""
    languages = assigned_languages()
    if languages is not None and tag not in languages:
        abort(404)
