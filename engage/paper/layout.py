"""A survey on pages: where every word, box and line stands. Pure geometry, in millimetres from the top left corner.

Drawing, keying and reading share it. It is made as if read from the left; for a language read from the right every
page is mirrored at the end. What a box stores never depends on where it is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from gettext import NullTranslations
from pathlib import Path

from engage.paper.cover import Cover, cover_blocks
from engage.paper.pages import paginated
from engage.paper.questions import question_block
from engage.paper.setting import Second, Setting, setting_of
from engage.paper.sheet import PAPERS, Block, Column, Item, Layout, Page, Panel, Place, Text, beside
from engage.questionnaire.routing import Slot, printed
from engage.questionnaire.shape import Survey, Words

SIDE = 18.0  # mm; leaves the corners free, where a scanner's marks stand
HEAD_TOP = 11.0  # mm from the top edge to the header
FOOT_BOTTOM = 10.0  # mm from the footer to the bottom edge
CLEAR = 6.0  # mm between header or footer and the questions
BLOCKS = 3  # child blocks printed


def layout(
    survey: Survey,
    language: str,
    words: NullTranslations,
    cover: Cover,
    *,
    paper: str = "letter",
    style: str = "standard",
    second: Second | None = None,
    arrangement: str = "under",
    blocks: int = BLOCKS,
    edition: str = "",
    fonts: Path | None = None,
) -> Layout:
    """Lay out a survey that is in `language`; `words` are the interface's sentences in it.

    `paper` is "letter" or "a4"; `style` is "standard", "large" or "compact"; `second` is a second language, printed
    "under" the first or "beside" it, as `arrangement` says; `blocks` is how many blocks of a repeated section are printed; `edition` is the
    edition's digest; `fonts` is ENGAGE_FONT_DIR. Raises MissingFont, MissingGlyph, TooTall.
    """
    setting = setting_of(language, survey, words, style=style, second=second, arrangement=arrangement, fonts=fonts)
    return _Sheet(setting, cover, paper, edition, style, second and second.language).layout(blocks)


class _Sheet:
    def __init__(
        self, setting: Setting, cover: Cover, paper: str, edition: str, style: str, second: str | None
    ) -> None:
        self.style, self.second = style, second
        self.setting, self.cover, self.paper, self.edition = setting, cover, paper, edition
        self.width, self.height = PAPERS[paper]
        self.inner = self.width - 2 * SIDE
        self.head, foot = self._header(), self._footer(99, 99)
        self.top = HEAD_TOP + self.head.height + CLEAR
        self.bottom = self.height - FOOT_BOTTOM - foot.height - CLEAR

    def layout(self, blocks: int) -> Layout:
        bodies = list(paginated(self._blocks(blocks), self.bottom - self.top))
        pages = tuple(self._page(number, len(bodies), body) for number, body in enumerate(bodies, 1))
        tag = self.setting.language.tag
        size = (self.width, self.height)
        return Layout(tag, self.second, self.paper, self.style, *size, pages, self.setting.numbers)

    def _page(self, number: int, count: int, body: Iterable[Item]) -> Page:
        foot = self._footer(number, count)
        down = self.height - FOOT_BOTTOM - foot.height
        items = [
            *self.head.moved(SIDE, HEAD_TOP),
            *(item.moved(SIDE, self.top) for item in body),
            *foot.moved(SIDE, down),
            self._serial(),
        ]
        return Page(number, tuple(self._mirrored(items)))

    def _mirrored(self, items: Iterable[Item]) -> list[Item]:
        rtl = self.setting.language.rtl
        return [item.mirrored(self.width) if rtl else item for item in items]

    def _header(self) -> Block:
        """District at the start, survey at the end, a thin rule below."""
        style, half = self.setting.sizes.small, self.inner / 2 - 2
        district = self.setting.text(self.cover.district, half, style)
        title = self.setting.text(self.setting.survey.title, half, style, "end")
        column = Column()
        column.put(beside([(0.0, _only(district)), (half + 4, _only(title))]))
        column.add(Panel(0, 0, self.inner, 0.2, ink=0.6), gap=1.2)
        return column.block()

    def _footer(self, number: int, count: int) -> Block:
        """Room for the serial, the page in the middle, language and edition at the end."""
        setting, third = self.setting, self.inner / 3
        # translators: at the foot of every page of a paper form
        page = setting.words.gettext("Page %(page)s of %(pages)s") % {"page": number, "pages": count}
        middle = setting.text(page, third - 2, setting.sizes.small, "center")
        end = setting.text(self._edition(), third - 2, setting.sizes.small, "end")
        column = Column()
        column.add(Panel(0, 0, self.inner, 0.2, ink=0.6))
        column.put(beside([(third + 1, _only(middle)), (2 * third + 2, _only(end))]), gap=1.2)
        return column.block()

    def _edition(self) -> str:
        name = self.setting.language.name
        return f"{name} · \u2066{self.edition[:8]}\u2069" if self.edition else name

    def _serial(self) -> Item:
        foot = self._footer(99, 99)
        top = self.height - FOOT_BOTTOM - foot.height + 1.4
        return Place(SIDE, top, self.inner / 3 - 2, foot.height - 1.4, "serial", 9, bold=True)

    def _blocks(self, blocks: int) -> Iterator[Block]:
        yield from cover_blocks(self.setting, self.cover, self.inner, self.bottom - self.top)
        previous: Slot | None = None
        for slot in printed(self.setting.survey, blocks):
            if previous is None or (previous.section, previous.block) != (slot.section, slot.block):
                yield from self._after(previous, slot)
                yield self._heading(slot)
            block = question_block(self.setting, slot, self.inner, self.bottom - self.top)
            last = slot.question is slot.section.questions[-1]
            yield replace(block, together=slot.block is not None and not last)
            previous = slot
        yield from self._after(previous, None)

    def _heading(self, slot: Slot) -> Block:
        setting, section = self.setting, slot.section
        column = Column()
        column.add(Panel(0, 0, self.inner, 0.5))
        column.add(setting.text(_title(slot), self.inner, setting.sizes.section), gap=2)
        if section.intro and slot.block in (None, 1):
            column.add(setting.text(section.intro, self.inner, setting.sizes.body), gap=1)
        return replace(column.block(keep=True, gap=setting.sizes.gap * 1.4), together=slot.block is not None)

    def _after(self, previous: Slot | None, slot: Slot | None) -> Iterator[Block]:
        """After the last printed block of a repeated section: how to get room for more."""
        if previous is None or previous.block is None or (slot is not None and slot.section is previous.section):
            return
        if previous.block < previous.section.maximum:
            # translators: on a paper form, after the last page of questions about each child
            more = self.setting.words.gettext("Do you need more room? Ask your school for another sheet.")
            text = self.setting.text(more, self.inner - 8, self.setting.sizes.lead)
            panel = Panel(0, 0, self.inner, text.height + 4, ink=0.93)
            yield Block(panel.height, (panel, text.moved(4, 2)), gap=self.setting.sizes.gap)


def _title(slot: Slot) -> str:
    """The section's title; in a repeated section with the number of the block beside it."""
    title = slot.section.title
    return title if slot.block is None else Words(f"{title} · {slot.block}", title.language)


def _only(text: Text) -> Block:
    return Block(text.height, (text,))
