from datetime import date, timedelta
from gettext import NullTranslations

import pytest

from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_survey
from engage.services.waves.opening import NewWave, OpeningConditions, open_wave
from engage.services.waves.progress import WaveProgress, count_progress
from engage.services.waves.screening import screening_items
from engage.storage.engine import write_session
from engage.storage.models.invitations import Invitation
from engage.storage.models.responses import Response
from engage.storage.models.schools import School

DAY = date(2026, 9, 14)


@pytest.mark.parametrize(
    ("answered", "after", "told"),
    [
        *((0, 1, WaveProgress(0, 1)), (1, 1, WaveProgress(None, 1)), (4, 1, WaveProgress(None, 1))),
        *((5, 1, WaveProgress(5, 1)), (6, 1, WaveProgress(6, 1)), (0, -1, WaveProgress(0, 1))),
        *((0, 0, WaveProgress(None, 1, exact=False)), (9, 0, WaveProgress(None, 1, exact=False))),
        *((10, 0, WaveProgress(10, 1, exact=False)), (19, 0, WaveProgress(10, 1, exact=False))),
    ],
)
def test_a_few_are_not_told_and_an_open_wave_tells_full_tens(engine, answered, after, told):
    with write_session(engine) as session:
        session.add(School(id="lincoln", name="Lincoln"))
        session.flush()
        edition = build_edition(shipped_survey("home-access", version=1), {})
        new = NewWave("Access", ("lincoln",), ("en",), DAY, DAY)
        conditions = OpeningConditions({}, screening_items(edition.survey("en")))
        wave = open_wave(session, edition, new, DAY, conditions, NullTranslations())
        row = {"wave_id": wave.id, "identity": wave.identity, "school_id": "lincoln", "language": "en"}
        session.add(Invitation(digest="a" * 64, **row))
        for number in range(answered):
            row = {"wave_id": wave.id, "school_id": "lincoln", "language": "en", "mode": "web", "day": DAY}
            session.add(Response(id=f"{number:032x}", answers="{}", submission=f"{number:064x}", **row))
        session.flush()
        assert count_progress(session, DAY + timedelta(days=after)) == {"access": told}
        assert told.least == (5 if told.exact else 10)


def test_nothing_is_nothing(engine):
    with write_session(engine) as session:
        assert count_progress(session, DAY) == {}
