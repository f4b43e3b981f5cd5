"""The tidy frame and the plain document, compared with plain Python that computes number by number."""

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from engage.domain.summaries.column_store import rebuild_columns
from engage.domain.summaries.counting import count_figures
from engage.domain.summaries.frame import COLUMNS, figures_frame
from engage.domain.summaries.plain_tables import build_plain_figures
from engage.domain.summaries.release import build_release
from engage.domain.summaries.suppression import HIDDEN, LEADERS, PUBLIC, SuppressionPolicy
from engage.domain.summaries.tables import DIMENSIONS
from engage.questionnaire.parser import parse_survey
from engage.services.checkpoints.freezing import canonical_json, digest
from tests.domain.summaries import scalar
from tests.domain.summaries.waves import many, stored, waves
from tests.questionnaire.every_kind import EVERY_KIND

pytestmark = pytest.mark.slow

EVERYTHING = SuppressionPolicy(0, 0)  # hides nothing


def counted(rows, survey=EVERY_KIND):
    with tempfile.TemporaryDirectory() as place:
        return count_figures(rebuild_columns(Path(place), survey, rows, 0))


def spelled(document):
    """Return the document with the order of its keys; fractions have 12 decimals, within which both computations
    agree."""

    def rounded(value):
        return round(value, 12) + 0.0 if isinstance(value, float) else value

    def plainly(value):
        if isinstance(value, dict):
            return {key: plainly(each) for key, each in value.items()}
        return [plainly(each) for each in value] if isinstance(value, list) else rounded(value)

    return json.dumps(plainly(document), ensure_ascii=False, allow_nan=False)


def assert_as_worked_out_by_hand(shown, survey=EVERY_KIND):
    assert spelled(build_plain_figures(shown, survey)) == spelled(scalar.document(shown, survey))


@settings(max_examples=40, deadline=None)
@given(waves, st.integers(0, 6))
def test_any_wave(rows, minimum):
    assert_as_worked_out_by_hand(build_release(counted(rows), EVERY_KIND, SuppressionPolicy(minimum, 0)))


@pytest.fixture(scope="module")
def large():
    """400 families in five schools, six languages, and two modes: each audience's release."""
    figures = counted(many(400, Random(4)))
    leaders = build_release(figures, EVERY_KIND, LEADERS)
    return {"leaders": leaders, "public": build_release(figures, EVERY_KIND, PUBLIC, leaders)}


@pytest.mark.parametrize("audience", ["leaders", "public"])
def test_a_large_wave(large, audience):
    assert_as_worked_out_by_hand(large[audience])


@pytest.mark.parametrize("audience", ["leaders", "public"])
def test_what_was_frozen_keeps_its_digest(large, audience):
    kept = {
        "leaders": "649b60ae7b0353cfb79e23c4f79f975667377995e5ee07a6c7f192a878b490c1",
        "public": "1447b2fd1c39a83886fb81456bbbb5d277320435d08f26110b77df0787ab919b",
    }
    assert digest(canonical_json(build_plain_figures(large[audience], EVERY_KIND))) == kept[audience]


def veiled(shown, rng):
    """Return the same tables with random numbers hidden."""

    def some(numbers):
        return np.where(rng.random(np.shape(numbers)) < 0.15, HIDDEN, numbers)

    bases = {each: some(numbers) for each, numbers in shown.bases.items()}
    by = {each: some(numbers) for each, numbers in shown.by.items()}
    return replace(shown, base=int(some(shown.base)), overall=some(shown.overall), bases=bases, by=by)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_whatever_is_hidden_stays_hidden(seed):
    rng = np.random.default_rng(seed)
    whole = build_release(counted(many(60, Random(seed))), EVERY_KIND, EVERYTHING)
    parts = {key: veiled(shown, rng) for key, shown in whole.parts.items()}
    shown = replace(whole, parts=parts, bases={None: veiled(whole.bases[None], rng)})
    assert_as_worked_out_by_hand(shown)
    frame = figures_frame(shown, EVERY_KIND)
    unknown = frame["count"].isna() | frame["answered"].isna() | frame["apart"]
    assert frame.loc[unknown, ["share", "low", "high"]].isna().all(axis=None)
    assert (frame["share"].notna() == (~unknown & (frame["answered"] > 0)).fillna(False)).all()


