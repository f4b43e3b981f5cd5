"""Stored responses for tests: made of raw submissions, through the one gate."""

import json

from hypothesis import strategies as st

from engage.questionnaire.answers import assemble
from engage.questionnaire.kinds import canonical
from engage.summaries.columns import Stored
from tests.questionnaire.every_kind import EVERY_KIND, raw


def _stored(number, school, language, mode, answers):
    document, _ = assemble(EVERY_KIND, answers, lenient=mode == "paper")
    return Stored(f"{number:032x}", school, language, mode, canonical(document).decode())


responses = st.builds(
    _stored,
    st.integers(0, 2**128 - 1),
    st.sampled_from(["lincoln", "oak", "Ørsted"]),
    st.sampled_from(["en", "so", "zh-Hans"]),
    st.sampled_from(["web", "paper", "interview"]),
    raw,
)
"""One response to EVERY_KIND, sensible or hostile."""

waves = st.lists(responses, max_size=12, unique_by=lambda each: each.id)


def stored(number, answers, school="oak", language="en", mode="web"):
    """A response with exactly these answers."""
    return Stored(f"{number:032x}", school, language, mode, json.dumps(answers))
