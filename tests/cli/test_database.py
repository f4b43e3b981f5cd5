"""Creating, upgrading, copying, and restoring the database."""

import os
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, insert

from engage.base.config import BACKUP_FILE, Settings
from engage.cli import main
from engage.cli.backup import BackupProblem
from engage.storage.engine import connect, current_revision, head
from engage.storage.models.schools import School

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory that does not exist yet."""
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(tmp_path / "new" / "data"))
    return tmp_path / "new" / "data"


@pytest.fixture
def district(settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with one school."""
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(settings.data_dir))
    with engine.begin() as connection:
        connection.execute(insert(School).values(id="lincoln", name="Lincoln"))
    return settings.data_dir / "engage.db"


def schools(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute("select id from schools order by id")]


def test_upgrade_makes_the_database_and_is_safe_to_run_again(empty: Path) -> None:
    said = run("db", "upgrade")
    assert said.output == f"Created a database at {head()}.\n"
    engine = connect(f"sqlite:///{empty / 'engage.db'}")
    assert current_revision(engine) == head()
    engine.dispose()
    assert run("db", "upgrade").output == f"The database is already at {head()}.\n"
    assert stat.S_IMODE(empty.stat().st_mode) == 0o700


def test_before_an_upgrade_the_old_database_is_kept(district: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engage.cli.database.head", lambda: "0002_later")
    monkeypatch.setattr("engage.cli.database.upgrade", lambda _engine: None)
    said = run("db", "upgrade")
    assert said.exit_code == 0, said.output
    kept = district.parent / "backups" / f"{head()}-before-0002_later.db"
    assert str(kept) in said.output
    assert schools(kept) == ["lincoln"]


def test_commands_refuse_a_database_that_is_not_there_or_not_at_head(empty: Path) -> None:
    for words in (["serve"], ["staff", "add", "a@b.example", "--role", "leader"]):
        said = run(*words)
        assert said.exit_code == 1
        assert "engage db upgrade" in said.output
    empty.mkdir(parents=True)
    sqlite3.connect(empty / "engage.db").close()
    assert "is at no revision, this version needs" in run("serve").output


def test_a_backup_is_made_while_others_write(district: Path, engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.execute(insert(School).values(id="unfinished", name="Not committed"))
        said = run("backup", str(tmp_path / "copy.db"))
    assert said.exit_code == 0, said.output
    assert schools(tmp_path / "copy.db") == ["lincoln"], "what was committed, nothing else"
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.db"]
    assert "secret-key" in said.output


def test_monitoring_is_told_when_the_last_backup_was_made(district: Path, tmp_path: Path) -> None:
    mark = district.parent / BACKUP_FILE
    assert not mark.exists()
    assert run("backup", str(tmp_path / "copy.db")).exit_code == 0
    os.utime(mark, (1_000_000_000, 1_000_000_000))
    assert run("backup", str(tmp_path / "copy.db")).exit_code == 1, "the file is there"
    assert mark.stat().st_mtime == 1_000_000_000
    before = time.time()
    assert run("backup", str(tmp_path / "copy.db"), "--force").exit_code == 0
    assert mark.stat().st_mtime >= before - 1


def test_a_backup_is_not_written_over_a_file_unless_told(district: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("something else")
    assert "--force" in run("backup", str(tmp_path / "copy.db")).output
    assert (tmp_path / "copy.db").read_text() == "something else"
    assert run("backup", "--force", str(tmp_path / "copy.db")).exit_code == 0


def test_a_backup_that_fails_leaves_the_file_that_it_should_replace(
    district: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "copy.db").write_text("an earlier backup")

    def fails(_: Path) -> None:
        raise BackupProblem("no")

    monkeypatch.setattr("engage.cli.backup._check_integrity", fails)
    assert run("backup", "--force", str(tmp_path / "copy.db")).exit_code == 1
    assert (tmp_path / "copy.db").read_text() == "an earlier backup"


def test_a_backup_does_not_replace_a_device(district: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "is not a regular file" in run("backup", "--force", str(tmp_path / "pipe")).output
    assert (tmp_path / "pipe").is_fifo()


def test_a_backup_that_cannot_be_written_says_so(district: Path, tmp_path: Path) -> None:
    said = run("backup", str(tmp_path / "no such folder" / "copy.db"))
    assert said.exit_code == 1
    assert "there is no folder" in said.output
    assert "Traceback" not in said.output


def test_a_backup_of_nothing_is_refused(empty: Path, tmp_path: Path) -> None:
    assert "there is no database" in run("backup", str(tmp_path / "copy.db")).output


@pytest.fixture
def copy(district: Path, engine: Engine, tmp_path: Path) -> Path:
    """A backup from when there was one school; the database has two now."""
    file = tmp_path / "copy.db"
    assert run("backup", str(file)).exit_code == 0
    with engine.begin() as connection:
        connection.execute(insert(School).values(id="later", name="Later"))
    engine.dispose()
    return file


def test_restore_puts_the_backup_back_and_keeps_what_was_there(district: Path, copy: Path) -> None:
    said = run("restore", "--force", str(copy))
    assert said.exit_code == 0, said.output
    assert schools(district) == ["lincoln"]
    assert schools(district.with_name("engage.db.old1")) == ["later", "lincoln"]
    assert run("restore", "--force", str(copy)).exit_code == 0
    assert district.with_name("engage.db.old2").exists(), "the first one kept is not written over"
    assert run("db", "upgrade").output.startswith("The database is already at")


def test_restore_into_an_empty_place(copy: Path, empty: Path) -> None:
    assert run("restore", str(copy)).exit_code == 0
    assert schools(empty / "engage.db") == ["lincoln"]


def test_restore_replaces_nothing_unless_told(district: Path, copy: Path) -> None:
    assert "--force" in run("restore", str(copy)).output
    assert schools(district) == ["later", "lincoln"]


def test_restore_waits_for_nobody_to_use_the_database(
    district: Path, copy: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engage.cli.backup.PATIENCE", 0.1)
    with engine.connect() as connection:
        connection.exec_driver_sql("select 1 from schools")
        said = run("restore", "--force", str(copy))
    assert "is in use; stop the site first" in said.output
    assert schools(district) == ["later", "lincoln"]
    assert beside(district) == [], "nothing is left behind"


def beside(file: Path) -> list[str]:
    """Return the files that a restore may leave beside the database."""
    return sorted(path.name for path in file.parent.glob(f"{file.name}.*"))


class Killed(BaseException):
    """Raised in place of kill -9: nothing more is done."""


@pytest.mark.parametrize("step", ["engage.cli.backup.copy_database", "os.link", "pathlib.Path.replace", "os.fsync"])
def test_a_restore_that_is_killed_leaves_a_whole_database(
    district: Path, copy: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Before and after each step. Whichever database is present, it is complete, and no command creates a new one."""

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(step, killed)
        with pytest.raises(Killed):
            main.main(["restore", "--force", str(copy)], standalone_mode=False)
    assert schools(district) in (["lincoln"], ["later", "lincoln"])
    assert run("db", "upgrade").output.startswith("The database is already at")


@pytest.mark.parametrize("left", ["engage.db.old1", "engage.db.old12", "engage.db.new"])
def test_no_empty_database_is_made_where_a_restore_was_interrupted(district: Path, engine: Engine, left: str) -> None:
    """On a file system without hard links, there is a moment without a database."""
    engine.dispose()
    district.rename(district.with_name(left))
    for words in (["db", "upgrade"], ["serve"], ["doctor"]):
        said = run(*words)
        assert said.exit_code == 1
        assert f"left {left} beside it" in said.output
        assert f"mv {district.with_name(left)} {district}" in said.output
    assert not district.exists()
    district.with_name(left).rename(district)
    assert run("db", "upgrade").exit_code == 0


def test_restore_without_second_names(district: Path, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def refused(source: Path, target: Path) -> None:
        if source == district:
            raise OSError(95, "Operation not supported")
        link(source, target)

    monkeypatch.setattr(os, "link", refused)
    assert run("restore", "--force", str(copy)).exit_code == 0
    assert schools(district) == ["lincoln"]
    assert schools(district.with_name("engage.db.old1")) == ["later", "lincoln"]


def test_what_a_command_writes_is_for_its_owner_only(empty: Path, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        assert run("db", "upgrade").exit_code == 0
        assert run("keys", "rotate").exit_code == 0
        assert run("backup", str(tmp_path / "copy.db")).exit_code == 0
    finally:
        assert os.umask(before) == 0o022, "a command leaves the umask as it was"
    files = [each for each in (*empty.rglob("*"), tmp_path / "copy.db") if "catalogues" not in each.parts]
    assert {stat.S_IMODE(each.stat().st_mode) & 0o077 for each in files} == {0}
    assert {each.name for each in files} >= {"engage.db", "sealing-keys", "copy.db"}


def test_where_a_demonstration_is_no_command_says_to_make_a_database(empty: Path) -> None:
    (empty / "demo").mkdir(parents=True)
    assert "engage db upgrade" in run("serve").output, "half a demonstration is none"
    (empty / "demo" / "built.json").write_text("{}")
    for words in (["serve"], ["staff", "reset", "a@b.example"], ["doctor"], ["audit", "verify"]):
        said = run(*words)
        assert said.exit_code == 1
        assert "db upgrade" not in said.output
        assert f"set ENGAGE_DATA_DIR={empty / 'demo'}" in said.output


@pytest.mark.parametrize("harm", ["truncated", "flipped", "empty", "text"])
def test_a_broken_backup_is_refused_and_nothing_changes(district: Path, copy: Path, harm: str) -> None:
    content = copy.read_bytes()
    harmed = {
        "truncated": content[: len(content) // 2],
        "flipped": content[:4096] + bytes(4096) + content[8192:],
        "empty": b"",
        "text": b"this is no database at all" * 100,
    }
    copy.write_bytes(harmed[harm])
    said = run("restore", "--force", str(copy))
    assert said.exit_code == 1
    assert "Traceback" not in said.output
    assert schools(district) == ["later", "lincoln"]


def test_a_backup_with_rows_that_point_nowhere_is_refused(district: Path, copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("insert into households (id, school_id, language) values ('h', 'nowhere', 'en')")
        connection.commit()
    assert "households" in run("restore", "--force", str(copy)).output
    assert schools(district) == ["later", "lincoln"]


def test_a_backup_of_a_newer_version_is_refused(district: Path, copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("update alembic_version set version_num = '9999_future'")
        connection.commit()
    assert "use a newer Engage" in run("restore", "--force", str(copy)).output


def test_postgres_has_its_own_tools(empty: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ENGAGE_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert "pg_dump" in run("backup", str(tmp_path / "copy.db")).output
    said = run("db", "upgrade")
    assert said.exit_code == 1
    assert "the database did not answer" in said.output


def test_a_restore_is_written_down_and_the_audit_chain_goes_on(
    district: Path, settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A rollback by other means is detected; one by this command is expected, and recorded in the chain."""
    engine.dispose()
    monkeypatch.setenv("ENGAGE_SECRET_KEY", settings.secret_key)
    for _ in range(3):
        assert run("keys", "rotate").exit_code == 0
    assert run("audit", "verify").output == "3 events: none changed, removed, or inserted.\n"
    file = tmp_path / "copy.db"
    assert run("backup", str(file)).exit_code == 0
    for _ in range(2):
        assert run("keys", "rotate").exit_code == 0
    assert run("audit", "verify").exit_code == 0
    by_hand = district.read_bytes()
    for beside in district.parent.glob("engage.db-*"):
        beside.unlink()
    district.write_bytes(file.read_bytes())
    said = run("audit", "verify")
    assert said.exit_code == 1
    assert "The chain is shorter than it was: there are 3 events." in said.output
    assert "--after-restore" in said.output
    district.write_bytes(by_hand)
    said = run("restore", "--force", str(file))
    assert said.exit_code == 0, said.output
    assert (
        "The audit log now ends at event 4, which records this restore; the previous database had at least 5 events."
        in said.output
    )
    assert run("audit", "verify").exit_code == 0
    assert "restore backup  copy.db  (before=5 events=3)" in run("audit", "list", "--deed", "restore backup").output


def test_what_was_put_back_by_other_means_is_taken_as_it_is_when_told(
    district: Path, settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.dispose()
    monkeypatch.setenv("ENGAGE_SECRET_KEY", settings.secret_key)
    assert run("keys", "rotate").exit_code == 0
    empty = district.read_bytes()
    assert run("keys", "rotate").exit_code == 0
    assert run("audit", "verify").exit_code == 0
    district.write_bytes(empty)
    assert run("audit", "verify").exit_code == 1
    assert run("audit", "verify", "--after-restore").exit_code == 0
    assert run("audit", "verify").exit_code == 0
