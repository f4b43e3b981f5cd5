"""Waves for tests with real browsers."""

import pytest

from engage.questionnaire.library import shipped_survey
from engage.storage.engine import write_session
from tests.makers import a_school, a_wave


@pytest.fixture
def waves(engine):
    """Both shipped surveys, open, at two schools."""
    with write_session(engine) as session:
        schools = [a_school(session), a_school(session, "harbor", "Harbor Middle School")]
        languages = ("en", "es", "ar", "so", "vi", "zh-Hans")
        access, beliefs = shipped_survey("home-access", version=1), shipped_survey("family-beliefs", version=1)
        a_wave(session, "access", schools, access, identity="confidential", languages=languages)
        a_wave(session, "beliefs", schools, beliefs, languages=languages)
        session.commit()
