"""Every page for leaders, and the families' results, in a browser: no axe violations, no horizontal overflow."""

from typing import Any

import pytest
from sqlalchemy import update

from engage.services.checkpoints import large_counts
from engage.services.checkpoints.counting import count_draft
from engage.services.checkpoints.freezing import freeze, publish
from engage.services.checkpoints.outputs import count_figures
from engage.storage.engine import write_session
from engage.storage.models.checkpoints import Checkpoint, Commitment, CommitmentWords
from engage.storage.models.jobs import Export, FigureCount
from tests.axe import check_with_axe, in_both_languages, look
from tests.conftest import Live
from tests.makers import PASSWORD, a_wave, staff

pytestmark = pytest.mark.browser

DISTRICT = "/staff/district"
FALL = f"{DISTRICT}/checkpoints/what-families-said-fall"
STAFF_PAGES = (
    f"{DISTRICT}/waves",
    f"{DISTRICT}/waves/new",
    f"{DISTRICT}/waves/coded/codes",
    f"{DISTRICT}/checkpoints",
    f"{DISTRICT}/checkpoints/new",
    FALL,
    f"{FALL}/freeze",
    f"{FALL}/publish",
    f"{FALL}/promises/new",
)


@pytest.fixture
def ready(engine: Any, planned: str, settings: Any, today: Any) -> str:
    """A checkpoint with a promise in English, and a wave with access codes."""
    with write_session(engine) as session:
        checkpoint = session.get_one(Checkpoint, planned)
        words = CommitmentWords(
            language="en", theme="Internet", you_said="It costs too much.", we_will="We lend a box."
        )
        checkpoint.commitments.append(Commitment(position=1, owner="The office", words=[words]))
        a_wave(session, "coded", entry="code")
        session.commit()
    count_draft(engine, planned, settings.data_dir, today)
    return planned


@in_both_languages
def test_the_leaders_pages(page: Any, live: Live, engine: Any, ready: str, language: str, screen: str) -> None:
    with write_session(engine) as session:
        staff(session, "leader", email="look@district.example", language=language)
        session.commit()
    page.goto(live.url + "/staff/login?next=/staff/me")
    page.fill("#email", "look@district.example")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url("**/staff/me")
    for address in STAFF_PAGES:
        look(page, live.url + address, (360, 1280), screen)
    page.goto(f"{live.url}{DISTRICT}/checkpoints/new")
    page.press("main button", "Enter")
    page.wait_for_selector(".problems")
    check_with_axe(page)
    page.goto(f"{live.url}{FALL}/freeze")
    page.press("main button", "Enter")
    page.wait_for_selector(".note.good")
    page.goto(f"{live.url}{FALL}/publish")
    page.press("main button", "Enter")
    page.wait_for_selector(".note.good")
    for tag in {"en": ("en", "zh-Hans"), "ar": ("ar",)}[language]:
        look(page, f"{live.url}/{tag}/results/what-families-said-fall", (320, 1280), screen)
        look(page, f"{live.url}/{tag}/results/", (320, 1280), screen)


@in_both_languages
def test_the_pages_that_wait_for_the_worker(
    page: Any,
    live: Live,
    engine: Any,
    planned: str,
    language: str,
    screen: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(large_counts, "REQUEST_SECONDS", 0.0)
    with write_session(engine) as session:
        staff(session, "leader", email="look@district.example", language=language)
        session.commit()
    page.goto(live.url + "/staff/login?next=/staff/me")
    page.fill("#email", "look@district.example")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url("**/staff/me")
    look(page, f"{live.url}{FALL}?still=yes", (360, 1280), screen)
    page.goto(f"{live.url}{FALL}/figures.csv")
    look(page, f"{page.url}?still=yes", (360, 1280), screen)
    with engine.begin() as connection:
        connection.execute(update(Export).values(state="failed", problem="disk"))
        connection.execute(update(FigureCount).values(state="failed", problem="unexpected"))
    look(page, page.url, (360, 1280), screen)
    look(page, f"{live.url}{FALL}", (360, 1280), screen)
    page.goto(f"{live.url}{FALL}/freeze")
    page.press("main button", "Enter")
    look(page, f"{live.url}{FALL}/freeze?still=yes", (360, 1280), screen)


def test_bars_start_where_reading_starts(
    page: Any, live: Live, engine: Any, ready: str, settings: Any, today: Any
) -> None:
    with write_session(engine) as session:
        checkpoint = session.get_one(Checkpoint, ready)
        freeze(checkpoint, count_figures(session, checkpoint, settings.data_dir, today), today)
        publish(checkpoint, today)
        session.commit()
    for tag, starts in (("en", "left"), ("ar", "right")):
        page.goto(f"{live.url}/{tag}/results/{ready}")
        edges = """svg => ['track', 'share'].map(name => svg.querySelector('.' + name).getBoundingClientRect())"""
        track, share = page.eval_on_selector("svg.bar", edges)
        assert abs(track[starts] - share[starts]) < 1
        assert 0 < share["width"] < track["width"]
