"""A survey with every kind of question, for tests that must hold for all of them."""

from hypothesis import strategies as st

from engage.questionnaire.parser import parse_survey

EVERY_KIND = parse_survey(
    b"""
slug = "every-kind"
title = "Every kind"
purpose = "Test"
minutes = 2

[[sections]]
id = "home"
title = "Home"

[[sections.questions]]
id = "count"
kind = "number"
dont_know = true
refuse = true
text = "How many?"
minimum = 0
maximum = 3

[[sections.questions]]
id = "net"
kind = "one"
dont_know = true
refuse = true
text = "Net?"
choices = [{code = "yes", text = "Yes"}, {code = "no", text = "No"}]

[[sections.questions]]
id = "places"
kind = "several"
dont_know = true
refuse = true
text = "Where?"
shown_when = "net is not yes"
choices = [
  {code = "library", text = "Library"},
  {code = "shop", text = "Shop"},
  {code = "nowhere", text = "Nowhere", exclusive = true},
]

[[sections.questions]]
id = "sure"
kind = "scale"
dont_know = true
text = "How sure?"
refuse = false
choices = [{code = "low", text = "Low"}, {code = "middle", text = "Middle"}, {code = "high", text = "High"}]

[[sections.questions]]
id = "told"
kind = "note"
text = "Thank you."

[[sections]]
id = "child"
title = "Child"
repeat = "count"
maximum = 3

[[sections.questions]]
id = "device"
kind = "one"
dont_know = true
refuse = true
text = "Device?"
choices = [{code = "none", text = "None"}, {code = "pc", text = "PC"}]

[[sections.questions]]
id = "name"
kind = "words"
text = "Name?"
shown_when = "device is not none and net is yes"

[[sections.questions]]
id = "born"
kind = "date"
text = "Born?"
refuse = true

[[sections]]
id = "end"
title = "End"

[[sections.questions]]
id = "remarks"
kind = "long_words"
text = "Anything else?"
refuse = true
""",
    "every_kind.toml",
)

_VALUES = st.one_of(
    st.sampled_from(
        ["yes", "no", "library", "shop", "nowhere", "low", "high", "none", "pc", "0", "2", "\u0663", "7", "2015-02-28"]
    ),
    st.sampled_from(
        ["~dont_know", "~refused", "~unclear", "~two_marks", "~", "~~", "2015-02-30", "-1", "\u202e", "e\u0301"]
    ),
    st.text(max_size=8),
)
_KEYS = st.sampled_from(
    ["count", "net", "places", "sure", "told", "remarks"]
    + [f"child.{block}.{name}" for block in (1, 2, 3, 4) for name in ("device", "name", "born")]
)
_MARKERS = st.sampled_from(["", "dont_know", "refused", "unclear", "two_marks", "x"])

raw = st.builds(
    lambda values, markers: values | markers,
    st.dictionaries(_KEYS, st.lists(_VALUES, max_size=3), max_size=12),
    st.dictionaries(_KEYS.map(lambda key: key + "~"), st.lists(_MARKERS, max_size=2), max_size=2),
)
"""Raw submissions, valid and malicious."""
