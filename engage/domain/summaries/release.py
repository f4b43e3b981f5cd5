"""A release: the figures of a whole wave for one audience, with every table suppressed consistently with the others.

It adds three rules to `suppression`. Small groups are the same in every table of the wave. Tables of children use the
same groups. A question that is asked of some families only is shown for those asked, if the number asked reveals
nothing more (see `linked_questions`); otherwise its groups are merged, or only its overall row is shown, or nothing.
All of these take into account what the same audience was shown of the wave earlier (see `suppression`).

Not covered: what a rule over several questions ("a is yes and b is no") reveals about each of them, beyond the groups
in which one of them is hidden; the number asked is a lower bound for both.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain

import numpy as np

from engage.domain.summaries.differencing import EarlierTable, IncomparableTables
from engage.domain.summaries.earlier_releases import EarlierFigures
from engage.domain.summaries.encoding import Encoder, build_encoders
from engage.domain.summaries.linked_questions import (
    Key,
    asked_columns,
    column_classes,
    find_link,
    has_split_column,
    mask_underivable,
    parent_tables,
)
from engage.domain.summaries.max_flow import Mask
from engage.domain.summaries.published_figures import AudienceFigures
from engage.domain.summaries.suppression import (
    PublishedTable,
    Set,
    Sets,
    SuppressionPolicy,
    TableContext,
    Universe,
    build_universe,
    coarsen_universe,
    merge_sets,
    suppress_table,
)
from engage.domain.summaries.tables import NOT_ASKED, Counts, Figures, QuestionPart, Table
from engage.questionnaire.model import Survey
from engage.questionnaire.routing import Rule

PartProgress = Callable[[int, int], None]
"""Is given the number of tables that are suppressed, and of all tables. May raise to stop."""


def ignore_progress(_tables: int, _total: int) -> None:
    """Do nothing with the progress."""


@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """The figures for one audience. `bases` are responses (None) and blocks of repeated sections.

    `parts` has every table by question and choice (None: the whole question); `effects` has the design effects of
    questions answered per child, if they are shown at all.
    """

    groups: Mapping[str, tuple[str, ...]]
    bases: Mapping[str | None, PublishedTable]
    parts: Mapping[Key, PublishedTable]
    universes: Mapping[str | None, Universe]
    asked: Mapping[str, PublishedTable]
    effects: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class _ReleaseWork:
    """State while a release is built."""

    figures: Figures
    policy: SuppressionPolicy
    before: Release | None
    seen: Sequence[EarlierFigures]
    encoders: dict[str, Encoder]
    universes: dict[str | None, Universe]
    links: Mapping[Key, list[Set]]
    parts: dict[Key, PublishedTable]
    asked: dict[str, PublishedTable]

    def other(self, part: QuestionPart, columns: tuple[str, ...]) -> PublishedTable | None:
        """Return the other audience's version of a table, with its columns numbered as in this one."""
        if self.before is None:
            return None
        table = self.before.parts[part.question, part.choice]
        missing = range(len(table.columns), len(columns))
        return replace(table, sets=(*table.sets, *((each,) for each in missing))) if missing else table


def build_release(
    figures: Figures,
    survey: Survey,
    policy: SuppressionPolicy,
    before: Release | None = None,
    earlier: Sequence[AudienceFigures] = (),
    progress: PartProgress = ignore_progress,
) -> Release:
    """Return the figures for an audience.

    `before` is the release to an audience that sees more (leaders, for the public): both together must reveal no more
    to that audience than its own release. `earlier` is what this audience was shown of the wave at other checkpoints:
    all of them together must reveal no more either.
    """
    encoders = {each.question.id: each for each in build_encoders(survey)}
    seen = [EarlierFigures(each, figures.groups, figures.most) for each in earlier]
    universes = _build_universes(figures, policy, before, seen, encoders)
    work = _ReleaseWork(figures, policy, before, seen, encoders, universes, _link_sets(encoders), {}, {})
    for number, part in enumerate(figures.parts, 1):
        work.parts[part.question, part.choice] = _release_part(work, part)
        progress(number, len(figures.parts))
    bases = {name: _base_table(figures, name, each) for name, each in work.universes.items()}
    visible = {question for (question, choice), table in work.parts.items() if choice is None and not table.nothing}
    effects = {each: effect for each, effect in figures.effects.items() if each in visible}
    return Release(figures.groups, bases, work.parts, work.universes, work.asked, effects)


