"""Numbers of households beside hidden answers: a linear program with both must not derive more than allowed."""

import numpy as np
import pytest

from engage.domain.summaries.suppression import LEADERS, PUBLIC
from engage.services.checkpoints.household_counts import visible_households
from tests.domain.summaries.outsider import Outsider, read
from tests.domain.summaries.test_differencing import CLOSE, shown, truth
from tests.domain.summaries.test_release import survey
from tests.domain.summaries.waves import stored

pytestmark = pytest.mark.slow

ONE = survey(("q", "yes no"))
MINIMUM = {"leaders": LEADERS.minimum, "public": PUBLIC.minimum}


def told(languages, households, minimum=5):
    """Return the published numbers of households of each language; answers are hidden below 5, as by suppression."""
    everybody = {"all": sum(households.values()), "school": {}, "language": households}
    responses = {"all": sum(n for n, _ in languages.values()), "school": {}, "language": {}}
    responses["language"] = {each: None if hidden else n for each, (n, hidden) in languages.items()}
    return visible_households(everybody, responses, minimum)["language"]


def test_two_and_three_households_of_whom_all_answered_stand_as_bands():
    languages = {"en": (60, False), "my": (2, True), "ru": (3, True)}
    assert told(languages, {"en": 90, "my": 2, "ru": 3}) == {"en": 90, "my": {"below": 10}, "ru": {"below": 10}}


def test_many_households_that_limit_nothing_stand_as_they_are():
    languages = {"en": (60, False), "so": (3, True), "ar": (2, True)}
    assert told(languages, {"en": 90, "so": 40, "ar": 30}) == {"en": 90, "so": 40, "ar": 30}


def test_a_single_band_would_follow_from_the_total():
    languages = {"en": (60, False), "my": (3, True), "es": (50, True)}
    assert told(languages, {"en": 90, "my": 3, "es": 80}) == {"en": 90, "my": {"below": 10}, "es": {"least": 10}}


def test_bands_that_their_sum_would_open_are_not_told():
    languages = {"en": (60, False), "my": (9, True), "ru": (9, True)}
    assert told(languages, {"en": 90, "my": 9, "ru": 9}) == {"en": 90, "my": None, "ru": None}


def test_more_answers_than_households_limit_nothing():
    assert told({"en": (60, False), "my": (4, True), "ru": (4, True)}, {"en": 90, "my": 2, "ru": 3}) == {
        "en": 90, "my": None, "ru": None,
    }  # fmt: skip


def test_of_a_wave_that_is_hidden_no_breakdown_is_told():
    households = {"all": 300, "school": {"a": 300}, "language": {"en": 300}}
    responses = {"all": None, "school": {"a": None}, "language": {"en": None}}
    assert visible_households(households, responses, 5) == {"all": 300, "school": {}, "language": {}}
    few = {"all": 6, "school": {"a": 6}, "language": {"en": 6}}
    assert visible_households(few, responses, 5)["all"] == {"below": 10}
    assert visible_households({}, responses, 5) == {}


def random_wave(rng):
    """Return rows in unequal schools and languages, and households: often hardly more than answered."""
    schools, languages = rng.dirichlet(np.full(5, 0.8)), rng.dirichlet(np.full(4, 0.6))
    rows, homes = [], {"all": 0, "school": {}, "language": {}}
    silent = float(rng.choice([0, 0.05, 0.6]))
    for number in range(int(rng.choice([25, 40, 80, 200]))):
        school, language = f"s{rng.choice(5, p=schools)}", f"l{rng.choice(4, p=languages)}"
        homes["all"] += 1
        for dimension, group in (("school", school), ("language", language)):
            homes[dimension][group] = homes[dimension].get(group, 0) + 1
        if rng.random() >= silent:
            rows.append(stored(number, {"q": str(rng.choice(["yes", "no"], p=[0.8, 0.2]))}, school, language))
    return rows, homes


def recovered(number, seed, band=True):
    """Return (attacked, narrowed) over random waves whose numbers of households are published with their answers."""
    rng, attacked, found = np.random.default_rng(seed), 0, []
    for _ in range(number):
        rows, homes = random_wave(rng)
        real = truth(ONE, rows)
        figures = shown(ONE, rows)
        for name, minimum in MINIMUM.items():
            figures[name]["households"] = (
                visible_households(homes, figures[name]["responses"], minimum) if band else homes
            )
        for readers, minimum in ((["public"], PUBLIC.minimum), (["leaders", "public"], LEADERS.minimum)):
            outsider = Outsider(ONE, [read(figures[each]) for each in readers], [("q", None)])
            hidden = [place for place in outsider.hidden() if real[place] > 0]
            groups = [(where, None) for where, count in outsider.documents[0].responses.items() if count is None]
            for at in rng.permutation(len(hidden))[:3]:
                low, high = outsider.range(hidden[at])
                attacked, found = attacked + 1, found + [hidden[at]] * (high - low < minimum - CLOSE)
            for (dimension, group), _ in groups[:3] if figures[readers[0]]["responses"]["all"] else ():
                cells = outsider.cells(dimension, group, list(range(len(outsider.kinds))), slice(None))
                low, high = outsider.least(cells, 1), -outsider.least(cells, -1)
                attacked, found = attacked + 1, found + [(dimension, group)] * (high - low < minimum - CLOSE)
    return attacked, found


def test_nothing_is_recovered_with_the_households_beside():
    attacked, found = recovered(25, 5)
    assert attacked > 120
    assert found == []


@pytest.mark.thorough
def test_nothing_is_recovered_with_the_households_of_many_waves_beside():
    assert recovered(1000, 6)[1] == []


def test_the_same_attack_finds_out_when_all_households_are_published():
    assert len(recovered(8, 5, band=False)[1]) > 5
