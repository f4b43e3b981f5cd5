"""The findings of the doctor, and its exit codes."""

import os
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from engage.base.config import Settings
from engage.cli import doctor, main
from engage.domain.roster.staging_db import FILE, delete_folder, new_folder
from engage.services.retention.run_schedule import claim_run, end_run
from engage.storage.engine import write_session
from engage.storage.models.roster import RosterImport
from engage.storage.models.roster_updates import RosterUpdate
from tests.postbox import a_postbox

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _machine(settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setattr(doctor, "LEAST_DISK", 0.0)
    monkeypatch.setattr(doctor, "LEAST_BYTES", 0)


def run() -> Result:
    return CliRunner().invoke(main, ["doctor"])


def lines(said: Result, name: str) -> list[str]:
    return [line for line in said.output.splitlines() if line[6:].startswith(name)]


def test_each_thing_is_looked_at() -> None:
    said = run()
    for name in doctor.CHECKS:
        assert lines(said, name), f"nothing about {name} in\n{said.output}"
    assert (said.exit_code == 1) == ("FAIL" in said.output)
    for name in ("python", "packages", "fonts", "database", "disk", "secret", "address"):
        assert all(line.startswith("ok ") for line in lines(said, name)), said.output


def test_a_missing_font_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGAGE_FONT_DIR", str(tmp_path))
    said = run()
    assert said.exit_code == 1
    assert all(line.startswith("FAIL") and "fonts-noto" in line for line in lines(said, "fonts"))


def test_a_database_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(tmp_path / "nothing"))
    said = run()
    assert said.exit_code == 1
    assert "engage db upgrade" in lines(said, "database")[0]
    assert lines(said, "address"), "the other checks are still made"


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_BYTES", 10**18)
    assert lines(run(), "disk")[0].startswith("FAIL")


def test_a_secret_that_others_may_read(settings: Settings) -> None:
    path = settings.data_dir / "secret-key"
    path.write_text("x" * 64)
    os.chmod(path, 0o644)
    assert "chmod 600" in lines(run(), "secret")[0]
    os.chmod(path, 0o600)
    assert all(line.startswith("ok") for line in lines(run(), "secret"))
    path.write_text("short")
    assert lines(run(), "secret")[1].startswith("FAIL")


def test_an_address_that_anyone_on_the_way_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGAGE_BASE_URL", "http://engage.sites.district.example")
    assert "https://" in lines(run(), "address")[0]
    monkeypatch.setenv("ENGAGE_BASE_URL", "https://engage.sites.district.example")
    assert lines(run(), "address")[0].startswith("ok")


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "requires", lambda _name: ["flask>=3", "not-there>=1", "extra-only; extra == 'x'"])
    assert lines(run(), "packages") == ["FAIL  packages    missing: not-there; run: pip install ."]


def test_words_that_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "po_path", lambda tag, domain: tmp_path / f"{tag}-{domain}.po")
    assert all(line.startswith("FAIL") and "words update" in line for line in lines(run(), "words"))


def test_a_mail_server_is_knocked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "email waits" in lines(run(), "mail")[0]
    monkeypatch.setenv("ENGAGE_MAIL_SECURITY", "none")
    with a_postbox() as box:
        monkeypatch.setenv("ENGAGE_MAIL_SERVER", f"127.0.0.1:{box.port}")
        assert [line[:4] for line in lines(run(), "mail")] == ["ok  ", "ok  "]
        assert box.begun == 0
    assert lines(run(), "mail")[1].startswith("FAIL")
    monkeypatch.setenv("ENGAGE_MAIL_SERVER", "smtp://mail")
    assert "ENGAGE_MAIL_SERVER must be" in lines(run(), "mail")[0]


def test_the_address_to_register_with_a_sign_in_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines(run(), "sign-in")[0].startswith("ok")
    monkeypatch.setenv("ENGAGE_BASE_URL", "https://engage.example/")
    monkeypatch.setenv("ENGAGE_SSO", '{"google": {"client_id": "a", "client_secret": "b"}}')
    assert (
        "register the redirect address https://engage.example/staff/sso/google/callback" in lines(run(), "sign-in")[0]
    )
    monkeypatch.setenv("ENGAGE_SSO", '{"google": {"client_id": "a"}}')
    assert lines(run(), "sign-in")[0].startswith("FAIL")


def test_an_audit_log_that_may_be_changed_is_found(engine: Engine) -> None:
    assert "audit log refuses changes" in run().output
    with engine.begin() as connection:
        connection.exec_driver_sql("drop trigger audit_events_no_update")
    assert "missing: audit_events_no_update" in run().output


def test_a_folder_and_databases_that_other_accounts_may_read(settings: Settings) -> None:
    folder = settings.data_dir
    backups = folder / "backups"
    backups.mkdir()
    kept, aside = backups / "0001-before-0002.db", folder / "engage.db.old1"
    for path in (kept, aside):
        path.write_text("")
    files = [folder / "engage.db", kept, aside]
    for path in files:
        path.chmod(0o644)
    folder.chmod(0o755)
    said = lines(run(), "private")
    for path in (folder, *files):
        line = next(line for line in said if f"{path} has mode" in line)
        assert line.startswith("FAIL")
        assert f"run: chmod -R go-rwx {folder}" in line
    subprocess.run(["chmod", "-R", "go-rwx", str(folder)], check=True)
    assert all(line.startswith("ok") for line in lines(run(), "private"))