def _link_sets(encoders: dict[str, Encoder]) -> dict[Key, list[Set]]:
    """Return, by table, the sets of columns whose sum is the number asked a further question."""
    links: dict[Key, list[Set]] = {}
    for encoder in encoders.values():
        link = find_link(encoder, encoders)
        if link and link[1] not in links.setdefault(link[0], []):
            links[link[0]].append(link[1])
    return links


def _build_universes(
    figures: Figures,
    policy: SuppressionPolicy,
    before: Release | None,
    seen: Sequence[EarlierFigures],
    encoders: Mapping[str, Encoder],
) -> dict[str | None, Universe]:
    """Return the universe of the wave, and of each repeated section."""
    universes: dict[str | None, Universe] = {}
    for name in sorted(figures.margins, key=lambda each: each or ""):
        within = before.universes[name] if before else None
        if name is not None:
            within = _combine_universes(universes[None], within)
        universe = build_universe(figures.margins[name], figures.behind.get(name or ""), policy, within)
        universes[name] = _coarsen_since(
            universe, policy, seen, partial(_earlier_base, section=name, encoders=encoders)
        )
    return universes


def _coarsen_since(
    of: Universe,
    policy: SuppressionPolicy,
    seen: Sequence[EarlierFigures],
    then: Callable[[EarlierFigures], EarlierTable | None],
) -> Universe:
    """Return the universe, coarser if the figures shown earlier require it."""
    try:
        for table in filter(None, map(then, seen)):
            of = coarsen_universe(of, table, policy)
    except IncomparableTables:
        return replace(of, shown=False)
    return of


def _earlier_base(earlier: EarlierFigures, section: str | None, encoders: Mapping[str, Encoder]) -> EarlierTable | None:
    """Return the earlier number of responses, or of blocks of a repeated section: the base of a question asked of
    everyone."""
    if section is None:
        return earlier.responses()
    all_had = (each for each in encoders.values() if each.section.id == section and each.question.shown_when is None)
    encoder = next(all_had, None)
    return earlier.bases(encoder.question.id) if encoder else None


def _combine_universes(wave: Universe, other: Universe | None) -> Universe:
    if other is None:
        return wave
    rows = {each: merge_sets(sets, other.rows[each]) for each, sets in wave.rows.items()}
    return Universe(wave.margins, rows, wave.shown and other.shown)


def _base_table(figures: Figures, name: str | None, of: Universe) -> PublishedTable:
    margins = figures.margins[name]
    by = {each: bases[:, None] for each, bases in margins.by.items()}
    # Merged groups are hidden by the universe; a table with one column needs no other suppression.
    return suppress_table(Table(("all",), np.array([margins.total]), by), of, SuppressionPolicy(0, 0))


def _release_part(work: _ReleaseWork, part: QuestionPart) -> PublishedTable:
    encoder = work.encoders[part.question]
    of = work.universes[work.figures.sections[part.question]]
    rule = encoder.question.shown_when
    if rule is None:
        return _suppress_part(work, part, part.table, of)
    asked_universe = _asked_universe(work, part.question, rule, of)
    if asked_universe is not None:
        asked_universe = _coarsen_since(asked_universe, work.policy, work.seen, lambda each: each.bases(part.question))
        return _suppress_part(work, part, part.table.keep(asked_columns(part.table.columns)), asked_universe)
    if 0 < _count_not_asked(work, part.question) < work.policy.minimum:
        section = work.figures.sections[part.question]
        whole = _suppress_part(work, part, part.table, _without_groups(of))
        return whole if whole.nothing else replace(whole, bases=_base_table(work.figures, section, of).bases)
    return _suppress_part(work, part, part.table, replace(of, shown=False))


def _suppress_part(work: _ReleaseWork, part: QuestionPart, table: Table, of: Universe) -> PublishedTable:
    try:
        tables = [each.table(part.question, part.choice, table.columns) for each in work.seen]
    except IncomparableTables:
        tables, of = [], replace(of, shown=False)
    rules = [each.question.shown_when for each in work.encoders.values() if each.question.shown_when]
    encoder = work.encoders[part.question]
    classes = column_classes(table.columns, encoder, rules) if part.choice is None else ()
    links = work.links.get((part.question, part.choice), ())
    seen = [each for each in tables if each]
    context = TableContext(work.other(part, table.columns), classes, links, seen=seen)
    return suppress_table(table, of, work.policy, context)


