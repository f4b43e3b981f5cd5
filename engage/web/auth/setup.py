"""Signing in and out of the staff pages. Flask-Security checks the password; the pages and sentences are ours."""

import hashlib
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, cast

from flask import Flask, Response, g, redirect, render_template, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_security import (
    LoginForm,
    RoleMixin,
    Security,
    SQLAlchemySessionUserDatastore,
    UserMixin,
    current_user,
    lookup_identity,
    uia_email_mapper,
)
from flask_wtf.csrf import CSRFProtect
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy.orm import Mapped, relationship, scoped_session, sessionmaker
from werkzeug.wrappers import Response as Answer
from wtforms import Field

from engage.domain.security.passwords import FORM, LANES, LEAST, MEMORY, PASSES
from engage.domain.security.permissions import PUBLIC
from engage.services.runtime import Runtime
from engage.storage.models.staff import Role, Staff, staff_roles
from engage.web.auth import passkeys, password_reset, profile, second_step, two_factor_settings
from engage.web.auth.sessions import LONGEST, PEOPLE, begin_session, end_current_session, restore_session
from engage.web.auth.sso import views as sso
from engage.web.browser_language import preferred_language
from engage.web.networks import network_of
from engage.web.page_language import SOURCE, set_language
from engage.web.permissions import MARK, safe_next_url

__all__ = ["begin_session", "install"]

# Wrong tries only, counted by each serving process for itself. One account from one network is guessed at slowly;
# a school is one network with many colleagues. However many guess at an account, its owner signs in from a network
# that was not wrong before.
PER_ACCOUNT_AND_PLACE = "10 per 15 minutes"
PER_ACCOUNT = "100 per hour"
PER_PLACE = "300 per 15 minutes"
FREE_OF_PER_ACCOUNT = "3 per hour"  # wrong tries at an account from one network
LETTERS = "forgotten.ask"  # each try sends a letter: the limit by account binds every network
LIMITED = (
    "security.login",
    "second.step_taken",
    "second.passkey",
    "forgotten.ask",
    "forgotten.choose",
    "factors.set_up_app",
    "factors.add_passkey",
    "factors.check_password",
    "me.password",
)


class AccountRole(Role, RoleMixin):
    """A row of the roles table as Flask-Security wants it."""


class Account(Staff, UserMixin):  # type: ignore[misc]  # both say what `roles` is, each in its own words
    """A row of the staff table as Flask-Security wants it; the records themselves know no Flask."""

    roles: Mapped[list[AccountRole]] = relationship(secondary=staff_roles, lazy="selectin", viewonly=True)  # type: ignore[assignment]


class SignIn(LoginForm):
    """Address and password; nobody is remembered on a shared school computer."""

    remember = None

    def validate_next(self, field: Field) -> None:
        """Someone sent here with an address that is not ours still gets in, to the first staff page."""
        field.data = safe_next_url(field.data)


def install(app: Flask, found: Runtime) -> None:
    """Give the staff app its sessions, its sign-in pages and the page of one's own account."""
    app.config.update(_cookie_settings(found.settings.secure), **_security_settings())
    app.secret_key = found.secret("staff sessions")
    people = scoped_session(sessionmaker(found.engine.execution_options(reads=True), expire_on_commit=False))
    app.extensions[PEOPLE] = people
    app.teardown_appcontext(lambda _problem: people.remove())
    CSRFProtect(app)
    app.before_request(restore_session)
    store = SQLAlchemySessionUserDatastore(people, Account, AccountRole)
    Security(app, store, login_form=SignIn).want_json(lambda _request: False)
    app.before_request(_set_account_language)
    for part in (profile, two_factor_settings, second_step, password_reset):
        app.register_blueprint(part.blueprint)
    for name, view in {"security.login": sign_in, "security.logout": sign_out}.items():
        app.view_functions[name] = view
        setattr(view, MARK, PUBLIC)
    sso.install(app, found)
    _limit_tries(app)


def sign_in() -> Answer | str:
    """The sign-in page, and what it sends: an address and a password."""
    form = SignIn(formdata=request.form)  # else Flask-WTF takes any JSON there is, lists too
    if current_user.is_authenticated:
        return redirect(safe_next_url(request.values.get("next", "")))
    if form.validate_on_submit():
        wanted, someone = safe_next_url(form.next.data), cast(Staff, form.user)
        if second_step.has_second_step(someone):
            return second_step.start_second_step(someone, wanted)
        begin_session(someone, "password", strong=False)
        return redirect(wanted)
    asked = passkeys.request_authentication() if passkeys.can_use_passkeys() else None
    return render_template("login.html", login_user_form=form, asked=asked)


