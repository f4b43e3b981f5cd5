"""Cache of the figures of each audience: counted and suppressed once, and stored beside the wave's column files.

Suppression of a large wave takes seconds, and the same columns give the same figures. They are stored in one file,
which figures of newer columns replace: the difference between two versions would reveal what a few families answered.
Its first line identifies the columns and has a digest of the rest; figures that do not match are computed again.
`find_release` returns what is stored, also if newer answers have come since, and never computes.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

import engage.domain.summaries
import engage.questionnaire
from engage.base.files import modification_time, replace_file
from engage.domain.summaries.column_store import Columns, ExpectedColumns, lock_folder
from engage.domain.summaries.counting import count_figures
from engage.domain.summaries.frame import THREADS
from engage.domain.summaries.plain_tables import build_plain_figures, count_responses
from engage.domain.summaries.published_figures import AudienceFigures, audience_policies, shown_dimensions
from engage.domain.summaries.release import PartProgress, Release, build_release, ignore_progress
from engage.domain.summaries.tables import Figures
from engage.questionnaire.model import Survey

Released = Mapping[str, AudienceFigures]  # by audience


FILE = "released.json"  # in the folder of the columns


@dataclass(frozen=True, slots=True)
class ReleaseScope:
    """What the figures of a wave depend on besides its columns.

    `edition` is the digest of the survey's edition, and `identity` that of the wave. Without `breakdowns`, groups have
    the number of responses only. `earlier` are the figures shown at other checkpoints.
    """

    edition: str
    identity: str
    breakdowns: bool
    earlier: Sequence[Released] = ()

    @property
    def key(self) -> str:
        """A digest of the scope, and of the code that counts and suppresses."""
        about = [_code_digest(), self.edition, self.identity, self.breakdowns, *self.earlier]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class StoredRelease:
    """Stored figures: the columns they were counted from, and when."""

    columns: ExpectedColumns
    released: Released
    stored_at: datetime


def load_or_release(
    columns: Columns, folder: Path, scope: ReleaseScope, progress: PartProgress = ignore_progress
) -> Released:
    """Return the figures for leaders and for the public, from columns whose files are in `folder`.

    Does not use the database. Takes seconds if the figures are not stored; of two concurrent calls, the second waits
    for the first. `progress` may raise to stop.
    """
    with lock_folder(folder, "released"):
        stored = find_release(folder, scope)
        if stored is not None and stored.columns == columns.expected:
            return stored.released
        counts, about = count_figures(columns), (scope.identity, scope.breakdowns, scope.earlier)
        released = release_figures(counts, columns.survey, *about, progress)
        _write_file(folder / FILE, scope.key, columns.expected, released)
        return released


def find_release(folder: Path, scope: ReleaseScope) -> StoredRelease | None:
    """Return the stored figures of this scope, whatever columns they were counted from; None if there are none."""
    path = folder / FILE
    try:
        head, body = path.read_bytes().split(b"\n", 1)
        key, rows, columns, edits, digest = head.decode().split(" ")
        if (key, digest) != (scope.key, hashlib.sha256(body).hexdigest()):
            return None
        expected, released = ExpectedColumns(int(rows), columns, int(edits)), json.loads(body)
    except (OSError, ValueError):
        return None
    stored_at = modification_time(path)
    return None if stored_at is None else StoredRelease(expected, released, stored_at)


def release_figures(
    figures: Figures,
    survey: Survey,
    identity: str,
    breakdowns: bool = True,
    earlier: Sequence[Released] = (),
    progress: PartProgress = ignore_progress,
) -> Released:
    """Return the figures for leaders and for the public from counts, without the stored ones."""
    threads = THREADS | {"help"} if identity == "anonymous" else THREADS  # not stored in responses
    figures = figures.with_groups(shown_dimensions(survey.population))
    releases = _build_releases(figures if breakdowns else figures.overall, survey, earlier, progress)
    plain_figures = {name: build_plain_figures(each, survey, threads) for name, each in releases.items()}
    if breakdowns:
        return plain_figures
    groups = _build_releases(replace(figures, parts=()), survey, earlier, ignore_progress)
    return {name: {**each, "responses": count_responses(groups[name])} for name, each in plain_figures.items()}


def _build_releases(
    figures: Figures, survey: Survey, earlier: Sequence[Released], progress: PartProgress
) -> dict[str, Release]:
    tables, policies = len(figures.parts), audience_policies(survey.population)
    seen = {name: [each[name] for each in earlier] for name in ("leaders", "public")}
    leaders = build_release(
        figures, survey, policies["leaders"], None, seen["leaders"], lambda table, _: progress(table, 2 * tables)
    )
    public = build_release(
        figures,
        survey,
        policies["public"],
        leaders,
        seen["public"],
        lambda table, _: progress(tables + table, 2 * tables),
    )
    return {"leaders": leaders, "public": public}


@cache
def _code_digest() -> str:
    """Return a digest of the code that counts and suppresses. Figures of other versions of the code are computed
    again."""
    sources = [
        path
        for package in (engage.questionnaire, engage.domain.summaries)
        for folder in package.__path__
        for path in sorted(Path(folder).glob("*.py"))
    ]
    return hashlib.sha256(b"".join(each.read_bytes() for each in sources)).hexdigest()


def _write_file(path: Path, key: str, columns: ExpectedColumns, figures: Released) -> None:
    body = json.dumps(figures, ensure_ascii=False).encode()
    head = f"{key} {columns.rows} {columns.digest} {columns.edits} {hashlib.sha256(body).hexdigest()}\n"
    replace_file(path, head.encode() + body, durable=False)