def test_a_database_elsewhere_that_other_accounts_may_read(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.db"
    shutil.copy(settings.data_dir / "engage.db", other)
    settings.data_dir.chmod(0o700)
    other.chmod(0o640)
    monkeypatch.setenv("ENGAGE_DATABASE_URL", f"sqlite:///{other}")
    assert f"run: chmod 600 {other}" in "".join(lines(run(), "private"))


def test_https_without_a_proxy_that_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGAGE_BASE_URL", "https://engage.sites.district.example")
    assert "set ENGAGE_PROXY_COUNT=1" in lines(run(), "address")[1]
    assert lines(run(), "address")[1].startswith("FAIL")
    monkeypatch.setenv("ENGAGE_PROXY_COUNT", "1")
    assert len(lines(run(), "address")) == 1


def test_a_district_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGAGE_DISTRICT_NAME", "")
    assert "set ENGAGE_DISTRICT_NAME" in lines(run(), "district")[0]
    monkeypatch.setenv("ENGAGE_DISTRICT_NAME", "Riverbend Public Schools")
    assert "Riverbend Public Schools" in lines(run(), "district")[0]


def test_retention_that_does_not_run_is_a_fault(engine: Engine, settings: Settings) -> None:
    assert lines(run(), "retention") == ["ok    retention   no run yet"]
    now = datetime.now(UTC)
    with write_session(engine) as session:
        claim_run(session, now.date(), "one", now)
        end_run(session, now.date(), {}, "somebody was reading", now)
        session.commit()
    assert lines(run(), "retention")[1].startswith(
        "FAIL  retention   the latest run did not delete everything: somebody"
    )
    with write_session(engine) as session:
        end_run(session, now.date(), {}, "", now - timedelta(hours=37))
        session.commit()
    (line,) = lines(run(), "retention")
    assert line.startswith("FAIL  retention   last run 20")
    assert "engage worker" in line


def test_an_interrupted_roster_import_is_said_and_whether_its_files_are_there(
    settings: Settings, engine: Engine
) -> None:
    assert lines(run(), "roster") == ["ok    roster      no import was interrupted"]
    folder = new_folder(settings.data_dir)
    (folder / FILE).touch()
    counts = dict.fromkeys(("added", "changed", "gone", "refused"), 0)
    with write_session(engine) as session:
        about = {"digest": "d" * 64, "imported_on": date(2026, 10, 14), "state": "storing", "folder": folder.name}
        session.add(RosterImport(id="a" * 32, **about, **counts))
        session.commit()
    [line] = lines(run(), "roster")
    assert line.startswith("warn")
    assert "engage roster continue" in line
    delete_folder(folder)
    [line] = lines(run(), "roster")
    assert line.startswith("FAIL")
    assert "import a full export" in line


def test_automatic_updates_of_the_roster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    assert lines(run(), "updates")[0].startswith("ok    updates     none")
    folder = tmp_path / "sftp"
    monkeypatch.setenv("ENGAGE_ROSTER_DIR", str(folder))
    [line, last] = lines(run(), "updates")
    assert line.startswith("FAIL")
    assert "does not exist. Create it" in line
    assert last == "ok    updates     no success yet"
    folder.mkdir()
    assert lines(run(), "updates")[0] == f"ok    updates     0 deliveries in {folder}"
    moment = datetime(2026, 10, 14, 8)
    row = {"id": "a" * 32, "source": "folder", "is_full": True, "began_at": moment, "ended_at": moment}
    with write_session(engine) as session:
        session.add(RosterUpdate(**row, state="refused", reason="not_a_zip"))
        session.add(RosterUpdate(**row | {"id": "b" * 32, "began_at": moment.replace(hour=7), "state": "stored"}))
        session.commit()
    [_, last, problem] = lines(run(), "updates")
    assert last == "ok    updates     last success 2026-10-14 02:00"
    assert problem.startswith("FAIL  updates     This is not a ZIP file.")
    monkeypatch.delenv("ENGAGE_ROSTER_DIR")
    secret = tmp_path / "client-secret"
    secret.write_text("secret")
    secret.chmod(0o644)
    for name, value in (("URL", "https://sis.example/v1p1"), ("TOKEN_URL", "https://sis.example/token"),
                        ("CLIENT_ID", "x"), ("SECRET_FILE", str(secret))):  # fmt: skip
        monkeypatch.setenv(f"ENGAGE_ROSTER_{name}", value)
    assert "Other accounts can read the client secret" in lines(run(), "updates")[0]
    secret.chmod(0o600)
    assert lines(run(), "updates")[0].startswith("ok    updates     sis.example is asked each night")
