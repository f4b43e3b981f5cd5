"""The column files, compared with counts of the JSON: after updates, edits, deletions, and crashes."""

import json
import multiprocessing
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engage.domain.summaries import column_store as module
from engage.domain.summaries.column_store import (
    Columns,
    ColumnsDamaged,
    ExpectedColumns,
    ResponseRow,
    append_responses,
    columns_folder,
    rebuild_columns,
    update_columns,
)
from engage.domain.summaries.counting import count_figures
from engage.domain.summaries.encoding import build_encoders, layout_digest, number_ranges
from engage.domain.summaries.tables import DIMENSIONS
from engage.questionnaire.parser import parse_survey
from tests.domain.summaries.answers import answers_frame
from tests.domain.summaries.waves import responses, stored, waves
from tests.questionnaire.every_kind import EVERY_KIND

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path):
    return columns_folder(tmp_path, "spring-2026")


def counted(frame):
    """Return, by (question, choice, value, dimension, group), the set of (response, block) in the frame."""
    found = defaultdict(set)
    for line in frame.astype(object).itertuples():
        choice = None if pd.isna(line.choice) else line.choice
        for dimension in (None, *DIMENSIONS):
            group = dimension and getattr(line, dimension)
            found[line.question, choice, line.value, dimension, group].add((line.response, line.block))
    return found


def cells_of(figures, table, column):
    """Return (dimension, group, count) of one column."""
    yield None, None, table.overall[column]
    for dimension, cells in table.by.items():
        for row, group in enumerate(figures.groups[dimension]):
            yield dimension, group, cells[row, column]


def assert_equals_the_frame(figures, survey, rows):
    """Compare every cell of every table, and the families behind it, with the frame."""
    frame = counted(answers_frame(survey, rows))
    for part in figures.parts:
        for at, column in enumerate(part.table.columns):
            for dimension, group, count in cells_of(figures, part.table, at):
                assert len(frame[part.question, part.choice, column, dimension, group]) == count
            for dimension, group, count in cells_of(figures, part.table.families, at) if part.table.families else ():
                entries = frame[part.question, part.choice, column, dimension, group]
                assert len({response for response, _ in entries}) == count


@settings(max_examples=40, deadline=None)
@given(waves, st.data())
def test_counts_equal_the_frame_after_folds_edits_and_deletes(rows, data):
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        cut = data.draw(st.integers(0, len(rows)))
        columns = update_columns(folder, EVERY_KIND, None, 0, [], lambda: rows[:cut])
        columns = update_columns(folder, EVERY_KIND, columns.expected, 0, rows[cut:], list)
        assert_equals_the_frame(count_figures(columns), EVERY_KIND, rows)
        left = [data.draw(responses)._replace(id=rows[0].id), *rows[2:]] if rows else []
        columns = update_columns(folder, EVERY_KIND, columns.expected, 1, [], lambda: left)
        assert_equals_the_frame(count_figures(columns), EVERY_KIND, left)


@settings(max_examples=20, deadline=None)
@given(waves)
def test_tables_are_whole(rows):
    """Every table sums to its bases, in every group."""
    with tempfile.TemporaryDirectory() as place:
        figures = count_figures(rebuild_columns(Path(place), EVERY_KIND, rows, 0))
    for part in figures.parts:
        margins = figures.margins[figures.sections[part.question]]
        assert part.table.margins.total == margins.total
        for dimension in DIMENSIONS:
            assert part.table.margins.by[dimension].tolist() == margins.by[dimension].tolist()


def test_counting_in_pieces_gives_the_same(folder, monkeypatch):
    answers = {"count": 2, "net": "no", "places": ["shop"], "child": [{"device": "pc"}, {"device": "none"}]}
    rows = [stored(number, answers, school=f"s{number % 3}") for number in range(50)]
    columns = rebuild_columns(folder, EVERY_KIND, rows, 0)
    monkeypatch.setattr("engage.domain.summaries.counting.CHUNK", 7)
    assert_equals_the_frame(count_figures(columns), EVERY_KIND, rows)


def test_many_choices_need_several_bytes(folder):
    codes = ", ".join(f'{{code = "c{number}", text = "C{number}"}}' for number in range(19))
    survey = parse_survey(
        f"""slug = "s"\ntitle = "T"\npurpose = "P"\nminutes = 1\n[[sections]]\nid = "a"\ntitle = "A"
[[sections.questions]]\nid = "q"\nkind = "several"\ntext = "Q?"\nchoices = [{codes}]""".encode(),
        "s.toml",
    )
    rows = [stored(number, {"q": [f"c{each}" for each in range(0, 19, number + 1)]}) for number in range(5)]
    assert_equals_the_frame(count_figures(rebuild_columns(folder, survey, rows, 0)), survey, rows)


ROWS = [stored(number, {"net": "yes"}, school=f"s{number}") for number in range(5)]


def test_an_empty_wave_counts_nothing(folder):
    columns = rebuild_columns(folder, EVERY_KIND, [], 0)
    assert Columns.open(folder, EVERY_KIND).rows == 0
    assert count_figures(columns).margins[None].total == 0


def test_what_was_written_is_read_back(folder):
    made = rebuild_columns(folder, EVERY_KIND, ROWS, 3)
    opened = Columns.open(folder, EVERY_KIND)
    assert opened.expected == made.expected == ExpectedColumns(5, made.expected.digest, 3)
    assert all(np.array_equal(opened.files[name], made.files[name]) for name in made.files)


def test_nothing_new_keeps_the_digest_and_something_new_changes_it(folder):
    first = rebuild_columns(folder, EVERY_KIND, ROWS, 0).expected
    assert append_responses(folder, EVERY_KIND, []).expected == first
    assert append_responses(folder, EVERY_KIND, [stored(9, {})]).expected.digest != first.digest


