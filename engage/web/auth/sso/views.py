"""Redirecting to a sign-in provider, and its callback."""

import logging
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, session
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from engage.domain.security.permissions import PUBLIC
from engage.domain.security.sso_providers import Provider, load_providers
from engage.services.runtime import Runtime
from engage.storage.engine import write_session
from engage.web.auth import second_step
from engage.web.auth.notifications import record_sign_in_change
from engage.web.auth.sessions import begin_session
from engage.web.auth.sso.admission import Entrant, NotAdmitted, admit_person
from engage.web.auth.sso.authorization import AuthorizationRequest, NotProved, ProviderTrouble
from engage.web.context import runtime
from engage.web.page_language import gettext
from engage.web.permissions import enters, safe_next_url

if TYPE_CHECKING:
    from engage.web.auth.sso.client import Client

REQUEST_KEY = "away"  # in the cookie: the authorization request of this browser
PATIENCE = timedelta(minutes=15)  # to sign in at the provider
CLIENTS = "engage.sso"
LONGEST = 4096  # characters of a code
LONGEST_WISH = 500  # characters of the page to return to: it is in the cookie, and browsers drop long ones

log = logging.getLogger("engage.sso")
blueprint = Blueprint("sso", __name__, url_prefix="/staff/sso")

Page = tuple[str, int]


def install(app: Flask, site: Runtime) -> None:
    """Create a client for every provider in the settings, and show them on the sign-in page. Raises SettingProblem."""
    base = site.settings.base_url.rstrip("/")
    named = load_providers(site.settings)
    app.extensions[CLIENTS] = {
        key: _make_client(each, f"{base}/staff/sso/{key}/callback") for key, each in named.items()
    }
    app.jinja_env.globals.update(sign_in_providers=tuple(named.values()))
    app.register_blueprint(blueprint)


@blueprint.get("/<provider>")
@enters(PUBLIC)
def start_sign_in(provider: str) -> Response | Page:
    """Redirect this browser to the provider."""
    wanted = request.args.get("next", "")
    return _redirect_to_provider(
        _require_client(provider), safe_next_url(wanted if len(wanted) <= LONGEST_WISH else ""), retried=False
    )


@blueprint.get("/<provider>/callback")
@enters(PUBLIC)
def finish_sign_in(provider: str) -> Response | Page:
    """Sign in a person who comes back with proof. A browser that was not sent by this site is redirected to the
    provider first: some portals start the flow themselves, and an unrequested code may be somebody else's (RFC 9700,
    section 4.7)."""
    client = _require_client(provider)
    authorization = session.pop(REQUEST_KEY, None)
    if "state" not in request.args and "error" not in request.args:
        if authorization and authorization.get("again"):
            return _render_not_proved(client.provider, "the provider sends no state back")
        return _redirect_to_provider(
            client, safe_next_url(authorization["wanted"] if authorization else None), retried=True
        )
    if not _is_valid_state(authorization, provider):
        return _render_not_proved(client.provider, "a state that is not this browser's, or is too old")
    if "error" in request.args:
        return _render_denied(client.provider, request.args["error"])
    return _sign_in(
        client,
        AuthorizationRequest(authorization["state"], authorization["nonce"], authorization["verifier"]),
        safe_next_url(authorization["wanted"]),
    )


def _redirect_to_provider(client: "Client", wanted: str, retried: bool) -> Response | Page:
    try:
        url, authorization = client.start_authorization()
    except ProviderTrouble as problem:
        return _render_trouble(client.provider, problem)
    until = int((runtime().now() + PATIENCE).timestamp())
    stored = {"state": authorization.state, "nonce": authorization.nonce, "verifier": authorization.verifier}
    session[REQUEST_KEY] = {
        **stored,
        "provider": client.provider.key,
        "until": until,
        "wanted": wanted,
        "again": retried,
    }
    return redirect(url)


def _is_valid_state(authorization: dict[str, object] | None, provider: str) -> bool:
    if (
        not authorization
        or authorization["provider"] != provider
        or int(str(authorization["until"])) < runtime().now().timestamp()
    ):
        return False
    return request.args.get("state") == authorization["state"]


