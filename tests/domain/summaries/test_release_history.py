"""Cached figures: computed once for the same columns, again for others, and never read from a damaged file. Figures
without breakdowns are the overall rows of the others."""

import json

import pytest

from engage.domain.summaries import release_history
from engage.domain.summaries.column_store import rebuild_columns
from engage.domain.summaries.counting import count_figures
from engage.domain.summaries.release_history import ReleaseScope, find_release, load_or_release, release_figures
from engage.questionnaire.library import shipped_survey
from tests.domain.summaries.waves import random_responses

pytestmark = pytest.mark.slow


@pytest.fixture
def counting(monkeypatch):
    """Count how many times figures were released."""
    calls = []
    real = release_history.release_figures
    monkeypatch.setattr(release_history, "release_figures", lambda *given: calls.append(1) or real(*given))
    return calls


@pytest.fixture
def survey():
    return shipped_survey("home-access", version=1)


def release(folder, columns, identity="anonymous", breakdowns=True):
    return load_or_release(columns, folder, ReleaseScope("e" * 64, identity, breakdowns))


def test_the_same_columns_are_released_once(tmp_path, survey, counting):
    columns = rebuild_columns(tmp_path, survey, random_responses(survey, 60, seed=1), 0)
    first = release(tmp_path, columns)
    assert release(tmp_path, columns) == first == release_figures(count_figures(columns), survey, "anonymous")
    assert json.dumps(release(tmp_path, columns)) == json.dumps(first)  # including the order of rows
    assert len(counting) == 1


def test_whatever_the_figures_depend_on_makes_them_again(tmp_path, survey, counting):
    columns = rebuild_columns(tmp_path, survey, random_responses(survey, 60, seed=1), 0)
    assert release(tmp_path, columns) != release(tmp_path, columns, identity="confidential")
    release(tmp_path, columns, identity="confidential", breakdowns=False)
    load_or_release(columns, tmp_path, ReleaseScope("f" * 64, "confidential", breakdowns=False))
    more = rebuild_columns(tmp_path, survey, random_responses(survey, 61, seed=1), 0)
    assert release(tmp_path, more)["leaders"]["responses"]["all"] == 61
    assert len(counting) == 5


@pytest.mark.parametrize("breakdowns", [True, False])
def test_what_was_shown_of_the_wave_earlier_is_one_of_them(tmp_path, survey, counting, breakdowns):
    """20 new responses: with the figures frozen before them, fewer numbers are shown than without."""
    before = rebuild_columns(tmp_path, survey, random_responses(survey, 100, seed=1), 0)
    frozen = release(tmp_path, before)
    columns = rebuild_columns(tmp_path, survey, random_responses(survey, 120, seed=1), 0)
    alone = release(tmp_path, columns, breakdowns=breakdowns)
    scope = ReleaseScope("e" * 64, "anonymous", breakdowns, earlier=[frozen])
    beside = load_or_release(columns, tmp_path, scope)
    assert beside == load_or_release(columns, tmp_path, scope)
    assert len(counting) == 3
    assert beside["leaders"]["responses"]["all"] == 120
    assert json.dumps(beside).count("null") > json.dumps(alone).count("null")


def test_newer_figures_take_the_place_of_the_older(tmp_path, survey):
    for number in (60, 61, 62):
        columns = rebuild_columns(tmp_path, survey, random_responses(survey, number, seed=1), 0)
        release(tmp_path, columns)
    release(tmp_path, columns, breakdowns=False)
    assert sorted(each.name for each in tmp_path.glob("*released*")) == ["released.json", "released.lock"]


def test_stored_figures_are_found_with_the_columns_they_were_counted_from(tmp_path, survey):
    scope = ReleaseScope("e" * 64, "anonymous", breakdowns=True)
    assert find_release(tmp_path, scope) is None
    columns = rebuild_columns(tmp_path, survey, random_responses(survey, 60, seed=1), 3)
    figures = load_or_release(columns, tmp_path, scope)
    rebuild_columns(tmp_path, survey, random_responses(survey, 61, seed=1), 3)
    found = find_release(tmp_path, scope)
    assert (found.columns, found.released) == (columns.expected, figures)
    assert find_release(tmp_path, ReleaseScope("f" * 64, "anonymous", breakdowns=True)) is None


def test_progress_ends_with_all_tables_of_both_audiences_and_can_stop(tmp_path, survey):
    columns = rebuild_columns(tmp_path, survey, random_responses(survey, 60, seed=1), 0)
    scope, reports = ReleaseScope("e" * 64, "anonymous", breakdowns=True), []

    def stop(number, total):
        reports.append((number, total))
        if len(reports) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_or_release(columns, tmp_path, scope, stop)
    assert find_release(tmp_path, scope) is None
    load_or_release(columns, tmp_path, scope, stop)
    total = reports[0][1]
    assert reports[3:] == [(number, total) for number in range(1, total + 1)]


@pytest.mark.parametrize("place", [10, 100, -10])
def test_a_damaged_file_is_made_again(tmp_path, survey, counting, place):
    columns = rebuild_columns(tmp_path, survey, random_responses(survey, 60, seed=1), 0)
    first = release(tmp_path, columns)
    path = tmp_path / "released.json"
    body = bytearray(path.read_bytes())
    body[place] ^= 1
    path.write_bytes(body)
    assert release(tmp_path, columns) == first
    assert len(counting) == 2


@pytest.mark.parametrize("slug", ["home-access", "family-beliefs"])
def test_without_breakdowns_the_overall_rows_are_the_same(tmp_path, slug):
    survey = shipped_survey(slug, version=1)
    for number in (0, 7, 40, 150):
        figures = count_figures(rebuild_columns(tmp_path, survey, random_responses(survey, number, seed=number), 0))
        whole, overall = (release_figures(figures, survey, "anonymous", each) for each in (True, False))
        for question in (each for audience in whole.values() for each in audience["questions"]):
            question["breakdowns"] |= {each: [] for each in ("school", "language", "mode")}
        assert overall == whole
