"""The watched folder, in which rosters arrive: which files are complete, a private copy of them, and what remains of
them. The other account that writes there may change a file at any moment, so nothing is read in place."""

import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engage.base.files import modification_time
from engage.domain.roster.files import CHUNK, LARGEST_ALL, MOST_FILES, RosterSource, open_roster
from engage.domain.roster.oneroster import BESIDE, FILES
from engage.domain.roster.remarks import RosterRefused
from engage.domain.roster.update_messages import UpdateProblem

STEADY = 60.0  # seconds between two looks at a file that has the same size in both
ASIDE = "not-imported"  # folder inside the watched one, for files that could not be used
ASIDE_DAYS = timedelta(days=14)  # how long they stay there
REASON_FILE = "WHY.txt"  # beside them: why, and what to do
READY = ".ready"  # end of the name of a file that says that a delivery is complete
PARTIAL = (".part", ".partial", ".filepart", ".tmp")  # ends of the names of files that are being sent
NAMES = {f"{name}.csv" for name in (*FILES, "manifest")}
BESIDE_NAMES = {f"{name}.csv" for name in BESIDE}


class DeliveryChanged(Exception):
    """A file was changed while it was copied, so it is not complete yet."""


class FolderProblem(UpdateProblem):
    """The watched folder cannot be used."""


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """A file in the watched folder, as it was seen: `size` in bytes, `time` in nanoseconds."""

    name: str
    size: int
    time: int
    inode: int
    is_link: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """Files that belong together: a ZIP file or CSV files, those beside it, and the files that say it is complete."""

    files: tuple[DeliveredFile, ...]
    marks: tuple[DeliveredFile, ...] = ()
    is_arriving: bool = False

    @property
    def name(self) -> str:
        """The name of its first file."""
        return self.files[0].name


@dataclass
class WatchedFolder:
    """Looks into the folder and remembers what it saw, to tell whether files still grow. `steady` is in seconds."""

    path: Path
    steady: float = STEADY
    _seen: dict[tuple[DeliveredFile, ...], float] = field(default_factory=dict)

    def find_complete(self, now: float) -> tuple[Delivery | None, int]:
        """Return the oldest complete delivery (None if there is none) and how many are not complete. `now` is in
        seconds, of a clock that only advances. Raises FolderProblem."""
        deliveries = list_deliveries(self.path)
        self._seen = {each.files: self._seen.get(each.files, now) for each in deliveries}
        complete = [each for each in deliveries if self._is_complete(each, now)]
        return next(iter(complete), None), len(deliveries) - len(complete)

    def _is_complete(self, delivery: Delivery, now: float) -> bool:
        if any(file.is_link for file in delivery.files) or delivery.marks:
            return True
        is_steady = now > self._seen[delivery.files] and now - self._seen[delivery.files] >= self.steady
        return is_steady and not delivery.is_arriving and all(file.size for file in delivery.files)


def list_deliveries(folder: Path) -> list[Delivery]:
    """Return the deliveries in a folder, the oldest first. Raises FolderProblem."""
    with _opened(folder) as handle:
        files = list(_list_files(handle))
    marks = [file for file in files if file.name.lower().endswith(READY)]
    is_arriving = any(file.name.lower().endswith(PARTIAL) for file in files)
    archives = [file for file in files if file.name.lower().endswith(".zip")]
    tables = [file for file in files if file.name.lower() in NAMES]
    beside = tuple(file for file in files if file.name.lower() in BESIDE_NAMES)
    groups = [[archive] for archive in sorted(archives, key=lambda file: (file.time, file.name))]
    groups += [tables] if tables else []
    return [
        Delivery((*group, *(beside if number == 0 else ())), _marks_of(group, marks), is_arriving)
        for number, group in enumerate(groups)
    ]


