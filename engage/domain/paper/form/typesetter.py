"""Typesetting of a form: sizes, and text items for texts in one or two languages."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from gettext import NullTranslations
from pathlib import Path

from engage.base.languages import LANGUAGES, Language
from engage.domain.paper.form.elements import POINT, Block, Column, Item, Text, side_by_side
from engage.domain.paper.form.sizes import COMPACT, LARGE, NORMAL, SOFT, STYLES, Sizes, Style
from engage.domain.paper.typesetting.fonts import Faces, load_faces
from engage.domain.paper.typesetting.paragraph import ParagraphStyle, lay_out_paragraph
from engage.questionnaire.model import Survey, Words
from engage.questionnaire.numbering import question_numbers

__all__ = [
    "ARRANGEMENTS",
    "BETWEEN",
    "COMPACT",
    "LARGE",
    "NORMAL",
    "SOFT",
    "STYLES",
    "Say",
    "Setting",
    "SheetFormat",
    "SheetLanguage",
    "Sizes",
    "Style",
    "SurveyInLanguage",
    "Typesetter",
    "build_setting",
    "has_cut_word",
]

ARRANGEMENTS = ("under", "beside")
BLOCKS = 3  # child blocks printed
BETWEEN = 4.0  # mm between the columns of two languages
UNDER = 0.4  # mm between a sentence and its translation below it
LESSER = 0.7  # size of the second language relative to the first; never smaller than a hint


@dataclass(frozen=True, slots=True)
class Typesetter:
    """Makes text items for pages in one language."""

    language: Language
    faces: Faces

    def text(self, text: str, width: float, style: Style, align: str = "start") -> Text:
        """Return a paragraph, `width` mm wide. A text in another language has its own direction, but the page's
        alignment.

        `align` is "start", "end", or "center".
        """
        language = LANGUAGES.get(getattr(text, "language", ""), self.language)
        start, end = ("right", "left") if self.language.rtl else ("left", "right")
        side = {"start": start, "end": end}.get(align, align)
        paragraph_style = ParagraphStyle(
            style.size, self.faces, language.direction, language.tag, bold=style.bold, align=side
        )
        paragraph = lay_out_paragraph(str(text), width / POINT, paragraph_style)
        return Text(0.0, 0.0, width, paragraph.height * POINT, paragraph, style.ink, style.role)


@dataclass(frozen=True, slots=True)
class SurveyInLanguage:
    """A survey in one language (a tag), and the catalog for it."""

    language: str
    survey: Survey
    words: NullTranslations


@dataclass(frozen=True, slots=True)
class SheetLanguage:
    """One language of a form with all its texts."""

    language: Language
    survey: Survey
    words: NullTranslations
    faces: Faces


@dataclass(frozen=True, slots=True)
class SheetFormat:
    """How a form is printed.

    `paper` is "letter" or "a4"; `style` is "standard", "large" (18 points), or "compact"; a `second` language is
    "under" the first or "beside" it, as in `arrangement`; `blocks` is the number of printed blocks of a repeated
    section; `fonts` is ENGAGE_FONT_DIR.
    """

    paper: str = "letter"
    style: str = "standard"
    second: SurveyInLanguage | None = None
    arrangement: str = "under"
    blocks: int = BLOCKS
    fonts: Path | None = None


STANDARD = SheetFormat()

Say = Callable[[SheetLanguage], str]
"""Returns a text in a language: `lambda tongue: tongue.words.gettext("Day")`."""


@dataclass(frozen=True, slots=True)
class Setting(Typesetter):
    """Everything needed to lay out a survey's blocks, in one language or two."""

    survey: Survey
    words: NullTranslations
    sizes: Sizes
    numbers: dict[str, int]
    second: SheetLanguage | None = None
    arrangement: str = "under"  # position of the second language: "under" the first or "beside" it

    @property
    def tongues(self) -> tuple[SheetLanguage, ...]:
        """The form's languages: the first, and the second if there is one."""
        first = SheetLanguage(self.language, self.survey, self.words, self.faces)
        return (first,) if self.second is None else (first, self.second)

    def block(self, say: Say, width: float, style: Style, align: str = "start") -> Block:
        """Return a text in every language of the form, `width` mm wide; once if both are the same.

        The second language is below the first, smaller and lighter, or beside it in the same style. Side by side, every
        language is aligned in its own direction; below each other, both as the page. An empty text gives a block of
        height 0.
        """
        labels = list(self.translations(say))
        if self.arrangement == "beside" and len(labels) > 1:
            each = (width - BETWEEN) / 2
            return side_by_side(
                (index * (each + BETWEEN), _text_block(self.side_text(tongue, text, each, style, align)))
                for index, (tongue, text) in enumerate(labels)
            )
        return self.stack(labels, width, style, align)

    def stack(
        self, labels: list[tuple[SheetLanguage, Words]], width: float, style: Style, align: str = "start"
    ) -> Block:
        """Return texts below each other regardless of arrangement, the first unchanged, the second smaller and
        lighter."""
        column = Column()
        for index, (tongue, text) in enumerate(labels):
            column.add(self.page(tongue, text, width, self.lesser(style) if index else style, align), gap=UNDER)
        return column.block()

    def translations(self, say: Say) -> Iterator[tuple[SheetLanguage, Words]]:
        """Yield each language and its text, without empty texts and, below each other, without repeated ones."""
        before: Words | None = None
        for tongue in self.tongues:
            label = say(tongue)
            text = label if isinstance(label, Words) else Words(label, tongue.language.tag)
            if text and not self.same(before, text):
                yield tongue, text
            before = text

    def same(self, before: Words | None, text: Words) -> bool:
        """Whether a text need not be repeated. Side by side, Spanish "No" is repeated, but English in place of a
        missing translation is not."""
        return text == before and (self.arrangement != "beside" or text.language == before.language)

    def lesser(self, style: Style) -> Style:
        """Return the style of the second language below the first."""
        hint = self.sizes.hint
        size = style.size if style.size <= hint.size else max(hint.size, LESSER * style.size)
        return replace(style, size=size, ink=max(style.ink, SOFT))

    def side_text(self, tongue: SheetLanguage, text: str, width: float, style: Style, align: str = "start") -> Text:
        """Return a text of a language, aligned in its own direction."""
        return Typesetter(tongue.language, tongue.faces).text(text, width, style, align)

    def page(self, tongue: SheetLanguage, text: str, width: float, style: Style, align: str = "start") -> Text:
        """Return a text of a language, aligned as the page."""
        start, end = ("right", "left") if self.language.rtl else ("left", "right")
        return self.side_text(tongue, text, width, style, {"start": start, "end": end}.get(align, align))


def has_cut_word(items: Iterable[Item]) -> bool:
    """Whether a word was too long for its line and continues on the next one."""
    return any(item.laid.cut for item in items if isinstance(item, Text))


def build_setting(first: SurveyInLanguage, format: SheetFormat = STANDARD) -> Setting:
    """Return the setting of a survey. Raises MissingFont."""
    main = _load_language(first, format.fonts)
    return Setting(
        main.language,
        main.faces,
        main.survey,
        main.words,
        STYLES[format.style],
        question_numbers(main.survey),
        _load_language(format.second, format.fonts) if format.second else None,
        format.arrangement,
    )


def _load_language(survey: SurveyInLanguage, fonts: Path | None) -> SheetLanguage:
    language = LANGUAGES[survey.language]
    return SheetLanguage(language, survey.survey, survey.words, load_faces(language.tag, language.fonts, fonts))


def _text_block(text: Text) -> Block:
    return Block(text.height, (text,))
