"""Counting 1,000,000 responses x 30 questions from the column files: seconds and memory, in a new process.

    .venv/bin/python -m tests.bench.bench_figures [responses]

14 questions with one choice, 10 scales, 6 with several choices of six; 60 schools x 25 languages x 3 modes. The figures
for comparison were measured on the same kind of machine, with four waves in place of three modes, and include Wilson
intervals for every cell (936,000). Other engines took 0.76 s and 142 MB (DuckDB), 16 s and 1.3 GB (pandas.read_sql).
"""

import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np

from engage.demo.voices import raw_answers
from engage.domain.summaries import column_store as store
from engage.domain.summaries.column_store import Columns, ResponseRow, rebuild_columns
from engage.domain.summaries.counting import count_figures
from engage.domain.summaries.encoding import build_encoders
from engage.domain.summaries.intervals import wilson_intervals
from engage.domain.summaries.plain_tables import build_plain_figures
from engage.domain.summaries.release import build_release
from engage.domain.summaries.suppression import LEADERS, PUBLIC
from engage.questionnaire.answers import assemble_answers
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.parser import parse_survey

PEER = {"sum everything": (0.24, 62)}  # seconds and MB: numpy.bincount over one column file
SCHOOLS, LANGUAGES, MODES = 60, 25, ("web", "paper", "interview")


def _survey():
    one = ", ".join(f'{{code="c{each}", text="Choice {each}"}}' for each in range(5))
    six = ", ".join(f'{{code="c{each}", text="Choice {each}"}}' for each in range(6))
    kinds = ["one"] * 14 + ["scale"] * 10 + ["several"] * 6
    questions = "".join(
        f'[[sections.questions]]\nid="q{number}"\nkind="{kind}"\ntext="Q{number}?"\n'
        f"choices=[{six if kind == 'several' else one}]\n"
        for number, kind in enumerate(kinds)
    )
    head = 'slug="bench"\ntitle="B"\npurpose="P"\nminutes=5\n[[sections]]\nid="a"\ntitle="A"\n'
    return parse_survey((head + questions).encode(), "bench.toml")


def _fill(folder: Path, survey, number: int) -> None:
    """Write columns as `rebuild_columns` would for this number of responses, without the minutes for building their
    JSON."""
    rng = np.random.default_rng(1)
    rebuild_columns(folder, survey, [], 0)
    header = json.loads((folder / "header.json").read_text())
    header["groups"] = {
        "school": [f"s{each:02}" for each in range(SCHOOLS)],
        "language": [f"l{each:02}" for each in range(LANGUAGES)],
        "mode": list(MODES),
    }
    files = {name: rng.integers(0, len(codes), number).astype(header["types"][name]) for name, codes in
             header["groups"].items()}  # fmt: skip
    for encoder in build_encoders(survey):
        answers = rng.choice([1, 2, 3, 4, 5, 0, 250], number, p=[0.3, 0.25, 0.15, 0.1, 0.1, 0.07, 0.03])
        several = encoder.mask_bytes > 0
        files[f"q.{encoder.question.id}"] = (np.minimum(answers, 1) if several else answers).astype(np.uint8)
        if several:
            files[f"q.{encoder.question.id}.0"] = rng.integers(0, 64, number).astype(np.uint8)
    store._append(folder, header, files)
    header["digest"] = store._header_digest(header)
    store._write_header(folder, header)


def _peak() -> float:
    """Return the peak memory of this process in MB, including mapped files (but not that of its parent, unlike
    getrusage)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _timed(what: str, work: Callable[[], object]) -> object:
    start = time.perf_counter()
    made = work()
    spent = time.perf_counter() - start
    peak = _peak()
    peer = "{:.2f} s, {} MB".format(*PEER[what]) if what in PEER else ""
    print(f"{what:<36} {spent:>8.3f} s {peak:>8.0f} MB   {peer}")
    return made


def _intervals(figures):
    for part in figures.parts:
        for cells in part.table.by.values():
            wilson_intervals(cells, cells.sum(axis=1, keepdims=True))


def _measure(folder: Path) -> None:
    """Measure everything that reads, in this process."""
    survey = _survey()
    print(f"{'':<36} {'time':>10} {'peak RSS':>11}   column file, measured before")
    columns = _timed("open and check every byte", lambda: Columns.open(folder, survey))
    figures = _timed("sum everything", lambda: count_figures(columns))
    _timed("Wilson intervals of every table", lambda: _intervals(figures))
    leaders = _timed("suppress for leaders", lambda: build_release(figures, survey, LEADERS))
    _timed("suppress for the public beside it", lambda: build_release(figures, survey, PUBLIC, leaders))
    _timed("load pandas", lambda: importlib.import_module("pandas"))
    _timed("the leaders' figures as a document", lambda: build_plain_figures(leaders, survey))


def _fold_speed(survey) -> None:
    """Measure the conversion of JSON to columns, with fewer responses."""
    rng = np.random.default_rng(2)
    rows = []
    for number in range(20_000):
        answers = {f"q{each}": f"c{rng.integers(5)}" for each in range(24)}
        answers |= {f"q{each}": ["c0", "c3"] for each in range(24, 30)}
        rows.append(ResponseRow(f"{number:032x}", f"s{number % SCHOOLS}", "en", "web", json.dumps(answers)))
    with tempfile.TemporaryDirectory() as place:
        _timed("columns from 20,000 JSON documents", lambda: rebuild_columns(Path(place), survey, rows, 0))


def _document_speed(slug: str, schools: int) -> None:
    """Measure the conversion of a shipped survey's release to its plain document, including the frame."""
    survey, rng = shipped_survey(slug, version=1), Random(1)
    rows = []
    for number in range(60 * schools):
        language = rng.choice(("en", "es", "ar", "so", "vi", "zh-Hans"))
        answers, _ = assemble_answers(survey, raw_answers(survey, language, rng))
        school, mode = f"s{number % schools:02}", rng.choice(MODES)
        rows.append(ResponseRow(f"{number:032x}", school, language, mode, json.dumps(answers)))
    with tempfile.TemporaryDirectory() as place:
        shown = build_release(count_figures(rebuild_columns(Path(place), survey, rows, 0)), survey, LEADERS)
    build_plain_figures(shown, survey)  # imports pandas
    _timed(f"document: {slug}, {schools} schools", lambda: build_plain_figures(shown, survey))


def main() -> None:
    """Write the columns here, and measure in a separate process."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    survey = _survey()
    with tempfile.TemporaryDirectory() as place:
        _fill(Path(place), survey, number)
        print(f"{number:,} responses, 30 questions")
        measure = "import sys; from pathlib import Path; from tests.bench.bench_figures import _measure; "
        subprocess.run([sys.executable, "-c", measure + "_measure(Path(sys.argv[1]))", place], check=True)
    _fold_speed(survey)
    for slug in ("home-access", "family-beliefs"):
        for schools in (3, 40):
            _document_speed(slug, schools)


if __name__ == "__main__":
    main()
