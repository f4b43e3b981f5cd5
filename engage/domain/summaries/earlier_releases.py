"""The figures one audience was shown of a wave earlier, read back from the plain data that was frozen (`plain`)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from engage.domain.summaries.differencing import EarlierTable, IncomparableTables
from engage.domain.summaries.tables import CHOSEN, DIMENSIONS, HIDDEN, NOT_ASKED, REST, Counts

ALL = "all"
ANSWERED = "answered"
ASKED = ("asked", NOT_ASKED)

Row = Mapping[str, Any]
Groups = Mapping[str, Sequence[str]]


class EarlierFigures:
    """Earlier figures of one audience, with the groups of now; `most` as `Figures` has it."""

    def __init__(self, figures: Mapping[str, Any], groups: Groups, most: Mapping[str, int]) -> None:
        self._questions = {each["question"]: each for each in figures["questions"]}
        self._responses, self._groups, self._most = figures["responses"], groups, most

    def responses(self) -> EarlierTable | None:
        """How many had responded; None if even that was hidden. Raises IncomparableTables."""
        rows = {each: {group: {"base": count} for group, count in self._responses[each].items()} for each in DIMENSIONS}
        return self._seen({"base": self._responses[ALL]}, rows, ("base",), _base_counts, 1)

    def bases(self, question: str) -> EarlierTable | None:
        """How many had had a question; None if that was hidden. Raises IncomparableTables."""
        return self._table(question, ("base",), _base_counts)

    def table(self, question: str, choice: str | None, columns: Sequence[str]) -> EarlierTable | None:
        """A table of a question (or of one of its choices); None if nothing of it was shown. Raises
        IncomparableTables."""

        def counts(row: Row) -> Mapping[str, int | None]:
            found = _question_counts(row, several) if choice is None else _choice_counts(row, choice)
            if {*found} != {*columns}:
                raise IncomparableTables("other columns were shown")
            return found

        several = self._questions.get(question, {}).get("kind") == "several"
        return self._table(question, columns, counts)

    def asked_table(self, question: str, everybody: EarlierTable | None) -> EarlierTable | None:
        """Who had a question and who of `everybody` had not, as a table of two columns. Raises IncomparableTables."""
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

    def _whole_row(self, question: str) -> Row:
        (row,) = self._questions[question]["breakdowns"][ALL]
        found: Row = row
        return found

    def _table(self, question: str, columns: Sequence[str], counts: Any) -> EarlierTable | None:
        if question not in self._questions:
            return None
        kept = self._questions[question]
        rows = {each: {row["group"]: row for row in kept["breakdowns"][each]} for each in DIMENSIONS}
        per = self._most[kept["section"]] if kept["section"] else 1
        return self._seen(self._whole_row(question), rows, columns, counts, per)

    def _seen(
        self, whole: Row, rows: Mapping[str, Mapping[str, Row]], columns: Sequence[str], counts: Any, per: int
    ) -> EarlierTable | None:
        if whole["base"] is None:
            return None
        # A dimension without groups is left out now, or was then, unless nobody had answered at all.
        kept = {each: rows[each] for each in DIMENSIONS if self._groups[each] and (rows[each] or whole["base"] == 0)}
        for dimension, groups in kept.items():
            if {*groups} - {*self._groups[dimension]}:
                raise IncomparableTables("a group is not there any more")
        bases = {each: self._aligned(each, groups, ("base",), _base_counts)[:, 0] for each, groups in kept.items()}
        by = {each: self._aligned(each, groups, columns, counts) for each, groups in kept.items()}
        return EarlierTable(int(whole["base"]), _count_array(counts(whole), columns), bases, by, per)

    def _aligned(self, dimension: str, rows: Mapping[str, Row], columns: Sequence[str], counts: Any) -> Counts:
        """Groups of now x columns; nobody of a group that was not there had answered."""
        nobody = np.zeros(len(columns), dtype=np.int64)
        found = [
            _count_array(counts(rows[group]), columns) if group in rows else nobody for group in self._groups[dimension]
        ]
        return np.array(found, dtype=np.int64).reshape(-1, len(columns))


def _base_counts(row: Row) -> Mapping[str, int | None]:
    return {"base": row["base"]}


def _question_counts(row: Row, several: bool) -> Mapping[str, int | None]:
    answers = {ANSWERED: row["answered"]} if several else {each["code"]: each["count"] for each in row["cells"]}
    return {**answers, **row["apart"]}


def _choice_counts(row: Row, choice: str) -> Mapping[str, int | None]:
    (chosen,) = [each["count"] for each in row["cells"] if each["code"] == choice]
    off = {NOT_ASKED: row["apart"][NOT_ASKED]} if NOT_ASKED in row["apart"] else {}
    numbers = (row["base"], chosen, *off.values())
    rest = None if None in numbers else row["base"] - sum(numbers[1:])
    return {CHOSEN: chosen, REST: rest, **off}


def _count_array(counts: Mapping[str, int | None], columns: Sequence[str]) -> Counts:
    return np.array([HIDDEN if counts[each] is None else counts[each] for each in columns], dtype=np.int64)


def _split_counts(some: Counts, everybody: Counts) -> Counts:
    """Some and the others, side by side; both hidden where either number is."""
    hidden = (some == HIDDEN) | (everybody == HIDDEN)
    found = np.stack([some, everybody - some], axis=1)
    found[hidden] = HIDDEN
    return found
