"""The oracle for frozen documents: an attacker who has only the JSON, and a linear program.

A number's place is (question, choice, columns, dimension, group): the number of people of a group (all, if the
dimension is None) in some columns of the question's table. A `choice` is given for one choice of a "several" question,
whose table has the additional column `CHOSEN`; its column "answered" then means answered without this choice.

Documents of one wave are read in the order of freezing: those who answered before one are in all later ones too.
"""

import itertools
from collections import Counter, defaultdict
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from engage.questionnaire.routing import evaluate_rule, walk_slots

DIMENSIONS = ("school", "language", "mode")
ANSWERED, BLANK, CHOSEN, NOT_ASKED, UNCLEAR = "answered", "blank", "chosen", "not_asked", "unclear"


class Place(NamedTuple):
    question: str
    choice: str | None
    columns: frozenset
    dimension: str | None
    group: str | None


class Document(NamedTuple):
    """One audience's figures as parsed: numbers of responses by (dimension, group), and every other number; households
    by (dimension, group), as published: a number, a band, or None. `period` is the number of documents of the wave that
    were frozen before."""

    responses: dict
    numbers: dict
    households: dict
    period: int = 0


def read(figures, period=0):
    """Return every number of one audience's figures by place; None if it is hidden."""
    groups = {(None, None): figures["responses"]["all"]}
    for dimension in DIMENSIONS:
        groups |= {(dimension, group): count for group, count in figures["responses"][dimension].items()}
    numbers = {}
    for question in figures["questions"]:
        for breakdown, rows in question["breakdowns"].items():
            for row in rows:
                for place, count in _row(question, None if breakdown == "all" else breakdown, row):
                    assert numbers.get(place, count) in (count, None), place
                    numbers[place] = count if count is not None else numbers.get(place)
    return Document(groups, numbers, _households(figures.get("households", {})), period)


def _households(told):
    found = {(None, None): told["all"]} if "all" in told else {}
    for dimension in DIMENSIONS:
        found |= {(dimension, group): number for group, number in told.get(dimension, {}).items()}
    return found


def _row(question, dimension, row):
    several = question["kind"] == "several"
    answers = frozenset([ANSWERED] if several else [cell["code"] for cell in row["cells"]])
    for choice in [cell["code"] for cell in row["cells"]] if several else [None]:

        def place(*columns, choice=choice):
            return Place(question["question"], choice, frozenset(columns), dimension, row["group"])

        given = answers | {CHOSEN} if several else answers
        yield place(*given, *row["apart"]), row["base"]
        yield place(*given), row["answered"]
        for cell in row["cells"]:
            if choice in (None, cell["code"]):
                yield place(CHOSEN if several else cell["code"]), cell["count"]
        for column, count in row["apart"].items():
            yield place(column), count


class Truth:
    """Everything counted from the stored answers independently: (school, language, mode, canonical answers) each."""

    def __init__(self, survey, responses):
        self.survey = survey
        self.counts = defaultdict(Counter)
        for *groups, answers in responses:
            for slot, on_route in walk_slots(survey, answers):
                given = answers if slot.block is None else (answers.get(slot.section.id, []) + [{}] * 9)[slot.block - 1]
                value = given.get(slot.question.id)
                for choice in (None, *(each.code for each in slot.question.choices)):
                    column = self._column(slot.question, choice, value) if on_route else NOT_ASKED
                    for around in [(None, None), *zip(DIMENSIONS, groups, strict=True)]:
                        self.counts[slot.question.id, choice, *around][column] += 1

    def _column(self, question, choice, value):
        if value is None:
            return BLANK
        if isinstance(value, dict):
            return UNCLEAR if value["missing"] == "two_marks" else value["missing"]
        if isinstance(value, list):
            return CHOSEN if choice in value else ANSWERED
        return value if question.choices else ANSWERED

    def __getitem__(self, place):
        counts = self.counts[place.question, place.choice, place.dimension, place.group]
        return sum(counts[column] for column in place.columns)


