"""The byte-column form of a wave: one file per question, one byte per response, memory-mapped.

It is a copy that can always be made again from the responses. What is appended is on disk before the header that
counts it is renamed into place: a crash leaves the old columns or the new, never half. Nothing here holds a response
id or a time; each batch stands in the order of its random ids.
"""

import fcntl
import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from engage.base.files import replace_file, sync_path
from engage.domain.summaries.encoding import Encoder, build_encoders, layout_digest
from engage.domain.summaries.tables import DIMENSIONS
from engage.questionnaire.model import Survey
from engage.questionnaire.routing import count_blocks

BATCH = 20_000  # responses read and encoded at a time
_GROUP_TYPES = {"school": "<u2", "language": "u1", "mode": "u1"}
_PARENT_TYPE = "<u4"  # number of the response a block belongs to
_HEADER = "header.json"
_PIECE = 1 << 20  # bytes read at a time

Bytes = NDArray[np.uint8]
Files = dict[str, NDArray[Any]]


class ResponseRow(NamedTuple):
    """One response as it is kept; `answers` is its canonical JSON document."""

    id: str
    school: str
    language: str
    mode: str
    answers: str


class ExpectedColumns(NamedTuple):
    """What the database says the columns must look like to be believed."""

    rows: int
    digest: str
    edits: int


class ColumnsDamaged(Exception):
    """The columns are missing, of another layout, or not what their header says: rebuild them."""


class ColumnHeader(TypedDict):
    """The header of a wave's columns, as JSON.

    `generation` is the folder of the files; `edits` the wave's counter of changes; `rows` and `blocks` how many entries
    there are, by repeated section; `groups` the codes by dimension, in the order of their numbers; `types`, `levels`
    (section id, or None) and `sums` (CRC-32) are by file. `digest` is of all the rest but `generation`."""

    layout: str
    generation: str
    edits: int
    rows: int
    blocks: dict[str, int]
    groups: dict[str, list[str]]
    types: dict[str, str]
    levels: dict[str, str | None]
    sums: dict[str, int]
    digest: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Columns:
    """An opened wave: its header, and every file mapped (so that a later rebuild cannot pull it away)."""

    survey: Survey
    header: ColumnHeader
    files: Mapping[str, NDArray[Any]]

    @classmethod
    def open(cls, folder: Path, survey: Survey) -> "Columns":
        """Return the columns under a wave's folder, every byte checked; raise ColumnsDamaged."""
        try:
            header = json.loads((folder / _HEADER).read_bytes())
            if header["digest"] != _header_digest(header) or header["layout"] != layout_digest(survey):
                raise ColumnsDamaged(f"{folder}: the header does not fit")
            for name, crc in header["sums"].items():
                if _file_crc(folder, header, name) != crc:
                    raise ColumnsDamaged(f"{folder}: {name} is not what the header says")
            return cls._mapped(folder, survey, header)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ColumnsDamaged(f"{folder}: {error}") from error

    @classmethod
    def _mapped(cls, folder: Path, survey: Survey, header: ColumnHeader) -> "Columns":
        return cls(survey, header, {name: _map_file(folder, header, name) for name in header["types"]})

    @property
    def expected(self) -> ExpectedColumns:
        """What to write into the database beside it."""
        return ExpectedColumns(self.header["rows"], self.header["digest"], self.header["edits"])

    @property
    def rows(self) -> int:
        return int(self.header["rows"])

    @property
    def groups(self) -> dict[str, list[str]]:
        return dict(self.header["groups"])

    def group(self, dimension: str) -> NDArray[Any]:
        """The group number of every response."""
        return self.files[dimension]

    def answers(self, encoder: Encoder) -> Bytes:
        """The byte of every response (or block) for one question."""
        return self.files[_file_name(encoder)]

    def masks(self, encoder: Encoder) -> list[Bytes]:
        """The choice bits of a "several" question, eight choices to a file."""
        return [self.files[_file_name(encoder, number)] for number in range(encoder.mask_bytes)]

    def parents(self, section: str) -> NDArray[np.uint32]:
        """The number of the response each block belongs to, ascending."""
        return self.files[f"s.{section}"]


def columns_folder(data_dir: Path, wave: str) -> Path:
    """Where a wave's columns live. The wave's id is data, so its folder is named by a digest of it."""
    return data_dir / "columns" / hashlib.sha256(wave.encode()).hexdigest()[:24]


