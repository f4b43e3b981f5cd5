"""The cover of a form: who asks, who will see the answers, that it is voluntary, how to fill it in, and how to return
it.

This module has the texts, and the top of the first page of a plain blank form. `folded_cover.py` has the cover that is
a page of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from gettext import NullTranslations

from babel.dates import format_date

from engage.domain.paper.form.elements import Block, Column, Example, Panel, Text, side_by_side
from engage.domain.paper.form.typesetter import Say, Setting, SheetLanguage, Sizes, Style
from engage.questionnaire.skip_instructions import ISOLATE, POP

PAD = 4.0  # mm inside the panel
BETWEEN = 8.0  # mm between the two columns


@dataclass(frozen=True, slots=True)
class Cover:
    """The content of a cover. With `reply` or `outside` it is a page of its own.

    `identity` is the wave's ("anonymous", "confidential", "" without a wave); `returns` is a sentence in the form's
    language, "" for the default; `opens` and `closes` are the first and last day for answers.
    """

    district: str
    identity: str = ""
    returns: str = ""
    opens: date | None = None
    closes: date | None = None
    interpreter: str = ""
    """Telephone number of the free interpreter service."""
    phone: str = ""
    """How to answer online instead: "link" (a QR code and the URL), "letter" (the same; the access code came with a
    letter), "code" (the same, with the household's access code), or ""."""
    reply: bool = False
    """Whether there is a tear-off strip with the secret reply code."""
    answers: str = ""
    """URL of the page for entering the reply code."""
    outside: str = ""
    """What is visible when the form is folded: "window" (whose it is), "code" (no name), or ""."""
    linked: bool = False
    """Whether the link between form and family is stored. If so, the form says it."""
    notice: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    """The wave's privacy notice for families: by language, then by part (services/waves/privacy_notice.py PARTS); empty
    without a wave."""

    @property
    def leaf(self) -> bool:
        """Whether the cover is a page of its own."""
        return self.reply or bool(self.outside)

    def notice_part(self, part: str, tongue: SheetLanguage) -> str:
        """Return a part of the notice in one of the form's languages; "" if there is none."""
        return self.notice.get(tongue.language.tag, {}).get(part, "")


@dataclass(frozen=True, slots=True)
class CoverSection:
    """A heading and the text below it."""

    head: Say
    text: Say

    def block(self, setting: Setting, width: float) -> Block:
        """Return heading and text in every language: in two columns, or one language below the other."""
        if setting.arrangement == "beside":
            return self._block(setting.block, setting.sizes, width)
        column = Column()
        for index, tongue in enumerate(setting.tongues):
            column.put(self._block(_set_one_language(setting, tongue, index), setting.sizes, width), gap=0.8)
        return column.block()

    def _block(self, text_block: Callable[[Say, float, Style], Block], sizes: Sizes, width: float) -> Block:
        return stack_blocks(
            [text_block(self.head, width, sizes.lead), text_block(self.text, width, sizes.body)], gap=0.3
        )


def _set_one_language(setting: Setting, tongue: SheetLanguage, index: int) -> Callable[[Say, float, Style], Block]:
    """Return a function that sets texts in one of the form's languages only; the second is smaller and lighter."""

    def sentence(say: Say, width: float, style: Style) -> Block:
        text = setting.page(tongue, say(tongue), width, setting.lesser(style) if index else style)
        return Block(text.height, (text,))

    return sentence


def cover_blocks(setting: Setting, cover: Cover, width: float, most: float) -> list[Block]:
    """Return the cover, `width` mm wide: title and purpose, then information beside the instructions.

    If that is too narrow, or higher than `most` mm, the parts are below each other.
    """
    head = stack_blocks([title_block(setting, width), purpose_block(setting, width)], gap=2.5)
    each = (width - BETWEEN) / 2
    if has_room_for_columns(setting):
        about = stack_blocks([telling.block(setting, each) for telling in _cover_sections(cover)], gap=3)
        how = _fill_in_panel(setting, cover, each)
        if head.height + 5 + max(about.height, how.height) <= most:
            return [stack_blocks([head, side_by_side([(0.0, about), (each + BETWEEN, how)])], gap=5)]
    parts = [
        *(telling.block(setting, width) for telling in _cover_sections(cover)),
        _fill_in_panel(setting, cover, width),
    ]
    return [head, *(replace(part, gap=5.0) for part in parts)]


def has_room_for_columns(setting: Setting) -> bool:
    """Whether two columns of text fit side by side."""
    return not setting.sizes.large and (setting.arrangement == "under" or len(setting.tongues) == 1)


def title_block(setting: Setting, width: float) -> Block:
    return setting.block(lambda tongue: tongue.survey.title, width, setting.sizes.title)


def purpose_block(setting: Setting, width: float) -> Block:
    return setting.block(lambda tongue: tongue.survey.purpose, width, setting.sizes.body)


def stack_blocks(blocks: Sequence[Block], gap: float) -> Block:
    column = Column()
    for block in blocks:
        column.put(block, gap=gap)
    return column.block()


def _cover_sections(cover: Cover) -> list[CoverSection]:
    sections = [who_asks_section(cover), who_sees_section(cover), CHOOSING, LASTING]
    return [*sections, interpreter_section(cover)] if cover.interpreter else sections


def who_asks_section(cover: Cover) -> CoverSection:
    def head(tongue: SheetLanguage) -> str:
        # translators: heading on the first page of a paper form, above the name of the school district
        return tongue.words.gettext("Who is asking")

    return CoverSection(head, lambda tongue: cover.notice_part("who_asks", tongue) or cover.district)


def who_sees_section(cover: Cover) -> CoverSection:
    def head(tongue: SheetLanguage) -> str:
        # translators: heading: who will read the answers
        return tongue.words.gettext("Who will see your answers")

    return CoverSection(head, lambda tongue: join_sentences(_who_sees_texts(tongue, cover)))


def _who_sees_texts(tongue: SheetLanguage, cover: Cover) -> list[str]:
    """Return the texts of the wave's privacy notice, as shown online, and those that apply to paper only."""
    parts = [cover.notice_part("who_sees", tongue), *_paper_privacy_texts(tongue.words, cover)]
    parts += [cover.notice_part("used_against", tongue), cover.notice_part("how_long", tongue)]
    return [each for each in parts if each]


def _paper_privacy_texts(words: NullTranslations, cover: Cover) -> list[str]:
    if cover.identity == "anonymous":
        # translators: privacy: first page of a paper form with a number on every page; the answers are anonymous, but
        # somebody reads the paper and types them into a computer
        typed = words.gettext(
            "The person who types in your answers does not know whose they are. 14 days later, nothing ties them to "
            "the number on this form."
        )
        # translators: privacy: first page of a paper form; the answers are anonymous
        return [typed, words.gettext("Please do not write your name on this form.")]
    if cover.identity == "confidential":
        # translators: privacy: a paper form for one family, with a number on every page; "a few people" are those who
        # help
        identified = words.gettext("The number on this form tells them which family it is from.")
        # translators: privacy: a promise to the family
        return [identified] if cover.linked else [words.gettext("We do not ask for your name.")]
    # translators: privacy: a promise on a paper form that belongs to no survey round yet
    return [words.gettext("The people at your school and district who work on this survey.")]


def _choice_head(tongue: SheetLanguage) -> str:
    # translators: heading on the first page of a paper form: answering is voluntary
    return tongue.words.gettext("It is your choice")


def _choice_text(tongue: SheetLanguage) -> str:
    # translators: privacy: first page of a paper form; spoken to a parent or grandparent, politely
    return tongue.words.gettext("You do not have to answer. Leave blank what you do not want to answer.")


def _minutes_head(tongue: SheetLanguage) -> str:
    # translators: heading on the first page of a paper form
    return tongue.words.gettext("How long it takes")


def _minutes_text(tongue: SheetLanguage) -> str:
    minutes = tongue.survey.minutes
    # translators: how long a survey takes
    duration = tongue.words.ngettext("It takes about %(num)s minute.", "It takes about %(num)s minutes.", minutes)
    return duration % {"num": minutes}


CHOOSING = CoverSection(_choice_head, _choice_text)
LASTING = CoverSection(_minutes_head, _minutes_text)


def interpreter_section(cover: Cover) -> CoverSection:
    def head(tongue: SheetLanguage) -> str:
        # translators: heading on the first page of a paper form, above the telephone number of the interpreters
        return tongue.words.gettext("Free help in your language")

    def text(tongue: SheetLanguage) -> str:
        # translators: first page of a paper form; %(phone)s is the number of an interpreter line that costs nothing
        sentence = tongue.words.gettext("Call %(phone)s and say your language. An interpreter will help you.")
        return sentence % {"phone": f"\u2066{cover.interpreter}{POP}"}

    return CoverSection(head, text)


def return_section(cover: Cover) -> CoverSection:
    def head(tongue: SheetLanguage) -> str:
        # translators: heading on the first page of a paper form, above how to give it back
        return tongue.words.gettext("When you are done")

    return CoverSection(head, lambda tongue: _return_text(tongue, cover))


def _return_text(tongue: SheetLanguage, cover: Cover) -> str:
    words = tongue.words
    # translators: first page of a paper form: how to give it back
    sentences = [cover.returns or words.gettext("Give this form to your child's school.")]
    days = {
        name: f"{ISOLATE}{format_date(day, 'long', locale=tongue.language.locale)}{POP}"
        for name, day in (("opens", cover.opens), ("closes", cover.closes))
        if day is not None
    }
    if len(days) == 2:
        # translators: first page of a paper form; opens and closes are dates like October 3, 2025
        sentences.append(words.gettext("You can answer from %(opens)s to %(closes)s.") % days)
    elif "closes" in days:
        # translators: first page of a paper form; closes is a date like October 3, 2025
        sentences.append(words.gettext("Please give it back by %(closes)s.") % days)
    return join_sentences(sentences)


def join_sentences(sentences: Sequence[str]) -> str:
    """Join sentences into a paragraph. In Chinese there is no space after a full stop."""
    return "".join(each if each.endswith("。") else f"{each} " for each in sentences).rstrip()


def fill_in_blocks(setting: Setting, width: float, level: bool = True) -> list[Block]:
    """Return the instructions, each sentence with the boxes it refers to. With `level`, all sentences are aligned."""
    most = max(len(how) for how, _ in HOW)
    return [_instruction_block(setting, how, say, width, most if level else len(how)) for how, say in HOW]


def fill_in_head(tongue: SheetLanguage) -> str:
    # translators: heading on the first page of a paper form
    return tongue.words.gettext("How to fill out this form")


def _cross_text(tongue: SheetLanguage) -> str:
    # translators: first page of a paper form; beside it stands a box with a cross in it
    return tongue.words.gettext("Put an X in the box next to your answer.")


def _correct_text(tongue: SheetLanguage) -> str:
    # translators: first page of a paper form; beside it stand a box that is all black and a box with a cross in it
    return tongue.words.gettext("If you make a mistake, fill in the whole box and put an X in the right one.")


def _leave_blank_text(tongue: SheetLanguage) -> str:
    # translators: first page of a paper form; beside it stands an empty box
    return tongue.words.gettext("Leave blank what you do not want to answer.")


HOW: tuple[tuple[tuple[str, ...], Say], ...] = (
    (("crossed",), _cross_text),
    (("filled", "crossed"), _correct_text),
    (("empty",), _leave_blank_text),
)


def _fill_in_panel(setting: Setting, cover: Cover, width: float) -> Block:
    inner = width - 2 * PAD
    column = Column()
    column.put(setting.block(fill_in_head, inner, setting.sizes.lead))
    for block in fill_in_blocks(setting, inner):
        column.put(block, gap=2.3)
    column.put(return_section(cover).block(setting, inner), gap=4)
    return tint_block(column.block(), width)


def tint_block(block: Block, width: float) -> Block:
    """Return a block on a tinted background with padding."""
    height = block.height + 2 * PAD
    return Block(height, (Panel(0, 0, width, height, ink=0.93), *block.moved(PAD, PAD)))


def _instruction_block(setting: Setting, how: Sequence[str], say: Say, width: float, room: int) -> Block:
    """Return a sentence after the boxes it refers to, with room for a fixed number of boxes."""
    size = setting.sizes.box
    indent = room * (size + 1.2) + 1.6
    block = setting.block(say, width - indent, setting.sizes.body)
    first = next(item for item in block.items if isinstance(item, Text))
    top = max(0.0, first.y + first.first_middle - size / 2)
    examples = [Example(index * (size + 1.2), top, size, size, each) for index, each in enumerate(how)]
    return Block(max(block.height, top + size), (*examples, *block.moved(indent, 0)))
