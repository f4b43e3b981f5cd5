"""The digital-equity elements of Ed-Fi Data Standard 5.2 with their exact code values, and the values that follow from
a household's answers for each of its children.

Source of the values: the descriptor files of the standard (StudentEducationOrganizationAssociation). The first element
is a boolean. Source of the states' values: Minnesota StudentIndicators, group DigitalEquity; New York Commissioner's
Regulation 155.17.
"""

from collections.abc import Iterator, Mapping
from typing import cast

from engage.questionnaire.model import Choice, Question, Survey
from engage.questionnaire.question_types import is_missing
from engage.questionnaire.routing import count_blocks, slots_on_route
from engage.questionnaire.rules import Answers, AnswerValue

ELEMENTS: dict[str, tuple[str, ...]] = {
    "InternetAccessInResidence": ("true", "false"),
    "BarrierToInternetAccessInResidence": ("Not Available", "Not Affordable", "Not Desired", "Other"),
    "InternetAccessTypeInResidence": (
        "Residential Broadband",
        "Cellular Network",
        "Hot Spot",
        "Community Provided Wi-Fi",
        "Satellite",
        "Dial-up",
        "Other",
        "None",
        "Unknown",
    ),
    "InternetPerformanceInResidence": ("Yes", "Sometimes", "No"),
    "PrimaryLearningDeviceAwayFromSchool": (
        "Desktop Computer",
        "Laptop Computer",
        "Tablet",
        "Chromebook",
        "Smartphone",
        "None",
        "Other",
    ),
    "PrimaryLearningDeviceAccess": ("Shared", "Not Shared", "Unknown"),
    "PrimaryLearningDeviceProvider": ("Personal", "School", "Other"),
}

STATE_FIELDS: dict[str, dict[str, str]] = {
    "mn": {
        "InternetAccessInResidence": "InternetAccessInResidence",
        "BarrierToInternetAccessInResidence": "InternetAccessInResidence",  # "No - Not Affordable": one field for both
        "InternetAccessTypeInResidence": "InternetAccessTypeInResidence",
        "InternetPerformanceInResidence": "InternetPerformance",
        "PrimaryLearningDeviceAwayFromSchool": "DigitalDevice",
        "PrimaryLearningDeviceProvider": "PrimaryLearningDeviceProvider",
        "PrimaryLearningDeviceAccess": "PrimaryLearningDeviceAccess",
    },
    "ny": {element: element for element in ELEMENTS},
}
"""By state of `model.PROFILES`: its field for each Ed-Fi element."""

Values = dict[str, str]
"""Code value by element, or by a state's field."""


def child_values(survey: Survey, answers: Answers, state: str = "") -> list[Values]:
    """Return the values for each child of a household, in the order of the blocks: Ed-Fi's, or a state's.

    What was said about the home counts for every child. An element that no answer decides is left out. Answers off the
    route do not count.
    """
    route = {slot.key: slot for slot in slots_on_route(survey, answers)}
    home = {slot.question.id for slot in route.values() if slot.block is None}
    outside = {id: cast(AnswerValue, answers[id]) for id in home if id in answers}
    section = next((section for section in survey.sections if section.repeat), None)
    blocks = count_blocks(section, answers) if section else 0
    of_home = dict(_decided_values(survey, outside, None, state))
    return [
        of_home | dict(_decided_values(survey, outside, _block_answers(answers, section.id, block), state))
        for block in range(blocks or 0)
        if section
    ]


def _block_answers(answers: Answers, section: str, block: int) -> Mapping[str, AnswerValue]:
    blocks = answers.get(section)
    return cast(Mapping[str, AnswerValue], blocks[block]) if isinstance(blocks, list) and block < len(blocks) else {}


def _decided_values(
    survey: Survey, outside: Mapping[str, AnswerValue], inside: Mapping[str, AnswerValue] | None, state: str
) -> Iterator[tuple[str, str]]:
    """Yield the element, or the state's field, and the value of each question: outside the repeated section, or of one
    of its blocks (`inside`)."""
    answers = outside if inside is None else {**outside, **inside}
    for section, question in survey.questions():
        if question.element is None or bool(section.repeat) != (inside is not None):
            continue
        value = _state_value(question, answers, state) if state else _ed_fi_value(question, answers)
        if value is not None:
            yield STATE_FIELDS[state][question.element] if state else question.element, value


def _ed_fi_value(question: Question, answers: Mapping[str, AnswerValue]) -> str | None:
    choice = _chosen(question, answers)
    if choice is not None:
        return choice.ed_fi
    follows = (each.ed_fi for each in question.implied if _answer_code(answers.get(each.question)) == each.answer)
    return next(follows, None)


def _state_value(question: Question, answers: Mapping[str, AnswerValue], state: str) -> str | None:
    choice = _chosen(question, answers)
    return dict(choice.profiles).get(state) if choice is not None else None


def _chosen(question: Question, answers: Mapping[str, AnswerValue]) -> Choice | None:
    value = answers.get(question.id)
    return question.choice(value) if isinstance(value, str) else None


def _answer_code(value: AnswerValue | None) -> str | None:
    """The code of a choice, "dont_know", or another missing answer's code; None for a blank and other answers."""
    if isinstance(value, Mapping) and is_missing(value):
        return value["missing"]
    return value if isinstance(value, str) else None
