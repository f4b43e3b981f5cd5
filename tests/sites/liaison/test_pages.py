"""Every page for liaisons and administrators in a browser: no axe violations, no horizontal overflow."""

from typing import Any

import pytest
from playwright.sync_api import expect

from engage.storage.models.conversations import Thread
from tests.axe import check_with_axe, in_both_languages, look
from tests.conftest import Live
from tests.makers import PASSWORD, staff
from tests.sites.liaison.conftest import Desk

pytestmark = pytest.mark.browser

WIDTHS = (360, 1280)  # CSS pixels: a small phone, a laptop


def signs_in(page: Any, live: Live, email: str) -> None:
    page.goto(live.url + "/staff/login")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url("**/staff/")


def asks_for_blanks(page: Any, live: Live) -> str:
    """Request a packet. Returns its URL."""
    page.goto(live.url + "/staff/liaison/print?wave=fall&school=lincoln")
    page.check("[name=contents][value=blanks]", force=True)
    page.fill("[name=copies-ar]", "2")
    page.click('form[action$="/print"] button:not([formaction])')
    page.wait_for_url("**/packets/*")
    return str(page.url).partition("?")[0]


@in_both_languages
def test_the_liaisons_pages(
    page: Any, live: Live, desk: Desk, arrange: Any, stored: Any, language: str, screen: str
) -> None:
    arrange(lambda session: staff(session, "liaison", email="look@district.example", language=language))
    signs_in(page, live, "look@district.example")
    keying = live.url + "/staff/liaison/keying"
    page.goto(f"{keying}/sheets/{desk.spanish[0]}")
    page.fill("[name=question]", "¿Cuándo?")
    page.check("[name=internet][value=no]")
    page.check("[name=speed][value=well]")
    page.click("[data-save]")
    page.wait_for_url("**?saved=*")
    saved = page.url
    packet = asks_for_blanks(page, live)
    thread = f"{live.url}/staff/liaison/questions/{stored(Thread)[0].id}"
    page.goto(thread)
    page.fill("#text", "El lunes.\nA las 8.")
    page.click("main button")
    for address in (
        saved,
        live.url + "/staff/",
        f"{keying}?serial=nonsense",
        f"{keying}/unnumbered",
        f"{keying}/sheets/{desk.spanish[0]}",
        f"{keying}/sheets/{desk.arabic[0]}",
        f"{keying}/sheets/{desk.access[0]}",
        live.url + "/staff/liaison/print",
        f"{packet}?still=yes",
        f"{packet}/cancel",
        live.url + "/staff/liaison/questions",
        thread,
        thread + "/letter",
    ):
        look(page, address, WIDTHS, screen)


@in_both_languages
def test_the_administrators_pages(page: Any, live: Live, desk: Desk, arrange: Any, language: str, screen: str) -> None:
    arrange(lambda session: staff(session, "administrator", email="look@district.example", language=language))
    signs_in(page, live, "look@district.example")
    for address in ("", "administration/staff", "administration/translations", "administration/translations/so"):
        look(page, f"{live.url}/staff/{address}", WIDTHS, screen)
    page.goto(live.url + "/staff/administration/staff")
    page.fill("#email", "amina@district.example")
    page.check("input[name=roles][value=translator]")
    page.click("main form:has(#email) button")
    expect(page.locator("main .note[role=status]")).to_have_count(1)
    check_with_axe(page)
    page.locator("form[action$='/password'] button").first.click()
    expect(page.locator(".code")).to_have_count(1)
    check_with_axe(page)