def _marks_of(group: Sequence[DeliveredFile], marks: Sequence[DeliveredFile]) -> tuple[DeliveredFile, ...]:
    """Return the files that say that a group is complete: any for CSV files, those with its name for a ZIP file."""
    name = group[0].name.lower()
    if not name.endswith(".zip"):
        return tuple(marks)
    names = {READY, f"{name}{READY}", f"{name.removesuffix('.zip')}{READY}"}
    return tuple(mark for mark in marks if mark.name.lower() in names)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """Open the folder itself, never one that a link in its place points to."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError as problem:
        raise FolderProblem("folder_missing", str(folder)) from problem
    except NotADirectoryError as problem:
        raise FolderProblem("folder_link", str(folder)) from problem
    except OSError as problem:
        raise FolderProblem("folder_denied", str(folder)) from problem
    try:
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise FolderProblem("folder_denied", str(folder))
        yield handle
    finally:
        os.close(handle)


def _list_files(handle: int) -> Iterator[DeliveredFile]:
    with os.scandir(handle) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # it was renamed
                status = entry.stat(follow_symlinks=False)
                if not stat.S_ISDIR(status.st_mode):
                    is_regular = stat.S_ISREG(status.st_mode)
                    yield DeliveredFile(entry.name, status.st_size, status.st_mtime_ns, status.st_ino, not is_regular)


def copy_delivery(folder: Path, delivery: Delivery, target: Path) -> None:
    """Copy the files into `target`, a new folder of ours, under names in lowercase. Raises RosterRefused for a link or
    what else is not a file, DeliveryChanged, FolderProblem."""
    if len(delivery.files) > MOST_FILES or sum(file.size for file in delivery.files) > LARGEST_ALL:
        raise RosterRefused("too_large", delivery.name)
    names = [file.name.lower() for file in delivery.files]
    if twice := [name for name in names if names.count(name) > 1]:
        raise RosterRefused("file_twice", twice[0])
    target.mkdir(mode=0o700)
    with _opened(folder) as handle:
        for file in delivery.files:
            _copy_file(handle, file, target)


def _copy_file(handle: int, file: DeliveredFile, target: Path) -> None:
    if file.is_link:
        raise RosterRefused("delivery_link", file.name)
    try:
        source = os.open(file.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=handle)
    except FileNotFoundError as problem:
        raise DeliveryChanged from problem
    except PermissionError as problem:
        raise FolderProblem("file_denied", file.name) from problem
    except OSError as problem:  # ELOOP: a link took its place
        raise RosterRefused("delivery_link", file.name) from problem
    with open(source, "rb") as reader:
        if _identity(os.fstat(reader.fileno())) != (file.size, file.time, file.inode):
            raise DeliveryChanged
        with open(target / file.name.lower(), "wb") as writer:
            left = file.size
            while left and (piece := reader.read(min(CHUNK, left))):
                writer.write(piece)
                left -= len(piece)
        if _identity(os.fstat(reader.fileno())) != (file.size, file.time, file.inode):
            raise DeliveryChanged


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino


@contextmanager
def open_copy(target: Path) -> Iterator[RosterSource]:
    """Open a copied delivery. Raises RosterRefused."""
    archive = next((path for path in target.iterdir() if path.suffix == ".zip"), None)
    if archive is None:
        with open_roster(target) as source:
            yield source
        return
    with open_roster(archive) as source:
        for name in sorted(BESIDE_NAMES):
            source = source.beside(name, target / name) if (target / name).is_file() else source
        yield source


def empty_folder(folder: Path, delivery: Delivery) -> None:
    """Delete the files of a delivery that was used. A file that was replaced meanwhile stays. Raises FolderProblem."""
    with _opened(folder) as handle:
        for file in (*delivery.files, *delivery.marks):
            with suppress(FileNotFoundError):
                if _identity(os.stat(file.name, dir_fd=handle, follow_symlinks=False)) == (
                    file.size,
                    file.time,
                    file.inode,
                ):
                    _unlink(handle, file.name)


def _unlink(handle: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=handle)
    except PermissionError as problem:
        raise FolderProblem("file_denied", name) from problem


def set_aside(folder: Path, delivery: Delivery, sentence: str, now: datetime) -> Path:
    """Move the files of a delivery that cannot be used into a folder inside the watched one, with a file that says why.
    Links are moved, not followed. Returns that folder. Raises FolderProblem."""
    with _opened(folder) as handle:
        place = f"{ASIDE}/{now.astimezone(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        try:
            with suppress(FileExistsError):
                os.mkdir(ASIDE, 0o750, dir_fd=handle)
            aside = os.open(ASIDE, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
            os.close(aside)
            os.mkdir(place, 0o750, dir_fd=handle)
            for file in (*delivery.files, *delivery.marks):
                with suppress(FileNotFoundError):
                    os.rename(file.name, f"{place}/{file.name}", src_dir_fd=handle, dst_dir_fd=handle)
            (folder / place / REASON_FILE).write_text(f"{sentence}\n", "utf-8")
        except OSError as problem:
            raise FolderProblem("folder_denied", str(folder)) from problem
    return folder / place


def find_old_deliveries(folder: str, now: datetime) -> list[Path]:
    """Return the folders of deliveries that could not be used and whose time is over; `folder` is the setting."""
    aside = Path(folder) / ASIDE
    if not folder or aside.is_symlink():
        return []
    times = {path: modification_time(path) for path in aside.glob("*") if not path.is_symlink()}
    return [path for path, time in times.items() if time is not None and now - time > ASIDE_DAYS]