def test_a_batch_stands_in_the_order_of_its_random_ids(folder):
    backwards = rebuild_columns(folder, EVERY_KIND, ROWS[::-1], 0).group("school").tolist()
    assert backwards == rebuild_columns(folder, EVERY_KIND, ROWS, 0).group("school").tolist()


def test_no_response_id_reaches_the_disk(folder):
    rebuild_columns(folder, EVERY_KIND, [ResponseRow("f00dfeed" * 4, "oak", "en", "web", "{}")], 0)
    assert not any(b"f00dfeed" in path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ["school", "q.net", "q.places.0", "header.json"])
@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_harm_to_any_file_is_noticed_and_mended(folder, name, harm):
    known = rebuild_columns(folder, EVERY_KIND, ROWS, 0).expected
    path = next(folder.rglob(name))
    if harm == "remove":
        path.unlink()
    else:
        held = path.read_bytes()
        path.write_bytes(held[:-1] if harm == "cut" else bytes([held[0] ^ 1]) + held[1:])
    with pytest.raises(ColumnsDamaged):
        Columns.open(folder, EVERY_KIND)
    assert update_columns(folder, EVERY_KIND, known, 0, [], lambda: ROWS).expected.rows == 5


def test_a_header_that_lies_is_noticed(folder):
    rebuild_columns(folder, EVERY_KIND, ROWS, 0)
    path = folder / "header.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "rows": 4}))
    with pytest.raises(ColumnsDamaged):
        Columns.open(folder, EVERY_KIND)


@pytest.mark.parametrize("step", ["_append", "_sync", "_write_header"])
def test_a_crash_while_folding_leaves_the_old_columns(folder, monkeypatch, step):
    before = rebuild_columns(folder, EVERY_KIND, ROWS, 0)
    real = getattr(module, step)

    def crash(*args):
        if step != "_write_header":
            real(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, step, crash)
    with pytest.raises(KeyboardInterrupt):
        append_responses(folder, EVERY_KIND, [stored(9, {"net": "no"})])
    monkeypatch.undo()
    assert Columns.open(folder, EVERY_KIND).expected == before.expected
    rows = [*ROWS, stored(8, {"net": "no"})]
    after = update_columns(folder, EVERY_KIND, before.expected, 0, rows[-1:], list)
    assert_equals_the_frame(count_figures(after), EVERY_KIND, rows)


def test_a_digest_the_database_does_not_know_is_built_anew(folder):
    rebuild_columns(folder, EVERY_KIND, ROWS, 0)
    forgot = update_columns(folder, EVERY_KIND, ExpectedColumns(2, "0" * 64, 0), 0, [stored(9, {})], lambda: ROWS[:3])
    assert forgot.rows == 3


def test_another_survey_is_built_anew(folder):
    known = rebuild_columns(folder, EVERY_KIND, ROWS, 0).expected
    other = parse_survey(
        b'slug="o"\ntitle="T"\npurpose="P"\nminutes=1\n[[sections]]\nid="a"\ntitle="A"\n'
        b'[[sections.questions]]\nid="q"\nkind="words"\ntext="Q?"',
        "o.toml",
    )
    columns = update_columns(folder, other, known, 0, [], lambda: [stored(1, {"q": "x"})])
    assert count_figures(columns).part("q").table.overall.tolist() == [1, 0, 0]


def test_a_reader_keeps_its_columns_while_they_are_built_anew(folder):
    old = rebuild_columns(folder, EVERY_KIND, ROWS, 0)
    rebuild_columns(folder, EVERY_KIND, ROWS[:2], 1)
    assert count_figures(old).margins[None].total == 5
    assert len([each for each in folder.iterdir() if each.is_dir()]) == 1


def _folding(folder, start):
    for number in range(start, start + 20):
        append_responses(folder, EVERY_KIND, [stored(number, {"net": "no"})])


def test_two_processes_folding_lose_nothing(folder):
    rebuild_columns(folder, EVERY_KIND, [], 0)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_folding, args=(folder, start)) for start in (100, 200)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert Columns.open(folder, EVERY_KIND).rows == 40


def test_a_wave_id_never_becomes_a_path(tmp_path):
    assert columns_folder(tmp_path, "../../etc").parent == tmp_path / "columns"


def test_too_many_groups_are_refused_by_name(folder):
    rows = [stored(number, {}, language=f"l{number}") for number in range(300)]
    with pytest.raises(ValueError, match="language: more than 255"):
        rebuild_columns(folder, EVERY_KIND, rows, 0)


@pytest.mark.parametrize(
    ("low", "high", "codes"),
    [
        (0, 3, ["0", "1", "2", "3"]),
        (0, 20, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10-20"]),
        (1, 100, ["1-10", "11-20", "21-30", "31-40", "41-50", "51-60", "61-70", "71-80", "81-90", "91-100"]),
        (0, None, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10+"]),
    ],
)
def test_numbers_are_counted_in_ranges(low, high, codes):
    question = next(each.question for each in build_encoders(EVERY_KIND) if each.question.kind == "number")
    changed = type(question)(id="n", kind="number", text=question.text, minimum=low, maximum=high)
    assert [each.code for each in number_ranges(changed)] == codes


def test_what_columns_are_recognized_by_is_the_same_in_every_version() -> None:
    """Renaming a class or function does not cause a rebuild."""
    assert layout_digest(EVERY_KIND) == "1b9e60ccdfaedad317538f2365238750c5452d3eb69bb1112de4ed489f38a983"
