"""Parser of SQLite's files: which rows were added and removed by which commit (https://sqlite.org/fileformat2.html)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

INTERIOR_INDEX, INTERIOR_TABLE, LEAF_INDEX, LEAF_TABLE = 2, 5, 10, 13
WAL_HEADER, FRAME_HEADER = 32, 24
Value = str | bytes | int | float | None


@dataclass(frozen=True)
class Commit:
    """One transaction: the numbers of the pages it wrote, and the cells (rows and index entries) added and removed."""

    pages: frozenset[int]
    came: tuple[bytes, ...]
    went: tuple[bytes, ...]


class Watcher:
    """Observes a database file and its write-ahead log repeatedly and collects all commits."""

    def __init__(self, path: Path) -> None:
        self._path, self._wal = path, path.with_name(path.name + "-wal")
        data = path.read_bytes()
        self._size = struct.unpack(">H", data[16:18])[0] or 65536
        self.pages = {n // self._size + 1: data[n : n + self._size] for n in range(0, len(data), self._size)}
        self._seen: tuple[bytes, int] = (b"", 0)
        self.commits: list[Commit] = []

    def look(self) -> None:
        """Read the log's new content."""
        data = self._wal.read_bytes() if self._wal.exists() else b""
        salt, done = data[16:24], self._seen[1]
        at = done if salt == self._seen[0] and done else WAL_HEADER
        written: dict[int, bytes] = {}
        while at + FRAME_HEADER + self._size <= len(data):
            number, commit = struct.unpack(">II", data[at : at + 8])
            if data[at + 8 : at + 16] != salt:
                break
            written[number] = data[at + FRAME_HEADER : at + FRAME_HEADER + self._size]
            at += FRAME_HEADER + self._size
            if commit:
                self._keep(written)
                self._seen, written = (salt, at), {}

    def _keep(self, written: dict[int, bytes]) -> None:
        before = [cell for number in written for cell in cells(self.pages.get(number, b""), number)]
        after = [cell for number, page in written.items() for cell in cells(page, number)]
        old, new = set(before), set(after)
        came, went = (tuple(c for c in after if c not in old), tuple(c for c in before if c not in new))
        self.commits.append(Commit(frozenset(written), came, went))
        self.pages.update(written)


def cells(page: bytes, number: int) -> Iterator[bytes]:
    """Yield the payloads of a page: for a b-tree page the bytes of each row, otherwise the whole page."""
    start = 100 if number == 1 else 0
    if not page:
        return
    kind = page[start]
    if kind not in (INTERIOR_INDEX, INTERIOR_TABLE, LEAF_INDEX, LEAF_TABLE):
        yield page
        return
    if kind == INTERIOR_TABLE:
        return
    count = struct.unpack(">H", page[start + 3 : start + 5])[0]
    first = start + (12 if kind == INTERIOR_INDEX else 8)
    for pointer in struct.unpack(f">{count}H", page[first : first + 2 * count]):
        at = pointer + (4 if kind == INTERIOR_INDEX else 0)
        size, at = varint(page, at)
        if kind == LEAF_TABLE:
            _, at = varint(page, at)
        yield page[at : at + _local(size, len(page), kind)]


def _local(size: int, usable: int, kind: int) -> int:
    """Return how many bytes of a payload are in its page; the rest is in overflow pages."""
    most = usable - 35 if kind == LEAF_TABLE else (usable - 12) * 64 // 255 - 23
    least = (usable - 12) * 32 // 255 - 23
    if size <= most:
        return size
    kept = least + (size - least) % (usable - 4)
    return kept if kept <= most else least


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a variable-length integer and the offset after it."""
    value = 0
    for step in range(9):
        byte = data[at + step]
        if step == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 127
        if byte < 128:
            return value, at + step + 1
    raise AssertionError("a varint has nine bytes at most")


def record(cell: bytes) -> list[Value]:
    """Return the columns of a row whose bytes are all in its cell; fewer if some are not."""
    values: list[Value] = []
    try:
        head, at = varint(cell, 0)
        body = head
        while at < head:
            kind, at = varint(cell, at)
            size = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8, 8: 0, 9: 0}.get(kind, (kind - 12) // 2)
            data = cell[body : body + size]
            body += size
            if kind >= 13 and kind % 2:
                values.append(data.decode(errors="replace"))
            elif kind >= 12:
                values.append(data)
            elif kind not in (0, 7):
                values.append(kind - 8 if kind in (8, 9) else int.from_bytes(data, signed=True))
            else:
                values.append(None)
    except IndexError:
        pass
    return values
