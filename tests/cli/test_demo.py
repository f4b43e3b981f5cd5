"""The location of the demonstration, and its messages about existing settings. tests/fuzz.py builds the complete
one."""

import json
from pathlib import Path

import pytest
from alembic import command
from click.testing import CliRunner, Result

from engage.base.config import Settings
from engage.base.languages import LANGUAGES
from engage.cli import demo as demo_module
from engage.cli import main
from engage.storage.engine import MIGRATIONS, connect, current_revision, head
from engage.storage.upgrade import alembic_config

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]
KNOWN = {
    "codes": dict.fromkeys(LANGUAGES, "CODE"),
    "open_wave": "beliefs",
    "checkpoint": "spring",
    "reply_code": "1234",
    "serial": "S1",
    "built_on": "2026-10-14",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory in which `engage demo` builds a database of an older version and nothing else."""
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(demo_module, "_build_demo", _build_small)
    return tmp_path / "data" / "demo"


def _build_small(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True)
    engine = connect(settings.database)
    with engine.connect() as connection, connection.begin():
        command.upgrade(alembic_config(connection), older())
    engine.dispose()
    (settings.data_dir / "built.json").write_text(json.dumps(KNOWN), "utf-8")


def older() -> str:
    """Return a revision before head."""
    return sorted(path.stem for path in (MIGRATIONS / "versions").glob("0*.py"))[-2]


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def test_it_says_where_it_is_and_how_other_commands_reach_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = run("demo", "--build-only")
    assert said.exit_code == 0, said.output
    assert f"ENGAGE_DATA_DIR={folder}" in said.output
    assert "ENGAGE_DATABASE_URL" not in said.output
    assert "db upgrade" not in run("audit", "verify").output
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(folder))
    assert run("audit", "verify").exit_code == 0


def test_the_database_of_a_real_site_is_left_alone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGAGE_DATABASE_URL", f"sqlite:///{tmp_path / 'real.db'}")
    said = run("demo", "--build-only")
    assert said.output.startswith(
        f"ENGAGE_DATABASE_URL is not used: the demo has its own database in {folder}"
    )
    assert not (tmp_path / "real.db").exists()
    assert (folder / "engage.db").exists()


def test_one_that_an_older_version_built_is_brought_to_this_version(folder: Path) -> None:
    assert run("demo", "--build-only").exit_code == 0
    engine = connect(f"sqlite:///{folder / 'engage.db'}")
    assert current_revision(engine) == head()
    engine.dispose()
