"""A school's packet in one PDF: a count sheet, then the forms in order, with a separator page before each group.

Pure: content and order come from the caller.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.handout_list import HandOutList
from engage.domain.paper.documents.packet_model import PacketContent, PacketSet, SetLayout
from engage.domain.paper.documents.separators import GroupHeading, draw_count_sheet, draw_separators
from engage.domain.paper.pdf.page_stream import FilledCopy, PacketWriter, Template

EVERY = 50  # forms between two progress reports
AT_ONCE = 100  # separators drawn into one document
FOURS = 4  # digits per group in a reply code


class DrawingStopped(Exception):
    """Drawing was stopped, because the packet was canceled or the process is stopping."""


@dataclass(frozen=True, slots=True)
class WrittenPacket:
    """Result of drawing a packet. `digest` is the SHA-256 of the file, in hex."""

    pages: int
    digest: str


def write_packet(
    out: BinaryIO, pile: PacketContent, progress: Callable[[int, int], bool] = lambda _drawn, _pages: True
) -> WrittenPacket:
    """Write the packet as a PDF. Equal content gives equal bytes.

    `progress(pages so far, total pages)` is called every 50 forms and at the end, and returns whether to continue.
    Raises DrawingStopped, MissingFont, MissingGlyph, OSError.
    """
    hashed = _HashingFile(out)
    return WrittenPacket(_PageDrawer(cast(BinaryIO, hashed), pile, progress).run(), hashed.digest.hexdigest())


class _PageDrawer:
    """Draws the pages in order."""

    def __init__(self, out: BinaryIO, pile: PacketContent, progress: Callable[[int, int], bool]) -> None:
        self.pile, self.progress, self.drawn = pile, progress, 0
        self.front, pages = draw_count_sheet(pile)
        self.writer = PacketWriter(out, f"{pile.school} · {pile.wave}", pile.district, pile.language, pile.paper)
        self.list = HandOutList(pile) if pile.listed else None
        self.templates = {key: self._template(key, kind) for key, kind in pile.kinds.items()}
        self.heads = [GroupHeading(group, language, len(sets)) for group, language, sets in pile.groups()]
        leaves = 2 * len(self.heads)
        listed = self.list.pages if self.list else 0
        self.total = pages + pages % 2 + listed + leaves + sum(pile.kind(each).pages for each in pile.sets)

    def run(self) -> int:
        """Draw everything and return the number of pages."""
        self._tell()
        # translators: bookmark in a PDF: the first page, a table to count printed surveys by
        self._whole(self.writer.borrowed(self.front), self.pile.words.gettext("Count sheet"), 0)
        self.drawn += self.list.write(self.writer) if self.list else 0
        last = ""
        for page, (group, language, sets) in zip(self._separators(), self.pile.groups(), strict=True):
            if group and group != last:
                self.writer.bookmark(group, 0)
            self._whole([page], LANGUAGES[language].name, 1 if group else 0)
            self._sets(sets)
            last = group
        self._tell()
        self.writer.close()
        return self.drawn

    def _sets(self, sets: Sequence[PacketSet]) -> None:
        for number, each in enumerate(sets, 1):
            kind = self.pile.kind(each)
            self.writer.label(f"{each.serial} / ")
            self.drawn += self.writer.add(
                self.templates[each.language, bool(each.code)], _fill_template(each, kind), even=True
            )
            if number % EVERY == 0:
                self._tell()

    def _separators(self) -> Iterator[bytes]:
        """Yield a page for each group. They are drawn in batches, which share fonts and limit memory."""
        for at in range(0, len(self.heads), AT_ONCE):
            yield from self.writer.borrowed(draw_separators(self.pile, self.heads[at : at + AT_ONCE]))

    def _whole(self, pages: Sequence[bytes], title: str, level: int) -> None:
        """Add pages unchanged, and an empty one if the next form would begin on the back of the last."""
        self.writer.bookmark(title, level)
        self.drawn += self.writer.put(pages, even=True)

    def _template(self, key: tuple[str, bool], kind: SetLayout) -> Template:
        sets = (each for each in self.pile.sets if (each.language, bool(each.code)) == key)
        return self.writer.template(kind.layout, kind.faces, (line for each in sets for line in each.to))

    def _tell(self) -> None:
        if not self.progress(self.drawn, self.total):
            raise DrawingStopped


class _HashingFile:
    """A file that computes the digest of what is written to it."""

    def __init__(self, out: BinaryIO) -> None:
        self.out, self.digest = out, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self.out.write(data)


def _fill_template(each: PacketSet, kind: SetLayout) -> FilledCopy:
    fours = [each.reply[at : at + FOURS] for at in range(0, len(each.reply), FOURS)]
    places = {
        "serial": each.serial,
        "reply": " ".join(fours),
        "code": each.code,
        "link": each.link.partition("://")[2],
        "to": each.to,
    }
    return FilledCopy(each.serial, kind.digest, places, each.link)
