import json
from datetime import date

import pytest
from click.testing import CliRunner

from engage.base.catalogs import catalogue
from engage.cli import main
from engage.services.checkpoints.planning import create_checkpoint
from engage.storage.engine import write_session
from tests.makers import a_wave


@pytest.fixture
def run(engine, settings, monkeypatch):
    """The command over a district with one draft checkpoint, "fall"."""
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ENGAGE_DATABASE_URL", settings.database)
    with write_session(engine) as session:
        create_checkpoint(session, "Fall", date(2026, 10, 20), [a_wave(session).id], catalogue("en"))
        session.commit()
    return lambda *arguments: CliRunner().invoke(main, ["checkpoint", "figures", *arguments])


def test_a_draft_says_that_it_is_one(run):
    result = run("fall")
    assert result.exit_code == 0
    assert "not frozen" in result.stderr
    made = json.loads(result.stdout)
    assert (made["checkpoint"], made["audience"], made["minimum"], made["digest"]) == ("fall", "leaders", 5, None)
    assert json.loads(run("fall", "--audience", "public").stdout)["minimum"] == 10


@pytest.mark.parametrize("kind", ["json", "csv", "xlsx", "pdf", "html"])
def test_every_format_is_written_to_a_file(run, kind, tmp_path):
    path = tmp_path / f"figures.{kind}"
    result = run("fall", "--format", kind, "--language", "ar", "-o", str(path))
    assert result.exit_code == 0, result.output
    assert path.stat().st_size > 100
    assert result.stdout == ""


def test_an_unknown_checkpoint_is_answered_with_those_there_are(run):
    result = run("winter")
    assert result.exit_code == 1
    assert "there is no checkpoint 'winter'; there are: fall" in result.stderr


def test_an_unknown_audience_or_format_is_refused(run):
    assert run("fall", "--audience", "everybody").exit_code == 2
    assert run("fall", "--format", "doc").exit_code == 2


@pytest.fixture
def counts(run):
    return lambda *arguments: CliRunner().invoke(main, ["checkpoint", "count", *arguments])


def test_surveys_of_drafts_are_counted_here(counts):
    result = counts()
    assert result.exit_code == 0, result.output
    assert "Our school district: fall: 0 responses," in result.stdout


def test_a_scheduler_that_is_not_there_is_named(counts, monkeypatch):
    monkeypatch.setattr("engage.cli.checkpoint.CONNECT", 0.2)
    result = counts("--scheduler", "tcp://127.0.0.1:9")
    assert result.exit_code == 1
    assert result.stderr == "Error: there is no Dask scheduler at tcp://127.0.0.1:9\n"
