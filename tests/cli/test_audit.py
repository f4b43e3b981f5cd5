"""The audit log on the command line."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from engage.cli import main
from engage.domain.security.audit_log import AUDIT_KEY, AuditEntry, record_event
from engage.domain.security.encryption import derive_key
from engage.storage.engine import write_session

NOON = datetime(2026, 10, 14, 18, tzinfo=UTC)


@pytest.fixture
def run(engine, settings, monkeypatch):
    for name in ("data_dir", "secret_key"):
        monkeypatch.setenv(f"ENGAGE_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("ENGAGE_DATABASE_URL", settings.database)
    return lambda *words: CliRunner().invoke(main, ["audit", *words])


@pytest.fixture
def chain(engine, settings):
    """Five events on five days."""
    key = derive_key(settings.secret().encode(), AUDIT_KEY)
    with write_session(engine) as session:
        for number in range(5):
            deed, when = ("export figures", "sign in")[number % 2], NOON + timedelta(days=number)
            detail = {"rows": number}
            record_event(session, AuditEntry("=a@b.example", deed, "fall", detail), key=key, now=when)
        session.commit()


def test_a_whole_chain_is_said_to_be_whole(run, chain):
    said = run("verify")
    assert (said.exit_code, said.stdout) == (0, "5 events: none changed, removed, or inserted.\n")
    assert run("verify").exit_code == 0


def test_a_district_that_begins_has_a_whole_chain(run):
    assert run("verify").output.startswith("0 events")
    assert "No events found." in run("list").output


def test_the_first_broken_event_is_named_with_what_to_do(run, chain, engine):
    with write_session(engine) as session:
        if engine.dialect.name == "sqlite":
            session.execute(text("drop trigger audit_events_no_update"))
        else:
            session.execute(text("alter table audit_events disable trigger user"))
        session.execute(text("update audit_events set about = 'winter' where number in (3, 4)"))
        if engine.dialect.name != "sqlite":
            session.execute(text("alter table audit_events enable trigger user"))
        session.commit()
    said = run("verify")
    assert said.exit_code == 1
    assert said.stdout == ""
    first, trusted, now, what = said.stderr.splitlines()
    assert first == "Event 3: it was changed after it was written."
    assert trusted.startswith("Last valid event: 2 |")
    assert now.startswith("This event as it is now: 3 | 2026-10-16 18:00:00Z | =a@b.example | export figures | winter")
    assert "Keep the database as it is" in what


def test_another_secret_key_is_thought_of(run, chain, monkeypatch):
    monkeypatch.setenv("ENGAGE_SECRET_KEY", "another secret for this site " * 2)
    said = run("verify")
    assert said.exit_code == 1
    assert "the site's secret key was changed" in said.output


def test_the_list_is_filtered_by_day_and_deed(run, chain):
    assert len(run("list").output.splitlines()) == 5
    assert len(run("list", "--since", "2026-10-17").output.splitlines()) == 2
    lines = run("list", "--deed", "sign in").output.splitlines()
    assert lines[0] == "      2  2026-10-15 18:00:00Z  =a@b.example  sign in  fall  (rows=1)"
    assert run("list", "--deed", "dance").exit_code == 2
    assert run("list", "--since", "yesterday").exit_code == 2


def test_the_list_as_a_file_has_safe_cells(run, chain):
    lines = list(csv.reader(io.StringIO(run("list", "--format", "csv").stdout_bytes.decode("utf-8-sig"))))
    assert lines[0] == ["number", "at", "actor", "deed", "about", "detail"]
    assert [line[2] for line in lines[1:]] == ["'=a@b.example"] * 5


def test_verifying_without_a_database_creates_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(tmp_path / "data"))
    assert "there is no database" in CliRunner().invoke(main, ["audit", "verify"]).output
    assert not (tmp_path / "data").exists()
