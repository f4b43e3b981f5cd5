"""Suppression of small groups and small counts, the same way for every output.

Steps for one table (rows are groups of one dimension, columns are answers, row and column sums are known):

1. Groups with fewer than `minimum` families are merged, smallest first, until the merged group has at least `minimum`
   families and at least two members. Its members are hidden individually, including their bases. Groups of 0 are shown
   as 0 and never used as cover.
2. Columns whose overall total is too small are merged in the same way, and hidden individually in all groups.
3. A cell of the merged table with 1 to `minimum` - 1 families is hidden (primary), and so is a cell that contains all
   of a group of fewer than `unanimous_below` (everyone gave the same answer). Further cells are hidden (complementary)
   until no range narrower than `minimum` counts can be derived for any hidden cell.

What is protected: nobody who knows all published numbers of one audience, or of both, can derive a range narrower than
the minimum for a hidden cell. Tables of different dimensions reveal nothing about each other beyond the overall row,
because any tables with equal column sums are compatible. Cells of 0 are shown intentionally.

What was shown of the wave earlier (`TableContext.seen`) is protected together with the current figures, and so is the
difference:

4. What was merged or hidden earlier stays so. Groups and columns are merged until each has grown by zero or by at least
   `minimum` families; cells of the difference are hidden as in step 3 (see `differencing`).

What is not protected: against someone who knows more (a family knows its own answer; and, by this rule, that a primary
cell is less than the minimum); cross-tables (school x language), which must not be published with these; logical
relations between choices of one "several" question (at least one is marked, an exclusive one is alone). `release`
handles questions that depend on other questions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from engage.domain.summaries.complementary import add_complementary, sum_width
from engage.domain.summaries.differencing import (
    EarlierTable,
    IncomparableTables,
    TableChange,
    hidden_sets,
    least_families,
    set_growth,
    table_change,
)
from engage.domain.summaries.max_flow import Mask
from engage.domain.summaries.tables import HIDDEN as HIDDEN
from engage.domain.summaries.tables import Counts, Margins, Table

Set = tuple[int, ...]
Sets = tuple[Set, ...]


@dataclass(frozen=True, slots=True)
class SuppressionPolicy:
    """`minimum` is the number of families required to show a number. Groups below `unanimous_below` never show that all
    agree."""

    minimum: int
    unanimous_below: int = 20


PUBLIC = SuppressionPolicy(10)
LEADERS = SuppressionPolicy(5)


@dataclass(frozen=True, slots=True, eq=False)
class Universe:
    """The population of a table, and the groups that must not be distinguished: `rows` are sets of group numbers."""

    margins: Margins
    rows: Mapping[str, Sets]
    shown: bool


@dataclass(frozen=True, slots=True, eq=False)
class PublishedTable:
    """The publishable version of one table, in its own shape. A number that is not shown is HIDDEN.

    It does not say which hidden cells are small and which are only cover: knowing that one is less than the minimum and
    its neighbor is not can reveal both. `sets` (of columns), `rows` (sets of groups), and `masks` (rows x sets) say
    what was merged and hidden; `untold` marks, for each link that can be shown at all, the rows where it cannot.
    """

    columns: tuple[str, ...]
    base: int
    overall: Counts
    bases: Mapping[str, Counts]
    by: Mapping[str, Counts]
    sets: Sets
    rows: Mapping[str, Sets]
    masks: Mapping[str, Mask]
    untold: Mapping[Set, Mapping[str, Mask]]

    @property
    def nothing(self) -> bool:
        """Whether even the number asked is hidden because it is too small."""
        return self.base == HIDDEN


def singleton_sets(number: int) -> Sets:
    """Return a set for each single row (or column)."""
    return tuple((each,) for each in range(number))


def build_universe(
    margins: Margins, behind: Margins | None, policy: SuppressionPolicy, within: Universe | None = None
) -> Universe:
    """Merge the small groups of every dimension. `behind` counts families if `margins` counts children.

    `within` is a universe whose merged groups stay merged: the wave's for its children, the leaders' for the public.
    """
    people = behind or margins
    is_shown = (people.total == 0 or people.total >= policy.minimum) and (within is None or within.shown)
    atoms = {each: within.rows[each] if within else singleton_sets(len(bases)) for each, bases in margins.by.items()}
    rows = {
        each: join_small_sets(atoms[each], margins.by[each], people.by[each], policy.minimum) for each in margins.by
    }
    return Universe(margins, rows, is_shown)


def join_small_sets(atoms: Sets, sizes: Counts, people: Counts, minimum: int) -> Sets:
    """Merge the sets with 1 to `minimum` - 1 people, and the next smallest ones, until together they have enough."""
    needy = [each for each in atoms if 0 < people[list(each)].sum() < minimum]
    rest = [each for each in atoms if each not in needy and sizes[list(each)].sum() > 0]
    rest.sort(key=lambda each: (int(sizes[list(each)].sum()), each))
    while needy and rest and people[list(chain.from_iterable(needy))].sum() < minimum:
        needy.append(rest.pop(0))
    if not needy:
        return atoms
    joined = tuple(sorted(chain.from_iterable(needy)))
    return tuple(sorted([joined, *(each for each in atoms if each not in needy)]))


def coarsen_universe(of: Universe, seen: EarlierTable, policy: SuppressionPolicy) -> Universe:
    """Return the universe with groups merged until the figures shown earlier reveal nobody.

    Uses only `bases` of the earlier table. Everything is hidden if too few responses came in between, or if answers
    were withdrawn.
    """
    grown = of.margins.total - seen.total
    rows = dict(of.rows)
    try:
        for each, then in seen.bases.items():
            sets = merge_sets(rows[each], hidden_sets(then))
            sizes = set_growth(of.margins.by[each], then, seen.total, sets)
            rows[each] = _join_until_enough(sets, sizes, seen.per, policy.minimum)
    except IncomparableTables:
        grown = -1
    return Universe(of.margins, rows, of.shown and _has_grown_enough(grown, seen.per, policy))


def _has_grown_enough(grown: int, per: int, policy: SuppressionPolicy) -> bool:
    return grown == 0 or (grown > 0 and -(-grown // per) >= policy.minimum)


def _join_until_enough(sets: Sets, sizes: Counts, per: int, minimum: int) -> Sets:
    """Merge sets until each has grown (by `sizes`) by zero or by enough families."""
    joined = join_small_sets(singleton_sets(len(sets)), sizes, least_families(sizes, per), minimum)
    return tuple(sorted(tuple(sorted(chain.from_iterable(sets[at] for at in each))) for each in joined))


@dataclass(frozen=True, slots=True, eq=False)
class TableContext:
    """Other published figures that the suppression of a table must take into account.

    `before` is the same table for another audience that sees more: this table must not reveal anything that is hidden
    there. `classes` says, per column, how other questions use the answer: columns are merged within a class if that is
    enough. `links` are sets of columns whose sum in a group is the number asked a further question: it is either shown
    exactly or well hidden. `forced` marks cells (groups x columns) that must be hidden regardless of size. `seen` are
    earlier versions of the table; the universe must be coarser than each.
    """

    before: PublishedTable | None = None
    classes: Sequence[object] = ()
    links: Sequence[Set] = ()
    forced: Mapping[str, Mask] | None = None
    seen: Sequence[EarlierTable] = ()


ALONE = TableContext()


def suppress_table(
    table: Table, of: Universe, policy: SuppressionPolicy, context: TableContext = ALONE
) -> PublishedTable:
    """Return the publishable version of a table. Its row sums must be the margins of the universe."""
    before, seen = context.before, context.seen
    if not of.shown or (before is not None and before.nothing):
        return _hidden_table(table, of)
    sets = _column_sets(table, policy, before.sets if before else singleton_sets(len(table.columns)), context.classes)
    past = _EarlierTables(before, context.forced or {}, seen)
    try:
        sets = _sets_since(table, sets, policy, seen)
        return _suppress_joined(table, of, policy, sets, past, context.links)
    except IncomparableTables:
        return _hidden_table(table, of)


@dataclass(frozen=True, slots=True, eq=False)
class _EarlierTables:
    """What must stay hidden regardless of size; see `TableContext`."""

    before: PublishedTable | None
    forced: Mapping[str, Mask]
    seen: Sequence[EarlierTable]

    def hidden_cells(self, dimension: str, rows: Sets, sets: Sets) -> Mask:
        """Return the merged cells that are hidden from the other audience, or forced."""
        return _hidden_before(self.before, dimension, rows, sets) | _any_in_sets(self.forced.get(dimension), rows, sets)

    def changes(self, cells: Counts, dimension: str, rows: Sets, sets: Sets) -> list[TableChange]:
        """Return the differences to earlier tables. Raises IncomparableTables."""
        return [table_change(cells, each, dimension, rows, sets) for each in self.seen if dimension in each.by]


def _suppress_joined(
    table: Table, of: Universe, policy: SuppressionPolicy, sets: Sets, past: _EarlierTables, links: Sequence[Set]
) -> PublishedTable:
    whole = {each: mask for each in links if (mask := _link_columns(each, sets)) is not None}
    masks: dict[str, Mask] = {}
    untold: dict[Set, dict[str, Mask]] = {each: {} for each in whole}
    for dimension, rows in of.rows.items():
        cells = fold_table(table.by[dimension], rows, sets)
        changes = past.changes(cells, dimension, rows, sets)
        primary = _primary_cells(table, dimension, rows, sets, policy) | past.hidden_cells(dimension, rows, sets)
        masks[dimension] = _cells_to_hide(cells, primary, changes, policy, list(whole.values()))
        for each, mask in whole.items():
            tables = (cells, *(change.cells for change in changes))
            untold[each][dimension] = np.any(
                [_underivable_rows(some, masks[dimension], mask) for some in tables], axis=0
            )
    return _unfold_table(table, of, sets, masks, untold)


def _cells_to_hide(
    cells: Counts, primary: Mask, changes: Sequence[TableChange], policy: SuppressionPolicy, links: Sequence[Mask]
) -> Mask:
    """Return the cells to hide so that neither the table nor its difference to an earlier one can be derived."""
    for each in changes:
        primary = primary | each.hidden | each.small(policy.minimum, policy.unanimous_below)
    hidden = add_complementary(cells, primary, policy.minimum, links)
    while changes:
        more = hidden.copy()
        for each in changes:
            more |= add_complementary(each.cells, more & each.live(), policy.minimum, links)
        if (more == hidden).all():
            break
        hidden = more | add_complementary(cells, more, policy.minimum, links)
    return hidden


def _sets_since(table: Table, sets: Sets, policy: SuppressionPolicy, seen: Sequence[EarlierTable]) -> Sets:
    """Merge columns until the figures shown earlier reveal nobody. Raises IncomparableTables."""
    for table_seen in (*seen, *seen[:-1]):  # a merge for a later table may conflict with an earlier one
        sets = merge_sets(sets, hidden_sets(table_seen.overall))
        sizes = set_growth(table.overall, table_seen.overall, table_seen.total, sets)
        if 0 < least_families(sizes.sum(), table_seen.per) < policy.unanimous_below and (sizes == sizes.sum()).any():
            return (tuple(range(len(table.columns))),)
        sets = _join_until_enough(sets, sizes, table_seen.per, policy.minimum)
    return sets


def _link_columns(link: Set, sets: Sets) -> Mask | None:
    """Return the merged columns that make up a link; None if it divides one."""
    inside = [set(each) <= set(link) for each in sets]
    outside = [not set(each) & set(link) for each in sets]
    return np.array(inside) if all(one or other for one, other in zip(inside, outside, strict=True)) else None


def _underivable_rows(cells: Counts, mask: Mask, link: Mask) -> Mask:
    """Return the rows whose sum over the link cannot be derived."""
    mixed = np.flatnonzero((mask & link).any(axis=1) & (mask & ~link).any(axis=1))
    underivable = np.zeros(len(cells), dtype=np.bool_)
    underivable[mixed] = [sum_width(cells, mask, int(row), link, 1) > 0 for row in mixed]
    return underivable


def _column_sets(table: Table, policy: SuppressionPolicy, atoms: Sets, classes: Sequence[object]) -> Sets:
    total = table.overall.sum()
    if 0 < total < policy.unanimous_below and (table.overall == total).any():
        return (tuple(range(len(table.columns))),)
    people = (table.families or table).overall
    for kind in dict.fromkeys(classes):
        within = tuple(one for one in atoms if all(classes[member] == kind for member in one))
        if people[list(chain.from_iterable(within))].sum() >= policy.minimum:
            others = tuple(one for one in atoms if one not in within)
            atoms = tuple(sorted((*others, *join_small_sets(within, table.overall, people, policy.minimum))))
    return join_small_sets(atoms, table.overall, people, policy.minimum)


def _primary_cells(table: Table, dimension: str, rows: Sets, sets: Sets, policy: SuppressionPolicy) -> Mask:
    """Return the cells of the merged table that are too small, or contain all of a small group."""
    cells = fold_table(table.by[dimension], rows, sets)
    people = fold_table((table.families or table).by[dimension], rows, sets)
    bases, totals = cells.sum(axis=1), cells.sum(axis=0)
    small = (people > 0) & (people < policy.minimum)
    agreed = (cells == bases[:, None]) & (cells > 0) & (bases < policy.unanimous_below)[:, None]
    mask: Mask = small | (agreed & (totals < totals.sum()))
    return mask


def merge_sets(some: Sets, others: Sets) -> Sets:
    """Return the finest sets that keep everything together that either argument does."""
    sets = [set(each) for each in some]
    for other in others:
        touched = [each for each in sets if each & set(other)]
        sets = [each for each in sets if each not in touched] + [set().union(*touched)]
    return tuple(sorted(tuple(sorted(each)) for each in sets))


def fold_table(cells: Counts, rows: Sets, sets: Sets) -> Counts:
    """Sum a table of groups x columns over merged rows and columns."""
    return _sum_sets(_sum_sets(cells.T, sets).T, rows)


def _sum_sets(cells: Counts, sets: Sets) -> Counts:
    """Sum the rows of each set."""
    if not sets:
        return cells[:0]
    starts = np.cumsum([0, *(len(each) for each in sets[:-1])])
    sums: Counts = np.add.reduceat(cells[list(chain.from_iterable(sets))], starts, axis=0)
    return sums


def _hidden_before(before: PublishedTable | None, dimension: str, rows: Sets, sets: Sets) -> Mask:
    """Return the merged cells that contain a cell hidden from the other audience."""
    mask = np.zeros((len(rows), len(sets)), dtype=np.bool_)
    if before is None:
        return mask
    row_at = {member: number for number, each in enumerate(rows) for member in each}
    column_at = {member: number for number, each in enumerate(sets) for member in each}
    for row, column in np.argwhere(before.masks[dimension]):
        mask[row_at[before.rows[dimension][row][0]], column_at[before.sets[column][0]]] = True
    return mask


def _any_in_sets(mask: Mask | None, rows: Sets, sets: Sets) -> Mask:
    if mask is None:
        return np.zeros((len(rows), len(sets)), dtype=np.bool_)
    return fold_table(mask.astype(np.int64), rows, sets) > 0


def _unfold_table(
    table: Table, of: Universe, sets: Sets, masks: Mapping[str, Mask], untold: Mapping[Set, Mapping[str, Mask]]
) -> PublishedTable:
    """Expand merged cells to groups and columns, with HIDDEN for each hidden number."""
    by, bases = {}, {}
    for dimension, rows in of.rows.items():
        bases[dimension] = _hide_counts(of.margins.by[dimension], _joined_members(rows, of.margins.by[dimension]))
        by[dimension] = _hide_counts(
            table.by[dimension], _hidden_mask(table.by[dimension], rows, sets, masks[dimension])
        )
    overall = _hide_counts(table.overall, _joined_members(sets, None))
    return PublishedTable(table.columns, of.margins.total, overall, bases, by, sets, of.rows, masks, untold)


def _hide_counts(counts: Counts, hidden: Sequence[int] | Mask) -> Counts:
    counts_shown = counts.copy()
    counts_shown[hidden] = HIDDEN
    return counts_shown


def _joined_members(sets: Sets, counts: Counts | None) -> list[int]:
    """Return all members of sets with several members; with `counts`, without sets that sum to 0."""
    joined = [each for each in sets if len(each) > 1 and (counts is None or counts[list(each)].sum() > 0)]
    return [member for each in joined for member in each]


def _hidden_mask(cells: Counts, rows: Sets, sets: Sets, mask: Mask) -> Mask:
    """Return which single cells are hidden: those of a hidden merged cell, and merged ones unless their sum is 0."""
    down, across = (np.array([len(each) > 1 for each in some], dtype=np.bool_) for some in (rows, sets))
    joined = down[:, None] | across[None, :]
    hidden = mask | (joined & (fold_table(cells, rows, sets) > 0))
    spread: Mask = hidden[np.ix_(_set_numbers(rows, cells.shape[0]), _set_numbers(sets, cells.shape[1]))]
    return spread


def _set_numbers(sets: Sets, number: int) -> Counts:
    """Return the number of the set that each of `number` members is in."""
    numbers = np.zeros(number, dtype=np.int64)
    for at, each in enumerate(sets):
        numbers[list(each)] = at
    return numbers


def _hidden_table(table: Table, of: Universe) -> PublishedTable:
    return PublishedTable(
        columns=table.columns,
        base=HIDDEN,
        overall=np.full_like(table.overall, HIDDEN),
        bases={each: np.full_like(bases, HIDDEN) for each, bases in of.margins.by.items()},
        by={each: np.full_like(cells, HIDDEN) for each, cells in table.by.items()},
        sets=(tuple(range(len(table.columns))),),
        rows=of.rows,
        masks={each: np.ones((len(rows), 1), dtype=np.bool_) for each, rows in of.rows.items()},
        untold={},
    )
