"""Who may enter: every view says it, and these are the words to say it with."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import abort, g
from flask_security import current_user
from flask_security.decorators import auth_required

from engage.access.permits import PERMISSIONS, PUBLIC, may, scope
from engage.records.staff import Staff

View = TypeVar("View", bound=Callable[..., Any])
MARK = "enters_by"


def enters(permission: str) -> Callable[[View], View]:
    """Let a view be opened by those with the permission ("public": by everyone). 403 for others who are signed in."""
    if permission != PUBLIC and permission not in PERMISSIONS:
        raise KeyError(f"{permission!r} is not a permission; engage/access/permits.py states them all")

    def guard(view: View) -> View:
        guarded = view if permission == PUBLIC else _guarded(view, permission)
        setattr(guarded, MARK, permission)
        return guarded

    return guard


def _guarded(view: View, permission: str) -> View:
    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if not may(_roles(), permission):
            abort(403)
        return view(*args, **kwargs)

    return cast(View, auth_required("session")(checked))


def person() -> Staff:
    """Who is signed in."""
    return cast(Staff, current_user)


def _roles() -> list[str]:
    return [role.name for role in person().roles]


def allowed(permission: str) -> bool:
    """Whether the person of this page may do it; for templates."""
    return bool(current_user and current_user.is_authenticated) and may(_roles(), permission)


def schools() -> frozenset[str] | None:
    """The school ids the person may see; None means all of them."""
    if "schools" not in g:
        g.schools = scope(_roles(), [school.id for school in person().schools])
    return cast("frozenset[str] | None", g.schools)


def require_school(school_id: str) -> None:
    """Answer "not found" for a school that is not the person's own, as if it were not there."""
    own = schools()
    if own is not None and school_id not in own:
        abort(404)
