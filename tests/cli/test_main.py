"""The command line from an operator's point of view."""

import errno
import os
import pwd
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy.exc import OperationalError

from engage import cli
from engage.base.config import SettingProblem
from engage.cli import COMMANDS, main
from engage.cli.backup import BackupProblem

QUICK = 1.5  # seconds, on a busy machine; importing everything takes three


def test_every_command_that_is_there_can_be_loaded_and_says_what_it_does() -> None:
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert COMMANDS[name][1].endswith(".")


def test_help_is_quick_and_loads_no_trade() -> None:
    start = perf_counter()
    code = "import sys; sys.argv = ['engage', '--help']\nfrom engage.cli import main\nmain(standalone_mode=False)\n" + (
        "print([m for m in ('flask', 'sqlalchemy', 'numpy', 'reportlab') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert perf_counter() - start < QUICK
    assert said.stdout.endswith("[]\n")
    assert "upgrade the database" in said.stdout


def test_python_m_engage_is_engage() -> None:
    said = subprocess.run([sys.executable, "-m", "engage", "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("engage, version ")


def test_a_command_whose_module_is_not_there_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "absent", ("engage.cli.absent", "Is not there."))
    said = CliRunner().invoke(main, ["absent"])
    assert said.exit_code == 2
    assert "No such command 'absent'" in said.output
    assert "absent" not in CliRunner().invoke(main, ["--help"]).output


def _raising(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> Result:
    @click.command()
    def fails() -> None:
        raise problem

    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: fails)
    return CliRunner().invoke(main, ["fails"])


def test_our_own_problems_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    said = _raising(monkeypatch, SettingProblem("ENGAGE_DOORS must be one of these"))
    assert said.exit_code == 1
    assert said.output == "Error: ENGAGE_DOORS must be one of these\n"


def test_a_database_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    said = _raising(monkeypatch, OperationalError("select 1", {}, Exception("connection refused")))
    assert said.output == "Error: the database did not answer: connection refused\n"


@pytest.mark.parametrize(
    "problem",
    [
        OperationalError("PRAGMA journal_mode=WAL", {}, Exception("disk I/O error")),
        OperationalError("insert", {}, Exception("database or disk is full")),
        OSError(errno.ENOSPC, "No space left on device"),
        BackupProblem("copy.db cannot be written: No space left on device"),
    ],
)
def test_a_full_disk_is_named(problem: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SQLite reports "disk I/O error" if it cannot even create its log."""
    if isinstance(problem, BackupProblem):
        problem.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(tmp_path / "not there"))
    monkeypatch.setattr("engage.cli.problems.shutil.disk_usage", lambda _: SimpleNamespace(free=4096))
    said = _raising(monkeypatch, problem)
    assert said.output == f"Error: the disk is full: 0.0 MB are free at {tmp_path}. Free some space and start again\n"


def test_no_room_on_another_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    said = _raising(monkeypatch, OSError(errno.ENOSPC, "No space left on device", "/mnt/packet.pdf"))
    assert said.output.startswith("Error: there is no space left: ")
    assert "/mnt/packet.pdf" in said.output


def test_a_file_that_the_account_cannot_use_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    said = _raising(monkeypatch, PermissionError(errno.EACCES, "Permission denied", "/root/backup.db"))
    assert said.exit_code == 1
    account = pwd.getpwuid(os.geteuid()).pw_name
    assert said.output == f"Error: the account {account} has no permission for /root/backup.db\n"


def test_a_disk_that_fails_but_has_room_is_not_called_full(monkeypatch: pytest.MonkeyPatch) -> None:
    said = _raising(monkeypatch, OperationalError("select 1", {}, Exception("disk I/O error")))
    assert said.output == "Error: the database did not answer: disk I/O error\n"


@pytest.mark.parametrize("words", [["db", "upgrade"], ["doctor"], ["serve"], ["worker"], ["retention", "run"]])
@pytest.mark.parametrize(
    ("name", "value"), [("ENGAGE_TIMEZONE", "Nowhere"), ("ENGAGE_DATABSE_URL", "x"), ("ENGAGE_METRICS_TOKEN", "x")]
)
def test_every_command_stops_at_a_wrong_setting(
    words: list[str], name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv(name, value)
    said = CliRunner().invoke(main, words)
    assert said.exit_code == 1
    assert said.output.startswith(f"Error: {name} ")
    assert not (tmp_path / "data").exists()


def test_our_own_mistakes_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(_raising(monkeypatch, ZeroDivisionError()).exception, ZeroDivisionError)


def test_a_wrong_setting_stops_the_command_and_says_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGAGE_DOORS", "side")
    said = CliRunner().invoke(main, ["db", "upgrade"])
    assert (said.exit_code, said.output.count("\n")) == (1, 1)
    assert "ENGAGE_DOORS" in said.output
