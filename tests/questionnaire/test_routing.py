"""Which questions are on a family's route."""

from engage.questionnaire.parser import parse_survey
from engage.questionnaire.routing import all_slots, printed_slots, slots_on_route

SURVEY = parse_survey(
    b"""
slug = "route"
title = "Route"
purpose = "Test"
minutes = 1
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
id = "kind"
kind = "one"
dont_know = true
refuse = true
shown_when = "net is yes"
text = "Kind?"
choices = [{code = "a", text = "A"}, {code = "b", text = "B"}]
[[sections.questions]]
id = "why"
kind = "words"
shown_when = "kind is a"
text = "Why?"
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
id = "shared"
kind = "one"
dont_know = true
refuse = true
shown_when = "device is not none and net is yes"
text = "Shared?"
choices = [{code = "yes", text = "Yes"}, {code = "no", text = "No"}]
""",
    "route.toml",
)


def keys(found):
    return [slot.key for slot in found]


def test_without_answers_only_what_has_no_rule_is_met():
    assert keys(slots_on_route(SURVEY, {})) == ["count", "net"]


def test_an_answer_off_the_route_opens_nothing():
    assert keys(slots_on_route(SURVEY, {"net": "no", "kind": "a"})) == ["count", "net"]
    assert keys(slots_on_route(SURVEY, {"net": "yes", "kind": "a"})) == ["count", "net", "kind", "why"]


def test_each_block_follows_its_own_answers_and_those_outside():
    answers = {"count": 2, "net": "yes", "child": [{"device": "pc"}, {"device": "none"}]}
    assert keys(slots_on_route(SURVEY, answers)) == [
        "count",
        "net",
        "kind",
        "child.1.device",
        "child.1.shared",
        "child.2.device",
    ]


def test_a_missing_count_gives_no_blocks_but_blocks_kept_from_paper_are_met():
    assert keys(slots_on_route(SURVEY, {"count": {"missing": "refused"}})) == ["count", "net"]
    assert keys(slots_on_route(SURVEY, {"child": [{}, {"device": "pc"}]})) == [
        "count",
        "net",
        "child.1.device",
        "child.2.device",
    ]


def test_no_more_blocks_than_the_section_holds():
    assert keys(all_slots(SURVEY, {"count": 50}))[-1] == "child.3.shared"
    assert keys(all_slots(SURVEY, {"count": -1})) == ["count", "net", "kind", "why"]


def test_paper_holds_every_question_in_the_blocks_asked_for():
    assert keys(printed_slots(SURVEY, 1)) == ["count", "net", "kind", "why", "child.1.device", "child.1.shared"]
    assert len(printed_slots(SURVEY, 99)) == 4 + 3 * 2
    assert len(printed_slots(SURVEY, 0)) == 4