def update_columns(
    folder: Path,
    survey: Survey,
    expected: ExpectedColumns | None,
    edits: int,
    unfolded: Iterable[ResponseRow],
    everything: Callable[[], Iterable[ResponseRow]],
) -> Columns:
    """Return the columns with every response in them: added, or rebuilt where the files are damaged.

    `expected` is what the database holds about them (None: nothing yet), `edits` the wave's counter of changed and
    deleted responses, `unfolded` the responses not in them yet. Store `Columns.expected` and forget the unfolded ids in
    one transaction; if that fails the next call sees another digest and builds anew.
    """
    with lock_folder(folder, "columns"):
        try:
            columns = Columns.open(folder, survey)
        except ColumnsDamaged:
            return _rebuild_columns(folder, survey, everything(), edits)
        if expected != columns.expected or edits != columns.header["edits"]:
            return _rebuild_columns(folder, survey, everything(), edits)
        return _append_responses(folder, columns, unfolded)


def append_responses(folder: Path, survey: Survey, rows: Iterable[ResponseRow]) -> Columns:
    """Append responses; raises ColumnsDamaged when there is nothing sound to append to."""
    with lock_folder(folder, "columns"):
        return _append_responses(folder, Columns.open(folder, survey), rows)


def rebuild_columns(folder: Path, survey: Survey, rows: Iterable[ResponseRow], edits: int) -> Columns:
    """Make the columns from all responses."""
    with lock_folder(folder, "columns"):
        return _rebuild_columns(folder, survey, rows, edits)


