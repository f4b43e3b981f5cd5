"""What a sheet says about itself: who asks, who will see it, that it is voluntary, how to fill it in and give it back.

Here the words, and the top of the first page of a plain blank; the cover that has a leaf to itself is in
`folded_cover.py`.
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
    """What a sheet says about itself. With `reply` or `outside` the first page is a cover of its own.

    `identity` is the wave's ("anonymous", "confidential", "" where there is no wave); `returns` is a sentence in the
    sheet's language, "" for the usual one; `opens` and `closes` are the days between which answers are taken.
    """

    district: str
    identity: str = ""
    returns: str = ""
    opens: date | None = None
    closes: date | None = None
    interpreter: str = ""
    """Telephone number of the free interpreters."""
    phone: str = ""
    """How to answer on a phone instead: "link" (a code for its camera and the address), "letter" (the same; the code to
    type came with a letter), "code" (the same, and the household's own code) or ""."""
    reply: bool = False
    """Whether there is a strip with the secret reply code to tear off."""
    answers: str = ""
    """Address of the page where the reply code is typed."""
    outside: str = ""
    """What shows when the set is folded: "window" (whose it is), "code" (no name) or ""."""
    linked: bool = False
    """Whether it is kept which family has which sheet: then the sheet says so."""
    notice: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    """What the wave's families are told about their answers: by language, then by part
    (services/waves/privacy_notice.py PARTS); empty where there is no wave."""

    @property
    def leaf(self) -> bool:
        """Whether the cover has the first page to itself."""
        return self.reply or bool(self.outside)

    def notice_part(self, part: str, tongue: SheetLanguage) -> str:
        """A part of the notice in one of the sheet's languages; "" where there is none."""
        return self.notice.get(tongue.language.tag, {}).get(part, "")


@dataclass(frozen=True, slots=True)
class CoverSection:
    """A heading and the text below it."""

    head: Say
    text: Say

    def block(self, setting: Setting, width: float) -> Block:
        """Both in every language: beside each other as two columns, under each other one language after the other."""
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
    """Sets what is said in one of the sheet's languages only; the second is smaller and softer."""

    def sentence(say: Say, width: float, style: Style) -> Block:
        text = setting.page(tongue, say(tongue), width, setting.lesser(style) if index else style)
        return Block(text.height, (text,))

    return sentence


def cover_blocks(setting: Setting, cover: Cover, width: float, most: float) -> list[Block]:
    """The cover, `width` mm wide: title and purpose, then what to know beside how to fill in.

    Where that is too narrow, or higher than `most` mm, the parts stand below each other.
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
    """Whether two columns of words stand well beside each other."""
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
    """What the wave's notice says, as on a phone, with what holds for paper only."""
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
    """Sentences as one paragraph; Chinese puts no space after its full stop."""
    return "".join(each if each.endswith("。") else f"{each} " for each in sentences).rstrip()


def fill_in_blocks(setting: Setting, width: float, level: bool = True) -> list[Block]:
    """How to fill in, each sentence with the boxes it speaks of; with `level` all sentences start at the same place."""
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
    """A block on a tint, with room around it."""
    height = block.height + 2 * PAD
    return Block(height, (Panel(0, 0, width, height, ink=0.93), *block.moved(PAD, PAD)))


def _instruction_block(setting: Setting, how: Sequence[str], say: Say, width: float, room: int) -> Block:
    """A sentence with the boxes it speaks of before it, where there is room for so many."""
    size = setting.sizes.box
    indent = room * (size + 1.2) + 1.6
    block = setting.block(say, width - indent, setting.sizes.body)
    first = next(item for item in block.items if isinstance(item, Text))
    top = max(0.0, first.y + first.first_middle - size / 2)
    examples = [Example(index * (size + 1.2), top, size, size, each) for index, each in enumerate(how)]
    return Block(max(block.height, top + size), (*examples, *block.moved(indent, 0)))
