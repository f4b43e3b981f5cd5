"""Counting many districts' waves on a Dask cluster of two workers, one of which is killed on the way:

    .venv/bin/python -m tests.bench.bench_cluster [--responses 10000000] [--districts 20]

Prints a table of the same work in this process, on two workers, and on two workers of which one is killed; the digests
of all figures must be the same. Every way starts without cached figures. Workers are processes of this machine.
"""

import argparse
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from distributed import Client

from engage.domain.summaries.release_history import ReleaseScope
from engage.questionnaire.editions import build_edition
from engage.services.checkpoints.cluster import CountedWave, WaveTask, count_wave, count_waves
from tests.bench.bench_figures import _fill, _survey

PATIENCE = 60  # seconds until the scheduler and its workers are there


@contextlib.contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[tuple[Client, list[subprocess.Popen[bytes]]]]:
    """A scheduler and workers, each a process of its own, and a client."""
    file = folder / "scheduler.json"
    file.unlink(missing_ok=True)
    python = [sys.executable, "-m", "distributed.cli"]
    started = [
        _start(
            [
                *python[:2],
                "distributed.cli.dask_scheduler",
                "--scheduler-file",
                str(file),
                "--no-dashboard",
                "--host",
                "127.0.0.1",
                "--port",
                "0",
            ]
        )
    ]
    try:
        _wait_for(file)
        worker = [
            *python[:2],
            "distributed.cli.dask_worker",
            "--scheduler-file",
            str(file),
            "--no-dashboard",
            "--no-nanny",
            "--nworkers",
            "1",
            "--nthreads",
            "1",
        ]
        children = [
            _start([*worker, "--local-directory", str(folder / f"worker-{number}")]) for number in range(workers)
        ]
        started += children
        with Client(scheduler_file=str(file), timeout=PATIENCE) as client:
            client.wait_for_workers(workers, timeout=PATIENCE)
            yield client, children
    finally:
        for process in started:
            process.kill()
            process.wait()


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    environ = os.environ | {"PYTHONPATH": os.getcwd(), "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "10s"}
    return subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _wait_for(file: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not file.exists():
        if time.monotonic() > until:
            raise RuntimeError("the scheduler does not start")
        time.sleep(0.1)


def tasks_of(folder: Path, districts: int, responses: int) -> list[WaveTask]:
    """One wave of each district, with columns of so many responses in all."""
    survey = _survey()
    edition = build_edition(survey, {})
    tasks = []
    for number in range(districts):
        columns = folder / f"district-{number}"
        _fill(columns, survey, responses // districts)
        scope = ReleaseScope(edition.digest, "confidential", breakdowns=True)
        tasks.append(WaveTask(f"district-{number}", "fall", columns, edition.document, scope))
    return tasks


def forget(tasks: list[WaveTask]) -> None:
    """Remove cached figures."""
    for task in tasks:
        (task.folder / "released.json").unlink(missing_ok=True)


def digest(counted: list[CountedWave]) -> str:
    """The digest of all figures, in the order of the districts."""
    figures = {each.task.site: each.released for each in counted}
    return hashlib.sha256(json.dumps(figures, sort_keys=True).encode()).hexdigest()[:16]


def memory(process: subprocess.Popen[bytes]) -> int:
    """The greatest memory of a process so far, in MB; 0 where it is gone."""
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{process.pid}/status").read_text().split("VmHWM:")[1].split()[0]) // 1024
    return 0


def on_cluster(
    folder: Path, tasks: list[WaveTask], kill_after: float | None
) -> tuple[list[CountedWave], float, list[int]]:
    """Count on two workers, and kill one after so many seconds."""
    forget(tasks)
    with cluster(folder) as (client, workers):
        began = time.perf_counter()
        if kill_after is not None:
            threading.Timer(kill_after, lambda: os.kill(workers[0].pid, signal.SIGKILL)).start()
        counted = list(count_waves(client, tasks))
        seconds = time.perf_counter() - began
        alive = [worker.poll() is None for worker in workers]
        assert alive == ([True, True] if kill_after is None else [False, True]), alive
        return counted, seconds, [memory(worker) for worker in workers]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--responses", type=int, default=10_000_000)
    parser.add_argument("--districts", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tasks = tasks_of(folder, options.districts, options.responses)
        began = time.perf_counter()
        alone = [count_wave(task) for task in tasks]
        seconds = time.perf_counter() - began
        print(
            f"{options.responses:,} responses of {options.districts} districts, 30 questions, 60 schools, 25 languages"
        )
        print(f"{'':28}{'seconds':>9}{'districts':>11}{'MB':>12}  digest")
        print(f"{'this process':28}{seconds:>9.1f}{len(alone):>11}{'':>12}  {digest(alone)}")
        for label, kill in (("two workers", None), ("two workers, one killed", seconds / 6)):
            counted, took, peaks = on_cluster(folder, tasks, kill)
            print(f"{label:28}{took:>9.1f}{len(counted):>11}{'/'.join(map(str, peaks)):>12}  {digest(counted)}")


if __name__ == "__main__":
    main()
