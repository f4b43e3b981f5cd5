"""Surveys of students: off until an administrator switches them on, and the reasons against opening one (20 U.S.C.
1232h)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from gettext import NullTranslations

from sqlalchemy.orm import Session

from engage.services.waves.populations import NOTICE_DAYS, earliest_first_day
from engage.storage.models.switches import STUDENT_SURVEYS, FeatureSwitch

TEXT_DOMAIN = "staff"

MOST_EXAMPLES = 3  # texts a refusal shows as examples


@dataclass(frozen=True, slots=True)
class StudentSurveyFacts:
    """What decides whether students may be asked. `protected` are the questions about a protected area; `opens` is the
    first day, if it is chosen."""

    is_allowed: bool
    federal_funds: bool | None
    protected: Sequence[str]
    opens: date | None
    today: date


def are_student_surveys_allowed(session: Session) -> bool:
    """Whether an administrator has switched surveys of students on."""
    switch = find_switch(session)
    return switch is not None and switch.is_on


def find_switch(session: Session) -> FeatureSwitch | None:
    """The switch; None if nobody has changed it yet."""
    return session.get(FeatureSwitch, STUDENT_SURVEYS)


def allow_student_surveys(session: Session, is_on: bool, staff_id: int | None, today: date) -> None:
    """Switch surveys of students on or off. Never commits."""
    session.merge(FeatureSwitch(name=STUDENT_SURVEYS, is_on=is_on, changed_by=staff_id, changed_on=today))
    session.flush()


def find_problems(facts: StudentSurveyFacts, words: NullTranslations) -> Iterator[tuple[str, str]]:
    """The reasons against asking students: a field of a new wave, and a sentence that says what to do."""
    if not facts.is_allowed:
        # translators: staff form: surveys of students are off until an administrator switches them on
        yield "survey", words.gettext("Surveys of students are switched off. An administrator can switch them on.")
    if facts.opens is not None and facts.opens < earliest_first_day(facts.today):
        # translators: staff form: %(days)s is a number of days
        sentence = words.gettext(
            "Families need the notice %(days)s days before the first day. Choose a first day at least %(days)s days "
            "from today."
        )
        yield "opens", sentence % {"days": NOTICE_DAYS}
    if facts.federal_funds is None:
        # translators: staff form: whether money of the U.S. Department of Education pays for a survey of students
        yield "federal_funds", words.gettext("Choose whether federal education funds pay for this survey.")
    if facts.federal_funds and facts.protected:
        yield "survey", _consent_sentence(facts.protected, words)


def _consent_sentence(protected: Sequence[str], words: NullTranslations) -> str:
    # translators: staff form. PPRA is a law of the United States; %(examples)s are questions of the survey
    sentence = words.ngettext(
        "%(num)s question is in an area that PPRA protects (%(examples)s). With federal funds, each family would "
        "have to agree in writing first. Engage does not collect that, so it does not open this survey.",
        "%(num)s questions are in an area that PPRA protects (%(examples)s). With federal funds, each family would "
        "have to agree in writing first. Engage does not collect that, so it does not open this survey.",
        len(protected),
    )
    return sentence % {"num": len(protected), "examples": format_examples(protected)}


def format_examples(texts: Sequence[str]) -> str:
    """Some of these texts as examples in a sentence."""
    return " · ".join(texts[:MOST_EXAMPLES]) + (" …" if len(texts) > MOST_EXAMPLES else "")
