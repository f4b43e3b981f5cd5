"""After answers are deleted, frozen figures can still be read, and a draft says why it has none."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from engage.cli import main
from engage.services.retention.policies import build_policies
from engage.storage.engine import read_session, write_session
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.responses import Response
from engage.storage.models.waves import Wave
from tests.people import Family

pytestmark = pytest.mark.slow

HOME = "/staff/district/checkpoints"
FALL = f"{HOME}/what-families-said-fall"
RESULTS = "/en/results/what-families-said-fall"
DELETED = "The answers to “The access wave” were deleted on October 14, 2026."
LOST = "This checkpoint was not frozen before that day, so its figures can no longer be calculated."


def delete_now(engine, settings, clock, today):
    """Run the nightly policies when the answers of both waves are due."""
    with write_session(engine) as session:
        for wave in session.scalars(select(Wave)):
            wave.delete_on = today
        session.commit()
    for each in build_policies(settings, today, clock()):
        with write_session(engine) as session:
            each.destroy(session)
            session.commit()


@pytest.fixture
def frozen(leader, planned):
    leader.opens(f"{FALL}/freeze").sends()
    leader.opens(f"{FALL}/publish").sends(without_promise="yes")
    leader.opens(FALL).sees("frozen")


def test_frozen_figures_stay_as_they_were(leader, frozen, site, engine, settings, clock, today):
    before = leader.opens(FALL).page.text, Family(site).opens(RESULTS).page.text
    assert list((settings.data_dir / "columns").iterdir()), "byte columns were there"
    delete_now(engine, settings, clock, today)
    assert (leader.opens(FALL).page.text, Family(site).opens(RESULTS).page.text) == before
    assert list((settings.data_dir / "columns").iterdir()) == []
    with read_session(engine) as session:
        assert session.scalars(select(Response)).all() == []


def test_a_draft_says_why_it_has_no_figures(leader, planned, engine, settings, clock, today):
    leader.opens(FALL).sees("Draft.")
    delete_now(engine, settings, clock, today)
    for page in (FALL, f"{FALL}/freeze", f"{FALL}/figures.csv", f"{FALL}/packet.pdf"):
        leader.opens(page, status=410).sees(DELETED, LOST)
    with read_session(engine) as session:
        assert session.scalars(select(Checkpoint)).one().figures is None
    leader.opens("/staff/district/waves").sees("Answers deleted on October 14, 2026")
    leader.follows("The access wave").sees("Answers were deleted on", "October 14, 2026").sees_no("Responses by day")


def test_it_is_never_frozen_over_nothing(leader, planned, engine, settings, clock, today):
    """A leader had the page with the button open."""
    leader.opens(f"{FALL}/freeze")
    delete_now(engine, settings, clock, today)
    leader.sends(status=410).sees(DELETED)


def test_the_command_line_says_so_too(planned, engine, settings, clock, today, monkeypatch):
    for name in ("data_dir", "secret_key"):
        monkeypatch.setenv(f"ENGAGE_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("ENGAGE_DATABASE_URL", settings.database)
    delete_now(engine, settings, clock, today)
    said = CliRunner().invoke(main, ["checkpoint", "figures", "what-families-said-fall"])
    assert said.exit_code == 1
    assert "was not frozen before answers were deleted: of access on 2026-10-14" in said.output


def test_leaders_are_reminded_before(leader, planned, engine, today):
    reminder = "will be deleted on January 12, 2027. Freeze the figures before that day."
    for day, reminded in ((today + timedelta(days=91), False), (date(2027, 1, 12), True)):
        with write_session(engine) as session:
            session.get_one(Wave, "access").delete_on = day
            session.commit()
        leader.opens(FALL)
        assert (reminder in leader.page.text) is reminded, Path(FALL)
