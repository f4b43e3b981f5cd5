"""A whole wave with linked questions, attacked by a linear program over every type of family.

The unknowns are the numbers of families of each type (a full set of answers) in each school x language.
"""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from engage.domain.summaries.column_store import rebuild_columns
from engage.domain.summaries.counting import count_figures
from engage.domain.summaries.release import build_release
from engage.domain.summaries.suppression import HIDDEN, LEADERS, PUBLIC, build_universe, suppress_table
from engage.questionnaire.parser import parse_survey
from engage.questionnaire.routing import walk_slots
from tests.domain.summaries.waves import stored
from tests.questionnaire.every_kind import EVERY_KIND

pytestmark = pytest.mark.slow


def survey(*questions):
    head = 'slug="s"\ntitle="T"\npurpose="P"\nminutes=1\n[[sections]]\nid="a"\ntitle="A"\n'
    return parse_survey((head + "".join(_question(*each) for each in questions)).encode(), "s.toml")


def _question(name, codes, rule=""):
    choices = ", ".join(f'{{code="{code}", text="{code}"}}' for code in codes.split())
    shown = f'shown_when="{rule}"\n' if rule else ""
    lines = f'id="{name}"\nkind="one"\ntext="{name}?"\ndont_know=false\nrefuse=false\n{shown}choices=[{choices}]\n'
    return "[[sections.questions]]\n" + lines


DEVICES = survey(
    ("device", "none phone laptop"),
    ("shared", "yes no", "device is not none"),
    ("who", "child adult", "shared is yes"),
    ("why", "cost other", "device is none"),
    ("fast", "yes no", "device is laptop"),
)

CHAIN = survey(
    ("home", "net phone nothing"),
    ("slow", "yes no", "home is answered"),
    ("why", "old far", "slow is not no"),
    ("spot", "school cafe", "home is phone or home is nothing"),
)


def types(survey):
    """Return every possible set of answers (with blanks), canonical."""
    questions = [question for _, question in survey.questions()]
    unclear = {"missing": "unclear"}
    options = [[None, unclear, *(choice.code for choice in question.choices)] for question in questions]
    found = []
    for chosen in itertools.product(*options):
        given = {question.id: code for question, code in zip(questions, chosen, strict=True) if code}
        if all(on_route or slot.question.id not in given for slot, on_route in walk_slots(survey, given)):
            found.append(given)
    return found


def random_wave(survey, rng):
    """Return random rows of a few types with unequal probabilities, in unequal schools and languages."""
    kinds = types(survey)
    routes = [[slot.question.id for slot, on in walk_slots(survey, each) if on] for each in kinds]
    full = [all(isinstance(each.get(name), str) for name in route) for each, route in zip(kinds, routes, strict=True)]
    chances = rng.dirichlet(np.full(len(kinds), 0.35)) * np.where(full, 1, 0.03)
    total = int(rng.choice([30, 60, 300, 900, 2500]))
    schools, languages = rng.dirichlet(np.full(4, 1.5)), rng.dirichlet(np.full(3, 0.7))
    return [
        stored(number, kinds[kind], f"s{school}", f"l{language}")
        for number, (kind, school, language) in enumerate(
            zip(
                rng.choice(len(kinds), total, p=chances / chances.sum()),
                rng.choice(4, total, p=schools),
                rng.choice(3, total, p=languages),
                strict=True,
            )
        )
    ]


