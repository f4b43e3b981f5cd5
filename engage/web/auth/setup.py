"""Setup of sign-in for the staff app: settings, the session of each request, pages, and limits."""

from flask import Flask
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect

from engage.services.runtime import Runtime
from engage.web.auth import (
    accounts,
    password_reset,
    profile,
    second_step,
    sign_in,
    sign_in_limits,
    two_factor_settings,
)
from engage.web.auth.sessions import LONGEST, restore_session
from engage.web.auth.sso import views as sso
from engage.web.browser_language import preferred_language
from engage.web.page_language import SOURCE, set_language


def install(app: Flask, runtime: Runtime) -> None:
    """Install sessions, sign-in pages, and the account page in the staff app."""
    app.config.update(_cookie_settings(runtime.settings.secure))
    app.secret_key = runtime.secret("staff sessions")
    accounts.install(app, runtime.engine)
    CSRFProtect(app)
    app.before_request(restore_session)
    app.before_request(_set_account_language)
    for part in (sign_in, profile, two_factor_settings, second_step, password_reset):
        app.register_blueprint(part.blueprint)
    sso.install(app, runtime)
    sign_in_limits.install(app)


def _cookie_settings(secure: bool) -> dict[str, object]:
    return {
        "SESSION_COOKIE_NAME": "__Host-staff" if secure else "staff",  # __Host-: HTTPS and this host only
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "SESSION_PROTECTION": None,  # it would tie a session to one network, and phones change networks
        "PERMANENT_SESSION_LIFETIME": LONGEST,  # `restore_session` ends it sooner; an open sign-in page keeps its token
        "WTF_CSRF_ENABLED": True,
        "WTF_CSRF_TIME_LIMIT": None,  # a page left open for hours still works; the token ends with its session
    }


def _set_account_language() -> None:
    if current_user.is_authenticated:
        set_language(current_user.language)
    else:
        set_language(preferred_language() or SOURCE)
