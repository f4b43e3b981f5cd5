"""The promise of an anonymous wave, attacked: nobody who holds the whole database, its log, its backups and the list of
codes, but not the site's key, ties an answer to an invitation better than by chance.

The attacker is tested too: where the site leaks, as it once did, the same attacker finds it."""

import json

import numpy as np
import pytest

from engage.intake import drafts
from engage.intake.sealed import Kept
from tests.attack.chance import Jury, Verdict
from tests.attack.district import ANSWERS, LEAKS, play, soundly, wave_in
from tests.attack.strategies import EVIDENCE, every

SEEDS = 200
SEEDS_OF_A_LEAK = 12
LEVEL = 0.01


def judged(migrated_file, folder, seeds, send=soundly) -> Verdict:
    """Play so many waves, attack each, and judge the links."""
    jury, template = Jury(np.random.default_rng(1)), wave_in(migrated_file, folder)
    for seed in range(seeds):
        loot, truth = play(template, folder, seed, send)
        assert len(truth) == len(loot.commit_of) == ANSWERS, "the attacker sees every response come"
        jury.hear(truth, loot.stratum, dict(every(loot)))
    return jury.verdict()


def test_links_are_no_better_than_chance(migrated_file, tmp_path, capsys):
    verdict = judged(migrated_file, tmp_path, SEEDS)
    with capsys.disabled():
        print(f"\n  sound site, {SEEDS} waves: {verdict}")
    assert verdict.answered == SEEDS * ANSWERS
    assert {verdict.guesses[name] for name in EVIDENCE} == {0}, "something names an invitation"
    assert verdict.p > LEVEL
    assert verdict.p_best > LEVEL


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_the_attacker_finds_a_leak(migrated_file, tmp_path, capsys, leak):
    verdict = judged(migrated_file, tmp_path, SEEDS_OF_A_LEAK, leak)
    with capsys.disabled():
        print(f"\n  {leak.__name__}, {SEEDS_OF_A_LEAK} waves: {verdict}")
    assert verdict.p_best < LEVEL


def test_the_attacker_finds_drafts_that_are_not_sealed(migrated_file, tmp_path, capsys, monkeypatch):
    def seal(_pocket, kept):
        return json.dumps([kept.school_id, kept.invitation, kept.spent, kept.raw]).encode()

    monkeypatch.setattr(drafts, "seal", seal)
    monkeypatch.setattr(drafts, "opened", lambda _pocket, text: Kept(*json.loads(text)))
    verdict = judged(migrated_file, tmp_path, SEEDS_OF_A_LEAK)
    with capsys.disabled():
        print(f"\n  drafts in the clear, {SEEDS_OF_A_LEAK} waves: {verdict}")
    assert verdict.p_best < LEVEL