def yes_or_no(pairs):
    """Return a release of one question, with one school for each (yes, answered)."""
    yes, answered = np.array(pairs).T
    cells = np.column_stack([yes, answered - yes, np.zeros((len(pairs), 2), np.int64)])
    schools = tuple(f"s{each}" for each in range(len(pairs)))
    nobody = {"language": np.zeros((0, 4), np.int64), "mode": np.zeros((0, 4), np.int64)}
    empty = build_release(counted([], YES_OR_NO), YES_OR_NO, EVERYTHING)
    part = replace(
        empty.parts["q", None],
        base=int(answered.sum()),
        overall=cells.sum(axis=0),
        bases={"school": answered} | {each: none[:, 0] for each, none in nobody.items()},
        by={"school": cells} | nobody,
    )
    groups = {"school": schools, "language": (), "mode": ()}
    return replace(empty, groups=groups, parts={("q", None): part}, bases={None: part})


YES_OR_NO = parse_survey(
    b"""slug="s"\ntitle="T"\npurpose="P"\nminutes=1\n[[sections]]\nid="a"\ntitle="A"
[[sections.questions]]\nid="q"\nkind="one"\ntext="Q?"\ndont_know=false\nrefuse=false
choices=[{code="yes",text="Y"},{code="no",text="N"}]""",
    "s.toml",
)


def test_shares_are_not_rounded():
    pairs = [(yes, base) for base in (*range(1, 101), 160, 320, 800, 1600) for yes in range(base + 1)]
    frame = figures_frame(yes_or_no(pairs), YES_OR_NO)
    told = frame[(frame["breakdown"] == "school") & (frame["answer"] == "yes")]
    yes, base = np.array(pairs).T
    low, high = proportion_confint(yes, base, method="wilson")
    assert told["share"].tolist() == (yes / base).tolist()
    np.testing.assert_allclose(told[["low", "high"]].to_numpy(float).T, (low, high), rtol=0, atol=1e-12)


def test_lines_are_tidy(large):
    frame = figures_frame(large["leaders"], EVERY_KIND)
    assert tuple(frame.columns) == COLUMNS
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        **dict.fromkeys(("question", "kind", "section", "breakdown", "group", "answer"), "str"),
        **dict.fromkeys(("base", "answered", "count"), "Int64"),
        **dict.fromkeys(("share", "low", "high"), "Float64"),
        "apart": "bool",
    }
    assert not frame.duplicated(["question", "breakdown", "group", "answer"]).any()
    assert frame["breakdown"].drop_duplicates().tolist() == ["all", *DIMENSIONS]
    assert (frame["group"].isna() == (frame["breakdown"] == "all")).all()


def test_everybody_stands_in_one_answer_or_apart():
    """With nothing hidden, the rows of a question with one answer add up to the number asked."""
    frame = figures_frame(build_release(counted(many(200, Random(5))), EVERY_KIND, EVERYTHING), EVERY_KIND)
    one = frame[frame["kind"].isin(["one", "scale", "number", "words", "date"])]
    sums = one.groupby(["question", "breakdown", "group"], dropna=False).agg({"count": "sum", "base": "first"})
    assert len(sums) > 50
    assert (sums["count"] == sums["base"]).all()


def test_an_empty_wave_has_its_questions_and_no_groups():
    shown = build_release(counted([]), EVERY_KIND, PUBLIC)
    assert_as_worked_out_by_hand(shown)
    assert set(figures_frame(shown, EVERY_KIND)["breakdown"]) == {"all"}


def test_a_question_to_the_school_is_no_figure():
    survey = parse_survey(
        b'''slug="s"\ntitle="T"\npurpose="P"\nminutes=1\n[[sections]]\nid="a"\ntitle="A"
[[sections.questions]]\nid="q"\nkind="words"\ntext="Q?"\nasks="question"''',
        "s.toml",
    )
    shown = build_release(counted([stored(each, {"q": "why"}) for each in range(30)], survey), survey, PUBLIC)
    assert figures_frame(shown, survey).empty
    assert build_plain_figures(shown, survey)["questions"] == []


def test_pandas_is_loaded_only_where_a_frame_is_made():
    rooms = "engage.sites.administration, engage.cli, engage.sites.district, engage.sites.family, engage.sites.liaison"
    code = f"import sys, {rooms}; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
