from copy import deepcopy
from datetime import date
from itertools import pairwise

import pytest

from engage.checkpoints.steady import settled, veiled

OPEN, CLOSED = date(2026, 10, 31), date(2026, 11, 1)


def a_wave(schools, hidden=(), id="fall"):
    """A wave in which `schools` families answered and all said yes."""
    told = {school: None if school in hidden else number for school, number in schools.items()}
    lines = {"all": [line(None, sum(schools.values()))], "school": [line(*each) for each in schools.items()]}
    figures = {
        "responses": {"all": sum(schools.values()), "school": told, "language": {}, "mode": {}},
        "questions": [{"question": "q", "breakdowns": {**lines, "language": [], "mode": []}}],
    }
    both = {"leaders": figures, "public": deepcopy(figures)}
    return {"id": id, "edition": "e", "closes": "2026-10-31", "audiences": both}


def line(group, number):
    return {"group": group, "base": number}


def a_document(*waves, day="2026-10-10"):
    return {"as_of": day, "minimum": {"leaders": 5, "public": 10}, "waves": list(waves)}


def schools_of(wave, audience="leaders"):
    figures = wave["audiences"][audience]
    shown = [each["group"] for each in figures["questions"][0]["breakdowns"]["school"]]
    assert shown == list(figures["responses"]["school"])
    return shown


def test_a_closed_wave_is_shown_as_it_is():
    fresh = a_document(a_wave({"a": 20, "b": 30}))
    assert veiled(fresh, {}, CLOSED) == fresh
    assert veiled(fresh, {"fall": a_wave({"a": 20, "b": 29})}, CLOSED) == fresh


def test_an_open_wave_shows_no_groups_and_says_its_day():
    (wave,) = veiled(a_document(a_wave({"a": 20, "b": 30})), {}, OPEN)["waves"]
    assert schools_of(wave) == schools_of(wave, "public") == []
    assert wave["audiences"]["leaders"]["responses"]["all"] == 50
    assert wave["as_of"] == "2026-10-10"


@pytest.mark.parametrize(
    ("more", "renewed"), [(0, False), (1, False), (9, False), (10, True), (300, True), (-9, False)]
)
def test_an_open_wave_is_renewed_in_steps(more, renewed):
    (first,) = veiled(a_document(a_wave({"a": 20})), {}, OPEN)["waves"]
    later = a_document(a_wave({"a": 20 + more}), day="2026-10-12")
    (second,) = veiled(later, {"fall": first}, OPEN)["waves"]
    assert (second == first) != renewed
    assert second["as_of"] == ("2026-10-12" if renewed else "2026-10-10")


def test_many_small_steps_never_show_a_small_difference():
    shown, seen = {}, []
    for number in range(20, 80):
        (wave,) = veiled(a_document(a_wave({"a": number})), shown, OPEN)["waves"]
        shown = {"fall": wave}
        seen.append(wave["audiences"]["leaders"]["responses"]["all"])
    steps = {after - before for before, after in pairwise(seen)} - {0}
    assert steps == {10}


def test_a_number_that_is_hidden_counts_as_none():
    small = a_wave({"a": 3})
    small["audiences"]["leaders"]["responses"]["all"] = None
    (first,) = veiled(a_document(small), {}, OPEN)["waves"]
    (second,) = veiled(a_document(a_wave({"a": 9})), {"fall": first}, OPEN)["waves"]
    assert second == first


def test_figures_without_earlier_ones_are_frozen_as_they_are():
    fresh = a_document(a_wave({"a": 20, "b": 30}))
    assert settled(fresh, []) == fresh
    assert settled(fresh, [a_document(a_wave({"a": 20, "b": 29}, id="spring"))]) == fresh


def test_with_few_families_between_them_the_earlier_figures_stand():
    before = a_wave({"a": 20, "b": 30})
    made = settled(a_document(a_wave({"a": 23, "b": 36})), [a_document(before)])
    assert made["waves"] == [before]


def test_a_breakdown_that_would_give_a_few_away_is_left_out():
    before, now = a_wave({"a": 20, "b": 30}), a_wave({"a": 27, "b": 90})
    (wave,) = settled(a_document(now), [a_document(before)])["waves"]
    assert schools_of(wave, "leaders") == ["a", "b"]
    assert schools_of(wave, "public") == []
    assert wave["audiences"]["public"]["questions"][0]["breakdowns"]["all"] == [line(None, 117)]


@pytest.mark.parametrize(("a", "shown"), [(20, True), (21, False), (24, False), (25, True), (16, False)])
def test_the_minimum_decides(a, shown):
    (wave,) = settled(a_document(a_wave({"a": a, "b": 90})), [a_document(a_wave({"a": 20, "b": 30}))])["waves"]
    assert (schools_of(wave) == ["a", "b"]) == shown


def test_a_group_that_is_new_or_hidden():
    new = a_wave({"a": 20, "b": 90, "c": 4})
    (wave,) = settled(a_document(new), [a_document(a_wave({"a": 20, "b": 30}))])["waves"]
    assert schools_of(wave) == []
    hidden = a_wave({"a": 20, "b": 90, "c": 4}, hidden=("a", "c"))
    (wave,) = settled(a_document(hidden), [a_document(a_wave({"a": 20, "b": 30}))])["waves"]
    assert schools_of(wave) == ["a", "b", "c"]


def test_every_earlier_checkpoint_counts():
    one, two = a_wave({"a": 20, "b": 30}), a_wave({"a": 40, "b": 60})
    (wave,) = settled(a_document(a_wave({"a": 43, "b": 90})), [a_document(one), a_document(two)])["waves"]
    assert schools_of(wave) == []
