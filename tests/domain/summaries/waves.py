"""Stored responses for tests, made from raw submissions through the intake code."""

import json
from random import Random

from hypothesis import strategies as st

from engage.demo.voices import raw_answers
from engage.domain.summaries.column_store import ResponseRow
from engage.questionnaire.answers import assemble_answers
from engage.questionnaire.question_types import canonical_answers
from tests.questionnaire.every_kind import EVERY_KIND, raw


def _stored(number, school, language, mode, answers):
    document, _ = assemble_answers(EVERY_KIND, answers, lenient=mode == "paper")
    return ResponseRow(f"{number:032x}", school, language, mode, canonical_answers(document).decode())


responses = st.builds(
    _stored,
    st.integers(0, 2**128 - 1),
    st.sampled_from(["lincoln", "oak", "Ørsted"]),
    st.sampled_from(["en", "so", "zh-Hans"]),
    st.sampled_from(["web", "paper", "interview"]),
    raw,
)
"""One response to EVERY_KIND, valid or malicious."""

waves = st.lists(responses, max_size=12, unique_by=lambda each: each.id)


def stored(number, answers, school="oak", language="en", mode="web"):
    """Return a response with exactly these answers."""
    return ResponseRow(f"{number:032x}", school, language, mode, json.dumps(answers))


def many(number, rng):
    """Return this number of responses with unequal probabilities: some groups and answers are small, some large."""
    return [_family(each, rng) for each in range(number)]


def _family(number, rng):
    children = rng.choice([0, 1, 1, 2, 3])
    raw = {
        "count": [str(children)],
        "net": rng.choices([["yes"], ["no"], ["~dont_know"], ["~refused"], []], [60, 25, 3, 1, 4])[0],
        "places": rng.choices([["library"], ["library", "shop"], ["nowhere"], ["~refused"], []], [6, 5, 4, 1, 1])[0],
        "sure": rng.choices([["low"], ["middle"], ["high"], ["~dont_know"], []], [30, 50, 6, 2, 3])[0],
        "remarks": rng.choice([["Thanks"], []]),
    }
    for child in range(1, children + 1):
        raw[f"child.{child}.device"] = rng.choices([["none"], ["pc"], []], [10, 25, 2])[0]
        raw[f"child.{child}.name"] = rng.choice([["Amal"], []])
    school = rng.choices(["lincoln", "oak", "Ørsted", "river", "north"], [40, 30, 15, 4, 2])[0]
    language = rng.choices(["en", "es", "ar", "so", "vi", "zh-Hans"], [50, 25, 10, 6, 3, 1])[0]
    return _stored(number, school, language, rng.choices(["web", "paper"], [4, 1])[0], raw)


def random_responses(survey, number, seed):
    """Return this number of responses to a shipped survey, with the distribution of the demo district and groups of all
    sizes."""
    rng, found = Random(seed), []
    for each in range(number):
        school = rng.choices(["lincoln", "oak", "Ørsted", "river"], [40, 30, 15, 3])[0]
        language = rng.choices(["en", "es", "ar", "so"], [50, 25, 10, 3])[0]
        answers, _ = assemble_answers(survey, raw_answers(survey, language, rng))
        mode = rng.choices(["web", "paper"], [4, 1])[0]
        found.append(ResponseRow(f"{each:032x}", school, language, mode, canonical_answers(answers).decode()))
    return found
