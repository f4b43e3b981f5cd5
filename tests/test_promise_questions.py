"""Attack on the questions of families: someone who takes the whole database after a nightly run, without the site's
key, cannot link threads to responses better than by chance, in any mode. In a confidential wave whose links are
deleted, the same holds for households.

For each thread at least ten responses of its wave (or all, if there are fewer) match it in everything stored. The
attacker is tested too: it finds the links on sites with leaks.
"""

import numpy as np
import pytest

from engage.storage.language_groups import LEAST
from tests.attack.chance import Jury, Verdict
from tests.attack.questions import KINDS, LEAKS, OPEN, OVER, agreeing, play, stage, strategies, subjects

pytestmark = pytest.mark.slow

SEEDS, SEEDS_OF_A_LEAK, THOROUGH = 6, 6, 200
LEVEL = 0.025  # one tail of the 95% interval of chance
NIGHTS = {"open": OPEN, "over": OVER}


def judged(migrated_file, folder, kind, night, seeds, leak=None) -> Verdict:
    """Simulate waves, attack each, and return the verdict on the links."""
    jury, on = Jury(np.random.default_rng(1)), stage(migrated_file, folder, kind)
    for seed in range(seeds):
        found, diary = play(on, folder, seed, NIGHTS[night])
        if leak:
            leak(found, diary)
        place = {row["id"]: at for at, row in enumerate(found.responses)}
        truth = {id: place[of] for id, of in zip(diary.subjects, diary.responses, strict=True)}
        fits = agreeing(found)
        assert truth.keys() == subjects(found).keys()
        if not leak:
            assert all(len(fits[id]) >= min(LEAST, len(place)) for id in truth), "too few agree with a thread"
        everyone = list(range(len(place)))
        fits = {id: everyone if leak or truth[id] not in places else places for id, places in fits.items()}
        jury.hear(truth, fits, strategies(found))
    return jury.verdict()


@pytest.mark.parametrize("night", NIGHTS)
@pytest.mark.parametrize("kind", KINDS)
def test_links_are_no_better_than_chance(migrated_file, tmp_path, kind, night):
    verdict = judged(migrated_file, tmp_path, kind, night, SEEDS)
    print(f"\n  {kind}, {night}, {SEEDS} waves: {verdict}")
    assert not any(verdict.guesses[name] for name in ("audit log", "serials", "shared words", "keyings in step"))
    assert verdict.p > LEVEL
    assert verdict.p_best > LEVEL


@pytest.mark.thorough
@pytest.mark.parametrize("night", NIGHTS)
@pytest.mark.parametrize("kind", KINDS)
def test_links_are_no_better_than_chance_in_many_waves(migrated_file, tmp_path, kind, night):
    verdict = judged(migrated_file, tmp_path, kind, night, THOROUGH)
    print(f"\n  {kind}, {night}, {THOROUGH} waves: {verdict}")
    for name, right in verdict.right.items():
        print(f"    {name}: {verdict.guesses[name]} guesses, {right} right, {verdict.expected[name]:.1f} by chance")
    assert verdict.p > LEVEL
    assert verdict.p_best > LEVEL


@pytest.mark.parametrize(("kind", "leak"), LEAKS, ids=lambda each: getattr(each, "__name__", each))
def test_the_attacker_finds_a_leak(migrated_file, tmp_path, kind, leak):
    verdict = judged(migrated_file, tmp_path, kind, "over", SEEDS_OF_A_LEAK, leak)
    print(f"\n  {leak.__name__}, {SEEDS_OF_A_LEAK} waves: {verdict}")
    assert verdict.p_best < 0.01
