"""Pagination: blocks are never split, and blocks that belong together stay together if a page can hold them."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from engage.domain.paper.form.elements import Block, Item

Room = float | Callable[[int], float]
"""Height of a page's body in mm, or a function from page number (from 1) to height."""


def paginate(blocks: Iterable[Block], room: Room, most: float | None = None) -> Iterator[list[Item]]:
    """Yield the items of each page, from the top of a body with height `room`.

    If pages differ, `most` is the height of a full page; a page that is too low for the next blocks stays empty.
    """
    pile = _PageFiller(room)
    for chunk in _split_chunks(blocks, most if most is not None else pile.room):
        if chunk[0].inside and pile.number == 1:
            yield pile.turn()
        yield from pile.turned(_run_height(chunk, first=True), _run_height(chunk), most)
        for index, block in enumerate(chunk):
            if index and pile.y + block.gap + block.height > pile.room:  # only if a heading is at the end of a page
                yield pile.turn()
            for each in (block,) if pile.y else (*block.again, block):
                pile.put(each)
    if pile.items:
        yield pile.items


class _PageFiller:
    """The page that is being filled."""

    def __init__(self, room: Room) -> None:
        self.rooms, self.number = room, 1
        self.items: list[Item] = []
        self.y = 0.0

    @property
    def room(self) -> float:
        return self.rooms if isinstance(self.rooms, float | int) else self.rooms(self.number)

    def put(self, block: Block) -> None:
        self.y += block.gap if self.y else 0.0
        self.items += block.moved(0, self.y)
        self.y += block.height

    def turn(self) -> list[Item]:
        """Return the items of the page and start a new one."""
        done, self.items, self.y = self.items, [], 0.0
        self.number += 1
        return done

    def turned(self, height: float, alone: float, most: float | None) -> Iterator[list[Item]]:
        """Yield finished pages until something of height `height` mm fits (`alone` on a new page)."""
        if self.y and self.y + height > self.room:
            yield self.turn()
        while not self.y and most is not None and self.room < min(alone, most):
            yield self.turn()


def _split_chunks(blocks: Iterable[Block], room: float) -> Iterator[list[Block]]:
    """Yield chunks of blocks for one page: runs of blocks that are kept together, split into the shortest runs if too
    high."""
    for run in _split_runs(blocks, lambda block: block.keep or block.together):
        repeated = sum(block.height + block.gap for block in run[0].again)
        yield from [run] if repeated + _run_height(run) <= room else _split_runs(run, lambda block: block.keep)


def _split_runs(blocks: Iterable[Block], goes_on: Callable[[Block], bool]) -> Iterator[list[Block]]:
    run: list[Block] = []
    for block in blocks:
        run.append(block)
        if not goes_on(block):
            yield run
            run = []
    if run:
        yield run


def _run_height(run: Sequence[Block], first: bool = False) -> float:
    """Return the height of a run; with `first`, including the space above it."""
    return sum(block.height + block.gap for block in run) - (0.0 if first else run[0].gap)
