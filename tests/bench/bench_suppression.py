"""Suppression of the tables of one wave for leaders and for the public: CPU seconds, and a digest of the release.

    .venv/bin/python -m tests.bench.bench_suppression [SCHOOLS LANGUAGES QUESTIONS]

Without arguments three sizes are measured, the last one with 300 schools x 30 languages x 60 questions. Languages are
as unequal as in a district (each half as frequent as the one before, down to a few families of a school), schools
differ in size by a factor of five, and answers depend on the school. The digest changes only if a released number does.
"""

import hashlib
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from engage.domain.summaries import column_store as store
from engage.domain.summaries.column_store import Columns, rebuild_columns
from engage.domain.summaries.counting import count_figures
from engage.domain.summaries.encoding import build_encoders
from engage.domain.summaries.plain_tables import build_plain_figures
from engage.domain.summaries.release import build_release
from engage.domain.summaries.suppression import LEADERS, PUBLIC
from engage.questionnaire.parser import parse_survey

SIZES = ((12, 8, 20), (60, 15, 20), (120, 20, 30), (300, 30, 60))
MODES = ("web", "paper", "interview")
PER_SCHOOL = 90  # responses, on average
CHOICES = 5
SHARES = [0.35, 0.27, 0.16, 0.09, 0.04, 0.06, 0.02, 0.01]  # of each choice; blank, don't know, refused
BYTES = [1, 2, 3, 4, 5, 0, 250, 251]


def survey_of(questions: int):
    """Return a survey with this number of questions, alternating between one choice, a scale, and several choices."""
    choices = ", ".join(f'{{code="c{each}", text="Choice {each}"}}' for each in range(CHOICES))
    body = "".join(
        f'[[sections.questions]]\nid="q{each}"\nkind="{("one", "scale", "several")[each % 3]}"\ntext="Q{each}?"\n'
        f"choices=[{choices}]\n"
        for each in range(questions)
    )
    head = 'slug="bench"\ntitle="B"\npurpose="P"\nminutes=5\n[[sections]]\nid="a"\ntitle="A"\n'
    return parse_survey((head + body).encode(), "bench.toml")


def columns_of(folder: Path, survey, schools: int, languages: int) -> Columns:
    """Return the columns of a wave, written directly: building the responses' JSON would take minutes."""
    rng = np.random.default_rng(11)
    rebuild_columns(folder, survey, [], 0)
    header = json.loads((folder / "header.json").read_text())
    header["groups"] = {
        "school": [f"s{each:03}" for each in range(schools)],
        "language": [f"l{each:02}" for each in range(languages)],
        "mode": list(MODES),
    }
    number = schools * PER_SCHOOL
    sizes = rng.uniform(1, 5, schools)
    spoken = np.maximum(0.5 ** np.arange(languages), 0.0004)
    files = {
        "school": rng.choice(schools, number, p=sizes / sizes.sum()),
        "language": rng.choice(languages, number, p=spoken / spoken.sum()),
        "mode": rng.choice(3, number, p=[0.7, 0.25, 0.05]),
    }
    for encoder in build_encoders(survey):
        answers = rng.choice(BYTES, number, p=SHARES)
        several = encoder.mask_bytes > 0
        files[f"q.{encoder.question.id}"] = np.where(np.isin(answers, BYTES[:5]), 1, answers) if several else answers
        if several:
            marked = rng.random((number, CHOICES)) < [0.6, 0.3, 0.15, 0.06, 0.02]
            files[f"q.{encoder.question.id}.0"] = marked @ (1 << np.arange(CHOICES))
    typed = {name: values.astype(header["types"][name]) for name, values in files.items()}
    store._append(folder, header, typed)
    header["digest"] = store._header_digest(header)
    store._write_header(folder, header)
    return Columns.open(folder, survey)


def measure(schools: int, languages: int, questions: int) -> None:
    """Measure one size and print a line."""
    survey = survey_of(questions)
    with tempfile.TemporaryDirectory() as place:
        figures = count_figures(columns_of(Path(place), survey, schools, languages))
    began = time.process_time()
    leaders = build_release(figures, survey, LEADERS)
    public = build_release(figures, survey, PUBLIC, leaders)
    spent = time.process_time() - began
    shown = json.dumps([build_plain_figures(each, survey) for each in (leaders, public)], sort_keys=True)
    digest = hashlib.sha256(shown.encode()).hexdigest()[:16]
    print(f"{schools:>4} schools x {languages:>2} languages x {questions:>2} questions  {spent:>7.2f} s CPU  {digest}")


def main() -> None:
    """Measure the given size, or all."""
    given = tuple(map(int, sys.argv[1:4]))
    for size in [given] if given else SIZES:
        measure(*size)


if __name__ == "__main__":
    main()
