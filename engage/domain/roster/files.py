"""The source of a roster: a folder or ZIP file. Its files are read in place and never extracted."""

import codecs
import hashlib
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from engage.domain.roster.remarks import RosterRefused

MOST_FILES = 200  # entries of a ZIP file; OneRoster has 17 kinds
LARGEST = 1 << 30  # bytes of one file; the enrollments of a million students have 0.6 GB
LARGEST_ALL = 2 << 30  # bytes of all files
TIGHTEST = 200  # largest compression ratio of a file; real rosters have 5 to 40, deflate can reach 1,032
SMALL = 1 << 20  # bytes; smaller files are never treated as a ZIP bomb
LONGEST_LINE = 1 << 16  # characters; lines of real rosters are below 4,000
JUNK = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")  # added by Finder and Explorer
NEEDED = ("orgs.csv", "users.csv", "manifest.csv")  # a folder with one of these is the roster's folder
CHUNK = 1 << 16  # bytes read at a time
WINDOWS_1252 = "cp1252"
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")  # bytes that Windows-1252 does not define

Opener = Callable[[], IO[bytes]]


class RosterSource:
    """The files of a roster by name in lowercase. `digest` covers all files that were read; `ignored` lists files of a
    ZIP file outside the roster's folder, which are not read."""

    def __init__(self, files: Mapping[str, Opener], ignored: Sequence[str] = ()) -> None:
        self._files = files
        self._digests: dict[str, str] = {}
        self.ignored = tuple(ignored)

    def has(self, name: str) -> bool:
        """Whether the roster has this file."""
        return name in self._files

    def encoding(self, name: str) -> str:
        """Return "utf-8", or "cp1252" for a file that is not UTF-8 and can be Windows-1252 throughout.
        Raises RosterRefused."""
        with _translate_errors(name), self._files[name]() as raw:
            return _detect_encoding(raw, name)

    def lines(self, name: str, encoding: str = "utf-8") -> Iterator[str]:
        """Yield the physical lines of a file with their line ends.

        Bytes that are not UTF-8 become lone surrogates, and a line longer than LONGEST_LINE comes in parts. Raises
        RosterRefused.
        """
        with _translate_errors(name), self._files[name]() as raw:
            reader = _DigestingReader(raw)
            yield from _read_lines(io.TextIOWrapper(io.BufferedReader(reader), encoding, "surrogateescape", newline=""))
            self._digests[name] = reader.sum.hexdigest()

    @property
    def digest(self) -> str:
        """SHA-256 over the names and digests of the files read so far, 64 hex digits."""
        text = "".join(f"{name} {self._digests[name]}\n" for name in sorted(self._digests))
        return hashlib.sha256(text.encode()).hexdigest()

    def beside(self, name: str, path: Path) -> "RosterSource":
        """Return the same source with one additional file from another folder."""
        return RosterSource({**self._files, name: lambda: path.open("rb")}, self.ignored)


class _DigestingReader(io.RawIOBase):
    """Passes bytes through and computes their digest."""

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


