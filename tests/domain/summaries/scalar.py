"""The figures of a wave for an audience, computed number by number in plain Python: the oracle for frame and document.

Wilson intervals are from statsmodels.
"""

from statsmodels.stats.proportion import proportion_confint

from engage.domain.summaries.encoding import build_encoders
from engage.domain.summaries.suppression import HIDDEN

BREAKDOWNS = ("all", "school", "language", "mode")


def document(release, survey):
    """Return the plain data of a release as `plain_tables` must build them, in the same order."""
    bases = release.bases[None]
    responses = {"all": told(bases.base)}
    for dimension in BREAKDOWNS[1:]:
        numbers = map(told, bases.bases[dimension])
        responses[dimension] = dict(zip(release.groups[dimension], numbers, strict=True))
    asked = [each for each in build_encoders(survey) if each.question.asks != "question"]
    return {"responses": responses, "questions": [question(release, each) for each in asked]}


def question(release, encoder):
    return {
        "question": encoder.question.id,
        "kind": encoder.question.kind,
        "section": encoder.section.id if encoder.section.repeat else None,
        "effect": effect(release, encoder),
        "breakdowns": {each: list(rows(release, encoder, each)) for each in BREAKDOWNS},
    }


def effect(release, encoder):
    """Return the design effect of a question asked once per child (`test_clusters` has its oracle)."""
    return release.effects.get(encoder.question.id, 1.0)


def rows(release, encoder, breakdown):
    whole = release.parts[encoder.question.id, None]
    chosen = {}
    if encoder.question.kind == "several":
        for choice in encoder.question.choices:
            part = release.parts[encoder.question.id, choice.code]
            chosen[choice.code] = [counts[0] for _, _, counts in lines(release, part, breakdown)]
    for number, (group, base, counts) in enumerate(lines(release, whole, breakdown)):
        named = dict(zip(whole.columns, counts, strict=True))
        answered = who_answered(encoder, base, named)
        cells = {code: at[number] for code, at in chosen.items()} or {code: named[code] for code in encoder.answers}
        yield {
            "group": group,
            "base": told(base),
            "answered": answered,
            "cells": [cell(code, count, answered, effect(release, encoder)) for code, count in cells.items()],
            "apart": {code: told(count) for code, count in named.items() if code not in encoder.answers},
        }


def lines(release, shown, breakdown):
    """Yield (group, base, one count per column) of one table."""
    if breakdown == "all":
        yield None, shown.base, shown.overall.tolist()
        return
    bases, cells = shown.bases[breakdown].tolist(), shown.by[breakdown].tolist()
    yield from zip(release.groups[breakdown], bases, cells, strict=True)


def who_answered(encoder, base, named):
    """Return the number who answered, if it follows from the answers or from all others."""
    answers = [named[code] for code in encoder.answers]
    if HIDDEN not in answers:
        return sum(answers)
    others = [count for code, count in named.items() if code not in encoder.answers]
    return None if HIDDEN in (base, *others) else base - sum(others)


def cell(code, count, answered, effect):
    if count == HIDDEN or not answered:
        return {"code": code, "count": told(count), "share": None, "low": None, "high": None}
    low, high = map(float, proportion_confint(count / effect, answered / effect, method="wilson"))
    return {"code": code, "count": count, "share": count / answered, "low": low, "high": high}


def told(count):
    return None if count == HIDDEN else int(count)
