"""A checkpoint's rows grouped for reading: by survey and question, overall and by breakdown.

The staff page, the packet, and the families' page are drawn from findings, and findings are made from the flat table
(`figure_rows.py`) only, so that no output can show a number that the table does not have.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from engage.questionnaire.model import Question, Survey, Words
from engage.services.checkpoints.figure_rows import ANSWERED, APART, NOT_ASKED, FigureRow

ALL = "all"
DIMENSIONS = ("school", "language", "mode")  # in the order of reading
COUNTED = ("one", "several", "scale", "number")  # of texts and dates, only the number of answers is reported


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One row of the flat table. `label` is the text of a choice, or None for a missing-answer code."""

    label: Words | None
    row: FigureRow


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """One group of a breakdown (its code, None for all), with the lines of its answers and of its missing answers."""

    code: str | None
    base: int | None
    answered: int | None
    lines: tuple[FindingLine, ...]
    apart: tuple[FindingLine, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """The figures of one question. `children`: it was answered once per child, not once per family."""

    question: Question
    children: bool
    whole: FindingGroup
    cuts: Mapping[str, tuple[FindingGroup, ...]]

    @property
    def counted(self) -> bool:
        """Whether its answers are choices or numbers, which can be shown as a chart."""
        return self.question.kind in COUNTED and {line.row.answer for line in self.whole.lines} != {ANSWERED}

    @property
    def some(self) -> bool:
        """Whether only those were asked to whom a display rule showed the question."""
        return self.question.shown_when is not None and all(each.row.answer != NOT_ASKED for each in self.whole.apart)

    @property
    def hidden(self) -> bool:
        """Whether any of its numbers is suppressed."""
        groups = [self.whole, *(group for cut in self.cuts.values() for group in cut)]
        return any(line.row.hidden for group in groups for line in (*group.lines, *group.apart))


def build_findings(rows: Sequence[FigureRow], survey: Survey) -> list[Finding]:
    """The findings of one wave, in the order of its survey. `survey` is in the reader's language."""
    return [_build_finding(list(each), survey.question(id)) for id, each in groupby(rows, key=attrgetter("question"))]


def _build_finding(rows: Sequence[FigureRow], question: Question) -> Finding:
    breakdowns = {
        name: tuple(_build_groups(list(each), question)) for name, each in groupby(rows, key=attrgetter("breakdown"))
    }
    (whole,) = breakdowns[ALL]
    # Frozen figures have their keys in alphabetical order; readers see schools first.
    cuts = {name: breakdowns[name] for name in DIMENSIONS if breakdowns.get(name)}
    return Finding(question, rows[0].section is not None, whole, cuts)


def _build_groups(rows: Sequence[FigureRow], question: Question) -> Iterator[FindingGroup]:
    for code, each in groupby(rows, key=attrgetter("group")):
        group_rows = list(each)
        lines = tuple(FindingLine(_answer_label(question, row.answer), row) for row in group_rows if not row.apart)
        others = sorted((row for row in group_rows if row.apart), key=lambda row: APART.index(row.answer))
        apart = tuple(FindingLine(None, row) for row in others)
        yield FindingGroup(code, group_rows[0].base, group_rows[0].answered, lines, apart)


def _answer_label(question: Question, answer: str) -> Words | None:
    """The text of a choice; a range of numbers is its own label; None for "answered"."""
    choice = question.choice(answer)
    if choice is not None:
        return choice.text
    return None if answer == ANSWERED else Words(answer, question.text.language)
