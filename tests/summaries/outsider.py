"""The oracle for frozen documents: somebody who has only the JSON, and a linear programme.

A number's place is (question, choice, columns, dimension, group): how many of a group (all, where the dimension is
None) stand in some columns of the question's table. A `choice` is given for one choice of a "several" question, whose
table has the column `CHOSEN` besides; its column "answered" then means: answered without it.
"""

import itertools
from collections import Counter, defaultdict
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from engage.questionnaire.routing import holds, walk

DIMENSIONS = ("school", "language", "mode")
ANSWERED, BLANK, CHOSEN, NOT_ASKED, UNCLEAR = "answered", "blank", "chosen", "not_asked", "unclear"


class Place(NamedTuple):
    question: str
    choice: str | None
    columns: frozenset
    dimension: str | None
    group: str | None


class Document(NamedTuple):
    """One audience's figures as they are read: how many responded, by (dimension, group), and every other number."""

    responses: dict
    numbers: dict


def read(figures):
    """Every number of one audience's figures with its place; None where it is hidden."""
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
    return Document(groups, numbers)


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
    """Everything counted from the stored answers, by hand: (school, language, mode, canonical answers) each."""

    def __init__(self, survey, responses):
        self.survey = survey
        self.counts = defaultdict(Counter)
        for *groups, answers in responses:
            for slot, on_route in walk(survey, answers):
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
    """What can be worked out about some tables ((question, choice) each) that the same people stand in.

    Unknown is how many of each kind (a column of every table) there are in each school x language x mode.
    """

    def __init__(self, survey, documents, tables):
        self.tables = tables
        around = [where for where in documents[0].responses if where[0]]
        self.groups = {each: sorted(group for dimension, group in around if dimension == each) for each in DIMENSIONS}
        self.numbers = [[number for number in each.numbers.items() if number[0][:2] in tables] for each in documents]
        self.kinds = _kinds(survey, tables, [place for place, _ in self.numbers[0]])
        shape = (*map(len, self.groups.values()), len(self.kinds))
        self.at = np.arange(np.prod(shape)).reshape(shape)
        repeated = next(section.repeat for section, each in survey.questions() if each.id == tables[0][0])
        responses = [number for each in documents for number in each.responses.items()] if not repeated else []
        self.everybody = [(around, count) for around, count in responses if count is not None]

    def cells(self, dimension, group, kinds):
        index = [slice(None)] * 3
        if dimension is not None:
            index[DIMENSIONS.index(dimension)] = self.groups[dimension].index(group)
        return self.at[tuple(index)][..., kinds].ravel()

    def where(self, place):
        table = self.tables.index((place.question, place.choice))
        kinds = [number for number, kind in enumerate(self.kinds) if kind[table] in place.columns]
        return self.cells(place.dimension, place.group, kinds)

    @cached_property
    def known(self):
        """All that was told, as equations: a sparse matrix and its right side."""
        everyone = list(range(len(self.kinds)))
        rows = [(self.cells(*around, everyone), count) for around, count in self.everybody]
        rows += [(self.where(place), count) for each in self.numbers for place, count in each if count is not None]
        at = np.repeat(np.arange(len(rows)), [len(cells) for cells, _ in rows])
        values = np.ones(len(at))
        matrix = csr_array((values, (at, np.concatenate([cells for cells, _ in rows]))), (len(rows), self.at.size))
        return matrix, [count for _, count in rows]

    def hidden(self):
        """The places of what the first document hides; not how many answered (a sum), nor a base told elsewhere."""
        bases = {around for around, _ in self.everybody}
        for place, count in self.numbers[0]:
            everyone = len(self.where(place)) == len(self.cells(place.dimension, place.group, range(len(self.kinds))))
            answers = not place.columns & {BLANK, UNCLEAR} and len(place.columns) > 1
            if count is None and not answers and not (everyone and (place.dimension, place.group) in bases):
                yield place

    def range(self, place):
        """Least and most that a number can be; raises if what was told cannot be."""
        matrix, values = self.known
        aim = np.zeros(self.at.size)
        aim[self.where(place)] = 1
        ends = [linprog(sign * aim, A_eq=matrix, b_eq=values, method="highs") for sign in (1, -1)]
        assert all(each.status == 0 for each in ends), ends[0].message
        return ends[0].fun, -ends[1].fun


def _kinds(survey, tables, places):
    """Every way to stand in the tables that the survey's rules allow."""
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
        if not apart and holds(rule, answers) != (column != NOT_ASKED):
            return False
    return True


def _answer(column):
    if column in (BLANK, NOT_ASKED):
        return None
    return {"missing": column} if column in ("dont_know", "refused", UNCLEAR) else column
