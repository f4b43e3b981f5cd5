"""Signing in with a real browser: keyboard only, small screen, and nothing blocked by the content security policy."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import Engine

from engage.base.languages import LANGUAGES
from engage.storage.engine import write_session
from tests.conftest import Live
from tests.makers import PASSWORD, staff

pytestmark = pytest.mark.browser


@pytest.fixture
def complaints(page: Any) -> list[str]:
    """Collects console errors of the browser."""
    said: list[str] = []

    def hear(message: Any) -> None:
        if message.type in ("error", "warning"):
            said.append(f"{message.text} {message.location['url']}")

    page.on("console", hear)
    page.on("pageerror", lambda problem: said.append(str(problem)))
    return said


@pytest.mark.parametrize("tag", LANGUAGES)
def test_signing_in_by_keyboard_and_changing_the_account(
    page: Any, live: Live, engine: Engine, complaints: list[str], tag: str
) -> None:
    with write_session(engine) as session:
        staff(session, "liaison", email="ana@district.example", language=tag)
        session.commit()
    page.goto(f"{live.url}/staff/me")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the skip link
    page.keyboard.press("Tab")
    page.keyboard.type("ana@district.example")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/staff/me")
    assert page.get_attribute("html", "lang") == tag
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it must not scroll sideways"
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [each["id"] for each in found] == []
    assert complaints == []
