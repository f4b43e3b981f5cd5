"""What a wave's figures leave out, because it is not stored in responses."""

from datetime import date
from random import Random

import pytest

from engage.domain.summaries.wave_summary import load_releases
from engage.questionnaire.library import shipped_survey
from engage.storage.engine import write_session
from tests.makers import a_wave, accept

RAW = {"internet": ["no"], "help_wanted": ["device"], "question": ["When?"]}


@pytest.mark.parametrize(("identity", "counted"), [("anonymous", set()), ("confidential", {"help_wanted"})])
def test_help_wanted_is_counted_where_it_is_stored(engine, tmp_path, identity, counted):
    survey, rng = shipped_survey("home-access", version=1), Random(1)
    given = {"school_id": "lincoln", "language": "en", "mode": "web", "today": date(2026, 10, 1)}
    given |= {"rng": rng, "group_key": bytes(32)}
    with write_session(engine) as session:
        wave = a_wave(session, survey=survey, identity=identity)
        for number in range(12):
            accept(session.connection(), survey, wave, raw=RAW, submission_key=f"{number:064x}", **given)
        shown = load_releases(session, wave, tmp_path)
    for each in shown.values():
        asked = {question["question"] for question in each["questions"]}
        assert "internet" in asked
        assert asked & {"help_wanted", "question"} == counted
