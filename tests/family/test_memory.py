"""What the door keeps in memory: never too much, never for too long."""

from engage.family import offers, pages
from engage.family.offers import Remembered
from engage.family.pages import Finished, Kept
from engage.family.tries import Tries


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_tries_are_counted_for_a_minute_by_address_and_for_all():
    clock = Clock()
    tries = Tries(each=2, everywhere=3, clock=clock)
    assert not tries.spent("a")
    tries.count("a")
    tries.count("a")
    assert tries.spent("a")
    assert not tries.spent("b")
    tries.count("b")
    assert tries.spent("c"), "all together have tried three times"
    clock.now += 60
    assert not tries.spent("a")
    assert not tries.spent("c")


def test_an_answer_is_used_again_for_some_seconds_and_none_is_never_kept():
    clock, asked = Clock(), []
    kept = Remembered(clock)

    def ask(answer):
        return lambda: (asked.append(answer), answer)[1]

    assert kept.get("x", ask(None)) is None
    assert kept.get("x", ask(1)) == 1
    assert kept.get("x", ask(2)) == 1
    clock.now += offers.FRESH
    assert kept.get("x", ask(3)) == 3
    assert asked == [None, 1, 3]


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(offers, "WAVES_MOST", 5)
    monkeypatch.setattr(pages, "KEPT", 3)
    remembered, drawn = Remembered(Clock()), Kept()
    for n in range(20):
        remembered.get(str(n), lambda: "x")
        drawn.get(n, lambda: "<p>")
    assert len(remembered._kept) <= 5
    assert list(drawn._pages) == [17, 18, 19]


def test_a_page_is_drawn_once_and_both_its_forms_are_the_same():
    import gzip

    kept, times = Kept(), []
    for _ in range(3):
        page = kept.get("x", lambda: times.append(1) or "<p>é</p>")
    assert len(times) == 1
    assert isinstance(page, Finished)
    assert gzip.decompress(page.packed) == page.plain == "<p>é</p>".encode()
