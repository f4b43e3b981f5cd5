"""The layout of a survey on pages: the position of every text, box, and line. Pure geometry, in mm from the top left
corner.

Drawing, keying, and reading share it. Items are placed left to right; for a right-to-left language every page is
mirrored at the end. The value of a box never depends on its position.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import sha256

from engage.domain.paper.form.cover import Cover, cover_blocks, title_block
from engage.domain.paper.form.elements import PAPERS, Anchor, Block, Column, Item, Layout, Page, Panel
from engage.domain.paper.form.folded_cover import heading_block, leaf_blocks, outside_items, window_side_block
from engage.domain.paper.form.page_frame import SIDE, Frame
from engage.domain.paper.form.pagination import paginate
from engage.domain.paper.form.questions import TooTall, question_block
from engage.domain.paper.form.sizes import COMPACT
from engage.domain.paper.form.skip_labels import part_title
from engage.domain.paper.form.tear_off import tear_off_strip
from engage.domain.paper.form.typesetter import (
    STANDARD,
    Setting,
    SheetFormat,
    SheetLanguage,
    SurveyInLanguage,
    build_setting,
)
from engage.questionnaire.routing import Slot, printed_slots

FOLD = 3.0  # mm below the fold, where the text of a folded cover begins


def lay_out_sheet(
    first: SurveyInLanguage,
    cover: Cover,
    format: SheetFormat = STANDARD,
    *,
    edition: str = "",
    numbered: bool = True,
) -> Layout:
    """Lay out a survey. `edition` is the edition's digest; without `numbered` there is no space for a serial. Raises
    MissingFont, MissingGlyph, TooTall."""
    setting = build_setting(first, format)
    pages = _SheetBuilder(setting, cover, format.paper, edition, numbered).pages(format.blocks)
    used = "".join(tongue.faces.digest for tongue in setting.tongues)
    return Layout(
        first.language,
        format.second.language if format.second else None,
        format.paper,
        format.style,
        *PAPERS[format.paper],
        pages,
        setting.numbers,
        sha256(used.encode()).hexdigest(),
    )


class _SheetBuilder:
    def __init__(self, setting: Setting, cover: Cover, paper: str, edition: str, numbered: bool) -> None:
        self.setting, self.cover = setting, cover
        self.strip = tear_off_strip(setting, cover, PAPERS[paper][0], SIDE) if cover.reply else Block(0.0, ())
        self.frame = Frame(setting, cover.district, paper, edition, numbered, self.strip.height)
        self.inner = self.frame.inner
        self.most = self.frame.height - self.frame.foot - self.frame.top
        self.title = heading_block(setting, cover, self.frame.top, self.inner)
        self.aside = window_side_block(setting, cover, self.frame.width, self.frame.height)

    def pages(self, blocks: int) -> tuple[Page, ...]:
        bodies = list(paginate(self._blocks(blocks), self._room, self.most))
        return tuple(self._page(number, len(bodies), body) for number, body in enumerate(bodies, 1))

    def _top(self, number: int) -> float:
        """Return where the text of a page begins: on a folded cover, below the first fold (mm from the top)."""
        folded = number == 1 and self.cover.outside
        return max(self.frame.top, self.frame.height / 3 + FOLD) if folded else self.frame.top

    def _room(self, number: int) -> float:
        return self.frame.bottom(number) - self._top(number)

    def _page(self, number: int, count: int, body: Iterable[Item]) -> Page:
        items = [item.moved(SIDE, self._top(number)) for item in body]
        if number > 1:
            return self.frame.page(number, count, items)
        items += self.title.moved(SIDE, self.frame.top) if self.title else ()
        items += self.aside.items if self.aside else ()
        page = self.frame.page(1, count, [*items, *self.strip.moved(0, self.frame.end(1))])
        lying = outside_items(self.cover, self.frame.height, self.frame.end(1), self.setting.language.rtl)
        return replace(page, items=(*page.items, *lying))

    def _blocks(self, blocks: int) -> Iterator[Block]:
        for part in self._cover():
            yield self._fitting(part, "the cover")
        previous: Slot | None = None
        for slot in printed_slots(self.setting.survey, blocks):
            if previous is None or (previous.section, previous.block) != (slot.section, slot.block):
                yield from self._after(previous, slot)
                yield self._fitting(self._heading(slot), f'section "{slot.section.id}"')
            block = question_block(self.setting, slot, self.inner, self.most)
            last = slot.question is slot.section.questions[-1]
            yield replace(block, together=self._whole(slot) and not last)
            previous = slot
        yield from self._after(previous, None)

    def _cover(self) -> list[Block]:
        if self.cover.leaf:
            first = [] if self.title else [title_block(self.setting, self.inner)]
            has_aside = self.aside is not None
            return leaf_blocks(self.setting, self.cover, self.inner, first, has_aside, self._room(1))
        return cover_blocks(self.setting, self.cover, self.inner, self.most)

    def _fitting(self, block: Block, what: str) -> Block:
        """Return the block if it fits on a page. Raises TooTall."""
        if block.height <= self.most:
            return block
        tags = " + ".join(tongue.language.tag for tongue in self.setting.tongues)
        raise TooTall(
            f"{self.setting.survey.slug}, {what}, {tags}: its title and what it says are {block.height:.0f} mm high "
            f"and a page has {self.most:.0f} mm; shorten them"
        )

    def _heading(self, slot: Slot) -> Block:
        setting = self.setting
        column = Column()
        column.add(Anchor(0, 0, self.inner, 0, part_title(slot.section, slot.block)))
        column.add(Panel(0, 0, self.inner, 0.5))
        column.put(setting.block(lambda tongue: _part_heading(tongue, slot), self.inner, setting.sizes.section), gap=2)
        if slot.section.intro and slot.block in (None, 1):
            column.put(
                setting.block(lambda tongue: _section_intro(tongue, slot), self.inner, setting.sizes.body), gap=1
            )
        return replace(column.block(keep=True, gap=setting.sizes.gap * 1.4), together=self._whole(slot))

    def _whole(self, slot: Slot) -> bool:
        """Whether a child's questions stay on one page. Compact print continues on the next page, to save paper."""
        return slot.block is not None and self.setting.sizes is not COMPACT

    def _after(self, previous: Slot | None, slot: Slot | None) -> Iterator[Block]:
        """After the last printed block of a repeated section, yield the note on how to get space for more."""
        if previous is None or previous.block is None or (slot is not None and slot.section is previous.section):
            return
        if previous.block < previous.section.maximum:
            text = self.setting.block(_more_room_text, self.inner - 8, self.setting.sizes.lead)
            panel = Panel(0, 0, self.inner, text.height + 4, ink=0.93)
            yield Block(panel.height, (panel, *text.moved(4, 2)), gap=self.setting.sizes.gap)


def _part_heading(tongue: SheetLanguage, slot: Slot) -> str:
    return part_title(tongue.survey.section(slot.section.id), slot.block)


def _section_intro(tongue: SheetLanguage, slot: Slot) -> str:
    return tongue.survey.section(slot.section.id).intro


def _more_room_text(tongue: SheetLanguage) -> str:
    # translators: on a paper form, after the last page of questions about each child
    return tongue.words.gettext("Do you need more room? Ask your school for another form.")
