"""Messages of the keying pages that depend on the entry."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from engage.base.catalogs import catalogue
from engage.questionnaire.answer_text import missing_text
from engage.questionnaire.model import Survey
from engage.questionnaire.numbering import question_numbers
from engage.questionnaire.routing import Slot
from engage.services.data_entry.duplicates import find_earlier_mode, is_counted
from engage.services.data_entry.entries import Remark
from engage.services.data_entry.form_model import EntryWording
from engage.services.data_entry.lookup import PaperSheet
from engage.web.page_language import gettext, language, ltr, ngettext
from engage.web.permissions import is_allowed

DAY = "2026-09-30"  # an unambiguous example: the day cannot be read as a month

Params = Mapping[str, Any]


def paper_wording(paper: PaperSheet) -> EntryWording:
    """The survey's texts in the paper's language and in the keyer's."""
    theirs, keyers = paper.language, language().tag
    return EntryWording(
        paper.survey(theirs), paper.survey(keyers), catalogue(theirs).gettext, catalogue(keyers).gettext
    )


def duplicate_notice(session: Session, paper: PaperSheet) -> str | None:
    """The message for the keyer of a sheet that is not counted. Only people who may see who answered are informed of
    the earlier response mode."""
    if paper.keying is None or is_counted(session, paper.keying):
        return None
    before = find_earlier_mode(session, paper) if is_allowed("see who answered") else None
    if before == "web":
        # translators: shown to staff who typed in a paper sheet; the same family's answers had come by phone before
        return gettext(
            "This household has already answered online. This form is saved as you entered it, but its answers "
            "are not counted a second time. A question on it still goes to the school."
        )
    if before:
        # translators: shown to staff who typed in a paper sheet; another sheet of the same family was typed in before
        return gettext(
            "Another form from this household has already been entered. This form is saved as you entered it, "
            "but its answers are not counted a second time. A question on it still goes to the school."
        )
    # translators: shown to staff who typed in a paper sheet; the same family's answers had come before
    return gettext(
        "This household has already answered. This form is saved as you entered it, but its answers are not "
        "counted a second time. A question on it still goes to the school."
    )


def no_answer_keys() -> dict[str, tuple[str, str]]:
    """The missing answers of a printed question: keyboard key and label."""
    return {
        "blank": ("0", missing_text("blank", gettext)),
        # translators: keying paper answers: something is written or marked, but nobody can tell what
        "unclear": ("-", gettext("Cannot be read")),
        "two_marks": ("*", missing_text("two_marks", gettext)),
        # translators: keying paper answers: the family wrote or said that it does not want to answer
        "refused": ("/", gettext("Does not want to answer")),
    }


def question_label(slot: Slot, number: int | None) -> str:
    """A question by its printed number."""
    values = {"number": number, "block": slot.block}
    if slot.block is None:
        # translators: a question on paper by its printed number
        return gettext("Question %(number)s", **values)
    # translators: a question on paper by its printed number, in the part about the first, second … child
    return gettext("Child %(block)s, question %(number)s", **values)


@dataclass(frozen=True, slots=True)
class RemarkLine:
    """An inconsistency on a sheet: the question, the key of its slot on the page, and the message."""

    question: str
    slot_key: str
    sentence: str


def remark_lines(remarks: Iterable[Remark], survey: Survey) -> list[RemarkLine]:
    """Remarks as messages, each with its question."""
    numbered = question_numbers(survey)
    return [
        RemarkLine(question_label(each.slot, numbered.get(each.slot.question.id)), each.slot.key, remark_sentence(each))
        for each in remarks
    ]


def remark_sentence(remark: Remark) -> str:
    """The message of a remark."""
    return _REMARKS.get(remark.code, _unexpected)(remark.params)


def _unexpected(_params: Params) -> str:
    # translators: remark on a keyed paper sheet: something in this answer is unusual
    return gettext("Check this answer.")


def _off_route(_params: Params) -> str:
    # translators: remark on a keyed paper sheet: earlier answers say that the family should have skipped this question
    return gettext("The earlier answers skip this question. The mark is saved but not counted.")


def _blocks(params: Params) -> str:
    # translators: remark on a keyed paper sheet: the family filled in more parts than the number of children it gave
    return ngettext(
        "The form describes %(num)s child, but the number of children given is different.",
        "The form describes %(num)s children, but the number of children given is different.",
        **params,
    )


def _exclusive(_params: Params) -> str:
    # translators: remark on a keyed paper sheet: for example "Nowhere else" and "At the library" are both marked
    return gettext("A choice that must be marked alone is marked together with others.")


def _number(_params: Params) -> str:
    # translators: remark on a keyed paper sheet
    return gettext("This is not a whole number, so it is counted as “Cannot be read.”")


def _minimum(params: Params) -> str:
    # translators: remark on a keyed paper sheet
    return gettext("The number is smaller than %(minimum)s. It is saved as written.", **params)


def _maximum(params: Params) -> str:
    # translators: remark on a keyed paper sheet
    return gettext("The number is larger than %(maximum)s. It is saved as written.", **params)


def _date(_params: Params) -> str:
    # translators: remark on a keyed paper sheet; %(example)s is a day like 2026-09-30
    return gettext("This is not a date like %(example)s, so it is counted as “Cannot be read.”", example=ltr(DAY))


_REMARKS: dict[str, Callable[[Params], str]] = {
    "off_route": _off_route,
    "blocks": _blocks,
    "exclusive": _exclusive,
    "not_a_number": _number,
    "below_minimum": _minimum,
    "above_maximum": _maximum,
    "not_a_date": _date,
}
