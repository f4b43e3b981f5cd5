"""Limit on the disk space of drafts: those without a sent page are deleted first, and the others stay."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, func, select

from engage.domain.intake import drafts
from engage.domain.intake.draft_encryption import DraftContent, phone_draft_keys
from engage.domain.intake.drafts import SentPage
from engage.domain.intake.form_data import FIRST_LONGEST, FormTooLarge
from engage.storage.engine import write_session
from engage.storage.models.responses import Draft
from tests.makers import a_wave

TODAY = date(2026, 10, 14)
KEY = bytes(32)


@pytest.fixture
def begun(engine: Engine) -> list[bytes]:
    """Six drafts, one day apart, oldest first; every second one has a sent page. Returns the phones' secrets."""
    secrets = [bytes([number]) * 32 for number in range(6)]
    with write_session(engine) as session:
        a_wave(session, "fall")
        session.commit()
    with engine.begin() as connection:
        for number, secret in enumerate(secrets):
            about = {"today": TODAY - timedelta(days=6 - number)}
            place = phone_draft_keys(secret, "fall", KEY)
            drafts.begin_draft(connection, place, DraftContent("lincoln", None, None, {}), wave_id="fall", **about)
            if number % 2:
                drafts.save_page(connection, place, SentPage(1, ["wish"], {"wish": ["x" * 500]}), **about)
    return secrets


def alive(engine: Engine, secrets: list[bytes]) -> list[bool]:
    return [drafts.peek_draft(engine, phone_draft_keys(secret, "fall", KEY)) is not None for secret in secrets]


def test_nothing_goes_while_there_is_room(engine: Engine, begun: list[bytes]) -> None:
    with engine.begin() as connection:
        assert drafts.evict_empty_drafts(connection, 10_000)
    assert all(alive(engine, begun))


def test_the_oldest_empty_drafts_go_first_and_no_more_than_needed(engine: Engine, begun: list[bytes]) -> None:
    with engine.begin() as connection:
        taken = drafts.total_draft_bytes(connection)
        assert drafts.evict_empty_drafts(connection, taken - 1)
    assert alive(engine, begun) == [False, True, True, True, True, True]


def test_what_was_sent_never_goes_for_room(engine: Engine, begun: list[bytes]) -> None:
    with engine.begin() as connection:
        assert not drafts.evict_empty_drafts(connection, 10)
    assert alive(engine, begun) == [False, True] * 3
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Draft).where(Draft.is_empty)) == 0


def test_the_first_page_is_small_and_later_ones_may_be_larger(engine: Engine, begun: list[bytes]) -> None:
    place, large = phone_draft_keys(begun[4], "fall", KEY), {"wish": ["x" * (FIRST_LONGEST + 1)]}
    with engine.begin() as connection:
        with pytest.raises(FormTooLarge):
            drafts.save_page(connection, place, SentPage(1, ["wish"], large), today=TODAY)
        assert drafts.save_page(connection, place, SentPage(1, ["wish"], {"wish": ["x"]}), today=TODAY)
        assert drafts.save_page(connection, place, SentPage(1, ["wish"], large), today=TODAY)


def test_two_long_texts_in_any_script_fit_on_the_first_page(engine: Engine, begun: list[bytes]) -> None:
    sent = {"wish": ["ش" * 4000], "more": ["中" * 4000]}
    with engine.begin() as connection:
        place = phone_draft_keys(begun[4], "fall", KEY)
        assert drafts.save_page(connection, place, SentPage(1, ["wish", "more"], sent), today=TODAY)
