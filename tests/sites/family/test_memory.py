"""Memory use of the family site: limited in size and time."""

import pytest

from engage.sites.family import page_cache, wave_cache
from engage.sites.family.code_attempts import FREE, Tries
from engage.sites.family.page_cache import PageCache, RenderedPage
from engage.sites.family.wave_cache import TimedCache
from engage.web.networks import network_of


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_a_network_waits_for_a_minute_after_its_wrong_tries():
    clock = Clock()
    tries = Tries(each=2, together=99, clock=clock)
    for _ in range(2):
        assert not tries.refuses("a")
        tries.count("a")
    assert tries.refuses("a")
    assert not tries.refuses("b")
    clock.now += 60
    assert not tries.refuses("a")


def test_the_same_wrong_code_again_is_one_try():
    tries = Tries(each=2, together=99, clock=Clock())
    for _ in range(9):
        tries.count("a", "code")
    assert not tries.refuses("a")
    tries.count("a", "another")
    assert tries.refuses("a")


def test_however_many_are_wrong_only_networks_that_were_wrong_before_wait():
    """400 wrong codes from many networks in a minute: none of 300 networks without a wrong code is refused."""
    clock = Clock()
    tries = Tries(each=30, together=200, clock=clock)
    for number in range(400):
        tries.count(f"attacker {number % 100}", number)
    assert all(tries.refuses(f"attacker {number}") for number in range(100))
    assert not any(tries.refuses(f"family {number}") for number in range(300))
    for number in range(FREE):
        assert not tries.refuses("a family with a typing error")
        tries.count("a family with a typing error", number)
    assert tries.refuses("a family with a typing error")
    clock.now += 60
    tries.count("attacker 1", "first of the new minute")
    assert not tries.refuses("attacker 2")
    clock.now += 3600
    for number in range(400):
        tries.count(f"other {number}", number)
    assert not tries.refuses("attacker 2"), "an hour later it counts as new"


def test_networks_that_were_wrong_are_remembered_up_to_a_number(monkeypatch):
    monkeypatch.setattr("engage.sites.family.code_attempts.NETWORKS_MOST", 10)
    tries = Tries(each=30, together=1, clock=Clock())
    for number in range(50):
        tries.count(f"n{number}")
    assert len(tries._hour) == 10


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
        ("", ""),
    ],
)
def test_a_network_is_an_address_or_a_64(address, network):
    assert network_of(address) == network


def test_an_answer_is_used_again_for_some_seconds_and_none_is_never_kept():
    clock, asked = Clock(), []
    kept = TimedCache(clock)

    def ask(answer):
        return lambda: (asked.append(answer), answer)[1]

    assert kept.get("x", ask(None)) is None
    assert kept.get("x", ask(1)) == 1
    assert kept.get("x", ask(2)) == 1
    clock.now += wave_cache.FRESH
    assert kept.get("x", ask(3)) == 3
    assert asked == [None, 1, 3]


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(wave_cache, "WAVES_MOST", 5)
    monkeypatch.setattr(page_cache, "PAGES_MOST", 3)
    remembered, drawn = TimedCache(Clock()), PageCache()
    for n in range(20):
        remembered.get(str(n), lambda: "x")
        drawn.get(n, lambda: "<p>")
    assert len(remembered._kept) <= 5
    assert list(drawn._pages) == [17, 18, 19]


def test_a_page_is_drawn_once_and_both_its_forms_are_the_same():
    import gzip

    kept, times = PageCache(), []
    for _ in range(3):
        page = kept.get("x", lambda: times.append(1) or "<p>é</p>")
    assert len(times) == 1
    assert isinstance(page, RenderedPage)
    assert gzip.decompress(page.packed) == page.plain == "<p>é</p>".encode()
