"""Students answer one after the other in the same browser of their school, in English and Arabic."""

import json
from random import Random

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error
from sqlalchemy import select

from engage.domain.security.access_codes import ACCESS_KEY, digest, format_access_code, generate_access_code
from engage.storage.engine import read_session, write_session
from engage.storage.models.responses import Draft, Response
from tests.axe import check_at_double_text, in_english_and_arabic
from tests.conftest import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.journeys.test_family import fill, fits, go_on
from tests.makers import a_slip_wave

pytestmark = pytest.mark.browser

STUDENTS = 12
WORDS = "More trees by the gate"
FIRST = {"grade_band": ["grades_3_to_5"], "choose_what": ["sometimes"], "choose_how": ["never"]}
SECOND = {"stuck_first": ["alone"], "change_or_keep": WORDS}


@pytest.fixture
def codes(live, engine):
    """The codes of a pile of students."""
    codes = [generate_access_code(Random(seed)) for seed in range(20, 20 + STUDENTS)]
    key = live.site.family.extensions["engage"].secret(ACCESS_KEY)
    with write_session(engine) as session:
        a_slip_wave(session, "student", [digest(each, key) for each in codes])
        session.commit()
    return [format_access_code(each) for each in codes]


def begin(page, url, lang, code):
    """Type a code on the page for codes, and start."""
    page.goto(f"{url}/{lang}/c")
    page.fill("#f-code", code)
    go_on(page)
    go_on(page)


def answer(page):
    """Answer both pages, and come to the page with all answers."""
    fill(page, FIRST)
    go_on(page)
    fill(page, SECOND)
    go_on(page)
    assert page.url.endswith("/w/student/check")
    assert WORDS in page.content()


def marks(page):
    """What is marked or typed on the open page."""
    typed = [one.input_value() for one in page.locator("main textarea, main input[type=text]").all()]
    return [*typed, *(one.get_attribute("value") for one in page.locator("main input:checked").all())]


def go_back_everywhere(page):
    """Press Back as often as there are pages; returns for each its address, its source, and what its fields have."""
    seen = []
    for _ in range(page.evaluate("history.length") - 2):  # without the one it is on, and the blank one at the start
        try:
            page.go_back()
        except Error:  # of a page that answered a form, the browser shows only a question: send the form again?
            page.wait_for_timeout(300)
            continue
        seen.append((page.url, page.content(), marks(page)))
    return seen


def find_answers(seen):
    """The addresses of pages that have the words or the marks of the first student."""
    chosen = {code for answers in (FIRST, SECOND) for codes in answers.values() for code in codes} | {WORDS}
    return [address for address, content, filled in seen if WORDS in content or chosen & set(filled)]


def send(page):
    """Send the answers, and come to the last page."""
    go_on(page)
    assert page.inner_text("h1") == "Thank you. We received your answers."
    assert page.context.cookies() == []


def test_the_next_student_cannot_go_back_to_the_answers(live, codes, page, engine):
    begin(page, live.url, "en", codes[0])
    answer(page)
    send(page)
    page.click("main a.button")
    begin(page, live.url, "en", codes[1])
    seen = go_back_everywhere(page)
    assert {f"{live.url}/en/w/student/{number}" for number in (1, 2)} <= {address for address, *_ in seen}
    assert find_answers(seen) == []
    with read_session(engine) as session:
        [response] = session.scalars(select(Response))
        assert len(session.scalars(select(Draft)).all()) == 1, "that of the second student"
    assert json.loads(response.answers)["change_or_keep"] == WORDS


@pytest.mark.thorough
def test_after_sending_back_leads_to_the_page_for_codes(live, codes, page):
    begin(page, live.url, "en", codes[0])
    answer(page)
    send(page)
    seen = go_back_everywhere(page)
    assert find_answers(seen) == []
    assert {address.removeprefix(live.url) for address, *_ in seen} == {"/en/c", f"/en/c/{codes[0]}"}


@pytest.mark.thorough
@pytest.mark.parametrize("clears", [True, False])
def test_whoever_stops_in_the_middle_leaves_no_answers_to_the_next_student(live, codes, page, clears):
    begin(page, live.url, "en", codes[0])
    answer(page)
    if clears:
        page.goto(f"{live.url}/en/w/student/2")
        go_on(page, ".later a")
        go_on(page)
        assert page.inner_text("h1") == "Your answers are cleared"
    begin(page, live.url, "en", codes[1])
    assert find_answers([(page.url, page.content(), marks(page)), *go_back_everywhere(page)]) == []


class Caching:
    """A page of a browser that keeps pages for its Back button as they were left, which Playwright switches off."""

    SEEN = """[location.pathname, window.kept, document.documentElement.outerHTML,
      [...document.querySelectorAll("main textarea, main input:checked")].map(each => each.value)]"""

    def __init__(self, context):
        self.page = context.new_page()
        self.page.add_init_script("addEventListener('pageshow', event => { window.kept = event.persisted; })")
        self.session = context.new_cdp_session(self.page)  # Playwright's own methods wait for pages to load again

    def history(self):
        """The entries of the history before this page."""
        history = self.session.send("Page.getNavigationHistory")
        return history["entries"][: history["currentIndex"]]

    def goes_back_to(self, entry):
        """Return the path, whether the page was kept, its source, and what its fields have."""
        self.session.send("Page.navigateToHistoryEntry", {"entryId": entry["id"]})
        self.page.wait_for_timeout(500)
        return self.session.send("Runtime.evaluate", {"expression": self.SEEN, "returnByValue": True})["result"][
            "value"
        ]


@pytest.fixture
def caching(browser, tmp_path):
    """A browser of its own, since it needs other settings."""
    context = browser.browser_type.launch_persistent_context(
        str(tmp_path / "profile"),
        executable_path=CHROMIUM,
        args=CHROMIUM_ARGUMENTS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield Caching(context)
    context.close()


@pytest.mark.thorough
def test_pages_that_a_browser_keeps_for_back_are_gone_after_sending(live, codes, caching):
    page = caching.page
    begin(page, live.url, "en", codes[0])
    answer(page)
    path, kept, _, filled = caching.goes_back_to(caching.history()[-1])
    assert (path, kept) == ("/en/w/student/2", True), "this browser keeps pages"
    assert WORDS in filled
    page.goto(f"{live.url}/en/w/student/check")
    send(page)
    seen = [caching.goes_back_to(entry) for entry in reversed(caching.history()[1:])]
    assert len(seen) > 4
    assert [path for path, _, content, filled in seen if WORDS in content or WORDS in filled] == []


@in_english_and_arabic(("lang", "width"), 360, 1280)
def test_pages_for_students_fit_and_are_sound(live, codes, page, lang, width):
    page.set_viewport_size({"width": width, "height": 800})

    def look():
        fits(page)
        check_at_double_text(page)
        assert Axe().run(page).response["violations"] == [], page.url

    page.goto(f"{live.url}/{lang}/c/{codes[0]}")
    look()
    go_on(page)
    look()
    page.goto(f"{live.url}/{lang}/w/student/clear")
    look()
    page.goto(f"{live.url}/{lang}/w/student/check")
    go_on(page)
    look()
    page.goto(f"{live.url}/{lang}/c/{codes[0]}")
    look()
