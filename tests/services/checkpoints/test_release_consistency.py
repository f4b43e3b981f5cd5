from copy import deepcopy
from datetime import date
from itertools import pairwise

import pytest

from engage.services.checkpoints import release_consistency
from engage.services.checkpoints.release_consistency import reconcile_figures, suppress_open_waves

OPEN, CLOSED = date(2026, 10, 31), date(2026, 11, 1)


def a_wave(schools, hidden=(), id="fall"):
    """Return a wave in which `schools` families answered, all with yes."""
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
    assert suppress_open_waves(fresh, {}, CLOSED) == fresh
    assert suppress_open_waves(fresh, {"fall": a_wave({"a": 20, "b": 29})}, CLOSED) == fresh


def test_an_open_wave_shows_no_groups_and_says_its_day():
    (wave,) = suppress_open_waves(a_document(a_wave({"a": 20, "b": 30})), {}, OPEN)["waves"]
    assert schools_of(wave) == schools_of(wave, "public") == []
    assert wave["audiences"]["leaders"]["responses"]["all"] == 50
    assert wave["as_of"] == "2026-10-10"


def test_of_an_open_confidential_wave_only_how_many_answered_is_shown():
    fresh = {**a_wave({"a": 20, "b": 30}), "identity": "confidential"}
    (wave,) = suppress_open_waves(a_document(fresh), {}, OPEN)["waves"]
    for audience in ("leaders", "public"):
        told = {"all": 50, "school": {}, "language": {}, "mode": {}}
        assert wave["audiences"][audience] == {"responses": told, "questions": []}
    (again,) = suppress_open_waves(
        a_document(fresh), {"fall": {**a_wave({"a": 20, "b": 30}), "as_of": "2026-10-09"}}, OPEN
    )["waves"]
    assert again["audiences"] == wave["audiences"], "answers kept by an older release"
    (closed,) = suppress_open_waves(a_document(fresh), {}, CLOSED)["waves"]
    assert closed == fresh


@pytest.mark.parametrize(
    ("more", "renewed"), [(0, False), (1, False), (9, False), (10, True), (300, True), (-9, False)]
)
def test_an_open_wave_is_renewed_in_steps(more, renewed):
    (first,) = suppress_open_waves(a_document(a_wave({"a": 20})), {}, OPEN)["waves"]
    later = a_document(a_wave({"a": 20 + more}), day="2026-10-12")
    (second,) = suppress_open_waves(later, {"fall": first}, OPEN)["waves"]
    assert (second == first) != renewed
    assert second["as_of"] == ("2026-10-12" if renewed else "2026-10-10")


def test_many_small_steps_never_show_a_small_difference():
    shown, seen = {}, []
    for number in range(20, 80):
        (wave,) = suppress_open_waves(a_document(a_wave({"a": number})), shown, OPEN)["waves"]
        shown = {"fall": wave}
        seen.append(wave["audiences"]["leaders"]["responses"]["all"])
    steps = {after - before for before, after in pairwise(seen)} - {0}
    assert steps == {10}


def test_a_number_that_is_hidden_counts_as_none():
    small = a_wave({"a": 3})
    small["audiences"]["leaders"]["responses"]["all"] = None
    (first,) = suppress_open_waves(a_document(small), {}, OPEN)["waves"]
    (second,) = suppress_open_waves(a_document(a_wave({"a": 9})), {"fall": first}, OPEN)["waves"]
    assert second == first


def test_figures_without_earlier_ones_are_frozen_as_they_are():
    fresh = a_document(a_wave({"a": 20, "b": 30}))
    assert reconcile_figures(fresh, []) == fresh
    assert reconcile_figures(fresh, [a_document(a_wave({"a": 20, "b": 29}, id="spring"))]) == fresh


def test_with_few_families_between_them_the_earlier_figures_stand():
    before = a_wave({"a": 20, "b": 30})
    made = reconcile_figures(a_document(a_wave({"a": 23, "b": 36})), [a_document(before)])
    assert made["waves"] == [before]


@pytest.mark.parametrize(("more", "stands"), [(9, True), (10, False), (-1, True), (-30, True)])
def test_the_earlier_figures_stand_while_few_came_and_where_answers_were_taken_back(more, stands):
    before, now = a_wave({"a": 20, "b": 30}), a_wave({"a": 20 + more, "b": 30})
    (wave,) = reconcile_figures(a_document(now), [a_document(before)])["waves"]
    assert wave == (before if stands else now)


def test_every_earlier_checkpoint_counts():
    one, two = a_wave({"a": 20, "b": 30}), a_wave({"a": 40, "b": 60})
    (wave,) = reconcile_figures(a_document(a_wave({"a": 43, "b": 60})), [a_document(one), a_document(two)])["waves"]
    assert wave == two


def test_what_was_shown_of_a_wave_is_found_in_every_document():
    one, two, other = a_wave({"a": 20}), a_wave({"a": 40}), a_wave({"a": 9}, id="spring")
    found = release_consistency.earlier_figures([a_document(other, one), a_document(other), a_document(two)], "fall")
    assert found == [one["audiences"], two["audiences"]]