def _sign_in(client: "Client", authorization: AuthorizationRequest, wanted: str) -> Response | Page:
    provider = client.provider
    code = request.args.get("code", "")
    if not 0 < len(code) <= LONGEST:
        return _render_not_proved(provider, "no code")
    try:
        claims = client.fetch_claims(code, authorization, runtime().now())
    except ProviderTrouble as problem:
        return _render_trouble(provider, problem)
    except NotProved as problem:
        return _render_not_proved(provider, str(problem))
    try:
        admission = _admit(provider, claims)
    except NotAdmitted as problem:
        return _render_not_admitted(provider, str(problem))
    if admission.fresh and second_step.has_second_step(admission.person):
        return second_step.start_second_step(admission.person, wanted, link=(provider.key, str(claims["sub"])))
    begin_session(admission.person, by=provider.key, strong=True)
    return redirect(wanted)


def _admit(provider: Provider, claims: dict[str, object]) -> Entrant:
    try:
        with write_session(runtime().engine) as rows:
            admission = admit_person(rows, provider, claims)
            if admission.fresh and second_step.has_second_step(admission.person):
                rows.expunge_all()  # linked only after the second step
                return admission
            if admission.fresh:
                record_sign_in_change(rows, admission.person, linked=provider.key)
            rows.commit()
            return admission
    except IntegrityError:  # two windows of the same person at the same time
        raise NotAdmitted("linked at this very moment") from None


def _make_client(provider: Provider, callback: str) -> "Client":
    """A provider's client. Its module needs Authlib, an extra that is optional without a provider."""
    module = import_module("engage.web.auth.sso.client")
    client: Client = module.Client(provider, callback)
    return client


def _require_client(provider: str) -> "Client":
    client: Client | None = current_app.extensions[CLIENTS].get(provider)
    return client or abort(404)


def _render_not_admitted(provider: Provider, why: str) -> Page:
    log.warning("%s: refused: %s", provider.key, why)
    # translators: heading of a page: somebody signed in with an account elsewhere, but may not use these pages
    heading = gettext("You cannot sign in with this account")
    # translators: below that heading; name is a company: Google, Microsoft, ClassLink, Clever
    advice = gettext(
        "%(name)s recognized you, but this account is not on the list of people who use these pages. Ask the "
        "administrator of these pages in your district to add your email address.",
        name=provider.name,
    )
    return _render_page(heading, advice, 403)


def _render_denied(provider: Provider, error: str) -> Page:
    log.warning("%s: it answered with the error %r", provider.key, error[:100])
    # translators: heading of a page: somebody went to sign in with an account elsewhere and came back without
    heading = gettext("You are not signed in")
    # translators: below that heading; name is a company: Google, Microsoft, ClassLink, Clever
    advice = gettext("%(name)s did not sign you in, or you canceled. Nothing was changed.", name=provider.name)
    return _render_page(heading, advice, 403)


def _render_not_proved(provider: Provider, why: str) -> Page:
    log.warning("%s: not proved: %s", provider.key, why[:500])
    # translators: heading of a page: somebody went to sign in with an account elsewhere and came back without
    heading = gettext("You are not signed in")
    # translators: below that heading; name is a company: Google, Microsoft, ClassLink, Clever
    advice = gettext(
        "The response from %(name)s was not for this browser window, or it came too late.", name=provider.name
    )
    return _render_page(heading, advice, 400)


def _render_trouble(provider: Provider, problem: ProviderTrouble) -> Page:
    log.error("%s: %s", provider.key, problem)
    # translators: heading of a page; name is a company: Google, Microsoft, ClassLink, Clever
    heading = gettext("%(name)s is not responding", name=provider.name)
    # translators: below that heading
    advice = gettext("Wait a minute and try again, or sign in with your password.")
    return _render_page(heading, advice, 503)


def _render_page(heading: str, advice: str, code: int) -> Page:
    return render_template("account/sso.html", heading=heading, advice=advice), code
