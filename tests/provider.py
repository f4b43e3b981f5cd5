"""An OpenID provider for tests: discovery, authorize, token, and keys, with a check of PKCE."""

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

CLIENT, SECRET = "engage-of-the-district", "a secret that only two know"
Claims = dict[str, Any]


@cache
def first_key() -> RSAKey:
    """Return a key, created once since it takes a tenth of a second."""
    return RSAKey.generate_key(2048, {"kid": "first"})


@dataclass
class OpenIdProvider:
    """A provider. `person`: who signs in. `changes`: claims of a malicious token. `signs`: how the token is made from
    its claims; None for the correct way. `broken`: paths that return 500."""

    issuer: str = ""
    person: Claims = field(default_factory=dict)
    changes: Claims = field(default_factory=dict)
    signs: Callable[["OpenIdProvider", Claims], str] | None = None
    broken: set[str] = field(default_factory=set)
    described: Claims = field(default_factory=dict)
    now: Callable[[], float] = time.time
    key: RSAKey = field(default_factory=first_key)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.seen.append(request.path)
        answers = {
            "/.well-known/openid-configuration": self._discovery,
            "/authorize": self._authorize,
            "/token": self._token,
            "/keys": lambda _request: _json(self.published_keys()),
        }
        if request.path in self.broken:
            return Response("out of order", 500)(environ, start_response)
        answer = answers.get(request.path, lambda _request: Response("nothing here", 404))
        return answer(request)(environ, start_response)

    def published_keys(self) -> Claims:
        """Return the response with the public keys."""
        return {"keys": [self.key.as_dict(private=False)]}

    def grant(self, address: str) -> str:
        """Return the parameters of the redirect after a person signed in at the authorize URL."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        assert len(asked["state"]) >= 32
        assert len(asked["nonce"]) >= 32
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]})

    def _discovery(self, _request: Request) -> Response:
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return _json(told | self.described)

    def _authorize(self, request: Request) -> Response:
        back = html.escape(self.grant(request.url))
        head = '<!doctype html><title>Provider</title><link rel="icon" href="data:,">'
        words = f'{head}<h1>Who are you?</h1><a id="me" href="{back}">It is me</a>'
        return Response(words, mimetype="text/html")

    def _token(self, request: Request) -> Response:
        given = request.authorization
        assert given is not None
        assert (given.username, given.password) == (CLIENT, SECRET)
        asked = self.codes.pop(request.form["code"], None)
        if asked is None or asked["redirect_uri"] != request.form["redirect_uri"]:
            return _json({"error": "invalid_grant"}, 400)
        digest = hashlib.sha256(request.form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return _json({"error": "invalid_grant"}, 400)
        now = int(self.now())
        honest = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims = {name: value for name, value in (honest | self.person | self.changes).items() if value is not None}
        token = self.signs(self, claims) if self.signs else signed(self, claims)
        return _json({"access_token": "opaque", "token_type": "Bearer", "expires_in": 300, "id_token": token})


def signed(provider: OpenIdProvider, claims: Claims) -> str:
    """Sign correctly."""
    return jwt.encode({"alg": "RS256", "kid": provider.key.kid}, claims, provider.key)


def unsigned(_provider: OpenIdProvider, claims: Claims) -> str:
    """Use alg none."""
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."


def signed_by_another(provider: OpenIdProvider, claims: Claims) -> str:
    """Sign with another key that has the provider's key id."""
    return jwt.encode({"alg": "RS256", "kid": provider.key.kid}, claims, RSAKey.generate_key(2048))


def signed_with_the_public_key(provider: OpenIdProvider, claims: Claims) -> str:
    """Sign by HS256 with the public key as the secret."""
    import hmac

    head = f"{_part({'alg': 'HS256', 'kid': provider.key.kid})}.{_part(claims)}"
    digest = hmac.digest(provider.key.as_pem(private=False), head.encode(), "sha256")
    return f"{head}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def spoiled(provider: OpenIdProvider, claims: Claims) -> str:
    """Change a character after signing."""
    head, _body, signature = signed(provider, claims).split(".")
    return f"{head}.{_part(claims | {'sub': 'somebody else'})}.{signature}"


def _part(told: Claims) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()


def _json(told: Claims, status: int = 200) -> Response:
    return Response(json.dumps(told), status, mimetype="application/json")


@contextmanager
def a_provider() -> Iterator[OpenIdProvider]:
    """Run a provider on loopback, in a thread."""
    provider = OpenIdProvider()
    server = make_server("127.0.0.1", 0, provider, threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)  # s between polls
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
