"""The keyed sheets of the demo district are responses, like those keyed in the browser."""

import json
from datetime import date
from typing import Any

import pytest

from engage.demo import story
from engage.storage.models.paper import Keying
from engage.storage.models.responses import Response
from tests.people import Liaison

pytestmark = pytest.mark.slow

SPRING = "home-access-spring"


@pytest.mark.sqlite
def test_correcting_a_keyed_sheet_of_the_spring_leaves_one_response(
    site: Any, arrange: Any, stored: Any, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [
        home
        for home in story.generate_households(story.create_rng())
        if home.school == "lincoln" and home.language in ("ar", "so")
    ]
    monkeypatch.setattr(story, "generate_households", lambda _rng: few)
    monkeypatch.setattr(story, "ANSWERED_ALREADY", 3)
    secret = site.family.extensions["engage"].secret
    arrange(
        lambda session: story.build_demo(
            session, story.DemoContext(today, story.create_rng(), secret, "America/Chicago")
        )
    )
    before = sorted((one.id, one.answers) for one in stored(Response) if one.wave_id == SPRING)
    keyed = [one for one in stored(Keying) if one.wave_id == SPRING]
    assert len(before) > len(keyed) > 3
    liaison = Liaison(site)
    liaison.signs_in("liaison@riverbend.example", story.PASSWORD)
    liaison.takes(keyed[0].serial).sees("You are correcting it").sees_no("are not counted a second")
    other = "no" if json.loads(keyed[0].raw).get("internet") == ["yes"] else "yes"
    liaison.keys({"internet": other}).sees("was saved").sees_no("are not counted a second")
    after = sorted((one.id, one.answers) for one in stored(Response) if one.wave_id == SPRING)
    assert [id for id, _ in after] == [id for id, _ in before]
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
