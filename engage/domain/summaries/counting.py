"""Counting: one `bincount` per question over combined group numbers, directly from the column files.

Every response belongs to one combined group (school x language x mode). Tables of single dimensions are sums over it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engage.domain.summaries.clusters import Families, Marks, design_effect
from engage.domain.summaries.column_store import Columns
from engage.domain.summaries.encoding import Encoder, build_encoders
from engage.domain.summaries.tables import CHOSEN, DIMENSIONS, NOT_ASKED, REST, Figures, QuestionPart, Table

CHUNK = 1 << 18  # entries per chunk: limits memory to a few MB

Cells = NDArray[np.int64]  # combined groups x columns


@dataclass(frozen=True, slots=True)
class _Level:
    """Responses, or the blocks of one section: the combined group of each entry, and the response it belongs to."""

    fused: NDArray[np.int32]
    parents: NDArray[np.uint32] | None
    sizes: tuple[int, ...]  # number of groups per dimension

    def chunks(self) -> Iterator[slice]:
        """Yield slices over all entries. Blocks of one response are always in the same slice."""
        start, end = 0, len(self.fused)
        while start < end:
            stop = min(start + CHUNK, end)
            if self.parents is not None and stop < end:
                stop = int(np.searchsorted(self.parents, self.parents[stop]))
            yield slice(start, stop)
            start = stop

    def most(self) -> int:
        """Return the largest number of entries of any response, at least 1."""
        assert self.parents is not None
        return int(np.unique(self.parents, return_counts=True)[1].max(initial=1))

    def count(self, chunk: slice, numbers: NDArray[np.uint8], width: int) -> Cells:
        """Count the entries of a chunk with each number below `width`, by combined group."""
        bins = self.fused[chunk].astype(np.int64) * width + numbers
        return np.bincount(bins, minlength=int(np.prod(self.sizes)) * width).reshape(-1, width)

    def families(self, chunk: slice, numbers: NDArray[np.uint8], width: int) -> Cells:
        """Count the responses that have an entry with each number. Entries numbered `width` or more are ignored."""
        assert self.parents is not None
        in_range = numbers < width
        keys = self.parents[chunk][in_range].astype(np.int64) * width + numbers[in_range]
        once, first = np.unique(keys, return_index=True)
        bins = self.fused[chunk][in_range][first].astype(np.int64) * width + once % width
        return np.bincount(bins, minlength=int(np.prod(self.sizes)) * width).reshape(-1, width)

    def table(self, columns: tuple[str, ...], cells: Cells, families: Cells | None) -> Table:
        """Sum combined groups into one table per dimension."""
        cube = cells.reshape(*self.sizes, len(columns))
        axes = range(len(DIMENSIONS))
        by = {each: cube.sum(axis=tuple({*axes} - {at})) for at, each in enumerate(DIMENSIONS)}
        people = self.table(columns, families, None) if families is not None else None
        return Table(columns, cells.sum(axis=0), by, people)


def count_figures(columns: Columns) -> Figures:
    """Count all answers of a wave: per question, overall and by school, language, and mode (groups in the order of
    codes)."""
    levels = _levels(columns)
    everyone = {name: _base_table(level) for name, level in levels.items()}
    behind = {name: each.families.margins for name, each in everyone.items() if name and each.families}
    parts: list[QuestionPart] = []
    effects: dict[str, float] = {}
    for encoder in build_encoders(columns.survey):
        level = levels[_section_id(encoder)]
        some = list(_question_parts(columns, encoder, level))
        parts += some
        if level.parents is not None:
            effects[encoder.question.id] = _design_effect(columns, encoder, level, some)
    return Figures(
        groups={each: tuple(sorted(columns.groups[each])) for each in DIMENSIONS},
        margins={name: each.margins for name, each in everyone.items()},
        behind=behind,
        sections={each.question.id: _section_id(each) for each in build_encoders(columns.survey)},
        parts=tuple(parts),
        effects=effects,
        most={name: level.most() for name, level in levels.items() if name},
    )


def _design_effect(columns: Columns, encoder: Encoder, level: _Level, parts: list[QuestionPart]) -> float:
    """Return the design effect of a question that is asked per child, over all its answers."""
    whole, answers = parts[0].table.overall, len(encoder.answers)
    chosen = [each.table.overall[each.table.columns.index(CHOSEN)] for each in parts[1:]]
    counts = np.array(chosen, dtype=np.int64) if encoder.mask_bytes else whole[:answers]
    return design_effect(_child_answers(columns, encoder, level, len(counts)), counts, int(whole[:answers].sum()))


def _child_answers(columns: Columns, encoder: Encoder, level: _Level, width: int) -> Iterator[tuple[Families, Marks]]:
    """Yield the families and the answers of all children with an answer."""
    assert level.parents is not None
    answers, column_of, masks = columns.answers(encoder), _column_by_byte(encoder), columns.masks(encoder)
    for chunk in level.chunks():
        numbers = column_of[answers[chunk]]
        answered = numbers < len(encoder.answers)
        if masks:
            bits = [masks[at // 8][chunk][answered] >> np.uint8(at % 8) & np.uint8(1) for at in range(width)]
            marks = np.stack(bits, axis=1)
        else:
            marks = (numbers[answered][:, None] == np.arange(width)).astype(np.uint8)
        yield level.parents[chunk][answered], marks


def _section_id(encoder: Encoder) -> str | None:
    return encoder.section.id if encoder.section.repeat else None


def _levels(columns: Columns) -> dict[str | None, _Level]:
    sizes = tuple(len(columns.groups[each]) for each in DIMENSIONS)
    fused = np.zeros(columns.rows, dtype=np.int32)
    for dimension, size in zip(DIMENSIONS, sizes, strict=True):
        fused *= size
        fused += _ranks(columns.groups[dimension])[columns.group(dimension)]
    levels: dict[str | None, _Level] = {None: _Level(fused, None, sizes)}
    for section in columns.survey.sections:
        if section.repeat:
            parents = columns.parents(section.id)
            levels[section.id] = _Level(fused[parents], parents, sizes)
    return levels


def _ranks(codes: list[str]) -> NDArray[np.int32]:
    """Return, for each group's number in the file, its position among the sorted codes."""
    at = {code: place for place, code in enumerate(sorted(codes))}
    return np.array([at[code] for code in codes], dtype=np.int32)


