"""Screening: the decision, question by question, whether a survey asks about one of the eight areas that the Protection
of Pupil Rights Amendment names (20 U.S.C. 1232h(b)). A decision applies to one wording; a new wording needs a new one.
"""

import hashlib
import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from gettext import NullTranslations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.questionnaire.model import Question, Survey
from engage.questionnaire.text_cleaning import clean_text
from engage.storage.models.screening import Screening

TEXT_DOMAIN = "family"

NONE = "none"
NOTE_MOST = 500  # characters, the length of the column


def gettext(sentence: str) -> str:
    """Marks a sentence for extraction; it is translated when it is used."""
    return sentence


AREAS = {
    # translators: a protected area of the law, after "This question is about an area that the law protects:"
    "politics": gettext("political beliefs, or the party or group that the child or a parent belongs to"),
    # translators: a protected area of the law
    "mental_health": gettext("mental or psychological problems of the child or the family"),
    # translators: a protected area of the law
    "sex": gettext("sex: what a person does or thinks"),
    # translators: a protected area of the law
    "behavior": gettext("behavior that breaks the law, harms others, is shameful, or could get a person in trouble"),
    # translators: a protected area of the law
    "family_criticism": gettext("criticism of close family members"),
    # translators: a protected area of the law
    "privileged": gettext("relationships that the law keeps private, such as with a lawyer, a doctor, or a minister"),
    # translators: a protected area of the law
    "religion": gettext("religion: what the child or a parent believes, does, or belongs to"),
    # translators: a protected area of the law
    "income": gettext("income, except where the law needs it to decide who can get help"),
}
"""The eight areas in plain language, in the order of the law."""

STATUTE = {
    "politics": "political affiliations or beliefs of the student or the student's parent",
    "mental_health": "mental or psychological problems of the student or the student's family",
    "sex": "sex behavior or attitudes",
    "behavior": "illegal, anti-social, self-incriminating, or demeaning behavior",
    "family_criticism": (
        "critical appraisals of other individuals with whom respondents have close family relationships"
    ),
    "privileged": (
        "legally recognized privileged or analogous relationships, such as those of lawyers, physicians, and ministers"
    ),
    "religion": "religious practices, affiliations, or beliefs of the student or student's parent",
    "income": (
        "income (other than that required by law to determine eligibility for participation in a program or for "
        "receiving financial assistance under such program)"
    ),
}
"""The areas in the text of 20 U.S.C. 1232h(b)(1) to (8), which is not translated."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision about one item: "none" or an area, and a note for colleagues."""

    area: str
    note: str = ""


class UnknownArea(ValueError):
    """An area that is not in the law."""


def item_digest(question: Question) -> str:
    """The digest that identifies an item: SHA-256 of id, kind, and the English texts and choices."""
    parts = [question.id, question.kind, str(question.text), str(question.hint)]
    choices = [[choice.code, str(choice.text)] for choice in question.choices]
    return hashlib.sha256(json.dumps([parts, choices], ensure_ascii=False).encode()).hexdigest()


def screening_items(survey: Survey) -> dict[str, Question]:
    """The items of a survey in English, in order: all questions, but no notes."""
    return {item_digest(question): question for _, question in survey.questions() if question.kind != "note"}


def load_decisions(session: Session, items: Iterable[str]) -> dict[str, Screening]:
    """The decisions about these items; undecided ones are left out."""
    stored = session.scalars(select(Screening).where(Screening.item.in_(list(items))))
    return {each.item: each for each in stored}


def find_unscreened_questions(survey: Survey, screened: Container[str]) -> list[Question]:
    """The questions of a survey (in English) without a decision."""
    return [question for digest, question in screening_items(survey).items() if digest not in screened]


def store_decisions(session: Session, decisions: Mapping[str, Decision], staff_id: int | None, today: date) -> int:
    """Store decisions by item. A decision equal to the stored one leaves it unchanged, with its author. Returns how
    many are new or changed. Raises UnknownArea."""
    stored = load_decisions(session, decisions)
    changed = 0
    for digest, decision in decisions.items():
        if decision.area != NONE and decision.area not in AREAS:
            raise UnknownArea(decision.area)
        note = clean_text(decision.note, lines=False)[:NOTE_MOST]
        before = stored.get(digest)
        if before is not None and (before.area, before.note) == (decision.area, note):
            continue
        changed += 1
        row = Screening(item=digest, area=decision.area, note=note, decided_by=staff_id, decided_on=today)
        session.merge(row)
    session.flush()
    return changed


def describe_decision(area: str | None, words: NullTranslations) -> str:
    """A decision in plain language, for families too; None is an undecided question."""
    if area is None:
        # translators: privacy: beside a question of a survey; the school has not yet looked whether it asks
        # about something private that the law protects. The Protection of Pupil Rights Amendment is a US law
        return words.gettext(
            "Nobody has checked yet whether this asks about something that the Protection of Pupil Rights Amendment "
            "protects."
        )
    if area not in AREAS:
        # translators: privacy: beside a question. The law names eight areas, such as religion or income
        return words.gettext(
            "Checked: this is in none of the eight areas that the Protection of Pupil Rights Amendment protects."
        )
    # translators: privacy: beside a question. %(area)s is one of eight, like "religion: what one believes, …"
    sentence = words.gettext(
        "Checked: this asks about an area that the Protection of Pupil Rights Amendment protects: %(area)s."
    )
    return sentence % {"area": words.gettext(AREAS[area])}
