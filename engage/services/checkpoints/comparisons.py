"""Questions with the same answers that were asked twice: of two populations, or of one population at two times.

Only shares that are shown anyway are compared, so a comparison reveals no further number. Questions about each child
are left out, because the answers for brothers and sisters depend on each other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engage.domain.summaries.intervals import newcombe_intervals
from engage.questionnaire.model import Question
from engage.services.checkpoints.findings import Finding, FindingLine
from engage.services.checkpoints.report_parts import ReportPart
from engage.services.waves.populations import FAMILY

COMPARED_KINDS = ("one", "scale")  # each person gives one answer


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """One answer: its line in both surveys, and the difference second - first of the shares (-1..1) with its 95%
    interval; None where either share is not shown."""

    first: FindingLine
    second: FindingLine
    difference: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def is_clear(self) -> bool:
        """Whether the interval does not contain 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One question in two surveys."""

    first_part: ReportPart
    second_part: ReportPart
    first: Finding
    second: Finding
    lines: tuple[ComparedLine, ...]

    @property
    def compared(self) -> int:
        """The number of answers that are compared."""
        return sum(line.difference is not None for line in self.lines)


def find_mirrored_items(parts: Sequence[ReportPart]) -> Iterator[Comparison]:
    """Yield the questions that mirror a question to families in another survey of the same report, in the order of the
    surveys."""
    families = {part.survey.slug: part for part in parts if part.population == FAMILY}
    for part in parts:
        for finding in part.findings:
            slug, _, id = (finding.question.mirrors or "").partition("/")
            other = families.get(slug)
            mirrored = _find_finding(other, id) if other else None
            if other and mirrored and have_same_answers(_in_english(other, mirrored), _in_english(part, finding)):
                comparison = compare_findings(other, part, mirrored, finding)
                if comparison.compared:
                    yield comparison


def _find_finding(part: ReportPart, id: str) -> Finding | None:
    return next((each for each in part.findings if each.question.id == id), None)


def _in_english(part: ReportPart, finding: Finding) -> Question:
    return finding.question if part.english is None else part.english.question(finding.question.id)


def have_same_answers(first: Question, second: Question) -> bool:
    """Whether two questions have the same choices in the same words."""
    return first.kind == second.kind and _choices(first) == _choices(second)


def _choices(question: Question) -> list[tuple[str, str]]:
    return [(choice.code, str(choice.text)) for choice in question.choices]


def compare_findings(first_part: ReportPart, second_part: ReportPart, first: Finding, second: Finding) -> Comparison:
    """Compare two findings with the same answers; a question of another kind has no compared line."""
    lines = {line.row.answer: line for line in second.whole.lines}
    pairs = [(line, lines[line.row.answer]) for line in first.whole.lines if line.row.answer in lines]
    is_comparable = first.question.kind in COMPARED_KINDS and not (first.children or second.children)
    differences = _differences(pairs) if is_comparable else {}
    compared = tuple(ComparedLine(*pair, *differences.get(at, ())) for at, pair in enumerate(pairs))
    return Comparison(first_part, second_part, first, second, compared)


def _differences(pairs: Sequence[tuple[FindingLine, FindingLine]]) -> Mapping[int, tuple[float, float, float]]:
    """The difference and its interval, by position, of the pairs whose shares are both shown."""
    visible = [at for at, pair in enumerate(pairs) if all(_is_shown(line) for line in pair)]
    if not visible:
        return {}
    rows = [(pairs[at][1].row, pairs[at][0].row) for at in visible]
    counts, bases, other_counts, other_bases = (
        np.array(each) for each in zip(*((a.count, a.answered, b.count, b.answered) for a, b in rows), strict=True)
    )
    low, high = newcombe_intervals(counts, bases, other_counts, other_bases)
    difference = counts / bases - other_counts / other_bases
    return {at: (float(difference[n]), float(low[n]), float(high[n])) for n, at in enumerate(visible)}


def _is_shown(line: FindingLine) -> bool:
    return line.row.count is not None and bool(line.row.answered) and line.row.share is not None