def _base_table(level: _Level) -> Table:
    """Return a table with everyone in one column, whose sums are the bases."""
    cells = np.bincount(level.fused, minlength=int(np.prod(level.sizes))).reshape(-1, 1)
    if level.parents is None:
        return level.table(("all",), cells, None)
    families = np.zeros_like(cells)
    for chunk in level.chunks():
        families += level.families(chunk, np.zeros(chunk.stop - chunk.start, dtype=np.uint8), 1)
    return level.table(("all",), cells, families)


def _question_parts(columns: Columns, encoder: Encoder, level: _Level) -> Iterator[QuestionPart]:
    whole, families = _question_cells(columns, encoder, level)
    yield QuestionPart(encoder.question.id, None, level.table(encoder.columns, whole, families))
    if not encoder.mask_bytes:
        return
    off = encoder.columns.index(NOT_ASKED) if NOT_ASKED in encoder.columns else None
    names = (CHOSEN, REST) if off is None else (CHOSEN, REST, NOT_ASKED)
    chosen = _choice_counts(columns, encoder, level)
    for at, choice in enumerate(encoder.question.choices):
        some = [chosen[:, at], whole.sum(axis=1) - chosen[:, at]]
        if off is not None:
            some = [some[0], some[1] - whole[:, off], whole[:, off]]
        behind = None if families is None else _choice_families(columns, encoder, level, at, off)
        yield QuestionPart(encoder.question.id, choice.code, level.table(names, np.stack(some, axis=1), behind))


def _question_cells(columns: Columns, encoder: Encoder, level: _Level) -> tuple[Cells, Cells | None]:
    """Count a question as one table, with every entry in one column. For blocks, also count the families behind each
    cell."""
    width = len(encoder.columns)
    cells = np.zeros((int(np.prod(level.sizes)), width), dtype=np.int64)
    families = None if level.parents is None else cells.copy()
    answers, column_of = columns.answers(encoder), _column_by_byte(encoder)
    for chunk in level.chunks():
        numbers = column_of[answers[chunk]]
        cells += level.count(chunk, numbers, width)
        if families is not None:
            families += level.families(chunk, numbers, width)
    return cells, families


def _column_by_byte(encoder: Encoder) -> NDArray[np.uint8]:
    columns = np.zeros(256, dtype=np.uint8)
    for byte, column in encoder.column_of.items():
        columns[byte] = column
    return columns


def _choice_counts(columns: Columns, encoder: Encoder, level: _Level) -> Cells:
    """Count how often each choice of a "several" question is marked. All bit patterns of a byte are counted in one
    pass."""
    number = len(encoder.question.choices)
    counts = np.zeros((int(np.prod(level.sizes)), number), dtype=np.int64)
    for byte, patterns in enumerate(columns.masks(encoder)):
        bits = min(8, number - 8 * byte)
        marked = np.arange(1 << bits)[:, None] >> np.arange(bits) & 1
        for chunk in level.chunks():
            counts[:, 8 * byte : 8 * byte + bits] += level.count(chunk, patterns[chunk], 1 << bits) @ marked
    return counts


def _choice_families(columns: Columns, encoder: Encoder, level: _Level, at: int, off: int | None) -> Cells:
    """Count the families behind one choice of a question asked per child: those with a child that marked it, with one
    that did not, and with one that was not asked."""
    width = 2 if off is None else 3
    counts = np.zeros((int(np.prod(level.sizes)), width), dtype=np.int64)
    answers, bits, column_of = columns.answers(encoder), columns.masks(encoder)[at // 8], _column_by_byte(encoder)
    for chunk in level.chunks():
        numbers: NDArray[np.uint8] = (bits[chunk] >> np.uint8(at % 8) & np.uint8(1)) ^ np.uint8(1)
        if off is not None:
            numbers[column_of[answers[chunk]] == off] = 2
        counts += level.families(chunk, numbers, width)
    return counts