def _count_not_asked(work: _ReleaseWork, question: str) -> int:
    table = work.figures.part(question).table
    return int((table.families or table).overall[table.columns.index(NOT_ASKED)])


def _without_groups(of: Universe) -> Universe:
    """Return the universe without groups."""
    rows = {each: (tuple(chain.from_iterable(sets)),) if sets else () for each, sets in of.rows.items()}
    return replace(of, rows=rows)


def _asked_universe(work: _ReleaseWork, question: str, rule: Rule, of: Universe) -> Universe | None:
    """Return the universe of those who were asked, with groups merged whose number may not be shown; None if even the
    total may not be shown."""
    link = find_link(work.encoders[question], work.encoders)
    if link is None:
        return _asked_by_many_columns(work, question, rule, of)
    key, inside = link
    parent = work.parts[key]
    if parent.nothing or inside not in parent.untold:
        return None
    rows = {each: _join_untold(sets, parent.untold[inside][each]) for each, sets in parent.rows.items()}
    return Universe(_asked_table(work.figures.part(question).table).keep(("asked",)).margins, rows, shown=True)


def _asked_by_many_columns(work: _ReleaseWork, question: str, rule: Rule, of: Universe) -> Universe | None:
    """Return the same for a rule without a single link: asked and not asked become a table of their own."""
    parts = [(work.parts[key], classes) for key, classes in parent_tables(rule, work.encoders)]
    if any(has_split_column(*each) for each in parts):
        return None
    table = _asked_table(work.figures.part(question).table)
    table_shown = _suppress_asked_table(work, question, table, of, [mask_underivable(*each, of.rows) for each in parts])
    if table_shown.nothing or len(table_shown.sets) < 2:
        return None
    work.asked[question] = table_shown
    rows = {each: _join_untold(sets, table_shown.masks[each][:, 0]) for each, sets in table_shown.rows.items()}
    return Universe(table.keep(("asked",)).margins, rows, shown=True)


def _join_untold(rows: Sets, untold: Mask) -> Sets:
    """Merge the groups whose number asked may not be shown."""
    hidden = [each for each, yes in zip(rows, untold, strict=True) if yes]
    joined = tuple(sorted(chain.from_iterable(hidden)))
    others = [each for each in rows if each not in hidden]
    return tuple(sorted([joined, *others])) if joined else rows


def _suppress_asked_table(
    work: _ReleaseWork, question: str, table: Table, of: Universe, marks: list[Mapping[str, Mask]]
) -> PublishedTable:
    forced = {
        dimension: np.repeat(np.any([each[dimension] for each in marks], axis=0)[:, None], 2, axis=1)
        for dimension in of.rows
    }
    before = None
    if work.before:
        before = work.before.asked.get(question)
        if before is None:
            of = replace(of, shown=False)
    everybody = partial(_earlier_base, section=work.figures.sections[question], encoders=work.encoders)
    try:
        seen = [then for each in work.seen if (then := each.asked_table(question, everybody(each)))]
    except IncomparableTables:
        seen, of = [], replace(of, shown=False)
    context = TableContext(before, forced=forced, seen=seen)
    return suppress_table(table, of, SuppressionPolicy(work.policy.minimum, 0), context)


def _asked_table(table: Table) -> Table:
    """Reduce a question's table to two columns. The number of families asked is at least that in the largest column."""
    off = table.columns.index(NOT_ASKED)
    others = [each for each in range(len(table.columns)) if each != off]

    def two(cells: Counts, people: bool) -> Counts:
        inside = cells[..., others].max(axis=-1) if people else cells[..., others].sum(axis=-1)
        return np.stack([inside, cells[..., off]], axis=-1)

    def both(some: Table, people: bool) -> Table:
        by = {each: two(cells, people) for each, cells in some.by.items()}
        return Table(("asked", NOT_ASKED), two(some.overall, people), by)

    split = both(table, False)
    return replace(split, families=both(table.families, True)) if table.families else split
