"""Blocks onto pages: no block is parted, and what belongs together stays together where a page can hold it."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from engage.domain.paper.form.elements import Block, Item

Room = float | Callable[[int], float]
"""Height of a page's body in mm, or of each page's by its number from 1."""


def paginate(blocks: Iterable[Block], room: Room, most: float | None = None) -> Iterator[list[Item]]:
    """The items of each page, from the top of a body `room` mm high.

    Where pages differ, `most` is the room of a whole one; a page too low for what comes next stays empty.
    """
    pile = _PageFiller(room)
    for chunk in _split_chunks(blocks, most if most is not None else pile.room):
        if chunk[0].inside and pile.number == 1:
            yield pile.turn()
        yield from pile.turned(_run_height(chunk, first=True), _run_height(chunk), most)
        for index, block in enumerate(chunk):
            if index and pile.y + block.gap + block.height > pile.room:  # only where a heading meets a full page
                yield pile.turn()
            for each in (block,) if pile.y else (*block.again, block):
                pile.put(each)
    if pile.items:
        yield pile.items


class _PageFiller:
    """The page being filled."""

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
        """The page as it is; a new one is begun."""
        done, self.items, self.y = self.items, [], 0.0
        self.number += 1
        return done

    def turned(self, height: float, alone: float, most: float | None) -> Iterator[list[Item]]:
        """Pages that are done where something `height` mm high (`alone` on a new page) does not fit any more."""
        if self.y and self.y + height > self.room:
            yield self.turn()
        while not self.y and most is not None and self.room < min(alone, most):
            yield self.turn()


def _split_chunks(blocks: Iterable[Block], room: float) -> Iterator[list[Block]]:
    """What goes onto one page: runs of blocks kept together, cut to the shortest runs where they are too high."""
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
    """The height of a run; with `first` also the room above it."""
    return sum(block.height + block.gap for block in run) - (0.0 if first else run[0].gap)