class Reader:
    """An attacker who knows every table of a release."""

    def __init__(self, survey, figures):
        self.figures, self.kinds = figures, types(survey)
        self.routes = [{slot.question.id: on for slot, on in walk_slots(survey, each)} for each in self.kinds]
        self.sizes = (len(figures.groups["school"]), len(figures.groups["language"]), len(self.kinds))
        self.at = np.arange(np.prod(self.sizes)).reshape(self.sizes)
        self.rows, self.values = [], []

    def column(self, question, name):
        """Return the types that are in a column of a table; None: all that are in the table."""
        for number, kind in enumerate(self.kinds):
            on = self.routes[number][question]
            told = kind.get(question, "blank") if on else "not_asked"
            told = "unclear" if isinstance(told, dict) else told
            if told == name:
                yield number

    def cells(self, shown, question, dimension=None, group=None, column=None):
        index = [slice(None), slice(None)]
        if dimension in ("school", "language"):
            index[("school", "language").index(dimension)] = group
        names = shown.columns if column is None else [shown.columns[column]]
        kinds = [number for name in names for number in self.column(question, name)]
        return self.at[tuple(index)][..., kinds].ravel()

    def numbers(self, shown, question):
        yield (question, None, None, None), shown.base
        for column, value in enumerate(shown.overall):
            yield (question, None, None, column), value
        for dimension in ("school", "language"):
            for group, base in enumerate(shown.bases[dimension]):
                yield (question, dimension, group, None), base
            for (group, column), value in np.ndenumerate(shown.by[dimension]):
                yield (question, dimension, group, column), value

    def read(self, told):
        self.values += [told.bases[None].base] if told.bases[None].base != HIDDEN else []
        self.rows += [self.at.ravel()] if told.bases[None].base != HIDDEN else []
        for dimension in ("school", "language"):
            for group, base in enumerate(told.bases[None].bases[dimension]):
                if base != HIDDEN:
                    self.rows.append(self.at.take(group, ("school", "language").index(dimension)).ravel())
                    self.values.append(base)
        for (question, _), shown in told.parts.items():
            for place, value in self.numbers(shown, question):
                if value != HIDDEN:
                    self.rows.append(self.cells(shown, *place))
                    self.values.append(value)

    def true(self, truth, shown, dimension, group, column):
        cells = truth.keep(shown.columns)
        line = cells.overall if dimension is None else cells.by[dimension][group]
        return line.sum() if column is None else line[column]

    def range(self, shown, place):
        at = np.repeat(np.arange(len(self.rows)), [len(each) for each in self.rows])
        matrix = csr_array((np.ones(len(at)), (at, np.concatenate(self.rows))), (len(self.rows), self.at.size))
        aim = np.zeros(self.at.size)
        aim[self.cells(shown, *place)] = 1
        found = [linprog(sign * aim, A_eq=matrix, b_eq=self.values, method="highs") for sign in (1, -1)]
        assert all(each.status == 0 for each in found), found[0].message
        return found[0].fun, -found[1].fun


def both(survey, rows, place):
    figures = count_figures(rebuild_columns(place, survey, rows, 0))
    leaders = build_release(figures, survey, LEADERS)
    return figures, leaders, build_release(figures, survey, PUBLIC, leaders)


def hidden_places(reader, told):
    """Return hidden numbers that are not 0 (a hidden 0 harms nobody unless it reveals another, which this would
    find)."""
    for (question, _), shown in told.parts.items():
        truth = reader.figures.part(question).table
        for place, value in reader.numbers(shown, question):
            told_anyway = shown.nothing and place[3] is None  # a base that is left out only because the question is
            if value == HIDDEN and reader.true(truth, shown, *place[1:]) > 0 and not told_anyway:
                yield shown, place


@pytest.mark.parametrize(
    ("waves", "least_attacked", "least_shown"), [(12, 48, 24), pytest.param(30, 150, 150, marks=pytest.mark.thorough)]
)
@pytest.mark.parametrize(("asked", "seed"), [(DEVICES, 5), (CHAIN, 6)])
def test_questions_that_hang_on_each_other_give_nothing_away(asked, seed, waves, least_attacked, least_shown, tmp_path):
    rng = np.random.default_rng(seed)
    attacked = shown_cells = 0
    for _ in range(waves):
        figures, leaders, public = both(asked, random_wave(asked, rng), tmp_path)
        for told, width in (([public], 10), ([leaders, public], 5)):
            reader = Reader(asked, figures)
            for each in told:
                reader.read(each)
            places = list(hidden_places(reader, told[0]))
            for at in rng.permutation(len(places))[:4]:
                low, high = reader.range(*places[at])
                assert high - low >= width - 1e-6, (places[at][1], low, high)
                attacked += 1
        shown_cells += sum(int((each.by["school"] > 0).sum()) for each in public.parts.values())
    assert attacked > least_attacked
    assert shown_cells > least_shown  # protection is not achieved by hiding everything


