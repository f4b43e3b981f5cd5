"""The command as an operator meets it."""

import subprocess
import sys
from time import perf_counter

import click
import pytest
from click.testing import CliRunner
from sqlalchemy.exc import OperationalError

from engage import cli
from engage.cli import COMMANDS, main
from engage.config import SettingProblem

QUICK = 1.5  # seconds, on a busy machine; loading everything takes three


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


def _raising(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> object:
    @click.command()
    def fails() -> None:
        raise problem

    monkeypatch.setattr(cli.Lazy, "get_command", lambda *_: fails)
    return CliRunner().invoke(main, ["fails"])


def test_our_own_problems_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    said = _raising(monkeypatch, SettingProblem("ENGAGE_DOORS must be one of these"))
    assert said.exit_code == 1
    assert said.output == "Error: ENGAGE_DOORS must be one of these\n"


def test_a_database_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    said = _raising(monkeypatch, OperationalError("select 1", {}, Exception("connection refused")))
    assert said.output == "Error: the database did not answer: connection refused\n"


def test_our_own_mistakes_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(_raising(monkeypatch, ZeroDivisionError()).exception, ZeroDivisionError)


def test_a_wrong_setting_stops_the_command_and_says_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGAGE_DOORS", "side")
    said = CliRunner().invoke(main, ["db", "upgrade"])
    assert (said.exit_code, said.output.count("\n")) == (1, 1)
    assert "ENGAGE_DOORS" in said.output
