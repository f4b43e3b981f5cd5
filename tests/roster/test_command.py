"""`engage roster import`."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engage.cli import main
from tests.roster.generator import small


@pytest.fixture
def run(district, monkeypatch):
    """Run a command over the district's database."""
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(district.settings.data_dir))
    monkeypatch.setenv("ENGAGE_DATABASE_URL", district.settings.database)
    monkeypatch.setenv("ENGAGE_SECRET_KEY", district.settings.secret_key)

    def command(*words: str, said: str = "") -> Result:
        return CliRunner().invoke(main, ["roster", "import", *words], input=said)

    return command


def test_it_says_what_would_change_and_asks(run, district, tmp_path: Path) -> None:
    path = str(small().zip(tmp_path / "x.zip"))
    answer = run(path, said="n\n")
    assert answer.exit_code == 1
    assert "students            5        0        0" in answer.stdout
    assert not district.students
    answer = run(path, said="y\n")
    assert answer.exit_code == 0, answer.output
    assert "The roster is imported." in answer.stdout
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
    assert f"users.csv: line {line}: “Elvish” is no language that is known here." in answer.stdout
    assert "languages.csv: line 2: “ghost” is neither a student nor a guardian" in answer.stdout


def test_what_is_no_roster(run, district, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no")
    for path, words in ((tmp_path / "x.zip", "not a ZIP file"), (tmp_path / "nowhere", "There is nothing at")):
        answer = run(str(path), "--yes")
        assert answer.exit_code == 1
        assert words in answer.output
        assert "Traceback" not in answer.output