def test_the_same_attack_finds_out_when_questions_are_treated_one_by_one(tmp_path):
    """Without regard to links between questions, hidden numbers can be derived exactly: the test above can fail."""
    rng = np.random.default_rng(5)
    recovered = 0
    for _ in range(12):
        figures, leaders, _ = both(DEVICES, random_wave(DEVICES, rng), tmp_path)
        wave = build_universe(figures.margins[None], None, LEADERS)
        parts = {(each.question, None): suppress_table(each.table, wave, LEADERS) for each in figures.parts}
        naive = replace(leaders, parts=parts)
        reader = Reader(DEVICES, figures)
        reader.read(naive)
        places = list(hidden_places(reader, naive))
        for at in rng.permutation(len(places))[:6]:
            low, high = reader.range(*places[at])
            recovered += high - low < 1e-6
    assert recovered > 3


def rows_of(survey, *counts, place):
    """Return rows from counts: each is (number, answers, school)."""
    numbers = itertools.count()
    rows = [stored(next(numbers), given, school) for many, given, school in counts for _ in range(many)]
    return both(survey, rows, place)


PAIR = survey(("device", "none phone laptop"), ("shared", "yes no", "device is not none"))


def test_a_further_question_is_shown_for_those_asked(tmp_path):
    _, leaders, public = rows_of(
        PAIR,
        (20, {"device": "none"}, "a"),
        (30, {"device": "laptop", "shared": "yes"}, "a"),
        (25, {"device": "phone", "shared": "no"}, "b"),
        (40, {"device": "none"}, "b"),
        place=tmp_path,
    )
    for told in (leaders, public):
        assert told.parts["shared", None].base == 55
        assert told.parts["shared", None].bases["school"].tolist() == [30, 25]
        assert told.parts["shared", None].overall.tolist() == [30, 25, 0, 0]


def test_where_few_have_no_device_how_many_were_asked_is_not_told(tmp_path):
    _, leaders, _ = rows_of(
        PAIR,
        (3, {"device": "none"}, "a"),
        (30, {"device": "laptop", "shared": "yes"}, "a"),
        (9, {"device": "phone", "shared": "no"}, "a"),
        place=tmp_path,
    )
    further = leaders.parts["shared", None]
    assert further.base == 42
    assert dict(zip(further.columns, further.overall.tolist(), strict=True)) == {
        "yes": 30, "no": HIDDEN, "unclear": 0, "blank": 0, "not_asked": HIDDEN,
    }  # fmt: skip


def test_where_few_are_asked_a_further_question_is_not_shown(tmp_path):
    _, leaders, _ = rows_of(
        PAIR,
        (60, {"device": "none"}, "a"),
        (3, {"device": "laptop", "shared": "yes"}, "a"),
        place=tmp_path,
    )
    assert leaders.parts["shared", None].nothing


def test_children_are_counted_apart_and_small_schools_stay_hidden(tmp_path):
    rows = [
        stored(number, {"count": 2, "child": [{"device": "pc"}, {"device": "none"}]}, f"s{number % 3}")
        for number in range(60)
    ]
    rows += [stored(100 + number, {"count": 3, "child": [{"device": "pc"}] * 3}, "tiny") for number in range(4)]
    figures = count_figures(rebuild_columns(tmp_path, EVERY_KIND, rows, 0))
    told = build_release(figures, EVERY_KIND, PUBLIC)
    assert told.bases["child"].base == 132
    assert told.bases["child"].bases["school"].tolist().count(HIDDEN) == 2
    assert told.parts["device", None].overall[:2].tolist() == [60, 72]


def test_every_kind_is_released_true_or_hidden(tmp_path):
    rng = np.random.default_rng(3)
    rows = []
    for number in range(300):
        net = rng.choice(["yes", "no"])
        places = {} if net == "yes" else {"places": ["shop"] if rng.random() < 0.5 else ["library", "shop"]}
        children = [{"device": str(rng.choice(["pc", "none"]))} for _ in range(rng.integers(0, 4))]
        given = {"net": net, "count": len(children), **places, **({"child": children} if children else {})}
        rows.append(stored(number, given, f"s{number % 4}", mode="paper" if number % 3 else "web"))
    figures = count_figures(rebuild_columns(tmp_path, EVERY_KIND, rows, 0))
    told = build_release(figures, EVERY_KIND, PUBLIC, build_release(figures, EVERY_KIND, LEADERS))
    assert set(told.parts) == {(each.question, each.choice) for each in figures.parts}
    for key, shown in told.parts.items():
        truth = figures.part(*key).table.keep(shown.columns)
        for dimension, cells in shown.by.items():
            assert ((cells == truth.by[dimension]) | (cells == HIDDEN)).all()
            assert not ((cells > 0) & (cells < 10)).any()
