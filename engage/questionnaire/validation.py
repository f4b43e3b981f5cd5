"""Checks of the whole survey: duplicate ids, rules that refer to later questions, choices that do not fit their
kind."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from engage.questionnaire.ed_fi import ELEMENTS
from engage.questionnaire.errors import TableReader, describe_place, suggest_name
from engage.questionnaire.model import CHOICE_KINDS, TEXT_KINDS, Question, Section, Survey
from engage.questionnaire.rules import CHOICE_OPERATORS, LIST_OPERATORS, NUMBER_OPERATORS, Compare, comparisons
from engage.questionnaire.text_cleaning import quote_value

QUESTIONS = 200  # in the whole survey


def check_survey(survey: Survey, pad: TableReader) -> None:
    """Add the problems of a survey to `pad`."""
    if not survey.sections:
        pad.say("survey", "there are no sections", "add [[sections]]")
    everything = list(survey.questions())
    if len(everything) > QUESTIONS:
        pad.say("survey", f"{len(everything)} questions are too many", f"keep it to {QUESTIONS}")
    if everything and all(question.kind == "note" for _, question in everything):
        pad.say("survey", "no question can be answered", "add a question that is not a note")
    ids = [section.id for section in survey.sections] + [question.id for _, question in everything]
    for twice in _find_duplicates(ids):
        pad.say("survey", f"id {quote_value(twice)} is used twice", "give every section and question its own id")
    _check_asks(everything, pad)
    if survey.population == "liaison":
        _check_debrief(everything, pad)
    _check_implied(survey, pad)
    _check_scales(survey, pad)
    _check_order(survey, pad)


def _check_order(survey: Survey, pad: TableReader) -> None:
    later = {question.id for _, question in survey.questions()}
    met: dict[str, tuple[Section, Question]] = {}
    for number, section in enumerate(survey.sections, 1):
        here = describe_place("section", section.id, number)
        _check_section(section, met, later, here, pad)
        for at, question in enumerate(section.questions, 1):
            place = f"{here}, {describe_place('question', question.id, at)}"
            for comparison in comparisons(question.shown_when) if question.shown_when else ():
                _check_comparison(comparison, _RuleOwner(section, question, place), met, later, pad)
            _check_question(question, place, pad)
            met.setdefault(question.id, (section, question))


def _check_section(
    section: Section, met: dict[str, tuple[Section, Question]], ids: set[str], place: str, pad: TableReader
) -> None:
    if not section.questions:
        pad.say(place, "there are no questions", "add [[sections.questions]]")
    if not section.repeat:
        return
    if section.repeat not in met:
        what = "comes later" if section.repeat in ids else "is not a question"
        pad.say(place, f"repeat: {quote_value(section.repeat)} {what}", "name an earlier number question")
        return
    home, question = met[section.repeat]
    if question.kind != "number" or home.repeat:
        what = f'repeat: "{question.id}" is not a number question asked once'
        pad.say(place, what, "name an earlier number question")
    elif question.maximum is None:  # it may exceed the section's: families are told how many are asked about
        pad.say(place, f'repeat: "{question.id}" has no maximum', "give it one, like 20")


class _RuleOwner(NamedTuple):
    """A question whose rule is checked, with its section and the name of its place in messages."""

    section: Section
    question: Question
    place: str


def _check_comparison(
    comparison: Compare, owner: _RuleOwner, met: dict[str, tuple[Section, Question]], ids: set[str], pad: TableReader
) -> None:
    section, question, place = owner
    if comparison.name not in met:
        if comparison.name == question.id:
            pad.say(place, "shown_when looks at its own question", "name an earlier question")
        elif comparison.name in ids:
            pad.say(place, f'shown_when looks forward to "{comparison.name}"', "name an earlier question")
        else:
            do = suggest_name(comparison.name, tuple(met)) if met else "take it out: no question comes before this one"
            pad.say(place, f'shown_when: there is no question "{comparison.name}"', do)
        return
    home, target = met[comparison.name]
    if home.repeat and home.id != section.id:
        do = f'ask this question in section "{home.id}", or name a question outside it'
        pad.say(place, f'shown_when looks into the repeated section "{home.id}"', do)
    wrong = _comparison_problem(comparison, target)
    if wrong:
        pad.say(place, f"shown_when: {wrong[0]}", wrong[1])


def _comparison_problem(comparison: Compare, target: Question) -> tuple[str, str] | None:
    """Return why this question cannot be compared in this way, and advice; None if it can."""
    if target.kind == "note":
        return f'"{target.id}" is a note and has no answer', "name a question"
    if comparison.operator in CHOICE_OPERATORS and target.kind not in ("one", "scale"):
        return f'"{comparison.operator}" does not fit "{target.id}", of kind {target.kind}', _suggest_operator(target)
    if comparison.operator in LIST_OPERATORS and target.kind != "several":
        return f'"{comparison.operator}" does not fit "{target.id}", of kind {target.kind}', _suggest_operator(target)
    if comparison.operator in NUMBER_OPERATORS and target.kind != "number":
        return f'"{comparison.operator}" does not fit "{target.id}", of kind {target.kind}', _suggest_operator(target)
    if isinstance(comparison.value, str) and target.choice(comparison.value) is None:
        codes = tuple(choice.code for choice in target.choices)
        return f'"{target.id}" has no choice "{comparison.value}"', suggest_name(comparison.value, codes or ("none",))
    return None


def _suggest_operator(target: Question) -> str:
    match target.kind:
        case "one" | "scale":
            return 'use "is" or "is not"'
        case "several":
            return 'use "includes" or "does not include"'
        case "number":
            return "use < <= > >= or ="
    return 'use "is answered" or "is not answered"'


def _check_question(question: Question, place: str, pad: TableReader) -> None:
    _check_choices(question, place, pad)
    if question.kind != "number":
        for key in ("minimum", "maximum", "unit"):
            if getattr(question, key) not in (None, ""):
                pad.say(place, f"{key} does not fit the kind {question.kind}", "take it out, or use the kind number")
    elif question.minimum is not None and question.maximum is not None and question.minimum > question.maximum:
        pad.say(place, f"minimum {question.minimum} is above maximum {question.maximum}", "exchange them")
    if question.kind == "note" and (question.dont_know or question.refuse or question.asks):
        pad.say(place, "a note has no answer", "take out dont_know, refuse and asks")
    _check_element(question, place, pad)


def _check_choices(question: Question, place: str, pad: TableReader) -> None:
    if question.kind not in CHOICE_KINDS:
        if question.choices:
            pad.say(place, f"a question of kind {question.kind} has choices", 'take them out, or use the kind "one"')
        return
    if len(question.choices) < (1 if question.kind == "several" else 2):
        pad.say(place, "there are too few choices", "add choices = [{code = ..., text = ...}, ...]")
    for twice in _find_duplicates([choice.code for choice in question.choices]):
        pad.say(place, f"choice code {quote_value(twice)} is used twice", "give every choice its own code")
    for twice in _find_duplicates([choice.text.casefold() for choice in question.choices if choice.text]):
        pad.say(place, f"two choices read {quote_value(twice)}", "give every choice its own text")
    if question.at_most is not None and (question.kind != "several" or question.at_most >= len(question.choices)):
        pad.say(place, f"at_most = {question.at_most} does not fit", 'use it with the kind "several" and more choices')
    if question.at_most is not None and not question.hint:
        pad.say(place, "at_most is given without a hint", 'say it in the hint, like "Mark up to two."')
    if question.kind != "several" and any(choice.exclusive for choice in question.choices):
        pad.say(place, f"exclusive does not fit the kind {question.kind}", 'take it out, or use the kind "several"')


def _check_element(question: Question, place: str, pad: TableReader) -> None:
    codes = [choice.ed_fi for choice in question.choices if choice.ed_fi] + [each.ed_fi for each in question.implied]
    if question.element is None:
        if codes:
            pad.say(place, "ed_fi is given without an element", "add element = ..., or take ed_fi out")
        return
    if question.element not in ELEMENTS:
        pad.say(
            place,
            f"element {quote_value(question.element)} is not known",
            suggest_name(question.element, tuple(ELEMENTS)),
        )
        return
    for code in codes:  # several choices may share one
        if code not in ELEMENTS[question.element]:
            what = f"{quote_value(code)} is not a code of {question.element}"
            pad.say(place, what, suggest_name(code, ELEMENTS[question.element]))


def _check_implied(survey: Survey, pad: TableReader) -> None:
    """Each implied code follows from an answer that can be given."""
    questions = {question.id: question for _, question in survey.questions()}
    for question in questions.values():
        for implied in question.implied:
            source = questions.get(implied.question)
            answers = {choice.code for choice in source.choices} if source else set()
            if source is None or implied.answer not in answers | ({"dont_know"} if source.dont_know else set()):
                what = f'implied: "{implied.question} is {implied.answer}" cannot be answered'
                pad.say(f'question "{question.id}"', what, "name a question, and one of its choices or dont_know")


def _check_scales(survey: Survey, pad: TableReader) -> None:
    questions = {question.id: question for _, question in survey.questions()}
    for scale in survey.scales:
        place = f'scale "{scale.id}"'
        unknown = [item for item in scale.items if item not in questions or questions[item].kind != "scale"]
        for item in unknown:
            pad.say(place, f"{quote_value(item)} is not a question of kind scale", "name its questions of kind scale")
        if len({len(questions[item].choices) for item in scale.items if item not in unknown}) > 1:
            pad.say(place, "its questions have different numbers of points", "use questions with as many points")
        if len(scale.items) < 2 or _find_duplicates(scale.items):
            pad.say(place, "a scale needs at least two different items", "add items, each once")
        for item in set(scale.reversed) - set(scale.items):
            pad.say(place, f"{quote_value(item)} is reversed but not an item", "add it to items")
    for twice in _find_duplicates([scale.id for scale in survey.scales]):
        pad.say("survey", f"scale id {quote_value(twice)} is used twice", "give every scale its own id")


def _check_debrief(everything: list[tuple[Section, Question]], pad: TableReader) -> None:
    """Liaisons answer on one page, with texts."""
    for section, question in everything:
        place = f'section "{section.id}", question "{question.id}"'
        if question.kind not in TEXT_KINDS | {"note"}:
            do = f"use the kind {', '.join(sorted(TEXT_KINDS))}, or note"
            pad.say(place, f"the kind {question.kind} does not fit a survey of liaisons", do)
        if section.repeat or question.shown_when or question.asks or question.dont_know or question.refuse:
            what = "a survey of liaisons asks every question once, and its texts are read by leaders"
            pad.say(place, what, "take out repeat, shown_when, asks, dont_know, and refuse")


def _check_asks(everything: list[tuple[Section, Question]], pad: TableReader) -> None:
    asking = [(section, question) for section, question in everything if question.asks]
    for asks in _find_duplicates([question.asks or "" for _, question in asking]):
        pad.say("survey", f'two questions have asks = "{asks}"', "keep it on one of them")
    for section, question in asking:
        fits = TEXT_KINDS if question.asks == "question" else frozenset({"several", "one"})
        if question.kind not in fits or section.repeat:
            what = f'asks = "{question.asks}" does not fit here'
            do = f"use it on a question of kind {' or '.join(sorted(fits))}, outside a repeated section"
            pad.say(f'section "{section.id}", question "{question.id}"', what, do)


def _find_duplicates(values: Iterable[str]) -> list[str]:
    return [value for value, number in Counter(values).items() if value and number > 1]