@contextmanager
def _translate_errors(name: str) -> Iterator[None]:
    """Convert errors while reading a file to RosterRefused."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError) as problem:
        raise RosterRefused("zip_damaged", name) from problem
    except OSError as problem:
        raise RosterRefused("unreadable", name) from problem


def _detect_encoding(raw: IO[bytes], name: str) -> str:
    """Implement `RosterSource.encoding`.

    A valid multi-byte character shows that the file is UTF-8 and damaged elsewhere. Read as Windows-1252, all its other
    accents would be wrong.
    """
    decoder, sound, tail = codecs.getincrementaldecoder("utf-8")(), True, b""
    chunk = raw.read(CHUNK)
    if chunk[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise RosterRefused("utf16", name)
    while chunk:
        if tail or not chunk.isascii():
            if _UNDEFINED.search(chunk) or _MULTIBYTE.search(tail + chunk):
                return "utf-8"
            sound = sound and _can_decode(decoder, chunk)
            tail = chunk[-3:]
        chunk = raw.read(CHUNK)
    return "utf-8" if sound and not decoder.getstate()[0] else WINDOWS_1252


def _can_decode(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def _read_lines(text: io.TextIOWrapper) -> Iterator[str]:
    line = text.readline(LONGEST_LINE).removeprefix("\ufeff")
    while line:
        yield line
        line = text.readline(LONGEST_LINE)


@contextmanager
def open_roster(path: Path) -> Iterator[RosterSource]:
    """Open the roster at `path`. Raises RosterRefused."""
    if path.is_dir():
        yield RosterSource(_folder_files(path))
    elif path.is_file():
        try:
            file = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as problem:
            raise RosterRefused("not_a_zip") from problem
        with file:
            yield _zip_source(file)
    else:
        raise RosterRefused("missing", str(path))


def _folder_files(folder: Path) -> dict[str, Opener]:
    files: dict[str, Opener] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file():
            if path.stat().st_size > LARGEST:
                raise RosterRefused("too_large", path.name)
            _add_file(files, path.name, partial(_open_bytes, path))
    return files


def _zip_source(file: zipfile.ZipFile) -> RosterSource:
    entries = file.infolist()
    if len(entries) > MOST_FILES:
        raise RosterRefused("zip_crowded", str(len(entries)))
    members = [entry for entry in entries if not any(part in entry.orig_filename for part in JUNK)]
    for entry in members:
        _check_place(entry)
    placed = {_normalize_slashes(entry.filename): entry for entry in members if not entry.is_dir()}
    root = _find_root(placed)
    files: dict[str, Opener] = {}
    for entry in members:
        name = _normalize_slashes(entry.filename)
        if not entry.is_dir() and _is_in(root, name):
            _check_entry(entry)
            _add_file(files, name.removeprefix(root), partial(file.open, entry))
    if sum(entry.file_size for entry in entries) > LARGEST_ALL:
        raise RosterRefused("too_large", Path(file.filename or "ZIP").name)
    return RosterSource(files, [name for name in placed if not _is_in(root, name)])


def _normalize_slashes(name: str) -> str:
    """Replace the "\\" between folders that some Windows programs write."""
    return name.replace("\\", "/")


def _is_in(root: str, name: str) -> bool:
    return name.startswith(root) and "/" not in name.removeprefix(root)


def _find_root(names: Iterable[str]) -> str:
    """Return the roster's folder, with "/" at the end; "" for the top level of the ZIP file. Raises RosterRefused if
    several folders contain a roster."""
    places = {name.rpartition("/")[0] for name in names if name.rpartition("/")[2].lower() in NEEDED}
    if "" in places or not places:
        return ""
    if len(places) > 1:
        raise RosterRefused("zip_nested", min(places))
    return f"{places.pop()}/"


def _check_place(entry: zipfile.ZipInfo) -> None:
    """Raise RosterRefused for an entry that points outside the ZIP file or is not a regular file. Names are checked as
    stored in the file, since Python truncates them at a NUL."""
    name = entry.orig_filename
    parts = _normalize_slashes(name).split("/")
    if "\0" in name or ".." in parts or not parts[0] or ":" in parts[0]:
        raise RosterRefused("zip_path", name)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise RosterRefused("zip_link", name)


def _check_entry(entry: zipfile.ZipInfo) -> None:
    """Raise RosterRefused for an entry that cannot be read or that is a ZIP bomb."""
    name = entry.orig_filename
    if entry.flag_bits & 1:
        raise RosterRefused("zip_locked", name)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise RosterRefused("zip_method", name)
    if entry.file_size > LARGEST:
        raise RosterRefused("too_large", name)
    if entry.file_size > SMALL and entry.file_size > TIGHTEST * entry.compress_size:
        raise RosterRefused("too_tight", name)


def _open_bytes(path: Path) -> IO[bytes]:
    return path.open("rb")


def _add_file(files: dict[str, Opener], name: str, opener: Opener) -> None:
    if name.lower() in files:
        raise RosterRefused("file_twice", name)
    files[name.lower()] = opener
