"""What `engage doctor` says about the shared directory and the clocks."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engage.base import shared_dir
from engage.base.config import SEALING_FILE, SECRET_FILE, Settings
from engage.base.shared_dir import HOSTS, WORKER_ID, HostRecord, recent_hosts, register_host
from engage.cli import doctor
from tests.hosts.conftest import Hosts

pytestmark = pytest.mark.slow

NOON = datetime(2026, 10, 14, 18, tzinfo=UTC)


def findings(settings: Settings, check: str = "shared") -> list[tuple[bool | None, str]]:
    return list(doctor._run_check(doctor.CHECKS[check], settings))


def bad(settings: Settings) -> list[str]:
    return [words for good, words in findings(settings) if good is False]


@pytest.fixture
def named_hosts(monkeypatch: pytest.MonkeyPatch, both: list[Settings]) -> list[Settings]:
    """Both machines have been started, and have names."""
    for settings, name in zip(both, ("oak", "elm"), strict=True):
        monkeypatch.setattr(shared_dir.socket, "gethostname", lambda name=name: name)
        register_host(settings, NOON)
    return both


def test_the_machines_of_the_last_day_are_listed(named_hosts: list[Settings]) -> None:
    folder = named_hosts[0].site_dir / HOSTS
    found = findings(named_hosts[0])
    assert all(good for good, _ in found), found
    (line,) = [words for _, words in found if words.startswith("used in the last day by")]
    assert "elm (" in line
    assert "oak (" in line
    (oak,) = [path for path in folder.iterdir() if json.loads(path.read_bytes())["name"] == "oak"]
    yesterday = oak.stat().st_mtime - timedelta(days=1, minutes=1).total_seconds()
    os.utime(oak, (yesterday, yesterday))
    assert [host.name for host in recent_hosts(named_hosts[0].site_dir)] == ["elm"]


def test_machines_that_are_gone_for_a_month_are_forgotten(named_hosts: list[Settings]) -> None:
    folder = named_hosts[0].site_dir / HOSTS
    for path in folder.iterdir():
        past = path.stat().st_mtime - timedelta(days=31).total_seconds()
        os.utime(path, (past, past))
    register_host(named_hosts[1], NOON)
    assert [json.loads(path.read_bytes())["name"] for path in folder.iterdir()] == ["elm"]


def test_a_machine_that_was_copied_with_its_data_directory_is_noticed(
    both: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    register_host(both[0], NOON)
    (both[1].data_dir / WORKER_ID).write_text((both[0].data_dir / WORKER_ID).read_text())
    monkeypatch.setattr(shared_dir.socket, "gethostname", lambda: "copy")
    register_host(both[1], NOON)
    (words,) = bad(both[0])
    assert "have the same worker ID" in words


def test_a_running_machine_writes_its_file_again_and_survives_a_directory_that_is_away(
    both: list[Settings], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = [0.0]
    monkeypatch.setattr(shared_dir.time, "monotonic", lambda: clock[0])
    record = HostRecord(both[0], lambda: NOON + timedelta(seconds=clock[0]), _next=-1.0)
    seen = []
    for clock[0] in (0.0, 1.0, 3599.0, 3600.0, 3601.0):
        record.poll()
        seen.append(recent_hosts(both[0].site_dir)[0].at)
    assert [moment[11:19] for moment in seen] == ["18:00:00", "18:00:00", "18:00:00", "19:00:00", "19:00:00"]
    both[0].site_dir.rename(both[0].site_dir.with_name("away"))
    clock[0] = 9_000.0
    record.poll()
    assert "the shared directory cannot be used" in caplog.text


def test_a_site_of_one_machine_registers_nothing(both: list[Settings]) -> None:
    register_host(replace(both[0], shared_dir=""), NOON)
    assert [path.name for path in both[0].data_dir.iterdir()] == ["catalogues"]


def test_a_directory_that_others_can_read_is_refused(both: list[Settings]) -> None:
    both[0].site_dir.chmod(0o755)
    (words,) = bad(both[0])
    assert "has mode 755; run: chmod 700" in words


def test_a_directory_that_is_not_there_is_refused(both: list[Settings]) -> None:
    both[0].site_dir.rename(both[0].site_dir.with_name("away"))
    (words,) = bad(both[0])
    assert "is not a directory; mount or create it" in words


def test_locks_that_hold_nobody_off_are_noticed(both: list[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a file system that is mounted without locks."""
    monkeypatch.setattr(shared_dir.fcntl, "flock", lambda *_: None)
    assert bad(both[0]) == ["a lock of one process holds off another (flock)"]


def test_a_file_that_is_not_replaced_in_one_step_is_noticed(
    both: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_dir, "replace_file", lambda path, content, **_: path.write_bytes(content))
    assert bad(both[0]) == ["a file is replaced in one step"]


def test_the_checks_leave_nothing_behind(both: list[Settings]) -> None:
    findings(both[0])
    assert list(both[0].site_dir.iterdir()) == []


@pytest.mark.parametrize("name", [SECRET_FILE, SEALING_FILE])
def test_a_key_left_in_the_data_directory_is_a_warning(both: list[Settings], name: str) -> None:
    (both[0].data_dir / name).write_text("old")
    (both[0].site_dir / name).write_text("new")
    assert [name in words for good, words in findings(both[0]) if good is None] == [True]
    (both[0].data_dir / name).write_text("new")
    assert [words for good, words in findings(both[0]) if good is None] == []


@pytest.mark.postgres
def test_postgresql_without_a_shared_directory_is_a_warning_that_names_what_is_shared(
    hosts: Hosts, settings: Settings
) -> None:
    ((good, words),) = findings(settings)
    assert good is None
    for each in ("ENGAGE_SHARED_DIR", "packets", "keys", "uploaded rosters", "drafts", "audit anchor"):
        assert each in words
    said = hosts.runs(0, "doctor").stdout
    assert "ok    shared" in said
    assert "FAIL  shared" not in said


@pytest.mark.sqlite
def test_one_machine_with_sqlite_needs_none(settings: Settings) -> None:
    assert findings(settings) == [(True, "one machine serves this site: the database is a file (SQLite)")]


@pytest.mark.postgres
@pytest.mark.parametrize(("ahead", "good"), [(0, True), (4, True), (6, False), (-3600, False)])
def test_a_clock_that_differs_from_the_databases_is_noticed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, ahead: int, good: bool
) -> None:
    real = doctor.database_now
    monkeypatch.setattr(doctor, "database_now", lambda session: real(session) - timedelta(seconds=ahead))
    ((found, _),) = [each for each in findings(settings, "database") if "clocks" in each[1]]
    assert found is good


def test_what_is_private_is_looked_at_where_it_is(both: list[Settings], tmp_path: Path) -> None:
    both[0].secret()
    (both[0].site_dir / SECRET_FILE).chmod(0o644)
    found = findings(both[0], "secret")
    assert (False, f"{tmp_path}/shared/secret-key has mode 644; run: chmod 600 {tmp_path}/shared/secret-key") in found
