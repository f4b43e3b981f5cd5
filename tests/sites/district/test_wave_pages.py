"""The pages of a wave in a browser: no axe violations, no horizontal overflow."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from engage.questionnaire.library import shipped_survey
from engage.services.waves.screening import Decision, screening_items, store_decisions
from engage.storage.engine import write_session
from engage.storage.models.roster import OptOut
from tests.axe import check_at_double_text, check_with_axe, in_both_languages, look
from tests.conftest import Live
from tests.makers import PASSWORD, a_school, a_wave, staff
from tests.services.waves.test_daily_progress import answer
from tests.sites.district.homes import a_home

pytestmark = pytest.mark.browser

DISTRICT = "/staff/district"
PAGES = (
    f"{DISTRICT}/waves",
    f"{DISTRICT}/waves/new",
    f"{DISTRICT}/waves/fall",
    f"{DISTRICT}/waves/fall/codes",
    f"{DISTRICT}/waves/fall/days",
    f"{DISTRICT}/waves/fall/reminders",
    f"{DISTRICT}/questionnaires",
    f"{DISTRICT}/questionnaires/home-access/en",
    f"{DISTRICT}/questionnaires/home-access/ar",
    f"{DISTRICT}/screening",
    f"{DISTRICT}/screening/home-access",
    f"{DISTRICT}/opt-outs",
)


@pytest.fixture
def asked(engine: Any, live: Live, today: Any) -> None:
    """A wave with a code for each of 14 households. One is opted out, and one question is about income."""
    sealer = live.site.staff.extensions["engage"].sealer
    with write_session(engine) as session:
        for number in range(14):
            a_home(session, number + 1, (f"s-{number}", "lincoln"), language="es", sealer=sealer)
        a_home(session, 20, ("two", "lincoln"), language="ar")
        a_home(session, 21, ("two", "lincoln"), language="so")
        session.add(OptOut(household_id=f"{1:032x}", recorded_on=today))
        survey = shipped_survey("home-access")
        store_decisions(
            session, dict.fromkeys(list(screening_items(survey))[:3], Decision("income", "why")), None, today
        )
        wave = a_wave(session, "fall", [a_school(session, "lincoln")], survey, entry="code", identity="confidential")
        for day in range(8):
            answer(session, wave, wave.opens + timedelta(days=day), 4)
        session.commit()


def enter(page: Any, live: Live, engine: Any, language: str) -> None:
    with write_session(engine) as session:
        staff(session, "administrator", email="look@district.example", language=language)
        session.commit()
    page.goto(live.url + "/staff/login?next=/staff/me")
    page.fill("#email", "look@district.example")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url("**/staff/me")


@in_both_languages
def test_the_pages_around_a_wave(page: Any, live: Live, engine: Any, asked: None, language: str, screen: str) -> None:
    enter(page, live, engine, language)
    for address in PAGES:
        look(page, live.url + address, (360, 1280), screen)
    page.goto(f"{live.url}{DISTRICT}/waves/new")
    page.press("main .deeds button", "Enter")
    page.wait_for_selector(".problems")
    check_with_axe(page)
    draft = urlsplit(page.url).path.rpartition("/")[0]
    for step in ("schools", "dates", "answering", "check"):
        look(page, f"{live.url}{draft}/{step}", (360, 1280), screen)
    page.set_viewport_size({"width": 360, "height": 800})
    for address in (f"{DISTRICT}/questionnaires", f"{DISTRICT}/questionnaires/home-access/ar", f"{draft}/check"):
        page.goto(live.url + address)
        check_at_double_text(page)
    page.goto(f"{live.url}{DISTRICT}/waves/fall/codes")
    page.fill("#code", "nonsense")
    page.press("#code", "Enter")
    page.wait_for_selector(".problems")
    check_with_axe(page)
    page.goto(f"{live.url}{DISTRICT}/opt-outs")
    page.fill("#student", "two")
    page.press("#student", "Enter")
    page.wait_for_selector("#households")
    check_with_axe(page)


@in_both_languages
def test_the_whole_survey_to_read(page: Any, live: Live, asked: None, language: str, screen: str) -> None:
    look(page, f"{live.url}/{language}/w/fall/read", (320, 1280), screen)
