"""The authorization code flow with PKCE, with Authlib's client for Flask. Imported only if a provider is in the
settings, because Authlib is an extra."""

import hmac
import secrets
import time
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from authlib.integrations.flask_client import FlaskIntegration, FlaskOAuth2App
from authlib.oidc.core import CodeIDToken
from joserfc.jwk import KeySet

from engage.domain.security.sso_providers import Provider
from engage.web.auth.sso.authorization import AuthorizationRequest, NotProved, ProviderTrouble

TIMEOUT = 10.0  # seconds a provider may take for each answer
CACHE_SECONDS = 3600.0  # seconds after which a provider's metadata and keys are fetched again
LEEWAY = 60  # seconds by which the provider's clock may differ
# Asymmetric algorithms only: "none", and HS256 with a public key as its secret, are known attacks
SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
LONGEST_SUBJECT = 255  # characters


class Client:
    """The OpenID Connect client of one provider."""

    def __init__(self, provider: Provider, callback: str) -> None:
        """`callback`: the address on this site that the provider redirects to."""
        self.provider = provider
        self.callback = callback
        self._app: FlaskOAuth2App | None = None
        self._read_at = 0.0

    def start_authorization(self) -> tuple[str, AuthorizationRequest]:
        """The address to redirect to, and the request to remember. Raises ProviderTrouble."""
        request = AuthorizationRequest(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
        more = {"hd": self.provider.domain} if self.provider.hosted and self.provider.domain else {}
        answer = self._described_app().create_authorization_url(
            self.callback, state=request.state, nonce=request.nonce, code_verifier=request.verifier, **more
        )
        return str(answer["url"]), request

    def fetch_claims(self, code: str, request: AuthorizationRequest, now: datetime) -> dict[str, Any]:
        """Fetch the claims of the person who came back, verified by signature. Raises ProviderTrouble, NotProved."""
        app = self._described_app()
        token = self._fetch_token(app, code, request)
        _require_keys(app)
        claims_class = partial(_TimedIDToken, now=int(now.timestamp()), access_token=token.get("access_token"))
        try:
            claims = app.parse_id_token(token, nonce=request.nonce, claims_cls=claims_class, leeway=LEEWAY)
        except Exception as problem:  # any error in untrusted data means no proof
            raise NotProved(f"{type(problem).__name__}: {problem}") from problem
        if claims is None:
            raise NotProved("there is no id_token")
        self._check_again(claims, request.nonce)
        return dict(claims)

    def _check_again(self, claims: Mapping[str, Any], nonce: str) -> None:
        """Check the four most important claims once more, independently of the library."""
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if claims["iss"] != self.provider.issuer:
            raise NotProved("another issuer")
        if self.provider.client_id not in audience:
            raise NotProved("another audience")
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise NotProved("another nonce")
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= LONGEST_SUBJECT:
            raise NotProved("no subject")

    def _fetch_token(self, app: FlaskOAuth2App, code: str, request: AuthorizationRequest) -> dict[str, Any]:
        try:
            return dict(app.fetch_access_token(self.callback, code=code, code_verifier=request.verifier))
        except Exception as problem:  # a refused code, an answer that is not JSON, a broken connection
            raise NotProved(f"no token: {type(problem).__name__}: {problem}") from problem

    def _described_app(self) -> FlaskOAuth2App:
        """Authlib's client with metadata at most an hour old. Authlib itself would fetch it only once."""
        now = time.monotonic()
        if self._app is None or now - self._read_at > CACHE_SECONDS:
            self._app, self._read_at = self._read_description(), now
        return self._app

    def _read_description(self) -> FlaskOAuth2App:
        app = FlaskOAuth2App(
            FlaskIntegration(self.provider.key),
            self.provider.key,
            client_id=self.provider.client_id,
            client_secret=self.provider.client_secret,
            server_metadata_url=self.provider.discovery,
            client_kwargs={
                "scope": "openid email profile",
                "code_challenge_method": "S256",
                "default_timeout": TIMEOUT,
            },
        )
        try:
            description = app.load_server_metadata()
        except Exception as problem:
            raise ProviderTrouble(f"{self.provider.discovery} cannot be read: {problem!r}") from problem
        app.server_metadata = self._accepted_description(description)
        return app

    def _accepted_description(self, description: Mapping[str, Any]) -> dict[str, Any]:
        """The metadata fields that Authlib may use: it takes any field as an option of its HTTP session, even "verify".
        Raises ProviderTrouble."""
        if description.get("issuer") != self.provider.issuer:
            raise ProviderTrouble(f"it says it is {description.get('issuer')!r}, not {self.provider.issuer!r}")
        secure = "https://" if self.provider.issuer.startswith("https://") else "http"
        for name in ENDPOINTS:
            if not str(description.get(name, "")).startswith(secure):
                raise ProviderTrouble(f"its {name} is {description.get(name)!r}")
        ways = description.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return {
            **{name: description[name] for name in ("issuer", "_loaded_at", *ENDPOINTS)},
            "id_token_signing_alg_values_supported": SIGNATURES,
            "token_endpoint_auth_method": (
                "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"
            ),
        }


class _TimedIDToken(CodeIDToken):  # type: ignore[misc]  # Authlib has no types
    """The claims of an ID token, validated by the site's clock and with the access token that came with it."""

    def __init__(self, *arguments: Any, now: int, access_token: str | None) -> None:
        super().__init__(*arguments)
        self.params["access_token"] = access_token
        self._now = now

    def validate(self, now: int | None = None, leeway: int = 0) -> None:
        """Raises an error of joserfc if claims are wrong."""
        super().validate(self._now if now is None else now, leeway)


def _require_keys(app: FlaskOAuth2App) -> None:
    """Fetch the provider's keys if they are not cached. Raises ProviderTrouble; an invalid key set is not cached."""
    try:
        KeySet.import_key_set(app.fetch_jwk_set())
    except Exception as problem:
        app.server_metadata.pop("jwks", None)
        raise ProviderTrouble(f"its keys cannot be read: {problem!r}") from problem
