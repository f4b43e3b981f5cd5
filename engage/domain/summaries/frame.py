"""A release as a tidy pandas frame with one row per number, in which shares and intervals are computed.

They are computed from the release only: hidden numbers are <NA>, and so are all results that depend on them. pandas is
imported on first use, since it takes 0.3 s and 35 MB that most commands and pages do not need.
"""

from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engage.domain.summaries.encoding import Encoder, build_encoders
from engage.domain.summaries.intervals import wilson_intervals
from engage.domain.summaries.release import Release
from engage.domain.summaries.suppression import HIDDEN, PublishedTable
from engage.domain.summaries.tables import CHOSEN, DIMENSIONS, Counts
from engage.questionnaire.model import Survey

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
THREADS = frozenset({"question"})  # values of `Question.asks` whose answers open a thread and never appear in figures
COLUMNS = (
    *("question", "kind", "section", "breakdown", "group", "answer", "apart"),
    *("base", "answered", "count", "share", "low", "high"),
)


class _ColumnInfo(NamedTuple):
    """One column of a question's tables.

    `apart` marks columns without an answer. Columns that `add` up to all who answered need not be `told` themselves.
    `effect` is the question's design effect.
    """

    number: int
    question: str
    kind: str
    section: str | None
    answer: str
    apart: bool
    add: bool
    told: bool
    effect: float


class _Column(NamedTuple):
    """A column's description, and its count and base in every group (HIDDEN if not shown)."""

    about: _ColumnInfo
    counts: Counts
    bases: Counts


def figures_frame(release: Release, survey: Survey, threads: Container[str] = THREADS) -> "pd.DataFrame":
    """Return one row per question, breakdown ("all", or a dimension), group, and answer, in the survey's order.

    `group` is missing for the total, and `section` for a section that is not repeated; `apart` marks rows without an
    answer. `base` is the number asked, `answered` the number of those who answered, and `count` the number with this
    answer (Int64). `share` is relative to `answered`; `low` and `high` are its Wilson interval for an infinite
    population (Float64, 0..1, not rounded). Questions that ask for one of `threads` are left out: their answers are not
    stored in responses.
    """
    frame = _count_frame(release, survey, threads)
    frame["answered"] = _answered_counts(frame)
    visible = frame.loc[frame["told"]].reset_index(drop=True)
    return visible.assign(**_share_columns(visible))[list(COLUMNS)]


def _count_frame(release: Release, survey: Survey, threads: Container[str]) -> "pd.DataFrame":
    """Return every column of every table in every group. `line` numbers the rows of the questions' tables."""
    import pandas  # noqa: PLC0415  # heavy, see above

    encoders = [each for each in build_encoders(survey) if each.question.asks not in threads]
    columns = [column for number, each in enumerate(encoders) for column in _question_columns(release, each, number)]
    about = pandas.DataFrame([each.about for each in columns], columns=list(_ColumnInfo._fields))
    places = pandas.DataFrame(_group_places(release), columns=["place", "breakdown", "group"])
    frame = about.merge(places, how="cross")
    frame["count"] = _nullable_counts([each.counts for each in columns])
    frame["base"] = _nullable_counts([each.bases for each in columns])
    frame["line"] = frame["number"] * len(places) + frame["place"]
    return frame.sort_values("line", kind="stable", ignore_index=True)


def _group_places(release: Release) -> Iterator[tuple[int, str, str | None]]:
    groups = [(each, group) for each in DIMENSIONS for group in release.groups[each]]
    for place, (breakdown, group) in enumerate([(ALL, None), *groups]):
        yield place, breakdown, group


def _question_columns(release: Release, encoder: Encoder, number: int) -> Iterator[_Column]:
    """Yield a question's columns in order: its answers, then those without an answer."""
    question = encoder.question
    about = (number, question.id, question.kind, encoder.section.id if encoder.section.repeat else None)
    whole = release.parts[question.id, None]
    bases = np.concatenate([[whole.base], *(whole.bases[each] for each in DIMENSIONS)])
    choices = question.choices if question.kind == "several" else ()
    effect = release.effects.get(question.id, 1.0)
    for choice in choices:
        part = release.parts[question.id, choice.code]
        info = _ColumnInfo(*about, choice.code, apart=False, add=False, told=True, effect=effect)
        yield _Column(info, _column_counts(part, part.columns.index(CHOSEN)), bases)
    for at, code in enumerate(whole.columns):
        apart = code not in encoder.answers
        info = _ColumnInfo(*about, code, apart, add=not apart, told=apart or not choices, effect=effect)
        yield _Column(info, _column_counts(whole, at), bases)


def _column_counts(table: PublishedTable, column: int) -> Counts:
    """Return one column's counts: overall, then by group."""
    return np.concatenate([table.overall[[column]], *(table.by[each][:, column] for each in DIMENSIONS)])


def _nullable_counts(counts: Sequence[Counts]) -> "pd.arrays.IntegerArray":
    import pandas  # noqa: PLC0415  # heavy, see above

    values = np.concatenate([np.empty(0, np.int64), *counts])
    return pandas.arrays.IntegerArray(values, values == HIDDEN)


def _answered_counts(frame: "pd.DataFrame") -> "pd.Series[Any]":
    """Return the number who answered, if it follows from the shown numbers: from the answers, or from all others."""
    answers = frame.loc[frame["add"]].groupby("line")["count"].sum(skipna=False)
    others = frame.loc[frame["apart"]].groupby("line")["count"].sum(skipna=False)
    bases = frame.groupby("line")["base"].first()
    return frame["line"].map(answers.fillna(bases - others))


def _share_columns(frame: "pd.DataFrame") -> dict[str, "pd.arrays.FloatingArray"]:
    """Return shares and intervals of answers whose count is shown, if anyone answered."""
    import pandas  # noqa: PLC0415  # heavy, see above

    is_known = ((frame["answered"] > 0) & frame["count"].notna() & ~frame["apart"]).fillna(False).to_numpy(np.bool_)
    counts, answered = (frame.loc[is_known, each].to_numpy(np.int64) for each in ("count", "answered"))
    effects = frame.loc[is_known, "effect"].to_numpy(np.float64)
    low, high = wilson_intervals(counts, answered, effects=effects)
    columns = {}
    for name, values in {"share": counts / answered, "low": low, "high": high}.items():
        column = np.zeros(len(frame))
        column[is_known] = values
        columns[name] = pandas.arrays.FloatingArray(column, ~is_known)
    return columns
