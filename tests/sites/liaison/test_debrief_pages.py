"""The pages about debriefs in a browser: a small phone and a laptop, from left to right and from right to left."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.axe import in_both_languages, look
from tests.conftest import Live
from tests.makers import staff
from tests.populations import a_wave_of
from tests.sites.liaison.test_debriefs import NEW, REACH, READ, URGENT, a_debrief, schools_of
from tests.sites.liaison.test_pages import WIDTHS, signs_in

pytestmark = pytest.mark.browser

LONG = "Averyveryverylongword" * 9  # one word, wider than a phone


@pytest.fixture
def written(arrange: Any) -> None:
    """A debrief in English, one in Arabic, and one with a very long word, until yesterday."""

    def make(session: Session) -> None:
        wave = a_wave_of(session, "liaison", "debriefs", schools_of(session))
        a_debrief(session, wave.id, "lincoln", date(2026, 10, 12), LONG, f"Two questions:\nWho pays? {LONG}")
        a_debrief(session, wave.id, "cedar", date(2026, 10, 13), "عائلات من السودان، في المركز", "من يدفع؟")

    arrange(make)


@in_both_languages
def test_the_pages_of_a_liaison(page: Any, live: Live, written: None, arrange: Any, language: str, screen: str) -> None:
    arrange(lambda session: staff(session, "liaison", schools_of(session), "look@district.example", language))
    signs_in(page, live, "look@district.example")
    for address in ("/staff/", NEW, f"{NEW}?saved=yes&wave=debriefs", READ, "/staff/district/waves/debriefs"):
        look(page, live.url + address, WIDTHS, screen)


@in_both_languages
def test_the_page_of_a_leader(page: Any, live: Live, written: None, arrange: Any, language: str, screen: str) -> None:
    arrange(lambda session: staff(session, "leader", [], "look@district.example", language))
    signs_in(page, live, "look@district.example")
    for address in (READ, "/staff/district/waves"):
        look(page, live.url + address, WIDTHS, screen)


def test_on_a_phone_it_is_written_and_read(page: Any, live: Live, written: None, arrange: Any) -> None:
    """Nothing typed is lost where something is wrong, and pressing the button twice stores one."""
    arrange(lambda session: staff(session, "liaison", schools_of(session), "look@district.example"))
    signs_in(page, live, "look@district.example")
    page.click("text=Write a debrief")
    page.fill(f"[name={REACH}]", "About 30 families.")
    page.fill(f"[name={URGENT}]", "The bus.")
    page.click("main form button")
    page.wait_for_selector("text=Choose the school.")
    assert page.input_value(f"[name={REACH}]") == "About 30 families."
    page.select_option("[name=school]", "cedar")
    page.dblclick("main form button")
    page.wait_for_selector("text=Saved. District leaders can read it.")
    page.click("text=Read your school's debriefs")
    page.wait_for_selector("text=About 30 families.")
    assert page.locator("article").count() == 3
