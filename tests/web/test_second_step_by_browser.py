"""The second step in a real browser: an app, a passkey, recovery codes, and sessions in two browsers."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import Engine

from engage.base.config import Settings
from engage.storage.engine import write_session
from tests.axe import in_english_and_arabic
from tests.conftest import Live, serving
from tests.makers import PASSWORD, staff

pytestmark = pytest.mark.browser

EMAIL = "ada@district.example"
STAFF = "/staff/administration/staff"
SECOND = "/staff/me/second-factor"


@pytest.fixture
def door(settings: Settings, moment: list[datetime]) -> Iterator[Live]:
    """A site where the second step is required, at a URL that passkeys accept."""
    with serving(replace(settings, second_factor="required"), lambda: moment[0], "localhost") as live:
        yield live


@pytest.fixture
def ada(engine: Engine) -> None:
    """An administrator whose pages are in English."""
    with write_session(engine) as session:
        staff(session, "administrator", email=EMAIL)
        session.commit()


@pytest.fixture
def complaints(page: Any) -> list[str]:
    """Collects console errors of the browser, except for refusals that the tests expect."""
    said: list[str] = []

    def hear(message: Any) -> None:
        if message.type in ("error", "warning") and "the server responded with a status of 4" not in message.text:
            said.append(f"{message.text} {message.location['url']}")

    page.on("console", hear)
    page.on("pageerror", lambda problem: said.append(str(problem)))
    return said


def signs_in(page: Any, door: Live, where: str = "/staff/me") -> None:
    page.goto(door.url + where)
    page.fill("#email", EMAIL)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url(lambda url: "/staff/login?" not in url)


def clean(page: Any) -> None:
    """Assert that axe reports no violations and nothing overflows horizontally."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page.url} scrolls sideways"
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [each["id"] for each in found] == [], page.url


def set_up_app(page: Any, door: Live, moment: list[datetime]) -> tuple[pyotp.TOTP, list[str]]:
    page.goto(f"{door.url}{SECOND}/app")
    app = pyotp.TOTP(re.sub(r"\W", "", page.inner_text(".code")))
    page.fill("#code", app.at(moment[0]))
    page.press("#code", "Enter")
    page.wait_for_selector(".codes")
    return app, page.locator(".codes li").all_inner_texts()


def authenticator(page: Any, verified: bool = True) -> Any:
    """Add a virtual authenticator for passkeys."""
    wire = page.context.new_cdp_session(page)
    wire.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": verified,
        "automaticPresenceSimulation": True,
    }
    return wire, wire.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]


def signs_out(page: Any) -> None:
    page.click("details.account summary")
    page.click("details.account form button")
    page.wait_for_url("**/staff/login")


def test_an_app_is_set_up_and_asked_for(
    page: Any, door: Live, ada: None, complaints: list[str], moment: list[datetime]
) -> None:
    signs_in(page, door, STAFF)
    assert SECOND in page.url, "a password alone does not open the page"
    clean(page)
    page.click(f"a[href='{SECOND}/app']")
    page.wait_for_url("**/app")
    clean(page)
    assert page.evaluate("document.querySelector('svg.qr').getBoundingClientRect().width") > 150
    app = pyotp.TOTP(re.sub(r"\W", "", page.inner_text(".code")))
    page.fill("#code", app.at(moment[0]))
    page.press("#code", "Enter")
    page.wait_for_selector(".codes")
    clean(page)
    page.click("main a.button")
    page.wait_for_url(f"**{STAFF}")
    signs_out(page)
    moment[0] += timedelta(minutes=1)
    signs_in(page, door)
    page.wait_for_url("**/staff/login/second")
    clean(page)
    page.fill("#code", app.at(moment[0]))
    page.press("#code", "Enter")
    page.wait_for_url("**/staff/me")
    assert "Password and code" in page.inner_text("main")
    assert complaints == []


def test_the_picture_holds_what_the_text_says(page: Any, door: Live, ada: None) -> None:
    zxing = pytest.importorskip("zxingcpp")
    from io import BytesIO

    from PIL import Image

    signs_in(page, door, f"{SECOND}/app")
    page.goto(f"{door.url}{SECOND}/app")
    picture = Image.open(BytesIO(page.locator("svg.qr").screenshot()))
    (read,) = zxing.read_barcodes(picture)
    told = pyotp.parse_uri(read.text)
    assert told.secret == re.sub(r"\W", "", page.inner_text(".code"))
    assert (told.name, told.issuer) == (EMAIL, "Our school district")


@pytest.mark.thorough
def test_a_recovery_code_lets_in_whose_phone_is_lost(
    page: Any, door: Live, ada: None, complaints: list[str], moment: list[datetime]
) -> None:
    signs_in(page, door)
    _, codes = set_up_app(page, door, moment)
    signs_out(page)
    signs_in(page, door)
    page.fill("#code", codes[0])
    page.press("#code", "Enter")
    page.wait_for_url("**/staff/me")
    assert "9 recovery codes left" in page.inner_text("main")
    signs_out(page)
    signs_in(page, door)
    page.fill("#code", codes[0])
    page.press("#code", "Enter")
    page.wait_for_selector("[role=alert]")
    clean(page)
    assert page.url.endswith("/staff/login/second")
    assert complaints == []


