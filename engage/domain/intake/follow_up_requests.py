"""Requests in a family's answers: a question to the school, or help. Each opens a thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engage.questionnaire.answer_text import chosen_choices
from engage.questionnaire.answers import assemble_answers
from engage.questionnaire.model import Question, Survey, Words
from engage.questionnaire.question_types import is_missing
from engage.questionnaire.rules import Answers


@dataclass(frozen=True, slots=True)
class FollowUpRequest:
    """A request. `kind` is "question" or "help"; `text` is what the school reads; `language` is that of the text, None
    for the family's; `question` is the id of the survey question."""

    kind: str
    text: str
    language: str | None
    question: str = ""


def list_follow_ups(survey: Survey, raw: Mapping[str, Sequence[str]], lenient: bool = False) -> list[FollowUpRequest]:
    """Return the requests in raw answers. `lenient` is for paper."""
    return find_follow_ups(survey, assemble_answers(survey, raw, lenient)[0])


def find_follow_ups(survey: Survey, answers: Answers) -> list[FollowUpRequest]:
    """Return the requests in an answer document. Requests for help are worded in the survey's language for staff, since
    the family only marked boxes."""
    requests = []
    for _, question in survey.questions():
        value = answers.get(question.id)
        if question.asks is None or value is None or is_missing(value):
            continue
        if question.asks == "question":
            requests.append(FollowUpRequest("question", str(value), None, question.id))
        elif chosen := _chosen_texts(question, value):
            requests.append(FollowUpRequest("help", ", ".join(chosen), chosen[0].language, question.id))
    return requests


def _chosen_texts(question: Question, value: object) -> list[Words]:
    return [choice.text for choice in chosen_choices(question, value) if not choice.exclusive]
