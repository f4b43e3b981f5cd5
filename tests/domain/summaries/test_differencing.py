"""Two checkpoints over one wave, read together: a linear program must not derive anything about those who answered
before, those who answered since, and all of them."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest

from engage.domain.summaries.column_store import rebuild_columns
from engage.domain.summaries.counting import count_figures
from engage.domain.summaries.plain_tables import build_plain_figures
from engage.domain.summaries.release import build_release
from engage.domain.summaries.suppression import LEADERS, PUBLIC
from tests.domain.summaries.outsider import Outsider, Truth, read, until
from tests.domain.summaries.test_demo_figures import alone
from tests.domain.summaries.test_release import CHAIN, DEVICES, survey, types
from tests.domain.summaries.waves import stored
from tests.questionnaire.every_kind import EVERY_KIND

pytestmark = pytest.mark.slow

CLOSE = 1e-6
ONE = survey(("q", "yes no"))
THREE = survey(("q", "yes no maybe"), ("r", "a b c d e"), ("s", "yes no"))


def shown(asked, rows, earlier=()):
    """Return the figures for both audiences."""
    with tempfile.TemporaryDirectory() as place:
        figures = count_figures(rebuild_columns(Path(place), asked, rows, 0))
    leaders = build_release(figures, asked, LEADERS, earlier=[each["leaders"] for each in earlier])
    public = build_release(figures, asked, PUBLIC, leaders, [each["public"] for each in earlier])
    return {"leaders": build_plain_figures(leaders, asked), "public": build_plain_figures(public, asked)}


def truth(asked, rows):
    return Truth(asked, [(row.school, row.language, row.mode, json.loads(row.answers)) for row in rows])


class Checkpoints:
    """Checkpoints over one wave: the figures of each, and the truth about those who answered before each."""

    def __init__(self, asked, *batches, together=True):
        self.asked, self.batches, self.documents = asked, batches, []
        for number in range(len(batches)):
            earlier = self.documents if together else []
            self.documents.append(shown(asked, self.rows(slice(number + 1)), earlier))

    def rows(self, periods):
        return [row for batch in self.batches[periods] for row in batch]

    def read(self, audiences):
        return [read(each[name], period) for period, each in enumerate(self.documents) for name in audiences]

    def ranges(self, audiences, tables, rng, most):
        """Return (place, periods, range) of hidden numbers of some tables that are not 0, and of all changes."""
        outsider = Outsider(self.asked, self.read(audiences), tables)
        wanted = []
        for period in range(len(self.batches)):
            numbers = outsider.numbers[period * len(audiences)]
            wanted += [(place, until(period)) for place in outsider.hidden(period * len(audiences))]
            wanted += [(place, slice(period, period + 1)) for place, _ in numbers if single(place) and period]
        spans = {str(periods): periods for _, periods in wanted}  # each takes 25 ms; there are thousands
        real = {name: truth(self.asked, self.rows(periods)) for name, periods in spans.items()}
        wanted = [each for each in wanted if real[str(each[1])][each[0]] > 0]
        for at in rng.permutation(len(wanted))[:most]:
            place, periods = wanted[at]
            low, high = outsider.range(place, periods)
            assert low - CLOSE <= real[str(periods)][place] <= high + CLOSE
            if not self.was_told(outsider, audiences, place, periods):
                yield place, periods, low, high

    def was_told(self, outsider, audiences, place, periods):
        """Whether a number followed from an earlier checkpoint alone. If it now serves only as cover, it is not secret;
        the later responses are attacked separately."""
        if periods.start or periods.stop == 1:
            return False
        past = Outsider(self.asked, outsider.documents[: (periods.stop - 1) * len(audiences)], outsider.tables)
        if place.group is not None and place.group not in past.groups[place.dimension]:
            return False
        low, high = past.range(place)
        return high - low < CLOSE


def single(place):
    return len(place.columns) == 1


def narrow(minimum, periods, low, high):
    """Whether a range reveals a number: for later responses, a small number or a narrow range; for the hidden others, a
    narrow range."""
    if periods.start and high - low < CLOSE:
        return low < minimum - CLOSE
    return high - low < minimum - CLOSE


def drawn(asked, number, rng, start):
    """Return families of unequal schools and languages."""
    kinds = types(asked)
    full = [each for each in kinds if not any(isinstance(answer, dict) for answer in each.values())]
    chances = rng.dirichlet(np.full(len(full), 0.5))
    schools, languages = rng.dirichlet(np.full(5, 0.8)), rng.dirichlet(np.full(2, 0.7))
    return [
        stored(
            start + each,
            full[rng.choice(len(full), p=chances)],
            f"s{rng.choice(5, p=schools)}",
            f"l{rng.choice(2, p=languages)}",
        )
        for each in range(number)
    ]


def attacks(number, seed, together=True, later=1):
    """Return (attacked, revealed, numbers shown at the last checkpoint) over random waves with `later` more
    checkpoints."""
    rng = np.random.default_rng(seed)
    attacked, away, told = 0, [], 0
    for _ in range(number):
        asked = [THREE, DEVICES, CHAIN][rng.integers(3)]
        batches = [drawn(asked, int(rng.choice([30, 80, 200, 600])), rng, 0)]
        batches += [drawn(asked, int(rng.choice([10, 14, 25, 60, 200])), rng, 10_000 * (n + 1)) for n in range(later)]
        made = Checkpoints(asked, *batches, together=together)
        told += sum(n is not None and n > 0 for n in read(made.documents[-1]["public"]).numbers.values())
        for audiences, minimum in ((["public"], PUBLIC.minimum), (["leaders", "public"], LEADERS.minimum)):
            document = read(made.documents[-1][audiences[0]])
            whole = [(question.id, None) for _, question in asked.questions()] if asked is not THREE else []
            for tables in filter(None, [*alone(document), whole]):
                for place, periods, low, high in made.ranges(audiences, tables, rng, 2):
                    attacked += 1
                    if narrow(minimum, periods, low, high):
                        away.append((audiences, place, periods, low, high))
    return attacked, away, told


@pytest.mark.parametrize(
    ("waves", "least_attacked", "least_shown"), [(3, 30, 40), pytest.param(6, 80, 200, marks=pytest.mark.thorough)]
)
def test_nothing_is_recovered_from_two_checkpoints(waves, least_attacked, least_shown):
    attacked, away, told = attacks(waves, 14)
    print(f"{attacked} attacked, {told} numbers of the public's second document shown")
    assert attacked > least_attacked
    assert away == []
    assert told > least_shown  # protection is not achieved by hiding everything


@pytest.mark.parametrize(("waves", "least"), [(1, 12), pytest.param(3, 40, marks=pytest.mark.thorough)])
def test_nothing_is_recovered_from_three_checkpoints(waves, least):
    attacked, away, _ = attacks(waves, 3, later=2)
    assert attacked > least
    assert away == []


@pytest.mark.thorough
@pytest.mark.parametrize("later", [1, 2, 3])
@pytest.mark.parametrize("seed", range(100, 115))
def test_nothing_is_recovered_from_many_checkpoints(seed, later):
    attacked, away, _ = attacks(8, seed, later=later)
    assert attacked > 60
    assert away == []


@pytest.mark.parametrize(("waves", "least"), [(2, 0), pytest.param(4, 2, marks=pytest.mark.thorough)])
def test_the_same_attack_finds_out_when_each_checkpoint_is_suppressed_alone(waves, least):
    away = attacks(waves, 1, together=False)[1]
    print(len(away))
    assert len(away) > least


def answers(*wanted):
    """Return families of the schools, (number, school, answers) each."""
    numbers = iter(range(1, 1000))
    return [stored(next(numbers), given, school) for many, school, given in wanted for _ in range(many)]


YES, NO = {"q": "yes"}, {"q": "no"}
FIRST = [(15, "a", YES), (15, "a", NO), (14, "b", YES), (16, "b", NO), (2, "c", YES), (2, "c", NO)]
FIRST += [(1, "d", YES), (3, "d", NO), (2, "e", YES), (1, "e", NO)]
LATER = [(4, "a", YES), (3, "a", NO), (2, "b", YES), (3, "b", NO), (1, "c", NO)]


def test_one_new_family_in_one_of_the_small_schools_stays_unknown():
    """Small schools are merged; together they grew by one family, who said no."""
    pair = Checkpoints(
        ONE, answers(*FIRST), [each._replace(id=f"{n:032x}") for n, each in enumerate(answers(*LATER), 5000)]
    )
    outsider = Outsider(ONE, pair.read(["leaders"]), [("q", None)])
    small = [outsider.cells("school", group, [kind], slice(1, 2)) for group in "cde" for kind in (0, 1, 2, 3)]
    assert outsider.kinds == [("blank",), ("no",), ("unclear",), ("yes",)]
    low, high = ends(outsider, np.concatenate([each for number, each in enumerate(small) if number % 4 == 1]))
    assert (low, high) == (0, pytest.approx(6)), "how many of the small schools' new families said no"
    shown = read(pair.documents[1]["leaders"]).responses
    assert shown["school", "a"] == 37
    assert [shown["school", each] for each in "bcde"] == [None] * 4


def ends(outsider, cells):
    return outsider.least(cells, 1), -outsider.least(cells, -1)


def test_the_bases_of_a_further_question_are_compared_too():
    """Three more have no device: the number asked the further question would reveal them."""
    first = [(20, "a", {"device": "none"}), (30, "a", {"device": "laptop", "fast": "yes"})]
    first += [(20, "b", {"device": "none"}), (25, "b", {"device": "laptop", "fast": "no"})]
    later = [(3, "a", {"device": "none"}), (12, "a", {"device": "laptop", "fast": "yes"})]
    later += [(12, "b", {"device": "laptop", "fast": "no"})]
    since = [each._replace(id=f"{n:032x}") for n, each in enumerate(answers(*later), 5000)]
    pair = Checkpoints(DEVICES, answers(*first), since)
    outsider = Outsider(DEVICES, pair.read(["leaders"]), [(question.id, None) for _, question in DEVICES.questions()])
    none = next(place for place in outsider.numbers[0] if place[0].columns == {"none"} and place[0].dimension is None)[
        0
    ]
    low, high = outsider.range(none, slice(1, 2))
    assert low <= 3 <= high
    assert high - low >= LEADERS.minimum - CLOSE


def test_what_was_taken_back_is_not_told_by_the_difference():
    first = answers((20, "a", YES), (20, "a", NO), (20, "b", YES), (20, "b", NO))
    changed = (
        first[1:]
        + answers((15, "a", NO))[:0]
        + [each._replace(id=f"{n:032x}", school="b") for n, each in enumerate(answers((14, "b", NO)), 5000)]
    )
    shown_first = shown(ONE, first)
    assert read(shown(ONE, changed, [shown_first])["leaders"]).responses["school", "a"] is None


def test_the_same_answers_are_shown_alike_again():
    rows = drawn(THREE, 300, np.random.default_rng(3), 0)
    first = shown(THREE, rows)
    assert shown(THREE, rows, [first]) == first


def test_children_of_few_families_are_few():
    """18 more children who have a computer, of at least six families: leaders may see this, the public may not."""
    pair = [{"device": "pc"}, {"device": "none"}]
    first = [stored(n, {"count": 2, "child": pair}, f"s{n % 2}") for n in range(200)]
    since = [stored(500 + n, {"count": 3, "child": pair[n % 4 // 2 :][:1] * 3}, f"s{n % 2}") for n in range(12)]
    since += [stored(600 + n, {"count": 0}, f"s{n % 2}") for n in range(40)]
    before = shown(EVERY_KIND, first)
    now = shown(EVERY_KIND, [*first, *since], [before])
    told = {name: read(each).numbers for name, each in now.items()}
    place = next(each for each in told["public"] if each[:2] == ("device", None) and each.columns == {"pc"})
    assert place.dimension is None
    assert told["leaders"][place] == 218
    assert told["public"][place] is None
