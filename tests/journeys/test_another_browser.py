"""A family stops on one phone and continues in another browser with its code, in Arabic and without JavaScript."""

import json
from random import Random

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import select

from engage.domain.security.access_codes import ACCESS_KEY, digest, format_access_code, generate_access_code
from engage.questionnaire.library import shipped_survey
from engage.services.waves.opening import add_unnamed_invitations
from engage.storage.engine import read_session, write_session
from engage.storage.models.responses import Response
from tests.journeys.test_family import NARROW, fill, fits, go_on
from tests.makers import a_school, a_wave

pytestmark = pytest.mark.browser

LANG = "ar"
START = "main form button >> nth=0"
HOME = {"children": "3", "internet": ["yes"], "internet_kind": ["cellular"], "video": ["sometimes"]}
FIRST = {"child.1.device": ["phone"], "child.1.owner": ["family"], "child.1.shared": ["shared"]}
SECOND = {"child.2.device": ["chromebook"], "child.2.owner": ["school"], "child.2.shared": ["not_shared"]}
THIRD = {"child.3.device": ["none"]}


@pytest.fixture
def code(live, engine):
    """The access code of a household in a confidential wave about learning at home."""
    minted = generate_access_code(Random(8))
    with write_session(engine) as session:
        survey = shipped_survey("home-access", version=1)
        wave = a_wave(session, "home", [a_school(session)], survey, identity="confidential", entry="code")
        wave.languages = "en es ar"
        add_unnamed_invitations(
            session, wave, "lincoln", LANG, [digest(minted, live.site.family.extensions["engage"].secret(ACCESS_KEY))]
        )
        session.commit()
    return minted


@pytest.fixture
def new_browser(browser):
    """Another browser without cookies; the previous one is closed."""
    opened = []

    def another():
        if opened:
            opened.pop().close()
        opened.append(browser.new_context(viewport=NARROW, java_script_enabled=False))
        opened[-1].set_default_timeout(10_000)
        return opened[-1].new_page()

    yield another
    opened.pop().close()


def fits_large(page):
    """Assert that the page fits a small phone, also at twice the text size."""
    fits(page)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    fits(page)


def sound(page):
    """Like `fits_large`, and axe reports no violations. Requires scripts."""
    fits_large(page)
    assert Axe().run(page).response["violations"] == []


def test_the_second_browser_goes_on_where_the_first_stopped_and_reads_nothing(live, code, new_browser, engine):
    page = new_browser()
    page.goto(f"{live.url}/{LANG}/c")
    page.fill("#f-code", f"{live.url}/{LANG}/c/{format_access_code(code)}")  # the whole link, pasted
    go_on(page)
    go_on(page, START)
    for answers in (HOME, FIRST, SECOND):
        fill(page, answers)
        go_on(page)
    assert page.url.endswith("/w/home/4")

    page = new_browser()
    page.goto(f"{live.url}/{LANG}/c/{format_access_code(code)}")
    assert page.locator("html").get_attribute("dir") == "rtl"
    assert page.get_by_text("أهلًا بعودتكم").count() == 1
    fits(page)
    go_on(page, START)
    assert page.url.partition("?")[0].endswith("/w/home/4"), "the third child's page, which was not sent"
    for number in (1, 2, 3):
        page.goto(f"{live.url}/{LANG}/w/home/{number}")
        assert page.get_by_text("تمت الإجابة على هاتف آخر").count() == 1
        assert page.locator("main input:checked").count() == 0
        assert [one.input_value() for one in page.locator("main input[type=text]").all()] in ([""], [])
    fits_large(page)
    page.goto(f"{live.url}/{LANG}/w/home/4")
    fill(page, THIRD)
    go_on(page)
    go_on(page)
    assert page.url.endswith("/check")
    assert page.get_by_text("تمت الإجابة على هاتف آخر").count() == 3
    assert page.get_by_text("Chromebook").count() == 0
    fits_large(page)
    go_on(page)
    assert "/thanks" in page.url

    with read_session(engine) as session:
        [response] = session.scalars(select(Response))
    answers = json.loads(response.answers)
    assert (answers["children"], answers["internet_kind"]) == (3, "cellular")
    assert [child["device"] for child in answers["child"]] == ["phone", "chromebook", "none"]


def test_the_pages_for_stopping_fit_and_are_sound(live, code, page):
    page.goto(f"{live.url}/{LANG}/c/{format_access_code(code)}")
    go_on(page, START)
    fits(page)
    go_on(page)  # the number of children is blank
    assert page.url.endswith("blank#problems")
    sound(page)
    go_on(page, "[name=stop]")
    assert page.url.endswith("/saved")
    sound(page)
    page.goto(f"{live.url}/{LANG}/w/home/clear")
    sound(page)
