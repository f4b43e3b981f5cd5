"""Responses of an open link in a burst: marked by one bit, decided about once, with one version of every figure."""

from datetime import timedelta
from functools import partial

import pytest

from engage.domain.intake.burst_detection import FROM_ONE_NETWORK
from engage.storage.engine import write_session
from engage.storage.models.bursts import AnnouncedEvent, BurstDay
from engage.storage.models.responses import Response
from tests.people import Family

pytestmark = pytest.mark.slow


@pytest.fixture
def flood(site, small, monkeypatch):
    """Submits answers from several phones, on one network or on different ones."""

    def send(count, networks=1):
        for number in range(count):
            family = Family(site)
            place = {"REMOTE_ADDR": f"203.0.113.{number % networks}"}
            family.client.open = partial(family.client.open, environ_base=place)
            family.begins(small).walks({}).sends_answers()

    return send


def marks(stored):
    return sorted(response.is_burst for response in stored(Response))


def test_what_is_one_too_many_from_one_network_is_marked_by_one_bit(flood, stored, today):
    flood(FROM_ONE_NETWORK + 2)
    assert marks(stored) == [False] * FROM_ONE_NETWORK + [True] * 2
    assert [(each.day, each.marked) for each in stored(BurstDay)] == [(today, 2)]


def test_families_at_home_are_not_marked(flood, stored):
    flood(FROM_ONE_NETWORK + 2, networks=8)
    assert not any(marks(stored))
    assert stored(BurstDay) == []


@pytest.mark.parametrize(("days", "marked"), [(0, 0), (1, 2)])
def test_an_announced_event_is_not_marked_on_its_day(flood, stored, engine, small, today, days, marked):
    with write_session(engine) as session:
        day = today + timedelta(days=days)
        session.add(AnnouncedEvent(wave_id=small, school_id="lincoln", day=day, announced_on=today))
        session.commit()
    flood(FROM_ONE_NETWORK + 2)
    assert sum(marks(stored)) == marked


def test_responses_by_access_code_are_never_marked(site, private, stored):
    from engage.sites.family.context import EXTENSION

    for _ in range(100):
        site.family.extensions[EXTENSION].bursts.count("private", "lincoln", "127.0.0.1", 0)
    Family(site).begins_with(private[0]).walks({}).sends_answers()
    assert marks(stored) == [False]
    assert stored(BurstDay) == []
