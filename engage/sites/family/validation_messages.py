"""Validation of answers, and the messages of refused ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from engage.questionnaire.model import Question
from engage.questionnaire.pages import Step
from engage.questionnaire.question_types import RefusedAnswer, read_answer
from engage.questionnaire.rules import evaluate_rule
from engage.web.page_language import gettext, ltr, ngettext

Raw = Mapping[str, Sequence[str]]
DAY = "2026-\u206010-\u206031"  # an example whose day cannot be read as a month; not broken at the end of a line


def validate_step(step: Step, raw: Raw) -> dict[str, RefusedAnswer]:
    """Refused answers of one page, by slot key; questions off the route are ignored."""
    wrong: dict[str, RefusedAnswer] = {}
    answers: dict[str, Any] = {}
    for slot, rule in zip(step.page.slots, step.rules, strict=True):
        if rule is False or (rule is not True and not evaluate_rule(rule, answers)):
            continue
        value = read_answer(slot.question, raw.get(slot.key, ()), raw.get(slot.key + "~", ()))
        if isinstance(value, RefusedAnswer):
            wrong[slot.key] = value
        elif value is not None:
            answers[slot.question.id] = value
    return wrong


def validation_sentence(refused: RefusedAnswer, question: Question) -> str:
    """The message for the family, in the page's language; `question` in the same language."""
    params = refused.params
    match refused.code:
        case "one_only":
            # translators: error beside a question: several answers were marked, one is allowed
            return gettext("Please choose one answer only.")
        case "exclusive":
            option = question.choice(str(params["code"]))
            choice = option.text if option else ""
            # translators: error beside a question; the choice is one like "None of these", which stands alone
            return gettext("You chose “%(choice)s” and something else too. Please keep what fits.", choice=choice)
        case "too_many":
            # translators: error beside a question: more answers were marked than allowed. %(num)s is a number, like 2
            return ngettext(
                "Please mark at most %(num)s answer.", "Please mark at most %(num)s answers.", int(params["most"])
            )
        case "answer_and_marker":
            # translators: error beside a question: an answer, and also "I don't know" or "I don't want to answer"
            return gettext("You gave an answer and also chose not to answer. Please keep one of the two.")
        case "not_a_number":
            # translators: error beside a question that asks for a number
            return gettext("Please write a whole number in digits, like 3.")
        case "below_minimum":
            # translators: error beside a question that asks for a number; %(minimum)s is a number
            return gettext("Please write %(minimum)s or a larger number.", **params)
        case "above_maximum":
            # translators: error beside a question that asks for a number; %(maximum)s is a number
            return gettext("Please write %(maximum)s or a smaller number.", **params)
        case "not_a_date":
            # translators: error beside a question that asks for a day; %(example)s is a day like 2026-10-31
            return gettext("Please write the year, the month and the day, like %(example)s.", example=ltr(DAY))
        case "elsewhere":
            # translators: error beside a question that was answered on another phone; what was answered is not shown
            return gettext("The answer from the other phone cannot be used. Please answer again.")
        case "blank_count" if question.id == "children":
            # translators: error beside the question how many children there are, left blank
            return gettext("Please write a number. We need it to ask about each child.")
        case "blank_count":
            # translators: error beside a question that asks for a number, left blank; a part is asked so many times
            return gettext("Please write a number. We need it to know how many times to ask the next part.")
        case "blank":
            # translators: error beside a question left blank
            return gettext("Please choose an answer. We need it to know what to ask next.")
        case "too_long":
            return _length_sentence(int(params["length"]) - int(params["most"]))
    # translators: error beside a question: what was sent is none of its choices
    return gettext("Please choose one of the answers shown.")


def _length_sentence(over: int) -> str:
    # translators: error beside a text that is too long. A character is a letter, digit, sign or space
    return ngettext(
        "This text is %(num)s character too long. Please make it shorter.",
        "This text is %(num)s characters too long. Please make it shorter.",
        over,
    )
