"""Single sign-on with a real browser: to the provider and back, within the content security policy."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import Engine

from engage.base.config import Settings
from engage.storage.engine import write_session
from tests.conftest import Live
from tests.makers import staff
from tests.provider import CLIENT, SECRET, OpenIdProvider, a_provider

pytestmark = pytest.mark.browser


@pytest.fixture
def provider(clock: Callable[[], datetime]) -> Iterator[OpenIdProvider]:
    with a_provider() as made:
        made.now = lambda: clock().timestamp()
        made.person = {"sub": "1", "email": "ana@district.example", "email_verified": True, "hd": "district.example"}
        yield made


@pytest.fixture
def settings(settings: Settings, provider: OpenIdProvider) -> Settings:
    given = {"issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET, "domain": "district.example"}
    return replace(settings, sso={"google": given})


def test_to_the_provider_and_back(page: Any, live: Live, engine: Engine, provider: OpenIdProvider) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    with write_session(engine) as session:
        staff(session, "leader", email="ana@district.example")
        session.commit()
    page.goto(f"{live.url}/staff/district/checkpoints")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it must not scroll sideways"
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [each["id"] for each in found] == []
    page.click("text=Sign in with Google")
    page.wait_for_selector("h1:has-text('Who are you?')")
    assert page.url.startswith(provider.issuer)
    page.click("#me")
    page.wait_for_url(f"{live.url}/staff/district/checkpoints")
    expect(page.locator("text=Sign out")).to_have_count(1)
    cookies = {each["name"]: each for each in page.context.cookies(live.url)}
    assert cookies["staff"]["httpOnly"]
    page.click("details.account summary")
    page.click("details.account form button")
    page.wait_for_url("**/staff/login")
    assert complaints == []


def test_a_stranger_reads_whom_to_ask(page: Any, live: Live) -> None:
    page.goto(f"{live.url}/staff/login")
    page.click("text=Sign in with Google")
    page.click("#me")
    page.wait_for_selector("text=Ask the administrator of these pages")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [each["id"] for each in found] == []
    page.click("text=Go to the sign-in page")
    page.wait_for_url("**/staff/login")
