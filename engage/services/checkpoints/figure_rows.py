"""The flat table of a checkpoint. Page, packet, CSV, XLSX, and JSON are all made from it, so that they agree."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

from engage.domain.summaries.published_figures import GroupFigures, QuestionFigures
from engage.questionnaire.model import TEXT_KINDS
from engage.services.checkpoints.freezing import CheckpointFigures, WaveFigures
from engage.services.waves.populations import LIAISON

ANSWERED = "answered"
NOT_ASKED = "not_asked"
APART = ("dont_know", "refused", "unclear", "blank", NOT_ASKED)


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One number. `answer` is a choice's code, "answered", or one of APART; None for a count or share means suppressed,
    or no share."""

    wave: str
    survey: str
    question: str
    kind: str
    section: str | None
    breakdown: str
    group: str | None
    answer: str
    base: int | None
    answered: int | None
    count: int | None
    share: float | None
    low: float | None
    high: float | None

    @property
    def percent(self) -> str | None:
        """The share as displayed, computed from the counts; None if there is none."""
        if self.share is None or self.count is None or not self.answered:
            return None
        return percent_of(self.count, self.answered)

    @property
    def hidden(self) -> bool:
        """Whether the count is suppressed to protect people."""
        return self.count is None

    @property
    def apart(self) -> bool:
        """Whether this counts missing answers."""
        return self.answer in APART


NAMES = tuple(each.name for each in fields(FigureRow))


def figure_rows(document: CheckpointFigures, audience: str) -> Iterator[FigureRow]:
    """Every row of a checkpoint's figures for one audience, in the surveys' order. Debriefs of liaisons are read, and
    only their number is a figure, not how many have each text."""
    for wave in document["waves"]:
        for question in wave["audiences"][audience]["questions"]:
            if wave.get("population") == LIAISON and question["kind"] in TEXT_KINDS:
                continue
            for breakdown, lines in question["breakdowns"].items():
                for line in lines:
                    yield from _group_rows(wave, question, breakdown, line)


def _group_rows(
    wave: WaveFigures, question: QuestionFigures, breakdown: str, line: GroupFigures
) -> Iterator[FigureRow]:
    place = (wave["id"], wave["survey"], question["question"], question["kind"], question["section"])
    bases = (line["base"], line["answered"])
    for cell in line["cells"]:
        shares = (cell["share"], cell["low"], cell["high"])
        yield FigureRow(*place, breakdown, line["group"], cell["code"], *bases, cell["count"], *shares)
    for code, count in line["apart"].items():
        yield FigureRow(*place, breakdown, line["group"], code, *bases, count, None, None, None)


def percent_of(count: int, of: int) -> str:
    """The share count/of as text, computed from the counts; `of` is at least 1."""
    return f"{(200 * count + of) // (2 * of)}%"


def format_percent(share: float | None) -> str | None:
    """A limit of a likely range (0..1, not rounded) as text; None if there is none."""
    return None if share is None else f"{math.floor(share * 100 + 0.5)}%"
