"""Earlier figures of a wave for one audience, parsed from the frozen figures of checkpoints."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypedDict, TypeVar

import numpy as np

from engage.domain.summaries.differencing import EarlierTable, IncomparableTables
from engage.domain.summaries.published_figures import GROUP_DIMENSIONS, AudienceFigures, GroupFigures
from engage.domain.summaries.tables import CHOSEN, DIMENSIONS, HIDDEN, NOT_ASKED, REST, Counts

ALL = "all"
ANSWERED = "answered"
ASKED = ("asked", NOT_ASKED)

Groups = Mapping[str, Sequence[str]]
ColumnCounts = Mapping[str, int | None]


class BaseCount(TypedDict):
    """The base of one group. A question's figures have more fields."""

    base: int | None


Row = TypeVar("Row", bound=BaseCount)


class EarlierFigures:
    """Earlier figures of one audience, with the current groups. `most` is as in `Figures`."""

    def __init__(self, figures: AudienceFigures, groups: Groups, most: Mapping[str, int]) -> None:
        self._questions = {each["question"]: each for each in figures["questions"]}
        self._responses, self._groups, self._most = figures["responses"], groups, most

    def responses(self) -> EarlierTable | None:
        """Return the number of responses; None if it was hidden. Raises IncomparableTables."""
        rows: dict[str, dict[str, BaseCount]] = {
            name: {group: {"base": count} for group, count in self._responses[name].items()}
            for name in GROUP_DIMENSIONS
        }
        return self._seen(BaseCount(base=self._responses["all"]), rows, ("base",), _base_counts, 1)

    def bases(self, question: str) -> EarlierTable | None:
        """Return the base of a question; None if it was hidden. Raises IncomparableTables."""
        return self._table(question, ("base",), _base_counts)

    def table(self, question: str, choice: str | None, columns: Sequence[str]) -> EarlierTable | None:
        """Return the table of a question (or of one of its choices); None if it was hidden completely. Raises
        IncomparableTables."""

        def counts(row: GroupFigures) -> ColumnCounts:
            numbers = _question_counts(row, several) if choice is None else _choice_counts(row, choice)
            if {*numbers} != {*columns}:
                raise IncomparableTables("other columns were shown")
            return numbers

        several = question in self._questions and self._questions[question]["kind"] == "several"
        return self._table(question, columns, counts)

    def asked_table(self, question: str, everybody: EarlierTable | None) -> EarlierTable | None:
        """Return a table with two columns: those who were asked the question, and the rest of `everybody`. Raises
        IncomparableTables."""
        some = self.bases(question)
        if some is None or everybody is None:
            return None
        if NOT_ASKED in self._whole_row(question)["apart"]:
            raise IncomparableTables("other columns were shown")
        bases = {each: everybody.bases[each] for each in everybody.bases if each in some.bases}
        by = {each: _split_counts(some.bases[each], bases[each]) for each in bases}
        return replace(
            everybody, overall=_split_counts(some.overall, np.array([everybody.total]))[0], bases=bases, by=by
        )

    def _whole_row(self, question: str) -> GroupFigures:
        (row,) = self._questions[question]["breakdowns"][ALL]
        return row

    def _table(
        self, question: str, columns: Sequence[str], counts: Callable[[GroupFigures], ColumnCounts]
    ) -> EarlierTable | None:
        if question not in self._questions:
            return None
        figures = self._questions[question]
        rows = {name: {row["group"] or "": row for row in figures["breakdowns"][name]} for name in DIMENSIONS}
        per = self._most[figures["section"]] if figures["section"] else 1
        return self._seen(self._whole_row(question), rows, columns, counts, per)

    def _seen(
        self,
        whole: Row,
        rows: Mapping[str, Mapping[str, Row]],
        columns: Sequence[str],
        counts: Callable[[Row], ColumnCounts],
        per: int,
    ) -> EarlierTable | None:
        if whole["base"] is None:
            return None
        # A dimension without groups is left out now, or was earlier, unless there were no responses at all.
        comparable = {
            name: rows[name] for name in DIMENSIONS if self._groups[name] and (rows[name] or whole["base"] == 0)
        }
        for dimension, groups in comparable.items():
            if {*groups} - {*self._groups[dimension]}:
                raise IncomparableTables("a group is not there any more")
        bases = {
            each: self._aligned(each, groups, ("base",), _base_counts)[:, 0] for each, groups in comparable.items()
        }
        by = {each: self._aligned(each, groups, columns, counts) for each, groups in comparable.items()}
        return EarlierTable(int(whole["base"]), _count_array(counts(whole), columns), bases, by, per)

    def _aligned(
        self,
        dimension: str,
        rows: Mapping[str, Row],
        columns: Sequence[str],
        counts: Callable[[Row], ColumnCounts],
    ) -> Counts:
        """Return the counts as current groups x columns. A group that did not exist earlier had no responses."""
        nobody = np.zeros(len(columns), dtype=np.int64)
        lines = [
            _count_array(counts(rows[group]), columns) if group in rows else nobody for group in self._groups[dimension]
        ]
        return np.array(lines, dtype=np.int64).reshape(-1, len(columns))


def _base_counts(row: BaseCount) -> ColumnCounts:
    return {"base": row["base"]}


def _question_counts(row: GroupFigures, several: bool) -> ColumnCounts:
    answers = {ANSWERED: row["answered"]} if several else {each["code"]: each["count"] for each in row["cells"]}
    return {**answers, **row["apart"]}


def _choice_counts(row: GroupFigures, choice: str) -> ColumnCounts:
    (chosen,) = [each["count"] for each in row["cells"] if each["code"] == choice]
    off = {NOT_ASKED: row["apart"][NOT_ASKED]} if NOT_ASKED in row["apart"] else {}
    subtracted = [count for count in (chosen, *off.values()) if count is not None]
    base, is_known = row["base"], len(subtracted) == 1 + len(off)
    rest = base - sum(subtracted) if base is not None and is_known else None
    return {CHOSEN: chosen, REST: rest, **off}


def _count_array(counts: ColumnCounts, columns: Sequence[str]) -> Counts:
    return np.array([HIDDEN if counts[each] is None else counts[each] for each in columns], dtype=np.int64)


def _split_counts(some: Counts, everybody: Counts) -> Counts:
    """Return the counts of some and of the others as two columns, both hidden if either number is."""
    hidden = (some == HIDDEN) | (everybody == HIDDEN)
    counts = np.stack([some, everybody - some], axis=1)
    counts[hidden] = HIDDEN
    return counts