class Outsider:
    """What can be derived about some tables ((question, choice) each) of the same people.

    The unknowns are the numbers of each kind (a column of every table) in each school x language x mode, by period; and
    the number of households of each school and language, if it is not published exactly.
    """

    def __init__(self, survey, documents, tables):
        self.documents, self.tables = documents, tables
        around = [where for each in documents for where in each.responses if where[0]]
        self.groups = {each: sorted({group for name, group in around if name == each}) for each in DIMENSIONS}
        self.numbers = [[number for number in each.numbers.items() if number[0][:2] in tables] for each in documents]
        self.kinds = _kinds(survey, tables, [place for each in self.numbers for place, _ in each])
        periods = 1 + max(each.period for each in documents)
        shape = (*(max(1, len(each)) for each in self.groups.values()), len(self.kinds), periods)
        self.at = np.arange(np.prod(shape)).reshape(shape)
        self.repeated = next(section.repeat for section, each in survey.questions() if each.id == tables[0][0])
        told = [(each.period, number) for each in documents for number in each.responses.items()]
        self.everybody = [(period, *number) for period, number in told if number[1] is not None and not self.repeated]

    def cells(self, dimension, group, kinds, periods):
        index = [slice(None)] * 3
        if dimension is not None:
            index[DIMENSIONS.index(dimension)] = self.groups[dimension].index(group)
        return self.at[tuple(index)][..., kinds, :][..., periods].ravel()

    def where(self, place, periods):
        table = self.tables.index((place.question, place.choice))
        kinds = [number for number, kind in enumerate(self.kinds) if kind[table] in place.columns]
        return self.cells(place.dimension, place.group, kinds, periods)

    @cached_property
    def known(self):
        """Return the published information: a sparse matrix of equations and their right sides, one of inequalities (at
        most 0), and the limits of every unknown."""
        everyone = list(range(len(self.kinds)))
        rows = [(self.cells(*around, everyone, until(period)), count) for period, around, count in self.everybody]
        for document, numbers in zip(self.documents, self.numbers, strict=True):
            rows += [(self.where(place, until(document.period)), n) for place, n in numbers if n is not None]
        equations = [(dict.fromkeys(cells, 1), count) for cells, count in rows]
        limits, below = [(0, None)] * self.at.size, []
        for document in self.documents if not self.repeated else ():
            below += self._households(document, everyone, equations, limits)
        return _matrix(equations, len(limits)), [n for _, n in equations], _matrix(below, len(limits)), limits

    def _households(self, document, everyone, equations, limits):
        """Responses never exceed households; the sum of the households of all groups is known."""
        total = document.households.get((None, None))
        for dimension in DIMENSIONS:
            told = {group: n for (name, group), n in document.households.items() if name == dimension}
            first = len(limits)
            limits += [_limits(number) for number in told.values()]
            if told and isinstance(total, int):
                equations.append((dict.fromkeys(range(first, len(limits)), 1), total))
            for at, group in enumerate(told, first):
                if group in self.groups[dimension]:
                    cells = self.cells(dimension, group, everyone, until(document.period))
                    yield {**dict.fromkeys(cells, 1), at: -1}, 0

    def hidden(self, number=0):
        """Return the places that a document hides, without numbers who answered (a sum) and bases published
        elsewhere."""
        bases = {around for period, around, _ in self.everybody if period == self.documents[number].period}
        for place, count in self.numbers[number]:
            whole = self.cells(place.dimension, place.group, range(len(self.kinds)), slice(None))
            everyone = len(self.where(place, slice(None))) == len(whole)
            answers = not place.columns & {BLANK, UNCLEAR} and len(place.columns) > 1
            if count is None and not answers and not (everyone and (place.dimension, place.group) in bases):
                yield place

    def range(self, place, periods=slice(None)):
        """Return minimum and maximum of a number; raises if the published numbers are inconsistent."""
        cells = self.where(place, periods)
        return self.least(cells, 1), -self.least(cells, -1)

    def least(self, cells, sign):
        """Return the minimum of the sum of some cells, or of its negative; minus infinity if it is unbounded."""
        matrix, values, below, limits = self.known
        aim = np.zeros(len(limits))
        aim[cells] = sign
        told = {"A_eq": matrix, "b_eq": values, "bounds": limits}
        if below.shape[0]:
            told |= {"A_ub": below, "b_ub": np.zeros(below.shape[0])}
        found = linprog(aim, method="highs", **told)
        assert found.status in (0, 3), found.message
        return found.fun if found.status == 0 else -np.inf


def until(period):
    """Return all periods up to one."""
    return slice(period + 1)


def _matrix(rows, width):
    at = np.repeat(np.arange(len(rows)), [len(cells) for cells, _ in rows])
    columns = [cell for cells, _ in rows for cell in cells]
    values = [float(value) for cells, _ in rows for value in cells.values()]
    return csr_array((values, (at, columns)), (len(rows), width))


def _limits(households):
    if isinstance(households, int):
        return households, households
    band = households or {}
    return band.get("least", 0), band["below"] - 1 if "below" in band else None


def _kinds(survey, tables, places):
    """Return every combination of columns that the survey's rules allow."""
    columns = {each: {NOT_ASKED} if survey.question(each[0]).shown_when else set() for each in tables}
    for place in places:
        columns[place[:2]] |= place.columns
    options = [sorted(columns[each]) for each in tables]
    return [kind for kind in itertools.product(*options) if _possible(survey, tables, kind)]


def _possible(survey, tables, kind):
    given = {question: _answer(column) for (question, _), column in zip(tables, kind, strict=True)}
    answers = {question: answer for question, answer in given.items() if answer is not None}
    for (question, _), column in zip(tables, kind, strict=True):
        rule = survey.question(question).shown_when
        apart = len(tables) == 1 or rule is None
        if not apart and evaluate_rule(rule, answers) != (column != NOT_ASKED):
            return False
    return True


def _answer(column):
    if column in (BLANK, NOT_ASKED):
        return None
    return {"missing": column} if column in ("dont_know", "refused", UNCLEAR) else column
