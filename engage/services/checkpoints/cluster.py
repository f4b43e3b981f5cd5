"""Counting the waves of many checkpoints, of one site or of several, on a Dask cluster.

Each wave is one task: counted and suppressed from its column files, exactly as a page does it, and stored in the cache
beside them (`release_history`), where pages and freezing find it. So a cluster shows no other figure than a page.
Workers need the code of this version and the folders of the columns under the same paths. Dask starts a task again that
was on a worker that died.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, select

from engage.domain.summaries.column_store import Columns, columns_folder
from engage.domain.summaries.release_history import Released, ReleaseScope, load_or_release
from engage.questionnaire.editions import load_edition
from engage.services.checkpoints.counting import has_draft_breakdowns, load_wave_columns, release_scope
from engage.services.checkpoints.outputs import other_frozen_figures
from engage.storage.engine import read_session
from engage.storage.models.checkpoints import Checkpoint

if TYPE_CHECKING:
    from distributed import Client

RETRIES = 3  # of a task that fails with an exception, such as a folder that cannot be read at that moment


@dataclass(frozen=True, slots=True)
class WaveTask:
    """A wave to count. `site` tells districts apart in the results."""

    site: str
    wave: str
    folder: Path
    document: str
    """The wave's edition, as stored."""
    scope: ReleaseScope


@dataclass(frozen=True, slots=True)
class CountedWave:
    """The result of a task: figures by audience, the number of responses, and the seconds it took."""

    task: WaveTask
    released: Released
    responses: int
    seconds: float


def draft_tasks(engine: Engine, site_dir: Path, today: date, site: str = "") -> list[WaveTask]:
    """List the waves of all checkpoints that are not frozen, with new answers added to their columns. Raises what
    `count_draft` raises."""
    with read_session(engine) as session:
        drafts = session.scalars(select(Checkpoint.id).where(Checkpoint.frozen_on.is_(None)).order_by(Checkpoint.id))
        ids = list(drafts)
    return [task for id in ids for task in _checkpoint_tasks(engine, id, site_dir, today, site)]


def _checkpoint_tasks(engine: Engine, checkpoint_id: str, site_dir: Path, today: date, site: str) -> Iterator[WaveTask]:
    with read_session(engine) as session:
        others = other_frozen_figures(session, session.get_one(Checkpoint, checkpoint_id))
    for wave, _ in load_wave_columns(engine, checkpoint_id, site_dir):
        yield WaveTask(
            site=site,
            wave=wave.id,
            folder=columns_folder(site_dir, wave.id).resolve(),
            document=wave.edition.document,
            scope=release_scope(wave, has_draft_breakdowns(wave, today), others),
        )


def count_wave(task: WaveTask) -> CountedWave:
    """Count and suppress one wave, or take its figures from the cache. Raises ColumnsDamaged."""
    began = time.perf_counter()
    columns = Columns.open(task.folder, load_edition(task.document).survey("en"))
    released = load_or_release(columns, task.folder, task.scope)
    return CountedWave(task, released, columns.rows, time.perf_counter() - began)


def count_waves(client: "Client", tasks: Iterable[WaveTask]) -> Iterator[CountedWave]:
    """Count waves on the cluster. Yields each as soon as it is done, in any order."""
    from distributed import as_completed  # noqa: PLC0415  an optional dependency

    futures = client.map(count_wave, list(tasks), pure=False, retries=RETRIES)
    for _, counted in as_completed(futures, with_results=True):  # type: ignore[no-untyped-call]
        yield counted
