"""A restore of PostgreSQL to a moment, by the scripts and steps of docs/operations.md: what families sent before is
there, what came after is not."""

import re
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from engage import create_app
from engage.base.config import Settings
from engage.cli import main
from engage.storage.engine import connect, read_session, write_session
from engage.storage.models.responses import Response
from engage.storage.upgrade import upgrade
from tests.cluster import Cluster, cluster, programs
from tests.conftest import close
from tests.makers import PASSWORD, a_wave, staff
from tests.people import Family, StaffMember

pytestmark = [pytest.mark.thorough, pytest.mark.slow]


@pytest.fixture
def postgresql() -> Iterator[Cluster]:
    bin = programs()
    if bin is None:
        pytest.skip("PostgreSQL cannot run here: apt-get install postgresql")
    with cluster(bin) as one:
        yield one


class Site:
    """A site on the server. It is opened for each visit, since connections do not outlive the server."""

    def __init__(self, url: str, folder: Path) -> None:
        self.settings = Settings(data_dir=folder, database_url=url, secret_key="a secret for tests only, " * 2)

    def create(self, today: date) -> None:
        """Create the tables, an open survey, and a leader."""
        engine = connect(self.settings.database)
        upgrade(engine)
        with write_session(engine) as session:
            a_wave(session, opens=today - timedelta(days=1), closes=today + timedelta(days=9))
            staff(session, "leader", email="leader@district.example")
            session.commit()
        engine.dispose()

    def families(self, *words: str) -> None:
        """One family for each of these questions."""
        site = create_app(self.settings)
        for each in words:
            Family(site).begins("fall").walks({"question": each}).sends_answers()
        close(site)

    def leader(self) -> None:
        """The leader signs in, which the audit log records."""
        site = create_app(self.settings)
        StaffMember(site).signs_in("leader@district.example", PASSWORD)
        close(site)

    def stored(self) -> set[str]:
        """The submissions of all responses."""
        engine = connect(self.settings.database)
        with read_session(engine) as session:
            found = set(session.scalars(select(Response.submission)))
        engine.dispose()
        return found

    def command(self, *words: str) -> Result:
        """Run a command of the command line."""
        environ = {f"ENGAGE_{name.upper()}": str(getattr(self.settings, name)) for name in ("data_dir", "secret_key")}
        return CliRunner(env=environ | {"ENGAGE_DATABASE_URL": self.settings.database}).invoke(main, list(words))


def test_a_restore_to_a_moment_has_what_came_before_and_nothing_after(postgresql: Cluster, tmp_path: Path) -> None:
    site = Site(postgresql.url, tmp_path)
    site.create(date.today())
    site.families("One before the backup?", "Another?")
    assert "a restore can go back to base-" in postgresql.script("base-backup")
    time.sleep(1.1)  # backups are named by the second, and a restore takes one that ended before the moment
    site.families("After the backup?", "And again?", "And one more?")
    site.leader()
    assert site.command("audit", "verify").exit_code == 0
    before, moment = site.stored(), str(postgresql.ask("select clock_timestamp()"))
    assert len(before) == 5

    site.families("Too late?", "Too late also?")
    site.leader()
    assert site.command("audit", "verify").exit_code == 0
    postgresql.ask("delete from unfolded")
    postgresql.ask("delete from responses")
    assert site.stored() == set()

    postgresql.stop()
    told = postgresql.script("restore-to-time", moment, postgresql.data)
    assert re.search(r"the old data directory is \S+/data\.before-", told)
    postgresql.start()
    postgresql.wait(lambda: postgresql.ask("select pg_is_in_recovery()") is False)

    assert site.stored() == before
    refused = site.command("audit", "verify")
    assert refused.exit_code == 1, "the log is shorter than this machine remembers"
    assert "engage audit verify --after-restore" in refused.output
    assert site.command("audit", "verify", "--after-restore").exit_code == 0
    assert site.command("audit", "verify").exit_code == 0
    assert site.command("retention", "run").exit_code == 0
    site.families("After the restore?")
    assert len(site.stored()) == len(before) + 1
    assert site.command("audit", "verify").exit_code == 0

    time.sleep(1.1)
    assert postgresql.script("base-backup"), "the archive goes on with the restored server"
    archived = {path.name for path in (postgresql.archive / "wal").iterdir()}
    assert any(name.endswith(".history") for name in archived)
    assert not [name for name in archived if name.startswith(".")], "no file is half copied"


def test_without_the_server_the_archive_is_enough_up_to_the_last_file(postgresql: Cluster, tmp_path: Path) -> None:
    """The disk of the server is lost."""
    site = Site(postgresql.url, tmp_path)
    site.create(date.today())
    postgresql.script("base-backup")
    time.sleep(1.1)
    site.families("Is this kept?")
    before = site.stored()
    moment = str(postgresql.ask("select clock_timestamp()"))
    site.families("And this?")
    last = postgresql.archive / "wal" / str(postgresql.ask("select pg_walfile_name(pg_current_wal_lsn())"))
    postgresql.ask("select pg_switch_wal()")  # what archive_timeout does within a minute
    postgresql.wait(last.exists)
    postgresql.stop("immediate")
    for path in sorted(postgresql.data.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    postgresql.data.rmdir()
    postgresql.script("restore-to-time", moment, postgresql.data)
    postgresql.start()
    postgresql.wait(lambda: postgresql.ask("select pg_is_in_recovery()") is False)
    assert site.stored() == before


def test_old_backups_go_and_one_from_before_the_period_stays(postgresql: Cluster) -> None:
    postgresql.script("base-backup")
    made = next(path for path in postgresql.archive.iterdir() if path.name.startswith("base-"))
    for days in (40, 30, 20, 10, 5):
        moment = time.gmtime(time.time() - days * 86_400)
        made_then = postgresql.archive / time.strftime("base-%Y%m%dT%H%M%SZ", moment)
        postgresql.run("/bin/cp", "-a", made, made_then)
    time.sleep(1.1)
    postgresql.script("base-backup")
    left = sorted(path.name[5:13] for path in postgresql.archive.iterdir() if path.name.startswith("base-"))
    ages = [(date.today() - date(int(each[:4]), int(each[4:6]), int(each[6:]))).days for each in left]
    assert [round(age / 5) * 5 for age in ages] == [20, 10, 5, 0, 0], "14 days back need the one of 20 days ago"


@pytest.mark.parametrize(
    ("moment", "problem"),
    [("2001-01-01 00:00:00+00", "no base backup"), ("yesterday noonish", "is not a moment"), ("", "stop PostgreSQL")],
)
def test_what_cannot_be_restored_changes_nothing(postgresql: Cluster, moment: str, problem: str) -> None:
    postgresql.script("base-backup")
    if moment:
        postgresql.stop()
    with pytest.raises(AssertionError, match=problem):
        postgresql.script("restore-to-time", moment or "2099-01-01", postgresql.data)
    assert (postgresql.data / "PG_VERSION").exists()
    assert [path.name for path in postgresql.folder.iterdir() if "before" in path.name] == []
