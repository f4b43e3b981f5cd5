"""What a packet is made of: a set of pages for each household, in the order in which they are handed out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from gettext import NullTranslations
from itertools import groupby
from pathlib import Path

from engage.domain.paper.form.elements import Layout
from engage.domain.paper.typesetting.fonts import Faces


@dataclass(frozen=True, slots=True)
class SetLayout:
    """How sets of one language are laid out. `digest` and `geometry` are the layout's own; `title` the survey's."""

    layout: Layout = field(repr=False)
    digest: str
    geometry: str = field(repr=False)
    faces: Faces = field(repr=False)
    title: str

    @property
    def pages(self) -> int:
        """Pages of one set in the packet: an even number, so that the next set begins on a new leaf."""
        return len(self.layout.pages) + len(self.layout.pages) % 2


@dataclass(frozen=True, slots=True)
class PacketSet:
    """One household's paper. `reply`: 16 digits, or ""; `code`: the access code as people read it, or ""; `link`: the
    whole address of the survey on a phone, or ""; `to`: the lines on the outside; `group`: the class, or "". `who`: the
    family's names, and `number`: its child's at the district, for the hand-out list; where they are known."""

    serial: str
    language: str
    reply: str = ""
    code: str = ""
    link: str = ""
    to: tuple[str, ...] = ()
    group: str = ""
    who: tuple[str, ...] = ()
    number: str = ""


@dataclass(frozen=True, slots=True)
class PacketContent:
    """A packet to be drawn. `kinds`: by language, and whether the set has an access code on it. `sets`: in order.
    `classes`: class to language to number of sets, {} where there is no roster. `linked`: each set is meant for one
    household; `listed`: a list says which, since their outsides do not. `language`, `words`: of those who hand the sets
    out."""

    school: str
    wave: str
    district: str
    opens: date
    closes: date
    language: str
    words: NullTranslations = field(repr=False)
    paper: str
    kinds: Mapping[tuple[str, bool], SetLayout] = field(repr=False)
    sets: Sequence[PacketSet] = field(repr=False)
    classes: Mapping[str, Mapping[str, int]]
    linked: bool
    listed: bool = False
    fonts: Path | None = None

    def kind(self, each: PacketSet) -> SetLayout:
        """How a set is laid out."""
        return self.kinds[each.language, bool(each.code)]

    def groups(self) -> Iterator[tuple[str, str, list[PacketSet]]]:
        """Class, language and their sets, as they lie on each other."""
        for (group, language), members in groupby(self.sets, key=lambda each: (each.group, each.language)):
            yield group, language, list(members)

    def counted(self) -> dict[str, int]:
        """Language to number of sets, in the order of the packet."""
        counts: dict[str, int] = {}
        for each in self.sets:
            counts[each.language] = counts.get(each.language, 0) + 1
        return counts