@pytest.mark.thorough
def test_a_passkey_is_made_and_is_enough_to_sign_in(
    page: Any, door: Live, ada: None, complaints: list[str], moment: list[datetime]
) -> None:
    wire, device = authenticator(page)
    signs_in(page, door, STAFF)
    page.click(f"a[href='{SECOND}/passkey']")
    page.wait_for_url("**/passkey")
    clean(page)
    page.fill("#name", "My phone")
    page.press("#name", "Enter")
    page.wait_for_selector(".codes")
    page.click("main a.button")
    page.wait_for_url(f"**{STAFF}")
    assert len(wire.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]) == 1
    signs_out(page)
    page.goto(f"{door.url}/staff/login?next=/staff/me")
    clean(page)
    page.click("form[data-passkey] button")
    page.wait_for_url("**/staff/me")
    assert "Passkey" in page.inner_text("#sessions + ul")
    page.goto(door.url + STAFF)
    assert page.url == door.url + STAFF, "a passkey is strong enough by itself"
    page.goto(door.url + SECOND)
    assert "My phone" in page.inner_text("main")
    clean(page)
    page.click("form[action*='/passkey/'] button")
    page.wait_for_selector("[role=status]")
    signs_out(page)
    page.click("form[data-passkey] button")
    page.wait_for_selector("text=This passkey does not open an account here")
    clean(page)
    assert complaints == []


def test_a_passkey_is_the_second_step_too(page: Any, door: Live, ada: None, complaints: list[str]) -> None:
    authenticator(page)
    signs_in(page, door, f"{SECOND}/passkey")
    page.fill("#name", "My phone")
    page.press("#name", "Enter")
    page.wait_for_selector(".codes")
    signs_out(page)
    signs_in(page, door, STAFF)
    page.wait_for_url("**/staff/login/second")
    clean(page)
    page.click("form[data-passkey] button")
    page.wait_for_url(f"**{STAFF}")
    assert complaints == []


def test_a_device_that_does_not_look_who_it_is_makes_no_passkey(page: Any, door: Live, ada: None) -> None:
    authenticator(page, verified=False)
    signs_in(page, door, f"{SECOND}/passkey")
    page.fill("#name", "Found on the street")
    page.press("#name", "Enter")
    page.wait_for_selector("[data-problem]:not([hidden])")
    clean(page)
    page.goto(door.url + SECOND)
    assert "Found on the street" not in page.inner_text("main")


@pytest.mark.thorough
def test_a_session_ended_from_another_browser_is_over_at_its_next_page(
    page: Any, browser: Any, door: Live, ada: None, complaints: list[str]
) -> None:
    elsewhere = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    try:
        signs_in(elsewhere, door)
        signs_in(page, door)
        elsewhere.goto(f"{door.url}/staff/me")
        clean(elsewhere)
        page.click("text=Sign out everywhere else")
        page.wait_for_selector("[role=status]")
        elsewhere.goto(f"{door.url}/staff/me")
        assert "/staff/login" in elsewhere.url
        page.goto(f"{door.url}/staff/me")
        assert page.url.endswith("/staff/me")
    finally:
        elsewhere.context.close()
    assert complaints == []


@in_english_and_arabic(("tag", "width"), 320, 1280)
def test_every_page_about_the_account_is_clean(
    page: Any, door: Live, engine: Engine, complaints: list[str], moment: list[datetime], tag: str, width: int
) -> None:
    with write_session(engine) as session:
        staff(session, "administrator", email=EMAIL, language=tag)
        session.commit()
    page.set_viewport_size({"width": width, "height": 720})
    page.set_extra_http_headers({"Accept-Language": tag})
    for path in ("/staff/login", "/staff/forgot", "/staff/welcome/made-up"):
        page.goto(door.url + path)
        assert page.get_attribute("html", "lang") == tag
        clean(page)
    page.goto(f"{door.url}/staff/forgot")
    page.fill("#email", EMAIL)
    page.press("#email", "Enter")
    page.wait_for_selector("[role=status]")
    clean(page)
    signs_in(page, door)
    for path in ("/staff/me", SECOND, f"{SECOND}/app", f"{SECOND}/passkey", "/staff/me/again?next=/staff/me"):
        page.goto(door.url + path)
        assert page.get_attribute("html", "lang") == tag
        clean(page)
    set_up_app(page, door, moment)
    clean(page)
    for path in (STAFF, f"{STAFF}/1", "/staff/administration/organisations", SECOND):
        page.goto(door.url + path)
        assert page.url == door.url + path
        clean(page)
    moment[0] += timedelta(hours=1)
    page.goto(f"{door.url}/staff/me")
    signs_in(page, door)
    clean(page)
    assert complaints == []
