from datetime import date
from gettext import NullTranslations

import pytest

from engage.questionnaire.library import shipped_survey
from engage.questionnaire.wording import edition_of
from engage.records.responses import Invitation, Response
from engage.records.schools import School
from engage.records.session import writing
from engage.waves.open import NewWave, open_wave
from engage.waves.progress import Progress, progress
from engage.waves.screening import items

DAY = date(2026, 9, 14)


@pytest.mark.parametrize(("answered", "told"), [(0, 0), (1, None), (4, None), (5, 5), (6, 6)])
def test_fewer_than_five_are_not_told(engine, answered, told):
    with writing(engine) as session:
        session.add(School(id="lincoln", name="Lincoln"))
        session.flush()
        edition = edition_of(shipped_survey("home-access"), {})
        new = NewWave("Access", ("lincoln",), ("en",), DAY, DAY)
        wave = open_wave(session, edition, new, DAY, {}, NullTranslations(), screened=items(edition.survey("en")))
        row = {"wave_id": wave.id, "identity": wave.identity, "school_id": "lincoln", "language": "en"}
        session.add(Invitation(digest="a" * 64, **row))
        for number in range(answered):
            row = {"wave_id": wave.id, "school_id": "lincoln", "language": "en", "mode": "web", "day": DAY}
            session.add(Response(id=f"{number:032x}", answers="{}", submission=f"{number:064x}", **row))
        session.flush()
        assert progress(session) == {"access": Progress(told, 1)}


def test_nothing_is_nothing(engine):
    with writing(engine) as session:
        assert progress(session) == {}
