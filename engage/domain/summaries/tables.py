"""Counts of answers as plain tables: built by counting, protected by suppression, and frozen by checkpoints."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
DIMENSIONS = ("school", "language", "mode")
NOT_ASKED = "not_asked"
HIDDEN = -1  # in place of a count that is not shown
CHOSEN, REST = "chosen", "rest"  # columns for one choice of a "several" question: those who marked it, and all others


@dataclass(frozen=True, slots=True, eq=False)
class Margins:
    """The bases of a table: in total, and in each group of each dimension."""

    total: int
    by: Mapping[str, Counts]

    @property
    def overall(self) -> "Margins":
        """Return the margins without any groups."""
        return Margins(self.total, {each: bases[:0] for each, bases in self.by.items()})


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One question in every breakdown. Every person (or child) is in exactly one column, so rows sum to their base.

    `overall` has one count per column; `by` has groups x columns for each dimension. `families` is None if each row of
    data is one family; for blocks per child it counts the families behind each cell, in the same shape.
    """

    columns: tuple[str, ...]
    overall: Counts
    by: Mapping[str, Counts]
    families: "Table | None" = None

    @property
    def margins(self) -> Margins:
        """The bases, which are the row sums."""
        return Margins(int(self.overall.sum()), {each: cells.sum(axis=1) for each, cells in self.by.items()})

    @property
    def without_groups(self) -> "Table":
        """Return the overall row only."""
        by = {each: cells[:0] for each, cells in self.by.items()}
        return replace(self, by=by, families=self.families.without_groups if self.families else None)

    def keep(self, columns: tuple[str, ...]) -> "Table":
        """Return the table with some columns only, in the given order."""
        at = [self.columns.index(each) for each in columns]
        by = {each: cells[:, at] for each, cells in self.by.items()}
        families = self.families.keep(columns) if self.families else None
        return Table(columns, self.overall[at], by, families)


@dataclass(frozen=True, slots=True, eq=False)
class QuestionPart:
    """One table of a question: the whole question (`choice` None), or one choice of a "several" question."""

    question: str
    choice: str | None
    table: Table


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """All counts of one wave. `groups` names the rows of every table, by dimension.

    `margins[None]` are responses; `margins[section id]` are the blocks of a repeated section, one per child.
    `sections[question id]` is the section id if its section is repeated, else None. `effects` are the design effects of
    questions answered per child (`clusters`); `most` is the largest number of children of any family in a section.
    """

    groups: Mapping[str, tuple[str, ...]]
    margins: Mapping[str | None, Margins]
    behind: Mapping[str, Margins]
    sections: Mapping[str, str | None]
    parts: tuple[QuestionPart, ...]
    effects: Mapping[str, float] = field(default_factory=dict)
    most: Mapping[str, int] = field(default_factory=dict)

    @property
    def overall(self) -> "Figures":
        """Return the figures without any groups."""
        return replace(
            self,
            groups=dict.fromkeys(self.groups, ()),
            margins={name: each.overall for name, each in self.margins.items()},
            behind={name: each.overall for name, each in self.behind.items()},
            parts=tuple(replace(each, table=each.table.without_groups) for each in self.parts),
        )

    def part(self, question: str, choice: str | None = None) -> QuestionPart:
        """Return the table of a question or of one of its choices. Raises KeyError."""
        for part in self.parts:
            if (part.question, part.choice) == (question, choice):
                return part
        raise KeyError(question if choice is None else f"{question}.{choice}")
