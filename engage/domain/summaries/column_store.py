"""Column files of a wave: one file per question, one byte per response, memory-mapped.

They are a copy that can be rebuilt from the responses at any time. Appended data is on disk before the header that
counts it is renamed into place, so that a crash leaves either the old or the new columns. The files have no response
ids or times; within a batch, responses are in the order of their random ids.
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
from engage.base.shared_dir import is_shared
from engage.domain.summaries.encoding import Encoder, build_encoders, layout_digest
from engage.domain.summaries.tables import DIMENSIONS
from engage.questionnaire.model import Survey
from engage.questionnaire.routing import count_blocks

BATCH = 20_000  # responses read and encoded at a time
_GROUP_TYPES = {"school": "<u2", "language": "u1", "mode": "u1"}
_PARENT_TYPE = "<u4"  # type of the number of the response that a block belongs to
_HEADER = "header.json"
_PIECE = 1 << 20  # bytes read at a time

Bytes = NDArray[np.uint8]
Files = dict[str, NDArray[Any]]


class ResponseRow(NamedTuple):
    """One stored response. `answers` is its canonical JSON document."""

    id: str
    school: str
    language: str
    mode: str
    answers: str


class ExpectedColumns(NamedTuple):
    """The state that the database expects of the columns. Files with another state are rebuilt."""

    rows: int
    digest: str
    edits: int


class ColumnsDamaged(Exception):
    """The columns are missing, have another layout, or do not match their header. They must be rebuilt."""


class ColumnHeader(TypedDict):
    """The header of a wave's columns, as JSON.

    `generation` is the folder of the files; `edits` is the wave's counter of changes; `rows` and `blocks` (by repeated
    section) are numbers of entries; `groups` has the codes by dimension, in the order of their numbers; `types`,
    `levels` (section id, or None), and `sums` (CRC-32) are by file. `digest` covers everything except `generation`.
    """

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
    """The opened columns of a wave: the header, and all files mapped, or read if machines share them (so that they stay
    readable during a rebuild)."""

    survey: Survey
    header: ColumnHeader
    files: Mapping[str, NDArray[Any]]

    @classmethod
    def open(cls, folder: Path, survey: Survey) -> "Columns":
        """Open the columns in a wave's folder and verify every byte. Raises ColumnsDamaged."""
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
        """The state to store in the database."""
        return ExpectedColumns(self.header["rows"], self.header["digest"], self.header["edits"])

    @property
    def rows(self) -> int:
        return int(self.header["rows"])

    @property
    def groups(self) -> dict[str, list[str]]:
        return dict(self.header["groups"])

    def group(self, dimension: str) -> NDArray[Any]:
        """Return the group number of every response."""
        return self.files[dimension]

    def answers(self, encoder: Encoder) -> Bytes:
        """Return the byte of every response (or block) for one question."""
        return self.files[_file_name(encoder)]

    def masks(self, encoder: Encoder) -> list[Bytes]:
        """Return the choice bits of a "several" question, eight choices per file."""
        return [self.files[_file_name(encoder, number)] for number in range(encoder.mask_bytes)]

    def parents(self, section: str) -> NDArray[np.uint32]:
        """Return the number of the response that each block belongs to, ascending."""
        return self.files[f"s.{section}"]


def columns_folder(site_dir: Path, wave: str) -> Path:
    """Return the folder of a wave's columns. Its name is a digest, since the wave's id is data."""
    return site_dir / "columns" / hashlib.sha256(wave.encode()).hexdigest()[:24]


def update_columns(
    folder: Path,
    survey: Survey,
    expected: ExpectedColumns | None,
    edits: int,
    unfolded: Iterable[ResponseRow],
    everything: Callable[[], Iterable[ResponseRow]],
) -> Columns:
    """Return columns with every response: appended, or rebuilt if the files are damaged.

    `expected` is the state in the database (None: nothing yet); `edits` is the wave's counter of changed and deleted
    responses; `unfolded` are the responses that are not in the columns yet. The caller must store `Columns.expected`
    and delete the unfolded ids in one transaction; if that fails, the next call sees another digest and rebuilds.
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
    """Append responses. Raises ColumnsDamaged if there are no valid columns to append to."""
    with lock_folder(folder, "columns"):
        return _append_responses(folder, Columns.open(folder, survey), rows)


def rebuild_columns(folder: Path, survey: Survey, rows: Iterable[ResponseRow], edits: int) -> Columns:
    """Build the columns from all responses."""
    with lock_folder(folder, "columns"):
        return _rebuild_columns(folder, survey, rows, edits)


@contextmanager
def lock_folder(folder: Path, what: str) -> Iterator[None]:
    """Lock a wave's folder for one operation, across threads and processes. Readers need no lock."""
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
    """Return the number of entries of a file."""
    section = header["levels"][name]
    return int(header["rows"] if section is None else header["blocks"][section])


def _map_file(folder: Path, header: ColumnHeader, name: str) -> NDArray[Any]:
    kind, length = np.dtype(header["types"][name]), _entry_count(header, name)
    if length == 0:
        return np.zeros(0, dtype=kind)
    path = folder / header["generation"] / name
    if is_shared(folder.parent.parent):  # if another machine deletes a mapped file of NFS, reading it ends the process
        values = np.fromfile(path, dtype=kind, count=length)
        if len(values) != length:
            raise ValueError(f"{path} is too short")
        return values
    return np.memmap(path, dtype=kind, mode="r", shape=(length,))


def _file_crc(folder: Path, header: ColumnHeader, name: str) -> int:
    """Return the CRC-32 of the bytes that the header counts, read in parts; -1 if the file is too short."""
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
    """Return the digest of the header, including the checksums of all bytes."""
    covered = {key: value for key, value in header.items() if key not in ("digest", "generation")}
    return hashlib.sha256(json.dumps(covered, sort_keys=True).encode()).hexdigest()


def _encode_batch(survey: Survey, batch: list[ResponseRow], header: ColumnHeader) -> Files:
    """Return the bytes of a batch by file name. Adds new group codes to the header."""
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
    """Return the group numbers of codes. A new code gets the next number. Raises ValueError if there are too many."""
    at = {code: number for number, code in enumerate(header["groups"][dimension])}
    for code in sorted(set(codes) - at.keys()):
        at[code] = len(at)
    kind = np.dtype(_GROUP_TYPES[dimension])
    if len(at) > np.iinfo(kind).max:
        raise ValueError(f"{dimension}: more than {np.iinfo(kind).max} different codes in one wave")
    header["groups"][dimension] = list(at)
    return np.array([at[code] for code in codes], dtype=kind)


def _append(folder: Path, header: ColumnHeader, files: Files) -> None:
    """Write after the bytes that the header counts (overwriting remains of a crash), and update the header."""
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
