"""The part of a notice that a family tears off, fills in, and gives to the school to say no to a survey of students.

A family reads its own language, and the school's office reads English, so a slip has both.
"""

from dataclasses import dataclass
from gettext import NullTranslations

from engage.questionnaire.model import Words
from engage.services.waves.privacy_notice import SOURCE, isolate_text

TEXT_DOMAIN = "family"


@dataclass(frozen=True, slots=True)
class RefusalSlip:
    """A heading, what the family signs, and the labels of lines to write on. Texts are pairs with their English, which
    is empty in an English notice."""

    heading: str
    statement: tuple[str, Words]
    fields: tuple[tuple[str, Words], ...]


def build_refusal_slip(titles: tuple[str, str], day: str, words: NullTranslations, language: str) -> RefusalSlip:
    """The slip in a language (a tag). `titles` are the survey's in that language and in English, `day` is the last day
    to say no."""
    # translators: heading of the part of a notice that a family tears off and fills in; day is a date
    heading = words.gettext("To say no, give this part to your school's office by %(day)s")
    title, english_title = titles
    texts, english = _slip_texts(title, words), _slip_texts(english_title, NullTranslations())
    glosses = [Words("" if language == SOURCE else text, SOURCE) for text in english]
    statement, *fields = zip(texts, glosses, strict=True)
    return RefusalSlip(heading % {"day": day}, statement, tuple(fields))


def _slip_texts(title: str, words: NullTranslations) -> tuple[str, ...]:
    """The statement of the slip, and the labels of its lines."""
    # translators: what a family signs on the part of a notice that it tears off
    statement = words.gettext("I do not want my child to take part in the survey “%(survey)s”.")
    return (
        statement % {"survey": isolate_text(title)},
        # translators: before a line to write on, on the part of a notice that a family tears off
        words.gettext("Student's name"),
        # translators: before a line to write on, on the part of a notice that a family tears off
        words.gettext("School"),
        # translators: before a line to write on, on the part of a notice that a family tears off
        words.gettext("Signature of a parent or guardian"),
        # translators: before a line to write on, on the part of a notice that a family tears off
        words.gettext("Today's date"),
    )
