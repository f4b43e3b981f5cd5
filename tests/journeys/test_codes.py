"""From opening a wave in the browser to a used code: a leader with a computer, and a family with a phone."""

import csv
import io
from statistics import median
from time import perf_counter

import pytest
from sqlalchemy import select

from engage.domain.security.access_codes import ALPHABET, check_symbol, parse_access_code
from engage.sites.family.code_attempts import Tries
from engage.storage.engine import read_session, write_session
from engage.storage.models.invitations import Invitation, UsedCode
from engage.storage.models.responses import Response
from tests.journeys.test_family import BUTTON, fill, fits, go_on
from tests.makers import PASSWORD, a_school, group_of, staff

pytestmark = pytest.mark.browser

ACCESS = (  # one dict for each page
    {"children": "2", "internet": ["yes"], "internet_type": ["cell_phone"], "connection": ["often"]},
    {
        "child.1.grade": ["grade_3"],
        "child.1.main_device": ["phone"],
        "child.1.owner": ["family"],
        "child.1.sharing": ["one"],
        "child.1.enough": ["no"],
    },
    {"child.2.grade": ["k"], "child.2.main_device": ["none"]},
    {"homework_barriers": ["data", "busy"], "help_needed": ["device"], "question": "متى نستلم الجهاز؟"},
)
HOUSEHOLDS = 12
WRONG = 4  # tries per minute, low to keep the test short


@pytest.fixture
def desk(live, page, engine):
    """A leader, signed in."""
    with write_session(engine) as session:
        a_school(session, "lincoln", "Lincoln Elementary")
        email = staff(session, "leader").email
        session.commit()
    page.goto(f"{live.url}/staff/login")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    go_on(page, "main form button")
    return page


@pytest.fixture
def phone(browser):
    """A phone with 360 px and without scripts."""
    context = browser.new_context(viewport={"width": 360, "height": 640}, java_script_enabled=False)
    yield context.new_page()
    context.close()


def screen(page, url):
    """Decide for every question of the survey that it is in none of the eight areas."""
    page.goto(f"{url}/staff/district/screening/home-access")
    for box in page.locator("main select").all():
        box.select_option("none")
    go_on(page, "main form .deeds button")


def open_wave(page, url):
    """Open an anonymous wave with codes, at all schools and in all languages, step by step."""
    page.goto(f"{url}/staff/district/waves/new")
    page.select_option("[name=survey]", "home-access")
    page.fill("[name=title]", "Home access, fall")
    go_on(page, "main form .deeds button")
    go_on(page, "main form .deeds button")
    page.fill("[name=opens]", "2026-10-01")
    page.fill("[name=closes]", "2026-10-31")
    go_on(page, "main form .deeds button")
    page.check("[name=entry][value=code]", force=True)
    go_on(page, "main form .deeds button")
    page.check("[name=has_read]", force=True)
    go_on(page, "main form .deeds button")


def mint(page, url):
    """Return the codes of the list that is handed out."""
    page.goto(f"{url}/staff/district/waves/home-access-fall/codes")
    form = page.locator("section[aria-labelledby=counted]")
    form.locator("[name=language]").select_option("ar")
    form.locator("[name=number]").fill(str(HOUSEHOLDS))
    with page.expect_download() as loading:
        form.locator("button").click()
    with open(loading.value.path(), encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(io.StringIO(file.read())))
    return [next(cell for cell in row if parse_access_code(cell)) for row in rows[1:]]


def type_code(page, url, code):
    """Type a code on the Arabic page; returns the status of the response."""
    page.goto(f"{url}/ar/c")
    page.fill("[name=code]", code)
    with page.expect_navigation() as answer:
        page.click(BUTTON)
    return answer.value.status


def foreign(number):
    """Return a valid code that belongs to nobody."""
    body = "".join(ALPHABET[(number * 7 + place) % len(ALPHABET)] for place in range(9))
    return body + check_symbol(body)


def answer_with(page, url, code):
    """Complete the whole journey in Arabic with one code."""
    assert type_code(page, url, code) == 200
    go_on(page)
    for answers in ACCESS:
        fits(page)
        fill(page, answers)
        go_on(page)
    go_on(page)
    assert "/thanks" in page.url


def test_a_code_answers_once_and_says_so_kindly(live, desk, phone, engine, settings):
    screen(desk, live.url)
    open_wave(desk, live.url)
    assert desk.url.endswith("/staff/district/waves/home-access-fall"), desk.inner_text("main")
    codes = mint(desk, live.url)
    assert len(set(codes)) == HOUSEHOLDS
    with read_session(engine) as session:
        before = sorted(tuple(row) for row in session.execute(select(Invitation.__table__)))

    answer_with(phone, live.url, codes[3])
    with read_session(engine) as session:
        [response] = session.scalars(select(Response))
        assert len(session.scalars(select(UsedCode)).all()) == 1
        assert sorted(tuple(row) for row in session.execute(select(Invitation.__table__))) == before
    assert group_of(settings, response).answered_in == "ar"

    phone.context.clear_cookies()
    assert type_code(phone, live.url, codes[3]) == 410
    assert phone.get_attribute("html", "lang") == "ar"
    assert phone.inner_text("h1") == "هذا الرمز استُخدم من قبل"
    fits(phone)


def test_wrong_codes_are_slowed_and_tell_nothing(live, desk, phone):
    live.site.family.extensions["engage.sites.family"].codes = Tries(each=WRONG, together=99)
    screen(desk, live.url)
    open_wave(desk, live.url)
    codes = mint(desk, live.url)
    slip = codes[0][:-1] + next(symbol for symbol in ALPHABET if symbol != codes[0][-1])
    assert type_code(phone, live.url, slip) == 422
    answers, texts, seconds = [], set(), []
    for number in range(WRONG + 1):
        began = perf_counter()
        answers.append(type_code(phone, live.url, foreign(number)))
        seconds.append(perf_counter() - began)
        if answers[-1] == 404:
            texts.add(phone.inner_text("#e-code"))
    assert answers[0] == 404
    assert answers[-1] == 429
    assert len(texts) == 1
    slowed = answers.index(429)
    print(f"{slowed} wrong codes were answered alike (median {1000 * median(seconds[:slowed]):.0f} ms); then 429")
