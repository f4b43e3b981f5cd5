"""The site as one WSGI callable of two Flask apps: family and staff pages share no route, cookie or session."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Flask
from flask.json.provider import DefaultJSONProvider
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from engage.base.config import Settings
from engage.services.runtime import Runtime, open_runtime
from engage.sites import administration, district, family, liaison
from engage.web import assets, errors, headers, health, log_filters, metrics, navigation, page_language, request_log
from engage.web.auth import setup
from engage.web.context import EXTENSION

WEB = Path(__file__).parent / "web"
MAX_BODY = 1_500_000  # bytes; larger than any form that a page of this site sends
STAFF_PREFIX = "/staff"
WATCHED = (*health.ADDRESSES, metrics.ADDRESS)  # a staff-only machine has these too
STATIC_AGE = 86_400  # seconds; addresses carry the file's digest, so a change is seen at once

Start = Callable[..., Any]


class SafeJSONProvider(DefaultJSONProvider):
    """JSON provider that turns excessive nesting into the same ValueError as any other unreadable JSON."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse a JSON document. Raises ValueError."""
        try:
            return super().loads(s, **kwargs)
        except RecursionError as problem:
            raise ValueError("nested too deeply") from problem


class Site:
    """The WSGI callable. It chooses the app by the first segment of the raw path, and each app knows only its own
    routes, so a public address can never reach a staff view."""

    def __init__(self, family_app: Flask | None, staff_app: Flask | None, files: WhiteNoise) -> None:
        self.family = family_app
        self.staff = staff_app
        self.files = files

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
        began = environ[metrics.BEGAN] = time.perf_counter()
        if not query.isascii():  # bytes above 127: Werkzeug fails on a query that is not UTF-8
            environ["QUERY_STRING"] = quote(query.encode("latin-1"), safe="!$&'()*+,;=:@/?%-._~")
        if path.startswith("/static/"):
            answer: Iterable[bytes] = self.files(environ, metrics.measuring(began, start_response))
            return answer
        staffs = path == STAFF_PREFIX or path.startswith(STAFF_PREFIX + "/")
        app = self.staff if staffs or (self.family is None and path in WATCHED) else self.family
        if app is None:
            return _not_found(environ, start_response)
        return app.wsgi_app(environ, start_response)


def build_site(runtime: Runtime, public: Sequence[Blueprint], private: Sequence[Blueprint]) -> Site:
    """Build both apps over one database, or only the one that `settings.doors` names."""
    log_filters.install()
    doors = runtime.settings.doors
    family_app = _create_family_app(runtime, public) if doors in ("both", "family") else None
    staff_app = _create_staff_app(runtime, private) if doors in ("both", "staff") else None
    static = assets.compressed_folder(runtime.settings.data_dir)
    files = WhiteNoise(_not_found, root=static, prefix="static/", max_age=STATIC_AGE)
    return Site(family_app, staff_app, files)


def create_app(settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Site:
    """The whole site as one WSGI callable. Raises SettingProblem."""
    staff = [liaison.blueprint, district.blueprint, administration.blueprint]
    return build_site(open_runtime(settings, clock), [family.blueprint], staff)


def _not_found(_environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"There is nothing here."]


def _create_flask_app(runtime: Runtime, name: str, site: str) -> Flask:
    app = Flask(name, template_folder=str(WEB / "templates"), static_folder=None)
    metrics.install(app, site)  # first: functions after a request run in the reverse order
    request_log.install(app, site, runtime.settings)
    app.json = SafeJSONProvider(app)
    app.extensions[EXTENSION] = runtime
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY, MAX_FORM_MEMORY_SIZE=MAX_BODY, MAX_FORM_PARTS=2000)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    settings = runtime.settings
    phone = (
        page_language.ltr(settings.district_phone) if settings.district_phone else ""
    )  # otherwise its hyphens are reordered inside Arabic text
    app.jinja_env.globals.update(district_name=settings.district_name, district_phone=phone)
    page_language.install(app)
    assets.install(app)
    headers.install(app, runtime.settings.secure)
    if runtime.settings.proxy_count:
        count = runtime.settings.proxy_count
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]
    return app


def _create_family_app(runtime: Runtime, doors: Sequence[Blueprint]) -> Flask:
    app = _create_flask_app(runtime, "engage.sites.family", metrics.FAMILY)
    errors.install(app, "family_error.html")
    _install_monitoring(app, runtime)
    for door in doors:
        app.register_blueprint(door)
    return app


def _create_staff_app(runtime: Runtime, doors: Sequence[Blueprint]) -> Flask:
    app = _create_flask_app(runtime, "engage.staff", metrics.STAFF)
    errors.install(app, "staff_error.html")
    setup.install(app, runtime)
    if runtime.settings.doors == "staff":
        _install_monitoring(app, runtime)
    navigation.install(app)
    for door in doors:
        app.register_blueprint(door)
    return app


def _install_monitoring(app: Flask, runtime: Runtime) -> None:
    health.install(app)
    metrics.install_page(app, runtime)
