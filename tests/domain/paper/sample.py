"""Surveys, texts in several scripts, and functions for inspecting pages."""

from datetime import date
from gettext import NullTranslations
from io import BytesIO
from itertools import count

import pypdfium2
from hypothesis import strategies as st

from engage.base.languages import LANGUAGES
from engage.domain.paper.form.cover import Cover
from engage.domain.paper.form.elements import Layout
from engage.domain.paper.form.layout import lay_out_sheet
from engage.domain.paper.form.typesetter import SheetFormat, SurveyInLanguage
from engage.domain.paper.typesetting.fonts import Faces, load_faces
from engage.questionnaire.model import Choice, Question, Section, Survey, Words
from engage.questionnaire.rules import parse_rule

COVER = Cover("Riverbend Public Schools")
LEAF = Cover(
    "Riverbend Public Schools",
    "confidential",
    closes=date(2026, 10, 31),
    interpreter="(555) 010-0199",
    phone="code",
    reply=True,
    answers="survey.riverbend.example/reply",
    outside="window",
)
SAMPLES = {
    "en": "How often does your family use the internet at home (for school)?",
    "es": "¿Con qué frecuencia usa su familia internet en casa? Niños, pingüino, ¡sí!",
    "ar": "كم مرة تستخدم عائلتك الإنترنت في المنزل (للمدرسة)؟",
    "so": "Immisa jeer ayuu qoyskaagu guriga ka isticmaalaa internetka?",
    "vi": "Gia đình quý vị sử dụng internet ở nhà bao lâu một lần? Nguyễn Thị Hồng Điệp",
    "zh-Hans": "您的家人在家多久使用一次互联网（用于学校）？中文，标点符号。",
}


class Translated(NullTranslations):
    """A catalog from a dictionary."""

    def __init__(self, words: dict[str, str]) -> None:
        super().__init__()
        self.words = words

    def gettext(self, message: str) -> str:
        return self.words.get(message, message)


def own_faces(language: str) -> Faces:
    return load_faces(language, LANGUAGES[language].fonts)


def a_question(kind: str, id: str = "asked", language: str = "en", choices: int = 0, **more: object) -> Question:
    said = SAMPLES[language]
    options = tuple(Choice(f"c{n}", Words(said[: 12 + n], language)) for n in range(choices))
    return Question(id, kind, Words(said, language), choices=options, **more)


def a_survey(*questions: Question, language: str = "en", repeat: bool = False) -> Survey:
    words = Words(SAMPLES[language], language)
    how_many = Question("how_many", "number", words, minimum=1, maximum=8)
    section = Section(
        "child", words, words, questions, repeat="how_many" if repeat else None, maximum=8 if repeat else 1
    )
    first = (Section("home", words, words, (how_many,)),) if repeat else ()
    return Survey("trial", words, words, 5, (*first, section))


def laid_out(
    survey: Survey, language: str = "en", cover: Cover = COVER, edition: str = "", numbered: bool = True, **more: object
) -> Layout:
    first = SurveyInLanguage(language, survey, NullTranslations())
    return lay_out_sheet(first, cover, SheetFormat(**more), edition=edition, numbered=numbered)


def page_texts(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    return [page.get_textpage().get_text_range() for page in document]


def page_sizes(pdf: bytes) -> set[tuple[float, float]]:
    return {page.get_size() for page in pypdfium2.PdfDocument(BytesIO(pdf))}


LETTERS = st.text("abcdefghijklmnop éñ\u0301", min_size=1, max_size=60).filter(lambda text: text.strip() != "")
LABELS = st.one_of(st.sampled_from(list(SAMPLES.values())), LETTERS, st.just("W" * 60), st.just("لا"))
CHOICES = st.sampled_from([2, 3, 4, 5, 7, 9, 33])
WORDS = st.builds(Words, LABELS, st.sampled_from(["en", "ar"]))


@st.composite
def questions(draw: st.DrawFn, ids: "count[int]") -> Question:
    kind = draw(st.sampled_from(["one", "several", "scale", "number", "words", "long_words", "date", "note"]))
    size = draw(CHOICES) if kind in ("one", "several", "scale") else 0
    choices = tuple(Choice(f"c{number}", draw(WORDS)) for number in range(size))
    hint = draw(st.one_of(st.just(Words("")), WORDS))
    rule = parse_rule("how_many >= 2 and how_many is answered") if draw(st.booleans()) else None
    markers = draw(st.booleans()) and kind in ("one", "several", "scale", "number")
    return Question(
        f"q{next(ids)}", kind, draw(WORDS), hint, choices, 0, draw(st.integers(1, 99999)), shown_when=rule,
        dont_know=markers, refuse=markers,
    )  # fmt: skip


@st.composite
def surveys(draw: st.DrawFn) -> Survey:
    """One number, some questions, and some questions per child."""
    ids = count()
    how_many = Question("how_many", "number", Words("How many?"), minimum=0, maximum=9)
    several = st.lists(questions(ids), min_size=1, max_size=3).map(tuple)
    home = Section("home", draw(WORDS), draw(WORDS), (how_many, *draw(several)))
    child = Section("child", draw(WORDS), Words(""), draw(several), repeat="how_many", maximum=9)
    return Survey("random", draw(WORDS), draw(WORDS), 5, (home, child))
