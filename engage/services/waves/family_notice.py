"""The notice to families before a survey of students: what is asked, when, and how to say no.

20 U.S.C. 1232h(c)(2): families are directly notified of the days of a survey, may read it, and may opt their child out.
Where a survey needs written consent (1232h(b)), it is not opened, so the notice never asks for consent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from gettext import NullTranslations

from babel.dates import format_date
from babel.lists import format_list

from engage.base.languages import LANGUAGES
from engage.questionnaire.model import Survey
from engage.questionnaire.text_cleaning import clean_text
from engage.services.waves.notice_questions import NoticePart, list_protected_questions, list_survey_parts
from engage.services.waves.privacy_notice import ISOLATE, LTR, POP, isolate_text
from engage.services.waves.refusal_slip import RefusalSlip, build_refusal_slip

TEXT_DOMAIN = "family"

NO_BREAK = "\u00a0"  # a space at which no line ends


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """What a notice is filled in with. `schools` are names, none if all schools of the district take part; `phone` may
    be empty; `reading_address` is the URL of the reading copy; `areas` are screening decisions by question id, and
    undecided questions are absent."""

    district: str
    phone: str
    schools: tuple[str, ...]
    opens: date
    closes: date
    say_no_by: date
    reading_address: str
    english_title: str
    areas: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NoticeSection:
    """A heading, paragraphs, and below them a list, or an address on the web."""

    heading: str
    paragraphs: tuple[str, ...]
    items: tuple[str, ...] = ()
    address: str = ""


@dataclass(frozen=True, slots=True)
class FamilyNotice:
    """A notice in one language, in reading order. Sentences contain names and numbers between isolates (U+2066 to
    U+2069)."""

    title: str
    opening: tuple[str, ...]
    about: tuple[NoticeSection, ...]
    questions: NoticeSection
    parts: tuple[NoticePart, ...]
    rights: tuple[NoticeSection, ...]
    slip: RefusalSlip


@dataclass(frozen=True, slots=True)
class _Writer:
    """The survey, the facts, and the catalog of one notice."""

    survey: Survey
    facts: NoticeFacts
    words: NullTranslations
    language: str

    def day(self, day: date) -> str:
        return f"{ISOLATE}{format_date(day, 'long', locale=LANGUAGES[self.language].locale)}{POP}"


def build_family_notice(survey: Survey, facts: NoticeFacts, words: NullTranslations, language: str) -> FamilyNotice:
    """The notice about a survey. `survey` and `words` are in `language` (a tag)."""
    writer = _Writer(survey, facts, words, language)
    # translators: title of a notice to families, before students answer a survey; %(survey)s is the survey's title
    title = words.gettext("A survey of students: %(survey)s")
    return FamilyNotice(
        title % {"survey": survey.title},
        _opening_sentences(writer),
        (_purpose_section(writer), _days_section(writer), _choice_section(words)),
        _questions_section(writer),
        tuple(list_survey_parts(survey, facts.areas, words)),
        (_reading_section(writer), _refusal_section(writer)),
        build_refusal_slip((survey.title, facts.english_title), writer.day(facts.say_no_by), words, language),
    )


def _opening_sentences(writer: _Writer) -> tuple[str, ...]:
    words = writer.words
    # translators: first sentence of a notice to families; district is the name of a school district
    plan = words.gettext("%(district)s plans to ask students the questions in this notice.")
    # translators: at the beginning of a notice to families; day is a date. "Say no": not let the child take part
    refusal = words.gettext("You can say no for your child until %(day)s. The end of this notice says how.")
    return (
        plan % {"district": isolate_text(writer.facts.district)},
        refusal % {"day": writer.day(writer.facts.say_no_by)},
    )


def _purpose_section(writer: _Writer) -> NoticeSection:
    words = writer.words
    # translators: heading in a notice to families about a survey of students
    heading = words.gettext("What the survey is for")
    # translators: in a notice to families; below it is the text with which the survey begins
    name = words.gettext("The survey is called “%(survey)s”. Students read this before they begin:")
    return NoticeSection(heading, (name % {"survey": isolate_text(writer.survey.title)}, writer.survey.purpose))


def _days_section(writer: _Writer) -> NoticeSection:
    words, facts = writer.words, writer.facts
    # translators: heading in a notice to families about a survey of students
    heading = words.gettext("When and where")
    # translators: when students can answer a survey; two days
    days = words.gettext("Students can answer from %(first)s to %(last)s.")
    days %= {"first": writer.day(facts.opens), "last": writer.day(facts.closes)}
    # translators: how long a survey takes
    length = words.ngettext("It takes about %(num)s minute.", "It takes about %(num)s minutes.", writer.survey.minutes)
    return NoticeSection(heading, (f"{days} {length % {'num': writer.survey.minutes}}", _schools_sentence(writer)))


def _schools_sentence(writer: _Writer) -> str:
    schools = [isolate_text(school) for school in writer.facts.schools]
    if not schools:
        # translators: in a notice to families about a survey of students
        return writer.words.gettext("Students of all schools of the district are asked.")
    # translators: in a notice to families about a survey of students; schools is one name or several
    sentence = writer.words.gettext("Students of these schools are asked: %(schools)s.")
    return sentence % {"schools": format_list(schools, locale=LANGUAGES[writer.language].locale)}


def _choice_section(words: NullTranslations) -> NoticeSection:
    # translators: heading in a notice to families about a survey of students
    heading = words.gettext("Each student can choose")
    sentences = (
        # translators: privacy: in a notice to families about a survey of students
        words.gettext("No student has to take part. A student can skip any question, and can stop at any time."),
        # translators: privacy: in a notice to families about a survey of students; anonymous: nobody can tell who
        # answered. 'Class' is the group of students
        words.gettext("The survey is anonymous. We do not store a student's name or class with the answers."),
    )
    return NoticeSection(heading, sentences)


def _questions_section(writer: _Writer) -> NoticeSection:
    words, areas = writer.words, writer.facts.areas
    # translators: heading in a notice to families; below it are all questions of a survey with their choices
    heading = words.gettext("All the questions")
    items = tuple(list_protected_questions(writer.survey, areas, words))
    if items:
        # translators: privacy: in a notice to families, above a list of lines like "Question 3: religion: what …".
        # The law names eight areas, such as religion or income
        sentence = words.gettext(
            "A law, the Protection of Pupil Rights Amendment, protects eight areas. "
            "We list here each question that is about one of them:"
        )
        return NoticeSection(heading, (sentence,), items)
    if any(question.id not in areas for _, question in writer.survey.questions() if question.kind != "note"):
        return NoticeSection(heading, ())
    # translators: privacy: in a notice to families, above all questions of a survey
    sentence = words.gettext(
        "A law, the Protection of Pupil Rights Amendment, protects eight areas, such as religion and income. "
        "We checked each question. None of them is about one of these areas."
    )
    return NoticeSection(heading, (sentence,))


def _reading_section(writer: _Writer) -> NoticeSection:
    words = writer.words
    # translators: heading in a notice to families about a survey of students
    heading = words.gettext("Read the questions before the survey")
    # translators: privacy: in a notice to families; below it is an address on the web
    sentence = words.gettext(
        "You may read every question before students answer. Ask your school's office for a copy, or read them on this "
        "page:"
    )
    return NoticeSection(heading, (sentence,), address=f"{LTR}{writer.facts.reading_address}{POP}")


def _refusal_section(writer: _Writer) -> NoticeSection:
    words = writer.words
    # translators: heading in a notice to families about a survey of students: how not to let the child take part
    heading = words.gettext("How to say no")
    sentences = (
        _refusal_sentence(writer),
        # translators: in a notice to families; the last part has lines to write on
        words.gettext("You can also fill in the last part of this notice and give it to the office."),
        # translators: privacy: in a notice to families; services are such as help, meals, or the bus
        words.gettext("Saying no has no effect on your child's grades or services."),
        # translators: in a notice to families: what happens if they do not say no
        words.gettext("If you do not say no, your child will be asked, and can still choose not to answer."),
    )
    return NoticeSection(heading, sentences)


def _refusal_sentence(writer: _Writer) -> str:
    facts, values = writer.facts, {"day": writer.day(writer.facts.say_no_by)}
    if not facts.phone:
        # translators: in a notice to families; day is a date
        sentence = writer.words.gettext(
            "If you do not want your child to take part, tell your school's office by %(day)s."
        )
        return sentence % values
    # translators: in a notice to families; day is a date, phone a telephone number of the school district
    sentence = writer.words.gettext(
        "If you do not want your child to take part, tell your school's office by %(day)s, or call %(phone)s."
    )
    phone = clean_text(facts.phone, lines=False).replace(" ", NO_BREAK)
    return sentence % (values | {"phone": f"{LTR}{phone}{POP}"})
