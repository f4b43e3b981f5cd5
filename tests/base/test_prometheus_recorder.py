"""The files of a process's measurements, in processes of their own: the library's state is one for each process."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

pytestmark = pytest.mark.slow

BEGIN = """
import os, sys
from pathlib import Path
from engage.base.measurements import Load
from engage.base.prometheus_recorder import FILE_SIZE, MetricsFolder

data = Path(sys.argv[1])
folder = MetricsFolder.claim(data)
"""

EVERY_SERIES = """
recorder = folder.enter("1")
for site in ("family", "staff", "static"):
    for group in range(14):
        for status in (100, 200, 300, 400, 500):
            recorder.record_request(site, f"administration-{group}", status, 0.01)
recorder.record_queue(0.1); recorder.record_write(0.1); recorder.record_load(Load(1, 2, 3, 4, 5))
print({path.stat().st_size for path in folder.path.glob("*.db")} == {FILE_SIZE})
"""

TWO_PROCESSES = """
for place, times in (("1", 3), ("2", 4), ("1", 5)):
    if os.fork() == 0:
        recorder = folder.enter(place)
        for _ in range(times):
            recorder.record_request("family", "survey", 200, 0.3)
        recorder.record_load(Load(working=times))
        os._exit(0)
    os.wait()
found = {sample.name: sample.value for metric in folder.collect() for sample in metric.samples
         if sample.labels.get("le", "0.5") == "0.5"}
print(found["engage_requests_total"], found["engage_request_seconds_bucket"], found["engage_requests_in_progress"])
print(round(found["engage_request_seconds_sum"], 6), sorted(name for name, _ in folder.processes()))
"""

CLAIMS = """
print(folder.path.name, MetricsFolder.claim(data).path.name)
"""


def run(script: str, data: Path) -> str:
    words = [sys.executable, "-c", BEGIN + script, str(data)]
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=True).stdout


def test_every_series_fits_into_the_reserved_space(tmp_path: Path) -> None:
    """A file that grows is not reserved, and a full disk would then kill the process."""
    assert run(EVERY_SERIES, tmp_path) == "True\n"


def test_processes_are_added_and_one_after_the_other_in_a_place_continues(tmp_path: Path) -> None:
    counts, times = run(TWO_PROCESSES, tmp_path).splitlines()
    assert counts == "12.0 12.0 9.0", "gauges are those of the last process in each place: 4 and 5"
    assert times == "3.6 ['1', '2']"


def test_a_folder_in_use_is_left_to_its_owner_and_a_free_one_is_emptied(tmp_path: Path) -> None:
    assert run(CLAIMS, tmp_path) == "0 1\n"
    old = tmp_path / "metrics" / "0" / "counter_9.db"
    old.write_bytes(b"old")
    assert run(CLAIMS, tmp_path) == "0 1\n"
    assert not old.exists()
