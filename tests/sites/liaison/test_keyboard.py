"""Keying with the keyboard only, in a real browser. All key presses are counted."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engage.storage.models.conversations import Message
from engage.storage.models.paper import Keying, KeyingDraft
from engage.storage.models.responses import Response
from tests.conftest import Live
from tests.makers import PASSWORD
from tests.sites.liaison.conftest import Desk

pytestmark = pytest.mark.browser


class Keyboard:
    """A liaison who uses no mouse."""

    def __init__(self, page: Any, live: Live, email: str = "lin@district.example") -> None:
        self.page, self.url, self.count = page, live.url, 0
        self.problems: list[str] = []
        page.on("pageerror", lambda problem: self.problems.append(str(problem)))
        page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        page.goto(live.url + "/staff/login")
        page.fill("#email", email)
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_url("**/staff/")

    def presses(self, *keys: str) -> "Keyboard":
        for key in keys:
            self.page.keyboard.press(key)
            self.count += 1
        return self

    def types(self, text: str) -> "Keyboard":
        self.page.keyboard.type(text)
        self.count += len(text)
        return self

    def takes(self, serial: str) -> "Keyboard":
        self.page.goto(self.url + "/staff/liaison/keying")
        self.page.locator("#serial:focus").wait_for()
        self.types(serial.replace("-", "").lower()).presses("Enter")
        self.page.wait_for_url(f"**/sheets/{serial}")
        self.page.locator(".now").first.wait_for()
        return self

    @property
    def now(self) -> str:
        """Return the slot with the focus; "save" after the last."""
        return str(self.page.evaluate("document.querySelector('.now').id.replace('slot-', '') || 'save'"))

    @property
    def said(self) -> str:
        return str(self.page.inner_text("[data-say]"))

    def hears_that(self, words: str) -> None:
        """Wait for the page's message whether the input was saved."""
        self.page.locator("[data-kept]", has_text=words).wait_for()

    def saves(self) -> "Keyboard":
        self.presses("Enter")
        self.page.wait_for_url("**/staff/liaison/keying?saved=*")
        return self


@pytest.fixture
def keyboard(page: Any, live: Live, desk: Desk) -> Iterator[Keyboard]:
    keyboard = Keyboard(page, live)
    yield keyboard
    assert not [each for each in keyboard.problems if "favicon" not in each and "404" not in each]


def test_a_full_sheet_of_home_access_takes_few_keys(keyboard: Keyboard, desk: Desk, stored: Callable[..., Any]) -> None:
    keyboard.takes(desk.access[0])
    assert keyboard.now == "children"
    keyboard.presses("2", "Enter")
    assert keyboard.now == "internet"
    keyboard.presses("1", "2", "3", "0")
    assert keyboard.now == "child.1.device"
    keyboard.presses("1", "2", "1")
    keyboard.presses("4", "-", "*")
    keyboard.presses("0", "Space", "0")
    assert keyboard.now == "where_else"
    keyboard.presses("1", "2", "Enter")
    keyboard.presses("3", "6", "Enter")
    assert keyboard.now == "question"
    asked = "¿Cuándo es la reunión?"
    keyboard.types(asked).presses("Control+Enter")
    assert keyboard.now == "save"
    keyboard.saves()
    assert keyboard.count - len(asked) <= 35  # 17 printed questions, the serial and saving
    assert keyboard.page.evaluate("document.activeElement.id") == "serial"
    [response] = stored(Response)
    assert json.loads(response.answers) == {
        "children": 2,
        "internet": "yes",
        "internet_kind": "cellular",
        "video": "no",
        "child": [
            {"device": "laptop", "owner": "school", "shared": "shared"},
            {"device": "tablet", "owner": {"missing": "unclear"}, "shared": {"missing": "two_marks"}},
        ],
        "where_else": ["library", "relative"],
        "help_wanted": ["internet", "interpreter"],
        "question": asked,
    }
    assert stored(KeyingDraft) == []


def test_each_closed_question_takes_one_key(keyboard: Keyboard, desk: Desk) -> None:
    keyboard.takes(desk.access[0]).presses("Enter")
    for key, after in [("3", "internet_kind"), ("r", "video"), ("/", "no_internet_reason"), ("-", "child.1.device")]:
        keyboard.presses(key)
        assert keyboard.now == after


def test_a_key_beside_no_box_says_so_and_stays(keyboard: Keyboard, desk: Desk) -> None:
    keyboard.takes(desk.access[0]).presses("Enter", "8")
    assert keyboard.now == "internet"
    assert keyboard.said == "This question has no box 8."


def test_back_and_forth(keyboard: Keyboard, desk: Desk, stored: Callable[..., Any]) -> None:
    keyboard.takes(desk.english[0]).types("4").presses("Enter", "1", "Backspace")
    assert keyboard.now == "internet"
    keyboard.presses("2", "2", "Backspace", "Backspace", "Backspace")
    assert keyboard.now == "children"
    keyboard.presses("Backspace")
    assert keyboard.page.input_value("[name=children]") == ""
    keyboard.presses("Backspace", "1", "Enter")
    assert keyboard.now == "internet"
    assert keyboard.page.input_value("[name=children]") == "1"


