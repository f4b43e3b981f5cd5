from datetime import date, timedelta
from gettext import NullTranslations

import pytest

from engage.services.waves.opening import add_unnamed_invitations
from engage.services.waves.schedule import NewDays, change_days
from engage.storage.engine import write_session
from engage.storage.models.responses import Response, ResponseLink
from tests.makers import a_wave

TODAY, KEPT = date(2026, 10, 14), timedelta(days=180)


@pytest.mark.parametrize(("days", "moved"), [(-10, -10), (0, 0), (30, 0)])
def test_links_are_kept_no_longer_than_was_said_on_either_day(engine, days, moved):
    with write_session(engine) as session:
        waves = [a_wave(session, id, identity="confidential", entry="code") for id in ("one", "other")]
        for wave in waves:
            add_unnamed_invitations(session, wave, "lincoln", "en", [wave.id.ljust(64, "d")])
            row = {"wave_id": wave.id, "school_id": "lincoln", "language": "en", "mode": "web", "day": TODAY}
            session.add(Response(id=wave.id, answers="{}", submission=wave.id, **row))
            session.flush()
            link = {"wave_id": wave.id, "identity": "confidential", "invitation": wave.id.ljust(64, "d")}
            session.add(ResponseLink(response_id=wave.id, forget_on=wave.closes + KEPT, **link))
        session.flush()
        before = waves[0].closes
        closes = before + timedelta(days=days)
        change_days(session, waves[0], NewDays(closes, None), today=TODAY, keep_links=KEPT, words=NullTranslations())
        session.expire_all()
        kept = {each.wave_id: each.forget_on for each in session.query(ResponseLink)}
    assert kept == {"one": before + KEPT + timedelta(days=moved), "other": before + KEPT}
