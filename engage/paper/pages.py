"""Blocks onto pages: no block is parted, and what belongs together stays together where a page can hold it."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from engage.paper.sheet import Block, Item


def paginated(blocks: Iterable[Block], room: float) -> Iterator[list[Item]]:
    """The items of each page, from the top of a body `room` mm high."""
    page: list[Item] = []
    y = 0.0
    for chunk in _chunks(blocks, room):
        if y and y + _height(chunk, first=True) > room:
            yield page
            page, y = [], 0.0
        for index, block in enumerate(chunk):
            if index and y + block.gap + block.height > room:  # only where a heading meets a full page
                yield page
                page, y = [], 0.0
            for each in (block,) if y else (*block.again, block):
                y += each.gap if y else 0.0
                page += each.moved(0, y)
                y += each.height
    if page:
        yield page


def _chunks(blocks: Iterable[Block], room: float) -> Iterator[list[Block]]:
    """What goes onto one page: runs of blocks kept together, cut to the shortest runs where they are too high."""
    for run in _runs(blocks, lambda block: block.keep or block.together):
        again = sum(block.height + block.gap for block in run[0].again)
        yield from [run] if again + _height(run) <= room else _runs(run, lambda block: block.keep)


def _runs(blocks: Iterable[Block], goes_on: Callable[[Block], bool]) -> Iterator[list[Block]]:
    run: list[Block] = []
    for block in blocks:
        run.append(block)
        if not goes_on(block):
            yield run
            run = []
    if run:
        yield run


def _height(run: Sequence[Block], first: bool = False) -> float:
    """The height of a run; with `first` also the room above it."""
    return sum(block.height + block.gap for block in run) - (0.0 if first else run[0].gap)
