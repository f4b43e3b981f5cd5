"""The sign-in providers in the settings, with presets for common ones."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from engage.base.config import SettingProblem, Settings

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
KEYS = {"issuer", "client_id", "client_secret", "name", "domain", "tenant", "district"}
OURS = ("password", "code", "passkey")  # ways to begin a session without a provider
NEEDED = ("authlib", "requests")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Provider:
    """A sign-in provider.

    `domain` is required of every address, and of Google's "hd". `tenant` is the claim and value that mark an account of
    the district; the address in such an account is trusted, and in any other it must be verified by the provider.
    `students` has values of "user_type" that may not sign in. `edov`: any "email" may be entered by whoever manages an
    account, so it counts only if the provider says that the owner of the domain was verified; guests of the directory
    may not sign in (learn.microsoft.com, optional claims: xms_edov, acct).
    """

    key: str
    name: str
    issuer: str
    client_id: str
    client_secret: str
    domain: str = ""
    hosted: bool = False
    tenant: tuple[str, str] | None = None
    address_claims: tuple[str, ...] = ("email",)
    students: frozenset[str] = frozenset()
    edov: bool = False

    @property
    def discovery(self) -> str:
        """The URL of the provider's metadata (OpenID Connect Discovery 1.0, section 4)."""
        return self.issuer.rstrip("/") + "/.well-known/openid-configuration"


def load_providers(settings: Settings) -> dict[str, Provider]:
    """Return the providers by their name in the settings. Raises SettingProblem."""
    if not settings.sso:
        return {}
    if missing := [each for each in NEEDED if find_spec(each) is None]:
        install = ".venv/bin/pip install --editable '.[sso]' --constraint .ci/constraints.txt"
        raise SettingProblem(f"ENGAGE_SSO needs {' and '.join(missing)}; run: {install}")
    return {key: _build_provider(key, options) for key, options in settings.sso.items()}


def _build_provider(key: str, options: Mapping[str, str]) -> Provider:
    if not NAME.fullmatch(key) or key in OURS:
        raise SettingProblem(f"ENGAGE_SSO: {key!r} cannot name a provider; use small letters, digits and hyphens")
    if strange := options.keys() - KEYS:
        raise SettingProblem(
            f"ENGAGE_SSO {key}: {', '.join(sorted(strange))} cannot be set there; known: {', '.join(sorted(KEYS))}"
        )
    for name in ("client_id", "client_secret"):
        if not options.get(name):
            raise SettingProblem(f"ENGAGE_SSO {key}: {name} is missing; the provider's administration page gives it")
    build = KNOWN.get(key, _generic_provider)
    provider = build(key, options)
    place = urlsplit(provider.issuer)
    near = place.hostname in ("127.0.0.1", "localhost", "::1")
    if place.scheme != "https" and not (near and place.scheme == "http"):
        raise SettingProblem(f"ENGAGE_SSO {key}: issuer must be an https:// address, not {provider.issuer!r}")
    return provider


def _require_setting(key: str, options: Mapping[str, str], name: str, what: str) -> str:
    if not options.get(name):
        raise SettingProblem(f"ENGAGE_SSO {key}: {name} is missing; it is {what}")
    return options[name]


def _generic_provider(key: str, options: Mapping[str, str]) -> Provider:
    issuer = _require_setting(
        key, options, "issuer", "the provider's address, under which .well-known/openid-configuration lies"
    )
    return Provider(
        key, options.get("name") or key, issuer, *_client_credentials(options), domain=_email_domain(options)
    )


def _google_provider(key: str, options: Mapping[str, str]) -> Provider:
    issuer = options.get("issuer") or "https://accounts.google.com"
    return Provider(
        key,
        options.get("name") or "Google",
        issuer,
        *_client_credentials(options),
        domain=_email_domain(options),
        hosted=True,
    )


def _microsoft_provider(key: str, options: Mapping[str, str]) -> Provider:
    tenant = _require_setting(
        key, options, "tenant", "the directory (tenant) ID of the district, 36 characters"
    ).lower()
    if not GUID.fullmatch(tenant):
        raise SettingProblem(f"ENGAGE_SSO {key}: tenant must be the directory (tenant) ID, not {tenant!r}")
    issuer = options.get("issuer") or f"https://login.microsoftonline.com/{tenant}/v2.0"
    return Provider(
        key,
        options.get("name") or "Microsoft",
        issuer,
        *_client_credentials(options),
        domain=_email_domain(options),
        tenant=("tid", tenant),
        address_claims=("preferred_username", "email"),
        edov=True,
    )


def _classlink_provider(key: str, options: Mapping[str, str]) -> Provider:
    tenant = _require_setting(key, options, "tenant", "the TenantId of the district in ClassLink")
    issuer = options.get("issuer") or "https://launchpad.classlink.com"
    name = options.get("name") or "ClassLink"
    return Provider(
        key, name, issuer, *_client_credentials(options), domain=_email_domain(options), tenant=("TenantId", tenant)
    )


def _clever_provider(key: str, options: Mapping[str, str]) -> Provider:
    district = _require_setting(key, options, "district", "the id of the district in Clever, 24 characters")
    return Provider(
        key,
        options.get("name") or "Clever",
        options.get("issuer") or "https://clever.com",
        *_client_credentials(options),
        domain=_email_domain(options),
        tenant=("district", district),
        students=frozenset({"student", "contact"}),
    )


def _client_credentials(options: Mapping[str, str]) -> tuple[str, str]:
    return options["client_id"], options["client_secret"]


def _email_domain(options: Mapping[str, str]) -> str:
    return options.get("domain", "").lower().removeprefix("@")


KNOWN = {
    "google": _google_provider,
    "microsoft": _microsoft_provider,
    "classlink": _classlink_provider,
    "clever": _clever_provider,
}
