"""The content of a packet: one form for each household, in the order in which they are handed out."""

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
    """The layout of forms in one language. `digest` and `geometry` are those of the layout; `title` is the survey's."""

    layout: Layout = field(repr=False)
    digest: str
    geometry: str = field(repr=False)
    faces: Faces = field(repr=False)
    title: str

    @property
    def pages(self) -> int:
        """Number of pages of one form in the packet: even, so that the next form begins on a new sheet of paper."""
        return len(self.layout.pages) + len(self.layout.pages) % 2


@dataclass(frozen=True, slots=True)
class PacketSet:
    """One household's form. `reply`: 16 digits, or ""; `code`: the access code as formatted for people, or ""; `link`:
    the full URL of the survey, or ""; `to`: the lines on the outside; `group`: the class, or "". `who` (names of the
    family) and `number` (the child's district number) are for the hand-out list, if known."""

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
    """A packet to draw. `kinds`: layouts by language and by whether the form has an access code. `sets`: the forms in
    order. `classes`: class to language to number of forms, {} without a roster. `linked`: each form is for a particular
    household; `listed`: the hand-out list says which, since the outside does not. `language` and `words` are those of
    the people who hand out the forms."""

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
        """Return the layout of a form."""
        return self.kinds[each.language, bool(each.code)]

    def groups(self) -> Iterator[tuple[str, str, list[PacketSet]]]:
        """Yield class, language, and their forms, in the order of the packet."""
        for (group, language), members in groupby(self.sets, key=lambda each: (each.group, each.language)):
            yield group, language, list(members)

    def counted(self) -> dict[str, int]:
        """Return the number of forms by language, in the order of the packet."""
        counts: dict[str, int] = {}
        for each in self.sets:
            counts[each.language] = counts.get(each.language, 0) + 1
        return counts
