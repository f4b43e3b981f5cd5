"""Families answer in a real browser: on a small phone, without JavaScript, in English, Spanish and Arabic."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import select

from engage.storage.engine import read_session
from engage.storage.language_groups import OTHER
from engage.storage.models.responses import Response
from tests.axe import check_at_double_text, in_english_and_arabic
from tests.makers import group_of

pytestmark = pytest.mark.browser

NARROW = {"width": 360, "height": 640}
BUTTON = "main form button:not([name]):not([type=button]) >> visible=true >> nth=0"
ACCESS = [
    {"children": "2", "internet": ["yes"], "internet_kind": ["cellular"], "video": ["sometimes"]},
    {"child.1.device": ["phone"], "child.1.owner": ["family"], "child.1.shared": ["shared"]},
    {"child.2.device": ["none"]},
    {"where_else": ["library", "relative"], "help_wanted": ["device"], "question": "متى نستلم الجهاز؟"},
]
BELIEFS = [
    {"help_often": ["daily"], "sure_helping": ["~dont_know"], "school_fit": ["partly"], "first_aim": ["joy"]},
    {"screens_help": ["some"], "own_speed": ["much"], "screen_time": ["right"], "online_worry": ["a_little"]},
    {"in_touch": ["weekly"], "easy_to_ask": ["easy"], "listens": ["~refused"], "barriers": ["time", "care"]},
    {"hope": "That he likes to read.", "worry": ""},
]


def go_on(page, where=BUTTON):
    """Press the page's button, or `where`, and wait for the next page, since a check between two pages sees neither."""
    with page.expect_navigation():
        page.click(where)


@pytest.fixture
def phone(browser):
    """A phone with 360 px and without scripts."""
    context = browser.new_context(viewport=NARROW, java_script_enabled=False)
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def fits(page):
    """Assert that nothing overflows horizontally."""
    wide = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1], f"{page.url} is {wide[0]} px wide"


def fill(page, answers):
    for name, value in answers.items():
        if isinstance(value, str):
            page.fill(f"[name='{name}']", value)
            continue
        for one in value:
            page.check(f"[name='{name}'][value='{one}']", force=True)


def walk(page, url, wave, lang, pages):
    """Complete a journey from the language list to the thanks page; returns the reply code."""
    page.goto(url)
    fits(page)
    go_on(page, f"a[hreflang='{lang}']")
    go_on(page, f"a[href='/{lang}/w/{wave}']")
    fits(page)
    page.select_option("[name=school]", "lincoln")
    go_on(page)
    for answers in pages:
        fits(page)
        assert page.locator("h1").count() == 1
        fill(page, answers)
        go_on(page)
    assert page.url.endswith("/check"), page.url
    fits(page)
    go_on(page)
    fits(page)
    assert "/thanks" in page.url
    return page.inner_text("#reply-code")


@pytest.mark.parametrize("lang", ["en", "es", "ar"])
@pytest.mark.parametrize(("wave", "pages"), [("access", ACCESS), ("beliefs", BELIEFS)])
def test_a_family_answers_without_javascript(live, waves, phone, engine, settings, wave, pages, lang):
    code = walk(phone, live.url, wave, lang, pages)
    assert len(code.replace(" ", "")) == 16
    assert phone.get_attribute("html", "dir") == ("rtl" if lang == "ar" else "ltr")
    with read_session(engine) as session:
        [response] = session.scalars(select(Response))
    answers = json.loads(response.answers)
    assert (response.language, response.wave_id) == (lang if wave == "access" else OTHER, wave)
    assert group_of(settings, response).school == "lincoln"
    if wave == "access":
        assert answers["children"] == 2
        assert answers["child"] == [{"device": "phone", "owner": "family", "shared": "shared"}, {"device": "none"}]
        assert answers["help_wanted"] == ["device"]
    else:
        assert answers["listens"] == {"missing": "refused"}
        assert answers["barriers"] == ["time", "care"]


def test_the_script_hides_what_does_not_fit_and_lets_none_stand_alone(live, waves, page):
    page.goto(f"{live.url}/en/w/access")
    page.select_option("[name=school]", "lincoln")
    go_on(page)
    video, reason = page.locator("[id='q-video']"), page.locator("[id='q-no_internet_reason']")
    assert not video.is_visible()
    assert not reason.is_visible()
    page.check("[name=internet][value=yes]")
    assert video.is_visible()
    page.check("[name=internet][value=no]")
    assert not video.is_visible()
    assert reason.is_visible()
    assert not page.locator(".direction").first.is_visible()
    page.fill("[name=children]", "1")
    page.keyboard.press("Enter")  # must not press the first button, which is in the list of languages
    page.wait_for_url("**/en/w/access/2")
    page.check("[name='child.1.device'][value=none]")
    assert not page.locator("[id='q-child.1.owner']").is_visible()
    go_on(page)
    page.check("[name=help_wanted][value=device]")
    page.check("[name=help_wanted][value=none]")
    assert not page.is_checked("[name=help_wanted][value=device]")
    page.check("[name=help_wanted][value=repair]")
    assert not page.is_checked("[name=help_wanted][value=none]")


def test_the_keyboard_alone_is_enough(live, waves, page):
    page.goto(f"{live.url}/en/w/beliefs")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    page.focus("[name=school]")
    page.keyboard.type("Lincoln")
    for _ in range(5):  # past the choice to save the answers on this phone
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('main form button')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/w/beliefs/1*")
    page.focus("[name=help_often] >> nth=0")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert page.is_checked("[name=help_often][value=monthly]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/w/beliefs/2")


@in_english_and_arabic(("lang", "width"), 320, 1280)
def test_axe_finds_nothing(live, waves, page, lang, width):
    page.set_viewport_size({"width": width, "height": 800})
    axe = Axe()

    def look():
        fits(page)
        check_at_double_text(page)
        found = axe.run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}).response
        named = [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]
        assert not named, f"{page.url}: {named}"

    for path in ("/", f"/{lang}/", f"/{lang}/c", f"/{lang}/reply", f"/{lang}/w/none", f"/{lang}/w/access"):
        page.goto(live.url + path)
        look()
    go_on(page)
    look()
    page.select_option("[name=school]", "lincoln")
    go_on(page)
    look()
    page.fill("[name=children]", "many")
    go_on(page)
    look()
    fill(page, ACCESS[0])
    go_on(page)
    look()
    page.goto(f"{live.url}/{lang}/w/access/check")
    look()
    go_on(page)
    look()
    code = page.inner_text("#reply-code")
    page.goto(f"{live.url}/{lang}/reply")
    page.fill("[name=code]", code)
    go_on(page)
    look()