def test_several_boxes_toggle(keyboard: Keyboard, desk: Desk) -> None:
    keyboard.takes(desk.english[0]).presses("Enter", "0", "0", "1", "2", "1")
    assert keyboard.now == "where"
    assert keyboard.said == "The library: not marked."
    checked = "[...document.querySelectorAll('[name=where]:checked')].map(each => each.value)"
    assert keyboard.page.evaluate(checked) == ["work"]
    keyboard.presses("-")
    assert keyboard.page.evaluate(checked) == ["~unclear"]


def test_numbers_and_words_are_typed_as_they_stand(keyboard: Keyboard, desk: Desk, stored: Callable[..., Any]) -> None:
    keyboard.takes(desk.english[0]).presses("a")
    assert keyboard.now == "internet"
    keyboard.presses("Backspace").types("3").presses("Enter", "0", "0", "Enter")
    assert keyboard.now == "child.1.grade"
    keyboard.types("1-2 r? */").presses("Enter", "Escape", "-", "Enter")
    assert keyboard.now == "moved"
    keyboard.types("2020-08-01").presses("Enter")
    keyboard.types("One").presses("Enter").types("two").presses("Control+Enter").saves()
    raw = json.loads(stored(Keying)[0].raw)
    assert raw == {
        "children": ["3"],
        "children~": ["dont_know"],
        "child.1.grade": ["1-2 r? */"],
        "child.2.grade~": ["unclear"],
        "moved": ["2020-08-01"],
    }
    assert [each.text for each in stored(Message)] == ["One\ntwo"]  # anonymous: stored in the thread only


def test_foreign_digits_choose_too(keyboard: Keyboard, desk: Desk) -> None:
    keyboard.takes(desk.english[0]).presses("Enter")
    keyboard.page.evaluate(
        """document.activeElement.dispatchEvent(new KeyboardEvent("keydown",
        {key: "١", code: "Digit1", bubbles: true, cancelable: true}))"""
    )
    assert keyboard.page.is_checked("[name=internet][value=yes]")
    assert keyboard.now == "speed"


def test_help_lies_over_the_page_and_goes(keyboard: Keyboard, desk: Desk) -> None:
    keyboard.takes(desk.english[0]).presses("Enter", "?")
    assert keyboard.page.is_visible("dialog[open]")
    keyboard.presses("1", "Escape")
    assert not keyboard.page.is_visible("dialog")
    assert keyboard.now == "internet"
    assert not keyboard.page.is_checked("[name=internet][value=yes]")


def test_one_more_child_by_plus(keyboard: Keyboard, desk: Desk) -> None:
    keyboard.takes(desk.access[0]).presses("Enter", "1", "+")
    keyboard.page.wait_for_url("**#block-4")
    keyboard.page.locator(".now").first.wait_for()
    assert keyboard.page.is_checked("[name=internet][value=yes]")
    assert keyboard.now == "child.4.device"


def test_a_crash_loses_nothing(keyboard: Keyboard, desk: Desk, stored: Callable[..., Any], live: Live) -> None:
    keyboard.takes(desk.english[0]).types("2").presses("Enter", "1", "2")
    keyboard.hears_that("Everything")
    keyboard.page.wait_for_timeout(600)
    assert json.loads(stored(KeyingDraft)[0].raw) == {"children": ["2"], "internet": ["yes"], "speed": ["fairly"]}
    context = keyboard.page.context
    keyboard.page.close(run_before_unload=False)
    keyboard.page = context.new_page()
    keyboard.takes(desk.english[0])
    assert keyboard.now == "where"
    assert keyboard.page.is_checked("[name=speed][value=fairly]")


def test_the_network_is_away_and_comes_back(keyboard: Keyboard, desk: Desk, stored: Callable[..., Any]) -> None:
    keyboard.takes(desk.english[0])
    keyboard.page.route("**/autosave", lambda route: route.abort())
    keyboard.types("2").presses("Enter")
    keyboard.hears_that("Not saved yet")
    keyboard.page.unroute("**/autosave")
    keyboard.presses("1")
    keyboard.hears_that("Everything")
    assert json.loads(stored(KeyingDraft)[0].raw) == {"children": ["2"], "internet": ["yes"]}
    keyboard.problems.clear()


def test_signed_out_in_between(keyboard: Keyboard, desk: Desk, stored: Callable[..., Any], live: Live) -> None:
    keyboard.takes(desk.english[0]).presses("Enter", "1")
    keyboard.hears_that("Everything")
    keyboard.page.context.clear_cookies()
    keyboard.presses("2")
    keyboard.hears_that("You are signed out")
    tab = keyboard.page.context.new_page()
    Keyboard(tab, live)
    tab.close()
    keyboard.presses("Enter")
    keyboard.hears_that("Everything")
    keyboard.presses(*["Enter"] * 7).saves()
    assert json.loads(stored(Keying)[0].raw) == {"internet": ["yes"], "speed": ["fairly"]}
    keyboard.problems.clear()


def test_no_javascript_needed(browser: Any, live: Live, desk: Desk, stored: Callable[..., Any]) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 640})
    page = context.new_page()
    Keyboard(page, live)
    page.goto(f"{live.url}/staff/liaison/keying/sheets/{desk.english[0]}")
    page.check("[name=internet][value=no]")
    page.press("[name=children]", "Enter")  # saves the draft, but does not submit the incomplete sheet
    assert stored(Keying) == []
    assert page.is_checked("[name=internet][value=no]")
    page.click("text=Save this form")
    assert json.loads(stored(Response)[0].answers) == {"internet": "no"}
    context.close()
