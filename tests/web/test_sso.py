"""Single sign-on with a provider that is correct, malicious, or broken."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from engage import create_app
from engage.base.config import SettingProblem, Settings
from engage.domain.security import recovery_codes
from engage.domain.security.accounts import assign_roles
from engage.domain.security.sso_providers import load_providers
from engage.storage.engine import read_session, write_session
from engage.storage.models.staff import Passkey, Staff, StaffIdentity, StaffSession
from tests.conftest import close
from tests.makers import PASSWORD, staff
from tests.paths import ROOT
from tests.people import StaffMember
from tests.provider import (
    CLIENT,
    SECRET,
    OpenIdProvider,
    a_provider,
    signed_by_another,
    signed_with_the_public_key,
    spoiled,
    unsigned,
)

pytestmark = pytest.mark.slow

ANA = {"sub": "subject-1", "email": "Ana@district.example", "email_verified": True, "hd": "district.example"}
KEYS = {"client_id": CLIENT, "client_secret": SECRET}
TENANT = "0f8fad5b-d9cb-469f-a165-70867728950e"
CLEVER = "4fd43cc56d11340000000005"


@pytest.fixture
def provider(clock: Callable[[], datetime]) -> Iterator[OpenIdProvider]:
    with a_provider() as made:
        made.now = lambda: clock().timestamp()
        made.person = dict(ANA)
        yield made


@pytest.fixture
def known(provider: OpenIdProvider) -> dict[str, dict[str, str]]:
    """All four common providers, simulated by one."""
    at = KEYS | {"issuer": provider.issuer}
    return {
        "google": at | {"domain": "district.example"},
        "microsoft": at | {"tenant": TENANT},
        "classlink": at | {"tenant": "1234"},
        "clever": at | {"district": CLEVER},
        "other": at,
    }


@pytest.fixture
def site(settings: Settings, known: Any, moment: list[datetime]) -> Iterator[Any]:
    made = create_app(replace(settings, sso=known, base_url="http://localhost"), lambda: moment[0])
    yield made
    close(made)


@pytest.fixture
def ana(engine: Engine) -> int:
    with write_session(engine) as session:
        person = staff(session, "leader", email="ana@district.example")
        session.commit()
        return int(person.id)


class Visit:
    """A browser that goes to the provider and returns."""

    def __init__(self, site: Any, provider: OpenIdProvider, by: str = "google") -> None:
        self.site = site
        self.who, self.provider, self.by = StaffMember(site), provider, by

    def leaves(self, query: str = "") -> str:
        away = self.who.client.get(f"/staff/sso/{self.by}{query}")
        assert away.status_code == 302, away.text
        assert away.location.startswith(self.provider.issuer + "/authorize?")
        return self.provider.grant(away.location)

    def comes_back(self, address: str) -> TestResponse:
        split = urlsplit(address)
        return self.who.client.get(f"{split.path}?{split.query}")

    def enters(self, query: str = "") -> TestResponse:
        return self.comes_back(self.leaves(query))

    def is_in(self) -> bool:
        return bool(self.who.client.get("/staff/me").status_code == 200)


@pytest.fixture
def visit(site: Any, provider: OpenIdProvider) -> Callable[..., Visit]:
    return lambda by="google": Visit(site, provider, by)


def refused(answer: TestResponse, status: int, *words: str) -> None:
    assert answer.status_code == status, answer.text
    assert all(word in answer.text for word in words), answer.text
    assert "Go to the sign-in page" in answer.text


def links(engine: Engine) -> list[tuple[str, str, int]]:
    with read_session(engine) as session:
        return [(each.provider, each.subject, each.staff_id) for each in session.scalars(select(StaffIdentity))]


def test_someone_in_the_staff_table_enters_and_is_known_by_the_subject_from_then_on(
    visit: Any, ana: int, engine: Engine, provider: OpenIdProvider
) -> None:
    first = visit()
    answer = first.enters("?next=/staff/district/checkpoints")
    assert (answer.status_code, answer.location) == (302, "/staff/district/checkpoints")
    assert first.is_in()
    assert links(engine) == [("google", "subject-1", ana)]
    with read_session(engine) as session:
        (row,) = session.scalars(select(StaffSession))
    assert (row.by, row.strong, row.staff_id) == ("google", True, ana)
    provider.person["email"] = "anna.married@district.example"
    again = visit()
    assert again.enters().status_code == 302
    assert again.is_in()
    assert len(links(engine)) == 1


def test_other_roles_count_when_the_person_enters_again(visit: Any, ana: int, engine: Engine) -> None:
    """The account stays linked; permissions follow the current staff table."""
    first = visit()
    first.enters()
    assert first.who.client.get("/staff/district/checkpoints").status_code == 200
    with write_session(engine) as session:
        assign_roles(session, session.get_one(Staff, ana), ["translator", "administrator"], [])
        session.commit()
    again = visit()
    again.enters()
    assert again.is_in()
    assert again.who.client.get("/staff/administration/staff").status_code == 200
    assert again.who.client.get("/staff/district/checkpoints/new").status_code == 403
    assert links(engine) == [("google", "subject-1", ana)]


def test_the_sign_in_page_offers_the_providers(site: Any) -> None:
    who = StaffMember(site).opens("/staff/login").sees("Sign in with Google", "Sign in with Clever", "with ClassLink")
    assert "/staff/sso/microsoft" in [link.get("href") for link in who.page.all("a")]


def test_the_sign_in_page_keeps_where_someone_wanted_to_go(site: Any) -> None:
    who = StaffMember(site)
    who.opens("/staff/district/checkpoints")
    assert any("next=/staff/district/checkpoints" in str(a.get("href")) for a in who.page.all("a"))


@pytest.mark.parametrize("next", ["https://evil.example", "//evil.example", "/staff\\evil", "/en/", "x" * 5000])
def test_nobody_is_sent_on_to_another_site(visit: Any, ana: int, next: str) -> None:
    assert visit().enters(f"?next={next}").location == "/staff/"


HOSTILE: dict[str, tuple[dict[str, Any], Any, int]] = {
    "another nonce": ({"nonce": "x" * 43}, None, 400),
    "no nonce": ({"nonce": None}, None, 400),
    "a nonce that is no text": ({"nonce": ["a"]}, None, 400),
    "another audience": ({"aud": "another-client"}, None, 400),
    "two audiences and another party": ({"aud": [CLIENT, "b"], "azp": "b"}, None, 400),
    "no audience": ({"aud": None}, None, 400),
    "another issuer": ({"iss": "https://evil.example"}, None, 400),
    "no issuer": ({"iss": None}, None, 400),
    "expired": ({"exp": 1_000_000_000}, None, 400),
    "never expires": ({"exp": None}, None, 400),
    "from tomorrow": ({"iat": 4_000_000_000, "nbf": 4_000_000_000}, None, 400),
    "no subject": ({"sub": None}, None, 400),
    "an empty subject": ({"sub": ""}, None, 400),
    "a subject that is a number": ({"sub": 7}, None, 400),
    "a long subject": ({"sub": "x" * 256}, None, 400),
    "not signed": ({}, unsigned, 400),
    "signed by another": ({}, signed_by_another, 400),
    "signed with what everybody knows": ({}, signed_with_the_public_key, 400),
    "changed after signing": ({}, spoiled, 400),
    "beside another access token": ({"at_hash": "MTIzNDU2Nzg5MDEyMzQ1Ng"}, None, 400),
    "no token": ({}, lambda *_: "", 400),
    "no words": ({}, lambda *_: None, 400),
    "garbage": ({}, lambda *_: "a.b.c\x00", 400),
    "another domain": ({"hd": "evil.example"}, None, 403),
    "no domain": ({"hd": None}, None, 403),
    "an address of another domain": ({"email": "ana@evil.example"}, None, 403),
    "an address that is not verified": ({"email_verified": False}, None, 403),
    "an address nobody vouches for": ({"email_verified": None}, None, 403),
    "no address": ({"email": None}, None, 403),
    "an address that is a list": ({"email": ["ana@district.example"]}, None, 403),
    "an address with a tail": ({"email": "ana@district.example\x00"}, None, 403),
    "somebody we do not know": ({"email": "ben@district.example"}, None, 403),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_proves_nothing_lets_nobody_in(
    visit: Any, ana: int, engine: Engine, provider: OpenIdProvider, case: str
) -> None:
    provider.changes, provider.signs, status = HOSTILE[case]
    browser = visit()
    refused(browser.enters(), status)
    assert not browser.is_in()
    assert links(engine) == []


def test_a_stranger_is_told_whom_to_ask(visit: Any, provider: OpenIdProvider) -> None:
    refused(visit().enters(), 403, "Google recognized you", "Ask the administrator")


def test_who_was_switched_off_stays_out(visit: Any, ana: int, engine: Engine) -> None:
    assert visit().enters().status_code == 302
    with write_session(engine) as session:
        session.get_one(Staff, ana).active = False
        session.commit()
    refused(visit().enters(), 403)


def test_an_address_that_got_a_new_owner_does_not_open_the_old_ones_account(
    visit: Any, ana: int, provider: OpenIdProvider, engine: Engine
) -> None:
    assert visit().enters().status_code == 302
    provider.person["sub"] = "subject-2"
    refused(visit().enters(), 403)
    assert links(engine) == [("google", "subject-1", ana)]


DISTRICTS = [
    ("microsoft", {"tid": TENANT}, False),
    ("microsoft", {"tid": TENANT, "xms_edov": True}, True),
    ("microsoft", {"tid": TENANT, "xms_edov": "1"}, True),
    ("microsoft", {"tid": TENANT, "xms_edov": False}, False),
    ("microsoft", {"tid": TENANT, "preferred_username": "eve@district.example"}, False),
    ("microsoft", {"tid": TENANT, "preferred_username": "ana@district.example", "acct": 1}, False),
    ("microsoft", {"tid": TENANT, "preferred_username": "ana@district.example", "acct": 0}, True),
    ("microsoft", {"tid": TENANT, "email": None, "preferred_username": "ana@district.example"}, True),
    ("microsoft", {"tid": "9188040d-6c67-4c5b-b112-36a304b66dad"}, False),
    ("microsoft", {}, False),
    ("classlink", {"TenantId": 1234, "email_verified": None}, True),
    ("classlink", {"TenantId": "99"}, False),
    ("clever", {"district": CLEVER, "email_verified": False, "user_type": "teacher"}, True),
    ("clever", {"district": "5fd43cc56d11340000000005", "user_type": "teacher"}, False),
    ("clever", {"district": CLEVER, "user_type": "student"}, False),
    ("other", {"email_verified": False}, False),
    ("other", {"hd": None}, True),
]


@pytest.mark.parametrize(("by", "changes", "opens"), DISTRICTS)
def test_only_accounts_of_the_district_enter(
    visit: Any, ana: int, provider: OpenIdProvider, by: str, changes: dict[str, Any], opens: bool
) -> None:
    provider.changes = changes
    browser = visit(by)
    assert (browser.enters().status_code == 302) is opens
    assert browser.is_in() is opens


def test_an_account_with_a_second_step_is_linked_once_the_step_is_taken(
    visit: Any, ana: int, engine: Engine, moment: list[datetime]
) -> None:
    with write_session(engine) as session:
        codes = recovery_codes.generate_recovery_codes(Random(3))
        key = Passkey(user_id=ana, name="key", credential_id=b"id", public_key=b"key", backup_state=False)
        key.device_type, key.usage, key.create_datetime, key.lastuse_datetime = "", "first", moment[0], moment[0]
        session.add(key)
        session.commit()
    browser = visit()
    for _ in range(2):
        assert browser.enters().location == "/staff/login/second"
        assert not browser.is_in()
        assert links(engine) == []
    secret = browser.site.staff.extensions["engage"].secret(recovery_codes.RECOVERY_KEY)
    with write_session(engine) as session:
        session.get_one(Staff, ana).mf_recovery_codes = recovery_codes.hash_recovery_codes(codes, secret, ana)
        session.commit()
    browser.who.opens("/staff/login/second").sends(button="Continue", code=codes[0])
    assert browser.is_in()
    assert links(engine) == [("google", "subject-1", ana)]
    again = visit()
    assert again.enters().location == "/staff/"
    assert again.is_in()


def test_who_only_typed_a_password_sets_up_no_second_step_beside_the_districts_account(visit: Any, ana: int) -> None:
    assert visit().enters().status_code == 302
    guesser = StaffMember(visit().site).signs_in("ana@district.example", PASSWORD)
    guesser.opens("/staff/me/second-factor/app").sees("sign in with your district account")
    guesser.opens("/staff/me/second-factor/passkey").sees("sign in with your district account")
    browser = visit()
    assert browser.enters().status_code == 302
    browser.who.opens("/staff/me/second-factor/app").sees_no("sign in with your district account")


def test_a_portal_that_starts_at_its_own_end_is_answered_by_starting_anew(
    visit: Any, ana: int, provider: OpenIdProvider
) -> None:
    """Its code is never used, since it may belong to someone else."""
    provider.changes = {"district": CLEVER}
    browser = visit("clever")
    answer = browser.comes_back("http://localhost/staff/sso/clever/callback?code=of-somebody&scope=read")
    assert answer.status_code == 302
    assert "/token" not in provider.seen
    assert browser.comes_back(provider.grant(answer.location)).status_code == 302
    assert browser.is_in()


def test_a_provider_that_never_sends_a_state_does_not_send_anyone_in_a_circle(visit: Any) -> None:
    browser = visit("clever")
    address = "http://localhost/staff/sso/clever/callback?code=of-somebody"
    assert browser.comes_back(address).status_code == 302
    refused(browser.comes_back(address), 400)


def test_a_state_counts_once(visit: Any, ana: int, provider: OpenIdProvider) -> None:
    browser = visit()
    address = browser.leaves()
    assert browser.comes_back(address).status_code == 302
    refused(browser.comes_back(address), 400)


def test_a_state_is_this_browsers_only(visit: Any, ana: int) -> None:
    """A completed link that is sent to someone else does not sign that person in as the sender."""
    address = visit().leaves()
    victim = visit()
    victim.leaves()
    refused(victim.comes_back(address), 400)
    assert not victim.is_in()
    refused(visit().comes_back(address), 400)


def test_a_state_of_one_provider_is_none_of_anothers(visit: Any, ana: int) -> None:
    browser = visit("google")
    refused(browser.comes_back(browser.leaves().replace("/google/", "/other/")), 400)


def test_a_state_grows_old(visit: Any, ana: int, moment: list[datetime]) -> None:
    browser = visit()
    address = browser.leaves()
    moment[0] += timedelta(minutes=16)
    refused(browser.comes_back(address), 400)


@pytest.mark.parametrize("error", ["access_denied", "server_error", "<script>", "x" * 9000])
def test_someone_who_stops_there_is_told(visit: Any, ana: int, error: str) -> None:
    browser = visit()
    state = browser.leaves().split("state=")[1]
    answer = browser.comes_back(f"http://localhost/staff/sso/google/callback?error={error}&state={state}")
    refused(answer, 403, "did not sign you in")
    assert error not in answer.text
    assert not browser.is_in()


@pytest.mark.parametrize("query", ["error=denied", "state=x", "code=&state=", "code=%00&state=%00", "state=" * 5])
def test_made_up_answers_of_a_provider(visit: Any, query: str) -> None:
    refused(visit().comes_back(f"http://localhost/staff/sso/google/callback?{query}"), 400)
    browser = visit()
    browser.leaves()
    refused(browser.comes_back(f"http://localhost/staff/sso/google/callback?{query}"), 400)


def test_a_code_that_the_provider_does_not_know(visit: Any, ana: int) -> None:
    browser = visit()
    state = browser.leaves().split("state=")[1]
    refused(browser.comes_back(f"http://localhost/staff/sso/google/callback?code=made-up&state={state}"), 400)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
def test_a_provider_that_is_out_of_order(visit: Any, ana: int, provider: OpenIdProvider, path: str) -> None:
    provider.broken = {path}
    browser = visit()
    if path.startswith("/."):
        refused(browser.who.client.get("/staff/sso/google"), 503, "is not responding")
        provider.broken = set()
        assert browser.enters().status_code == 302
        return
    answer = browser.enters()
    assert answer.status_code in (400, 503)
    assert not browser.is_in()


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_description_that_is_not_the_providers(visit: Any, provider: OpenIdProvider, described: Any) -> None:
    provider.described = described
    refused(visit().who.client.get("/staff/sso/google"), 503)


def test_new_keys_of_the_provider_are_read(visit: Any, ana: int, provider: OpenIdProvider) -> None:
    from joserfc.jwk import RSAKey

    assert visit().enters().status_code == 302
    provider.key = RSAKey.generate_key(2048, {"kid": "second"})
    assert visit().enters().status_code == 302


def test_a_description_and_its_keys_are_read_anew_after_an_hour(
    visit: Any, ana: int, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engage.web.auth.sso import client

    for _ in range(2):
        assert visit().enters().status_code == 302
    read = ["/.well-known/openid-configuration", "/keys"]
    assert [provider.seen.count(path) for path in read] == [1, 1]
    monkeypatch.setattr(client, "CACHE_SECONDS", -1.0)
    assert visit().enters().status_code == 302
    assert [provider.seen.count(path) for path in read] == [3, 2], "once when leaving and once when coming back"


def test_a_description_cannot_change_how_we_ask(visit: Any, ana: int, provider: OpenIdProvider) -> None:
    """Authlib takes fields of the metadata as options of its client. `grant` and the provider check the rest."""
    provider.described = {"code_challenge_method": None, "scope": "email", "verify": False, "default_timeout": 0.001}
    provider.described |= {"id_token_signing_alg_values_supported": ["none", "HS256"], "client_id": "another"}
    assert visit().enters().status_code == 302


@pytest.mark.parametrize("kept", [{"keys": "none"}, {}, {"keys": [{"kty": "RSA"}]}])
def test_keys_that_are_none_are_not_remembered(
    visit: Any, ana: int, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch, kept: Any
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("tests.provider.OpenIdProvider.published_keys", lambda _provider: kept)
        refused(visit().enters(), 503, "is not responding")
    assert visit().enters().status_code == 302


def test_a_provider_that_never_answers_is_not_waited_for(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engage.web.auth.sso import client

    monkeypatch.setattr(client, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        made = create_app(replace(settings, sso={"other": KEYS | {"issuer": issuer}}, base_url="http://localhost"))
        try:
            begun = time.monotonic()
            refused(StaffMember(made).client.get("/staff/sso/other"), 503, "is not responding")
            assert time.monotonic() - begun < 5
        finally:
            close(made)


@pytest.mark.parametrize("name", ["nobody", "GOOGLE", "%00", "..", "a" * 5000])
def test_made_up_providers_are_not_found(visit: Any, name: str) -> None:
    client = visit().who.client
    assert client.get(f"/staff/sso/{name}").status_code == 404
    assert client.get(f"/staff/sso/{name}/callback?code=x&state=y").status_code == 404


WRONG = [
    ({"google": {"client_id": "a"}}, "client_secret is missing"),
    ({"microsoft": KEYS}, "tenant is missing"),
    ({"microsoft": KEYS | {"tenant": "common"}}, "tenant must be the directory"),
    ({"clever": KEYS}, "district is missing"),
    ({"classlink": KEYS}, "tenant is missing"),
    ({"other": KEYS}, "issuer is missing"),
    ({"other": KEYS | {"issuer": "http://sso.example"}}, "must be an https:// address"),
    ({"Google!": KEYS}, "cannot name a provider"),
    ({"password": KEYS}, "cannot name a provider"),
    ({"google": KEYS | {"secret": "x"}}, "secret cannot be set there"),
]


@pytest.mark.parametrize(("sso", "says"), WRONG)
def test_what_is_wrong_in_the_settings_is_said_at_the_start(sso: Any, says: str) -> None:
    with pytest.raises(SettingProblem, match=says):
        load_providers(Settings(sso=sso))


def test_the_common_ones_are_known() -> None:
    found = load_providers(
        Settings(sso={"google": KEYS, "microsoft": KEYS | {"tenant": TENANT}, "clever": KEYS | {"district": CLEVER}})
    )
    assert found["google"].discovery == "https://accounts.google.com/.well-known/openid-configuration"
    assert found["clever"].discovery == "https://clever.com/.well-known/openid-configuration"
    microsoft = f"https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration"
    assert found["microsoft"].discovery == microsoft


def test_without_the_extra_the_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from engage.domain.security import sso_providers as module

    monkeypatch.setattr(module, "find_spec", lambda _name: None)
    with pytest.raises(SettingProblem, match=r"pip install --editable '\.\[sso\]'"):
        load_providers(Settings(sso={"google": KEYS}))
    assert load_providers(Settings()) == {}


def test_a_site_without_providers_works_without_the_extra(settings: Settings, engine: Engine) -> None:
    code = (
        "import sys\nfor name in ('authlib', 'requests', 'joserfc'): sys.modules[name] = None\n"
        "import os, engage\nfrom engage.base.config import Settings\nfrom werkzeug.test import Client\n"
        "site = engage.create_app(Settings.read(os.environ))\nprint(Client(site).get('/staff/login').status)\n"
    )
    env = {**os.environ, "ENGAGE_DATA_DIR": str(settings.data_dir), "ENGAGE_DATABASE_URL": settings.database_url}
    words = [sys.executable, "-c", code]
    said = subprocess.run(words, capture_output=True, text=True, env=env, cwd=ROOT, check=False)
    assert said.stdout.strip() == "200 OK", said.stderr
