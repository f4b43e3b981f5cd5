"""The authorization code flow with PKCE, by Authlib: where to send somebody, and what comes back."""

import hmac
import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

from engage.domain.security.sso_providers import Provider

TIMEOUT = 10.0  # seconds a provider may take for each answer
CACHE_SECONDS = 3600.0  # seconds after which a provider's description and keys are read anew
KEYS_AGAIN = 60.0  # seconds between two readings of the keys because of a key that is not known
LEEWAY = 60  # seconds the provider's clock may differ
# Asymmetric ones only: "none", and HS256 with a public key as its secret, are two well-known ways in
SIGNATURES = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")

log = logging.getLogger("engage.sso")


class ProviderTrouble(Exception):
    """The provider cannot be reached, or answers what it must not; the message is for the log."""


class NotProved(Exception):
    """What came back does not prove who somebody is; the message is for the log."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What this browser was sent away with, to compare with what comes back."""

    state: str
    nonce: str
    verifier: str


class Client:
    """One provider. Loads Authlib, which is an extra: nobody without a provider in the settings needs it."""

    def __init__(self, provider: Provider, callback: str) -> None:
        """`callback`: our address that the provider sends people back to."""
        self.provider = provider
        self.callback = callback
        self._session = import_module("authlib.integrations.requests_client").OAuth2Session
        self._claims = import_module("authlib.oidc.core").CodeIDToken
        self._jwt = import_module("joserfc.jwt")
        self._keys = import_module("joserfc.jwk").KeySet
        self._registry = import_module("joserfc.jws").JWSRegistry(algorithms=SIGNATURES, strict_check_header=False)
        self._unknown_key = import_module("joserfc.errors").InvalidKeyIdError
        self._described: tuple[float, dict[str, Any]] | None = None
        self._signed: tuple[float, Any] | None = None

    def leave(self) -> tuple[str, AuthorizationRequest]:
        """Where to send somebody, and what to remember of it. Raises ProviderTrouble."""
        asked = AuthorizationRequest(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
        more = {"hd": self.provider.domain} if self.provider.hosted and self.provider.domain else {}
        with self._line() as line:
            url, _state = line.create_authorization_url(
                self._description()["authorization_endpoint"],
                state=asked.state,
                nonce=asked.nonce,
                code_verifier=asked.verifier,
                **more,
            )
        return str(url), asked

    def claims(self, code: str, asked: AuthorizationRequest, now: datetime) -> dict[str, Any]:
        """Who came back, in the provider's words, proved by its signature. Raises ProviderTrouble, NotProved."""
        token = self._token(code, asked)
        if not isinstance(token.get("id_token"), str):
            raise NotProved("there is no id_token")
        try:
            decoded = self._decoded(token["id_token"])
            params = {"nonce": asked.nonce, "client_id": self.provider.client_id, "access_token": token["access_token"]}
            told = self._claims(decoded.claims, decoded.header, {"iss": {"values": [self.provider.issuer]}}, params)
            told.validate(now=int(now.timestamp()), leeway=LEEWAY)
        except ProviderTrouble:
            raise
        except Exception as problem:  # whatever is wrong with a stranger's bytes, it proves nothing
            raise NotProved(f"{type(problem).__name__}: {problem}") from problem
        self._look_again(told, asked.nonce)
        return dict(told)

    def _look_again(self, told: Mapping[str, Any], nonce: str) -> None:
        """The four that matter most, in our own words."""
        audience = told["aud"] if isinstance(told["aud"], list) else [told["aud"]]
        if told["iss"] != self.provider.issuer:
            raise NotProved("another issuer")
        if self.provider.client_id not in audience:
            raise NotProved("another audience")
        if not hmac.compare_digest(str(told.get("nonce", "")).encode(), nonce.encode()):
            raise NotProved("another nonce")
        if not isinstance(told["sub"], str) or not 0 < len(told["sub"]) <= 255:
            raise NotProved("no subject")

    def _token(self, code: str, asked: AuthorizationRequest) -> dict[str, Any]:
        described = self._description()
        known = described.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        way = "client_secret_basic" if "client_secret_basic" in known else "client_secret_post"
        try:
            with self._line(token_endpoint_auth_method=way) as line:
                return dict(line.fetch_token(described["token_endpoint"], code=code, code_verifier=asked.verifier))
        except Exception as problem:  # a refused code, an answer that is no JSON, a line that broke
            raise NotProved(f"no token: {type(problem).__name__}: {problem}") from problem

    def _decoded(self, token: str) -> Any:
        try:
            return self._jwt.decode(token, key=self._keys_known(CACHE_SECONDS), registry=self._registry)
        except (self._unknown_key, ValueError):  # the provider has new keys
            return self._jwt.decode(token, key=self._keys_known(KEYS_AGAIN), registry=self._registry)

    def _keys_known(self, age: float) -> Any:
        now = time.monotonic()
        if self._signed is None or now - self._signed[0] > age:
            found = self._read(self._description()["jwks_uri"])
            try:
                self._signed = now, self._keys.import_key_set(found)
            except Exception as problem:
                raise ProviderTrouble(f"its keys cannot be read: {problem}") from problem
        return self._signed[1]

    def _description(self) -> dict[str, Any]:
        now = time.monotonic()
        if self._described is None or now - self._described[0] > CACHE_SECONDS:
            self._described = now, self._sound(self._read(self.provider.discovery))
        return self._described[1]

    def _sound(self, described: dict[str, Any]) -> dict[str, Any]:
        if described.get("issuer") != self.provider.issuer:
            raise ProviderTrouble(f"it says it is {described.get('issuer')!r}, not {self.provider.issuer!r}")
        secure = "https://" if self.provider.issuer.startswith("https://") else "http"
        for name in ENDPOINTS:
            if not str(described.get(name, "")).startswith(secure):
                raise ProviderTrouble(f"its {name} is {described.get(name)!r}")
        return described

    def _read(self, url: str) -> dict[str, Any]:
        try:
            with self._line() as line:
                answer = line.get(url, withhold_token=True)
                answer.raise_for_status()
                found = answer.json()
        except Exception as problem:
            raise ProviderTrouble(f"{url} cannot be read: {type(problem).__name__}: {problem}") from problem
        if not isinstance(found, dict):
            raise ProviderTrouble(f"{url} is not what it should be")
        return found

    def _line(self, **more: Any) -> Any:
        return self._session(
            self.provider.client_id,
            self.provider.client_secret,
            scope="openid email profile",
            redirect_uri=self.callback,
            code_challenge_method="S256",
            default_timeout=TIMEOUT,
            **more,
        )
