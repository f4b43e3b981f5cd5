"""The notice to families before a survey of students, as a PDF on letter paper (services/waves/family_notice.py)."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from engage.base.catalogs import catalogue
from engage.domain.paper.documents import document as paper
from engage.questionnaire.model import Words
from engage.questionnaire.text_cleaning import clean_text
from engage.services.waves.family_notice import FamilyNotice, NoticeSection
from engage.services.waves.notice_questions import NoticePart, NoticeQuestion

BETWEEN = " · "  # between two choices
APART = 2.0  # mm between two questions, more than between a question and its choices


def render_family_notice_pdf(notice: FamilyNotice, language: str, district: str, fonts: Path | None = None) -> bytes:
    """The notice as a PDF. `language` is the notice's tag, `fonts` is ENGAGE_FONT_DIR. Raises MissingFont."""
    out = BytesIO()
    header = clean_text(district, lines=False)
    format = paper.DocumentFormat(language, catalogue(language), header, fonts=fonts)
    paper.write_document(out, notice.title, list(_paper_blocks(notice)), format)
    return out.getvalue()


def _paper_blocks(notice: FamilyNotice) -> Iterator[paper.Block]:
    yield paper.Heading(1, notice.title)
    yield from (paper.Paragraph(sentence) for sentence in notice.opening)
    for section in (*notice.about, notice.questions):
        yield from _section_blocks(section)
    for part in notice.parts:
        yield from _part_blocks(part)
    for section in notice.rights:
        yield from _section_blocks(section)
    slip = notice.slip
    yield paper.TearOff(slip.heading, [slip.statement], slip.fields)


def _section_blocks(section: NoticeSection) -> Iterator[paper.Block]:
    yield paper.Heading(2, section.heading)
    yield from (paper.Paragraph(sentence) for sentence in section.paragraphs)
    if section.items:
        yield paper.Listing(section.items)
    if section.address:
        yield paper.Paragraph(section.address)


def _part_blocks(part: NoticePart) -> Iterator[paper.Block]:
    yield paper.Heading(3, part.title)
    if part.intro:
        yield paper.Paragraph(part.intro, leads=True)
    for question in part.questions:
        yield from _question_blocks(question)


def _question_blocks(question: NoticeQuestion) -> Iterator[paper.Block]:
    """The question, and on the same page what is below it."""
    yield paper.Spacer(APART)
    if question.number is None:
        yield paper.Paragraph(question.text)
        return
    yield paper.Paragraph(_in_language(f"{question.number}. {question.text}", question.text), bold=True, leads=True)
    for text in (question.hint, *question.directions):
        if text:
            yield paper.Paragraph(text, soft=True, leads=True)
    choices = BETWEEN.join(question.choices)
    answers = f"{question.manner} {choices}" if choices else question.manner
    yield paper.Paragraph(answers, leads=bool(question.area))
    if question.area:
        yield paper.Paragraph(question.area, soft=True)


def _in_language(text: str, like: Words) -> Words:
    """The text in the language of another, which may be untranslated."""
    return Words(text, like.language)
