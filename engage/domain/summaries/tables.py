"""Counts of answers as plain tables: built by counting, protected by suppression, and frozen by checkpoints."""

from collections.abc import Container, Mapping
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

    def with_groups(self, dimensions: Container[str]) -> "Margins":
        """Return the margins with the groups of these dimensions only."""
        return Margins(self.total, _limit_groups(self.by, dimensions))


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

    def with_groups(self, dimensions: Container[str]) -> "Table":
        """Return the overall row, and the groups of these dimensions only."""
        families = self.families.with_groups(dimensions) if self.families else None
        return replace(self, by=_limit_groups(self.by, dimensions), families=families)

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
        return self.with_groups(())

    def with_groups(self, dimensions: Container[str]) -> "Figures":
        """Return the figures with the groups of these dimensions only."""
        return replace(
            self,
            groups={each: names if each in dimensions else () for each, names in self.groups.items()},
            margins={name: each.with_groups(dimensions) for name, each in self.margins.items()},
            behind={name: each.with_groups(dimensions) for name, each in self.behind.items()},
            parts=tuple(replace(each, table=each.table.with_groups(dimensions)) for each in self.parts),
        )

    def part(self, question: str, choice: str | None = None) -> QuestionPart:
        """Return the table of a question or of one of its choices. Raises KeyError."""
        for part in self.parts:
            if (part.question, part.choice) == (question, choice):
                return part
        raise KeyError(question if choice is None else f"{question}.{choice}")


def _limit_groups(by: Mapping[str, Counts], dimensions: Container[str]) -> dict[str, Counts]:
    """Return the counts by group, with no group in the other dimensions."""
    return {each: counts if each in dimensions else counts[:0] for each, counts in by.items()}
