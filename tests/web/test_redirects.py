"""Redirects stay within the site and contain no host, since the Host header is controlled by the client."""

import re
from typing import Any

import pytest
from flask import redirect
from werkzeug.test import Client

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]
ELSEWHERE = "evil.example"
HEADERS = {"Host": ELSEWHERE, "X-Forwarded-Host": ELSEWHERE, "X-Forwarded-Proto": "gopher"}


def addresses(site: Any) -> set[str]:
    """Return every URL of the site with values for its parameters, with and without a slash at the end, and doubled."""
    rules = [rule.rule for app in (site.family, site.staff) for rule in app.url_map.iter_rules()]
    plain = {re.sub(r"<lang:[^>]*>", "en", rule) for rule in rules}
    filled = {re.sub(r"<[^>]*>", "1", rule) for rule in plain}
    return {form for each in filled for form in (each, each.rstrip("/") or "/", each.rstrip("/") + "/", each + "//x")}


def test_no_redirect_names_a_host(site: Any) -> None:
    client, led = Client(site), 0
    for address in sorted(addresses(site)):
        for method in ("GET", "POST"):
            answer = client.open(address, method=method, headers=HEADERS)
            if "Location" in answer.headers:
                led += 1
                target = answer.headers["Location"]
                assert re.fullmatch(r"/(?![/\\]).*", target), f"{method} {address} leads to {target}"
    assert led > 50


@pytest.mark.parametrize("address", ["/staff", "/en", "/staff?a=//b", "/en?x=%0d%0aSet-Cookie:a=b"])
def test_an_address_without_its_slash_leads_on(site: Any, address: str) -> None:
    answer = Client(site).get(address, headers=HEADERS)
    path, _, query = address.partition("?")
    assert answer.status_code == (308 if path == "/staff" else 303)
    assert answer.headers["Location"].startswith(f"{path}/" + ("?" if query else ""))


@pytest.mark.parametrize("target", [f"http://{ELSEWHERE}//other.example/a", f"http://{ELSEWHERE}/\\other.example/a"])
def test_a_redirect_with_slashes_in_front_names_no_host_either(site: Any, target: str) -> None:
    site.family.view_functions["family.choose_language"] = lambda: redirect(target)
    assert Client(site).get("/", headers={"Host": ELSEWHERE}).headers["Location"] in ("/other.example/a",)


def test_a_redirect_to_a_provider_keeps_its_host(site: Any) -> None:
    site.family.view_functions["family.choose_language"] = lambda: redirect("https://accounts.example/o?a=b")
    assert Client(site).get("/").headers["Location"] == "https://accounts.example/o?a=b"
