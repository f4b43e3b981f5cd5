"""Cache of the figures of each audience: counted and suppressed once, and stored beside the wave's column files.

Suppression of a large wave takes seconds, and the same columns give the same figures. They are stored in one file,
which figures of newer columns replace: the difference between two versions would reveal what a few families answered.
Its first line identifies the columns and has a digest of the rest; figures that do not match are computed again.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import engage.domain.summaries
import engage.questionnaire
from engage.base.files import replace_file
from engage.domain.summaries.column_store import Columns, lock_folder
from engage.domain.summaries.counting import count_figures
from engage.domain.summaries.frame import THREADS
from engage.domain.summaries.plain_tables import build_plain_figures, count_responses
from engage.domain.summaries.published_figures import AudienceFigures
from engage.domain.summaries.release import Release, build_release
from engage.domain.summaries.suppression import LEADERS, PUBLIC
from engage.domain.summaries.tables import Figures
from engage.questionnaire.model import Survey

Released = Mapping[str, AudienceFigures]  # by audience


def load_or_release(
    columns: Columns,
    folder: Path,
    edition: str,
    identity: str,
    breakdowns: bool,
    earlier: Sequence[Released] = (),
) -> Released:
    """Return the figures for leaders and for the public, from columns whose files are in `folder`.

    `edition` is the digest of the survey's edition, and `identity` that of the wave. Without `breakdowns`, groups have
    the number of responses only. `earlier` are the figures shown at other checkpoints. Does not use the database. Takes
    seconds if the figures are not cached; of two concurrent calls, the second waits for the first.
    """
    key = _cache_key(columns, edition, identity, breakdowns, earlier)
    path = folder / "released.json"
    with lock_folder(folder, "released"):
        released = _read_cache(path, key)
        if released is None:
            released = release_figures(count_figures(columns), columns.survey, identity, breakdowns, earlier)
            _write_cache(path, key, released)
        return released


def release_figures(
    figures: Figures, survey: Survey, identity: str, breakdowns: bool = True, earlier: Sequence[Released] = ()
) -> Released:
    """Return the figures for leaders and for the public from counts, without the cache."""
    threads = THREADS | {"help"} if identity == "anonymous" else THREADS  # not stored in responses
    releases = _build_releases(figures if breakdowns else figures.overall, survey, earlier)
    plain_figures = {name: build_plain_figures(each, survey, threads) for name, each in releases.items()}
    if breakdowns:
        return plain_figures
    groups = _build_releases(replace(figures, parts=()), survey, earlier)
    return {name: {**each, "responses": count_responses(groups[name])} for name, each in plain_figures.items()}


def _build_releases(figures: Figures, survey: Survey, earlier: Sequence[Released]) -> dict[str, Release]:
    leaders = build_release(figures, survey, LEADERS, earlier=[each["leaders"] for each in earlier])
    public = build_release(figures, survey, PUBLIC, leaders, [each["public"] for each in earlier])
    return {"leaders": leaders, "public": public}


def _cache_key(columns: Columns, edition: str, identity: str, breakdowns: bool, earlier: Sequence[Released]) -> str:
    about = [_code_digest(), *columns.expected, edition, identity, breakdowns, *earlier]
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


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


def _read_cache(path: Path, key: str) -> Released | None:
    try:
        head, body = path.read_bytes().split(b"\n", 1)
        if head.decode() != f"{key} {hashlib.sha256(body).hexdigest()}":
            return None
        released: Released = json.loads(body)
    except (OSError, ValueError):
        return None
    return released


def _write_cache(path: Path, key: str, figures: Released) -> None:
    body = json.dumps(figures, ensure_ascii=False).encode()
    replace_file(path, f"{key} {hashlib.sha256(body).hexdigest()}\n".encode() + body, durable=False)
