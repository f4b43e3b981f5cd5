"""Where a roster lies: a folder or a ZIP file, whose files are read as they stand and never written anywhere."""

import hashlib
import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from engage.roster.reasons import RosterRefused

MOST_FILES = 200  # entries of a ZIP file; OneRoster has 17 kinds
LARGEST = 1 << 30  # bytes of one file: a million students have 0.6 GB of enrollments
LARGEST_ALL = 2 << 30  # bytes of all files
TIGHTEST = 200  # times a file may unpack to; rosters were seen at 5 to 40, deflate reaches 1,032
SMALL = 1 << 20  # bytes below which no file is a bomb
LONGEST_LINE = 1 << 16  # characters; honest lines are below 4,000
JUNK = ("__MACOSX/", ".DS_Store")

Opener = Callable[[], IO[bytes]]


class Source:
    """The files of a roster by name in small letters. `digest` is over the files that were read, whole."""

    def __init__(self, files: Mapping[str, Opener]) -> None:
        self._files = files
        self._digests: dict[str, str] = {}

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return name in self._files

    def lines(self, name: str) -> Iterator[str]:
        """The physical lines of a file with their ends; bytes that are no UTF-8 become lone surrogates, a line beyond
        LONGEST_LINE comes in pieces. Raises RosterRefused."""
        try:
            with self._files[name]() as raw:
                noted = _Noted(raw)
                yield from _lines(
                    io.TextIOWrapper(io.BufferedReader(noted), "utf-8", "surrogateescape", newline=""), name
                )
                self._digests[name] = noted.sum.hexdigest()
        except (zipfile.BadZipFile, zlib.error, EOFError) as problem:
            raise RosterRefused("zip_damaged", name) from problem
        except OSError as problem:
            raise RosterRefused("unreadable", name) from problem

    @property
    def digest(self) -> str:
        """SHA-256 over the names and digests of the files read so far, 64 hex digits."""
        told = "".join(f"{name} {self._digests[name]}\n" for name in sorted(self._digests))
        return hashlib.sha256(told.encode()).hexdigest()

    def beside(self, name: str, path: Path) -> "Source":
        """The same with one more file, from elsewhere."""
        return Source({**self._files, name: lambda: path.open("rb")})


class _Noted(io.RawIOBase):
    """Passes bytes on and sums them up."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self.sum = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int] | bytearray") -> int:  # type: ignore[override]
        piece = self._raw.read(len(buffer))
        buffer[: len(piece)] = piece
        self.sum.update(piece)
        return len(piece)


def _lines(text: io.TextIOWrapper, name: str) -> Iterator[str]:
    first = text.readline(LONGEST_LINE)
    if first.encode("utf-8", "surrogateescape")[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise RosterRefused("utf16", name)
    line = first.removeprefix("\ufeff")
    while line:
        yield line
        line = text.readline(LONGEST_LINE)


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """The roster at `path`. Raises RosterRefused."""
    if path.is_dir():
        yield Source(_folder(path))
    elif path.is_file():
        try:
            file = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as problem:
            raise RosterRefused("not_a_zip") from problem
        with file:
            yield Source(_entries(file))
    else:
        raise RosterRefused("missing", str(path))


def _folder(path: Path) -> dict[str, Opener]:
    files: dict[str, Opener] = {}
    for each in sorted(path.iterdir()):
        if each.is_file():
            if each.stat().st_size > LARGEST:
                raise RosterRefused("too_large", each.name)
            _add(files, each.name, lambda each=each: each.open("rb"))  # type: ignore[misc]
    return files


def _entries(file: zipfile.ZipFile) -> dict[str, Opener]:
    entries = file.infolist()
    if len(entries) > MOST_FILES:
        raise RosterRefused("zip_crowded", str(len(entries)))
    files: dict[str, Opener] = {}
    for entry in entries:
        if not any(part in entry.orig_filename for part in JUNK):
            _check(entry)
            _add(files, entry.filename, lambda entry=entry: file.open(entry))  # type: ignore[misc]
    if sum(entry.file_size for entry in entries) > LARGEST_ALL:
        raise RosterRefused("too_large", Path(file.filename or "ZIP").name)
    return files


def _check(entry: zipfile.ZipInfo) -> None:
    """Raise RosterRefused for an entry that is no plain file at the root, or that is a bomb. The names of entries
    are looked at as they stand in the file: Python cuts them at a NUL."""
    name = entry.orig_filename
    parts = name.replace("\\", "/").split("/")
    if "\0" in name or "\\" in name or ".." in parts or not parts[0] or ":" in parts[0]:
        raise RosterRefused("zip_path", name)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise RosterRefused("zip_link", name)
    if len(parts) > 1:
        raise RosterRefused("zip_nested", name)
    if entry.flag_bits & 1:
        raise RosterRefused("zip_locked", name)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise RosterRefused("zip_method", name)
    if entry.file_size > LARGEST:
        raise RosterRefused("too_large", name)
    if entry.file_size > SMALL and entry.file_size > TIGHTEST * entry.compress_size:
        raise RosterRefused("too_tight", name)


def _add(files: dict[str, Opener], name: str, opener: Opener) -> None:
    if name.lower() in files:
        raise RosterRefused("file_twice", name)
    files[name.lower()] = opener