def sign_out() -> Answer:
    """End this session, here and in the database."""
    end_current_session()
    return redirect("/staff/login")


def _cookie_settings(secure: bool) -> dict[str, object]:
    return {
        "SESSION_COOKIE_NAME": "__Host-staff" if secure else "staff",  # __Host-: by HTTPS, for this host only
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "SESSION_PROTECTION": None,  # it ties a session to one network, and phones change theirs
        "PERMANENT_SESSION_LIFETIME": LONGEST,  # `restore_session` ends it sooner; an open sign-in page keeps its token
        "WTF_CSRF_ENABLED": True,
        "WTF_CSRF_TIME_LIMIT": None,  # a page left open over lunch still works; the token ends with its session
    }


def _security_settings() -> dict[str, object]:
    return {
        "SECURITY_URL_PREFIX": "/staff",
        "SECURITY_STATIC_FOLDER": None,
        "SECURITY_FRESHNESS": timedelta(minutes=-1),  # negative: no page that asks for the password again
        "SECURITY_LOGIN_USER_TEMPLATE": "login.html",
        "SECURITY_POST_LOGIN_VIEW": "/staff/",
        "SECURITY_POST_LOGOUT_VIEW": "/staff/login",
        "SECURITY_LOGOUT_METHODS": ["POST"],
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_FLASH_MESSAGES": False,
        "SECURITY_CACHE_CONTROL": None,  # every page of ours says no-store; theirs says no-store=True, which is nothing
        "SECURITY_API_ENABLED_METHODS": ["session"],
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
        "SECURITY_JOIN_USER_ROLES": False,
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_SINGLE_HASH": {"argon2"},
        "SECURITY_PASSWORD_NORMALIZE_FORM": FORM,
        "SECURITY_PASSWORD_LENGTH_MIN": LEAST,
        "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {
            "argon2__type": "ID",
            "argon2__time_cost": PASSES,
            "argon2__memory_cost": MEMORY,
            "argon2__parallelism": LANES,
        },
    }


def _set_account_language() -> None:
    if current_user and current_user.is_authenticated:
        set_language(current_user.language)
    else:
        set_language(preferred_language() or SOURCE)


def _account_key() -> str:
    if current_user and current_user.is_authenticated:
        return str(current_user.fs_uniquifier)
    if half := second_step.pending_handle():
        return half
    if "account" not in g:
        g.account = _resolve_account(request.form.get("email", ""))
    return str(g.account)


def _resolve_account(email: str) -> str:
    """Who is meant by an address as it was typed. Many spellings find one account: Flask-Security folds capitals,
    full-width letters and more, and looks up what is left, so its own way is asked."""
    email = email.strip()
    if person := lookup_identity(email):
        return str(person.fs_uniquifier)
    plain = unicodedata.normalize("NFKC", uia_email_mapper(email) or email).lower()
    return hashlib.sha256(plain.encode()).hexdigest() if plain else f"at {_request_network()}"


def _limit_tries(app: Flask) -> None:
    limiter = Limiter(
        _request_network, app=app, storage_uri="memory://", strategy="sliding-window-counter", headers_enabled=True
    )
    before, free = FixedWindowRateLimiter(MemoryStorage()), parse(FREE_OF_PER_ACCOUNT)

    def wrong(response: Response) -> bool:
        return not 300 <= response.status_code < 400

    def wrong_here(response: Response) -> bool:
        return wrong(response) and (before.hit(free, _account_key(), _request_network()) or True)

    def by_account(name: str) -> Callable[[], bool]:
        return lambda: name != LETTERS and before.test(free, _account_key(), _request_network())

    post = partial(limiter.limit, methods=["POST"])
    views: dict[str, Any] = app.view_functions
    for name in LIMITED:
        for limit in (
            post(PER_ACCOUNT_AND_PLACE, key_func=lambda: _account_key() + _request_network(), deduct_when=wrong_here),
            post(PER_ACCOUNT, key_func=_account_key, deduct_when=wrong, exempt_when=by_account(name)),
            post(PER_PLACE, key_func=_request_network, deduct_when=wrong),
        ):
            views[name] = limit(views[name])


def _request_network() -> str:
    return network_of(get_remote_address())
