"""Which responses of an open link are marked as a burst."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.domain.intake.burst_detection import FROM_ONE_NETWORK, WINDOW, BurstCounter, school_limit


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def marked(moments: list[float], network: Callable[[int], str], households: int = 400) -> list[bool]:
    """Return whether the counter marks each of the responses at these times (seconds)."""
    clock = Clock()
    counter = BurstCounter(clock)
    answers = []
    for number, moment in enumerate(moments):
        clock.now = moment
        answers.append(counter.count("fall", "lincoln", network(number), households))
    return answers


def test_a_script_on_one_address_is_marked_but_for_its_first_responses() -> None:
    flood = marked([number / 44 for number in range(355)], lambda _: "203.0.113.7")
    assert flood == [False] * FROM_ONE_NETWORK + [True] * (355 - FROM_ONE_NETWORK)


def test_a_script_on_many_addresses_is_marked_by_the_size_of_the_school() -> None:
    flood = marked([float(number) for number in range(300)], lambda number: f"network {number}")
    assert flood.count(False) == school_limit(400) == 80


@pytest.mark.parametrize(("households", "most"), [(0, 150), (20, 30), (150, 30), (400, 80), (2000, 400)])
def test_a_school_has_a_usual_number_by_its_households(households: int, most: int) -> None:
    assert school_limit(households) == most


def test_an_evening_after_a_message_to_all_families_is_not_marked() -> None:
    """400 households of which 240 answer within four hours, half of them in the first hour, 1 in 8 on one network."""
    moments = sorted([number * 30.0 for number in range(120)] + [3600 + number * 90.0 for number in range(120)])
    assert not any(marked(moments, lambda number: "phone company" if number % 8 == 0 else f"home {number}"))


def test_other_schools_and_waves_are_counted_apart() -> None:
    counter = BurstCounter(Clock())
    for number in range(3 * FROM_ONE_NETWORK):
        assert not counter.count(f"wave {number % 3}", "lincoln", "203.0.113.7", 0)


@given(st.lists(st.floats(0, 10_000), min_size=1, max_size=80))
def test_a_marked_response_has_as_many_before_it_within_the_window(moments: list[float]) -> None:
    """The definition, counted independently."""
    moments = sorted(moments)
    for number, mark in enumerate(marked(moments, lambda _: "one", households=5000)):
        recent = sum(moments[number] - moment < WINDOW for moment in moments[: number + 1])
        assert mark == (recent > FROM_ONE_NETWORK)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engage.domain.intake.burst_detection.KEYS_MOST", 10)
    counter = BurstCounter(Clock())
    for number in range(100):
        counter.count("fall", "lincoln", f"network {number}", 400)
    assert len(counter._moments) <= 11
