"""A Dask cluster gives the figures that this process gives, also when a worker dies on the way."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from engage.base.catalogs import catalogue
from engage.base.config import Settings
from engage.domain.summaries.release_history import load_or_release
from engage.services.checkpoints import counting
from engage.services.checkpoints.cluster import count_wave, draft_tasks
from engage.services.checkpoints.counting import count_draft
from engage.services.checkpoints.planning import create_checkpoint
from engage.storage.engine import write_session
from tests.bench import bench_cluster
from tests.makers import a_wave

DISTRICTS, RESPONSES = 6, 600_000


@pytest.fixture
def draft(engine: Engine) -> str:
    with write_session(engine) as session:
        wave = a_wave(session, closes=date(2026, 10, 10))
        checkpoint = create_checkpoint(session, "Fall", date(2026, 10, 20), [wave.id], catalogue("en"))
        session.commit()
        return checkpoint.id


def test_a_page_finds_what_the_cluster_counted(
    draft: str, engine: Engine, settings: Settings, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    (task,) = draft_tasks(engine, settings.data_dir, today, "Riverbend")
    counted = count_wave(task)
    assert (counted.task.site, counted.task.wave, counted.responses) == ("Riverbend", "fall", 0)
    calls: list[Any] = []

    def count_again(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        return load_or_release(*arguments, **options)

    monkeypatch.setattr("engage.domain.summaries.release_history.release_figures", None)  # nothing is suppressed anew
    monkeypatch.setattr(counting, "load_or_release", count_again)
    figures = count_draft(engine, draft, settings.data_dir, today)
    assert len(calls) == 1
    assert figures is not None
    assert figures["waves"][0]["audiences"]["leaders"]["questions"] == counted.released["leaders"]["questions"]


def test_frozen_checkpoints_are_not_counted_again(draft: str, engine: Engine, settings: Settings, today: date) -> None:
    counting.count_and_freeze(engine, draft, settings.data_dir, today, lambda _session, _checkpoint: None)
    assert draft_tasks(engine, settings.data_dir, today) == []


@pytest.mark.thorough
def test_two_workers_of_which_one_is_killed_give_the_same_figures(tmp_path: Path) -> None:
    tasks = bench_cluster.tasks_of(tmp_path, DISTRICTS, RESPONSES)
    alone = [count_wave(task) for task in tasks]
    counted, _, _ = bench_cluster.on_cluster(tmp_path, tasks, kill_after=0.5)
    assert len(counted) == DISTRICTS
    assert bench_cluster.digest(counted) == bench_cluster.digest(alone)
    assert {each.responses for each in counted} == {RESPONSES // DISTRICTS}
