"""`engage roster import`."""

import csv
import io
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engage.cli import main
from engage.domain.roster.staging_db import claim_folder, delete_folder
from engage.services.tasks import store_roster as storing
from engage.services.tasks.store_roster import begin_roster
from tests.domain.roster.generator import small
from tests.domain.roster.test_cases import CASES


@pytest.fixture
def run(district, monkeypatch):
    """Run a command over the district's database."""
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(district.settings.data_dir))
    monkeypatch.setenv("ENGAGE_DATABASE_URL", district.settings.database)
    monkeypatch.setenv("ENGAGE_SECRET_KEY", district.settings.secret_key)

    def command(*words: str, said: str = "", name: str = "import") -> Result:
        return CliRunner().invoke(main, ["roster", name, *words], input=said)

    return command


def test_it_says_what_would_change_and_asks(run, district, tmp_path: Path) -> None:
    path = str(small().zip(tmp_path / "x.zip"))
    answer = run(path, said="n\n")
    assert answer.exit_code == 1
    assert "students            5        0        0" in answer.stdout
    assert not district.students
    answer = run(path, said="y\n")
    assert answer.exit_code == 0, answer.output
    assert "The roster was imported." in answer.stdout
    assert len(district.students) == 5


def test_yes_and_dry_run(run, district, tmp_path: Path) -> None:
    path = str(small().folder(tmp_path / "files"))
    answer = run(path, "--dry-run", "--yes")
    assert answer.exit_code == 0
    assert not district.students
    assert run(path, "--yes").exit_code == 0
    assert "5 students in the files" in run(path, "--yes").stderr
    assert [one.added for one in district.imports.values()].count(16) == 1


def test_what_is_not_used_has_its_place_and_reason(run, district, tmp_path: Path) -> None:
    files = small()
    files.row("users", "sam")["metadata.homeLanguage"] = "Elvish"
    languages = tmp_path / "languages.csv"
    languages.write_text("studentId,language\nghost,es\n")
    answer = run(str(files.folder(tmp_path / "files")), "--yes", "--languages", str(languages))
    line = files.line("users", "sam")
    assert f"1 × users.csv, line {line}: “Elvish” is not a recognized language." in answer.stdout
    assert "1 × languages.csv, line 2: “ghost” is not a student or guardian" in answer.stdout
    assert "1 not known" in answer.stdout
    assert "1 English\n" in answer.stdout


def test_remarks_are_counted_by_kind_and_written_into_a_file(run, district, tmp_path: Path) -> None:
    files = small()
    for number in range(60):
        files.student(f"x{number:02}", "s9" if number % 3 else "s8", grade="XX" if number < 2 else "03")
    files.row("users", "hodan")["email"] = "=at home"
    remarks = tmp_path / "remarks.csv"
    answer = run(str(files.folder(tmp_path / "files")), "--dry-run", "--remarks", str(remarks))
    said = [line.strip() for line in answer.stdout.splitlines()]
    place = said.index(
        "60 × users.csv, lines 11, 12, 13 …: The student's school “s9” is not in orgs.csv, or that row cannot be used."
    )
    assert said[place + 1] == "also “s8” (20)"
    assert said[place + 2].startswith("2 × users.csv, lines 11, 12 …: The grade “XX” is not recognized.")
    assert said[-1].startswith("1 × users.csv, line 7: “=at home” is not an email address.")
    rows = list(csv.reader(io.StringIO(remarks.read_bytes().decode("utf-8-sig"))))
    assert rows[0] == ["File", "Line", "sourcedId", "Remark"]
    assert len(rows) == 64
    assert ["users.csv", "11", "x00"] in [row[:3] for row in rows]


def test_a_refusal_lists_what_was_found(run, district, tmp_path: Path) -> None:
    remarks = tmp_path / "remarks.csv"
    answer = run(str(CASES / "noschool"), "--yes", "--remarks", str(remarks))
    assert answer.exit_code == 1
    assert "2 × users.csv, lines 2, 3 …: “s1” is not a school, and the student has no other school." in answer.stderr
    assert "No student in the files can be used" in answer.stderr
    assert remarks.read_text("utf-8-sig").count("\n") == 3


def test_it_warns_of_a_school_and_a_language_that_would_lose_many(run, district, tmp_path: Path) -> None:
    files = small()
    for number in range(60):
        files.student(f"x{number:02}", "s1", grade="03")
    for number in range(12):
        files.student(f"y{number:02}", "s2", grade="07", metadata_homeLanguage="Somali")
    assert run(str(files.folder(tmp_path / "first")), "--yes").exit_code == 0
    for number in range(6):
        files.drop("users", f"y{number:02}")
    answer = run(str(files.folder(tmp_path / "second")), "--dry-run")
    assert "students            0        0        6" in answer.stdout  # of 77: one in thirteen
    careful = [line for line in answer.stdout.splitlines() if line.startswith("Warning")]
    assert careful == [
        "Warning: Cedar Middle School: 6 of 14 students would be removed.",
        "Warning: Somali: 6 of 13 households would be removed, or read another language.",
    ]
    small_loss = small()
    for number in range(60):
        small_loss.student(f"x{number:02}", "s1", grade="03")
    assert "Warning:" in run(str(small_loss.folder(tmp_path / "third")), "--dry-run").stdout


def test_rows_that_cannot_be_read_are_said_to_keep_who_is_missing(run, district, tmp_path: Path) -> None:
    assert run(str(CASES / "v_ok"), "--yes").exit_code == 0
    answer = run(str(CASES / "v_ctrl"), "--yes")
    assert "Rows of users.csv could not be read. Nobody is removed for being absent from them." in answer.stdout
    assert "1 students not removed for this reason" in answer.stdout
    assert len(district.students) == 8


def test_what_is_no_roster(run, district, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no")
    for path, words in ((tmp_path / "x.zip", "not a ZIP file"), (tmp_path / "nowhere", "Nothing was found at")):
        answer = run(str(path), "--yes")
        assert answer.exit_code == 1
        assert words in answer.output
        assert "Traceback" not in answer.output


def test_a_file_of_languages_that_is_not_there_is_named(run, district, tmp_path: Path) -> None:
    missing = tmp_path / "no such.csv"
    answer = run(str(tmp_path), "--yes", "--languages", str(missing))
    assert answer.exit_code == 2
    assert f"'{missing}' does not exist" in answer.stderr


def test_an_interrupted_import_is_continued(run, district, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupts(*_values: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(storing, "_store_parts", interrupts)
        answer = run(str(small().folder(tmp_path / "files")), "--yes")
    assert answer.exit_code == 1
    assert "The import was interrupted. To continue it: engage roster continue" in answer.stderr
    run_again = partial(run, name="continue")
    [folder] = (district.settings.data_dir / "rosters").iterdir()
    with claim_folder(folder):
        assert "A roster is being imported." in run_again().output
        assert "A roster is being imported." in run(str(tmp_path / "files")).output
    answer = run_again()
    assert answer.exit_code == 0, answer.output
    assert "5 students" in answer.stderr
    assert len(district.students) == 5
    answer = run_again()
    assert answer.exit_code == 1
    assert "no import was interrupted" in answer.output


def test_an_interrupted_import_without_its_files_is_said(run, district, tmp_path: Path) -> None:
    folder, _ = district.stages(small())
    begin_roster(district.site, folder, None)
    delete_folder(folder)
    answer = run(name="continue")
    assert answer.exit_code == 1
    assert "import a full export again" in answer.output
    assert run(str(small().folder(tmp_path / "files")), "--yes").exit_code == 0