@contextmanager
def lock_folder(folder: Path, what: str) -> Iterator[None]:
    """Do one thing with a wave's folder at a time, over all threads and processes; readers need no lock."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / what).with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _rebuild_columns(folder: Path, survey: Survey, rows: Iterable[ResponseRow], edits: int) -> Columns:
    header = _empty_header(folder, survey, edits)
    (folder / header["generation"]).mkdir()
    columns = _append_responses(folder, Columns(survey, header, {}), rows, always=True)
    for old in folder.iterdir():
        if old.is_dir() and old.name != header["generation"]:
            shutil.rmtree(old, ignore_errors=True)
    return columns


def _append_responses(folder: Path, columns: Columns, rows: Iterable[ResponseRow], always: bool = False) -> Columns:
    header: ColumnHeader = json.loads(json.dumps(columns.header))
    stream = iter(rows)
    while batch := list(islice(stream, BATCH)):
        always = True
        _append(folder, header, _encode_batch(columns.survey, sorted(batch), header))
    if not always:
        return columns
    _sync(folder, header)
    header["digest"] = _header_digest(header)
    _write_header(folder, header)
    return Columns._mapped(folder, columns.survey, header)


def _entry_count(header: ColumnHeader, name: str) -> int:
    """How many entries a file has."""
    section = header["levels"][name]
    return int(header["rows"] if section is None else header["blocks"][section])


def _map_file(folder: Path, header: ColumnHeader, name: str) -> NDArray[Any]:
    kind, length = np.dtype(header["types"][name]), _entry_count(header, name)
    if length == 0:
        return np.zeros(0, dtype=kind)
    return np.memmap(folder / header["generation"] / name, dtype=kind, mode="r", shape=(length,))


def _file_crc(folder: Path, header: ColumnHeader, name: str) -> int:
    """CRC-32 of the bytes the header counts, read piece by piece; -1 when the file is too short."""
    crc, left = 0, _entry_count(header, name) * np.dtype(header["types"][name]).itemsize
    if left == 0:
        return 0
    with (folder / header["generation"] / name).open("rb") as opened:
        while left and (piece := opened.read(min(left, _PIECE))):
            crc, left = zlib.crc32(piece, crc), left - len(piece)
    return -1 if left else crc


def _empty_header(folder: Path, survey: Survey, edits: int) -> ColumnHeader:
    types, levels = dict(_GROUP_TYPES), dict.fromkeys(DIMENSIONS)
    for section in survey.sections:
        if section.repeat:
            types[f"s.{section.id}"], levels[f"s.{section.id}"] = _PARENT_TYPE, section.id
    for encoder in build_encoders(survey):
        for name in (_file_name(encoder), *(_file_name(encoder, number) for number in range(encoder.mask_bytes))):
            types[name], levels[name] = "u1", encoder.section.id if encoder.section.repeat else None
    taken = [int(each.name) for each in folder.iterdir() if each.name.isdigit()]
    return {
        "layout": layout_digest(survey),
        "generation": str(max(taken, default=0) + 1),
        "edits": edits,
        "rows": 0,
        "blocks": {section.id: 0 for section in survey.sections if section.repeat},
        "groups": {dimension: [] for dimension in DIMENSIONS},
        "types": types,
        "levels": levels,
        "sums": dict.fromkeys(types, 0),
    }


def _file_name(encoder: Encoder, mask: int | None = None) -> str:
    return f"q.{encoder.question.id}" if mask is None else f"q.{encoder.question.id}.{mask}"


def _header_digest(header: ColumnHeader) -> str:
    """Of everything the header says, the sums over all bytes included."""
    covered = {key: value for key, value in header.items() if key not in ("digest", "generation")}
    return hashlib.sha256(json.dumps(covered, sort_keys=True).encode()).hexdigest()


def _encode_batch(survey: Survey, batch: list[ResponseRow], header: ColumnHeader) -> Files:
    """The bytes of a batch by file name; new group codes are entered into the header."""
    documents = [json.loads(each.answers) for each in batch]
    files = {each: _group_numbers([getattr(row, each) for row in batch], header, each) for each in DIMENSIONS}
    levels: dict[str | None, list[tuple[Any, Any]]] = {None: [(each, each) for each in documents]}
    for section in survey.sections:
        if section.repeat:
            counts = [count_blocks(section, each) or 0 for each in documents]
            owners = np.repeat(np.arange(len(batch)) + header["rows"], counts)
            files[f"s.{section.id}"] = owners.astype(_PARENT_TYPE)
            levels[section.id] = [
                (_block_answers(document.get(section.id), number), document)
                for document, count in zip(documents, counts, strict=True)
                for number in range(count)
            ]
    for encoder in build_encoders(survey):
        files |= _encode_question(encoder, levels[encoder.section.id if encoder.section.repeat else None])
    return files


def _block_answers(blocks: Any, number: int) -> Any:
    return blocks[number] if isinstance(blocks, list) and number < len(blocks) else {}


def _encode_question(encoder: Encoder, pairs: list[tuple[Any, Any]]) -> Files:
    files: Files = {_file_name(encoder): np.array(encoder.bytes_of(pairs), dtype=np.uint8)}
    if encoder.mask_bytes:
        bits = encoder.masks_of(pairs)
        for number in range(encoder.mask_bytes):
            files[_file_name(encoder, number)] = np.array([each >> 8 * number & 255 for each in bits], dtype=np.uint8)
    return files


def _group_numbers(codes: list[str], header: ColumnHeader, dimension: str) -> NDArray[Any]:
    """Group numbers of codes; unknown codes get the next number. Raises ValueError when there are too many."""
    at = {code: number for number, code in enumerate(header["groups"][dimension])}
    for code in sorted(set(codes) - at.keys()):
        at[code] = len(at)
    kind = np.dtype(_GROUP_TYPES[dimension])
    if len(at) > np.iinfo(kind).max:
        raise ValueError(f"{dimension}: more than {np.iinfo(kind).max} different codes in one wave")
    header["groups"][dimension] = list(at)
    return np.array([at[code] for code in codes], dtype=kind)


def _append(folder: Path, header: ColumnHeader, files: Files) -> None:
    """Write behind what the header counts (whatever a crash left there is overwritten), and count it."""
    for name, values in files.items():
        section = header["levels"][name]
        length = header["rows"] if section is None else header["blocks"][section]
        path = folder / header["generation"] / name
        path.touch()
        with path.open("r+b") as opened:
            opened.truncate(length * values.itemsize)
            opened.seek(0, os.SEEK_END)
            opened.write(values.tobytes())
        header["sums"][name] = zlib.crc32(values.tobytes(), header["sums"][name])
    header["rows"] += len(files["mode"])
    for section in header["blocks"]:
        header["blocks"][section] += len(files[f"s.{section}"])


def _sync(folder: Path, header: ColumnHeader) -> None:
    generation = folder / header["generation"]
    for path in (*(generation / name for name in header["types"]), generation):
        if path.exists():
            sync_path(path)


def _write_header(folder: Path, header: ColumnHeader) -> None:
    replace_file(folder / _HEADER, json.dumps(header).encode())
    sync_path(folder)
