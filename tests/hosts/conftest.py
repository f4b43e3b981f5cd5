"""Two machines of one site: each has a data directory, and both have one shared directory and one database."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from engage import create_app
from engage.base.config import Settings
from engage.cli import main
from engage.domain.mail.delivery_log import AcceptedMailLog
from engage.services.runtime import Runtime, open_runtime
from engage.services.tasks.context import WorkerContext
from engage.storage.engine import write_session
from tests.conftest import close
from tests.makers import PASSWORD, a_school, staff
from tests.people import StaffMember


@dataclass
class Balancer:
    """The proxy in front of both machines: `here` is the number of the machine that answers next."""

    sites: list[Any]
    here: int = 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.sites[self.here](environ, start_response)


@dataclass
class Hosts:
    """Both machines."""

    settings: list[Settings]
    balancer: Balancer
    engine: Engine
    clock: Callable[..., Any]
    _people: int = field(default=0)

    def someone(self, role: str) -> StaffMember:
        """A person who signs in on the first machine."""
        self._people += 1
        with write_session(self.engine) as session:
            schools = [a_school(session)] if role == "liaison" else []
            email = staff(session, role, schools, f"{role}{self._people}@district.example").email
            session.commit()
        self.balancer.here = 0
        return StaffMember(self.balancer).signs_in(email, PASSWORD)

    def on(self, number: int) -> None:
        """Let this machine answer from now on."""
        self.balancer.here = number

    def runtime(self, number: int) -> Runtime:
        found: Runtime = self.balancer.sites[number].staff.extensions["engage"]
        return found

    @contextmanager
    def worker(self, number: int) -> Iterator[WorkerContext]:
        """The tasks of this machine's worker, without its queue."""
        runtime = open_runtime(self.settings[number], self.clock)
        accepted = AcceptedMailLog(self.settings[number].data_dir / "accepted", [])
        yield WorkerContext(runtime, server=None, accepted=accepted, stopping=lambda: False)
        runtime.engine.dispose()

    def runs(self, number: int, *words: str) -> Result:
        """Run a command on this machine."""
        return CliRunner(env=environment(self.settings[number])).invoke(main, words)


def environment(settings: Settings) -> dict[str, str | None]:
    """The environment of a command with these settings, where they differ from the defaults."""
    default = Settings()
    names = [each.name for each in fields(Settings)]
    changed = [name for name in names if getattr(settings, name) != getattr(default, name)]
    inherited: dict[str, str | None] = {name: None for name in os.environ if name.startswith("ENGAGE_")}
    return inherited | {f"ENGAGE_{name.upper()}": str(getattr(settings, name)) for name in changed}


@pytest.fixture
def both(settings: Settings, tmp_path: Path, compiled_words: Path) -> list[Settings]:
    """The settings of both machines. The keys are files."""
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o700)
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir(mode=0o700)
        (folder / "catalogues").symlink_to(compiled_words)
    common = replace(settings, database_url=settings.database, secret_key="", shared_dir=str(shared))
    return [replace(common, data_dir=folder) for folder in folders]


@pytest.fixture
def hosts(both: list[Settings], engine: Engine, clock: Callable[..., Any]) -> Iterator[Hosts]:
    """Both machines, serving."""
    sites: list[Any] = [create_app(each, clock) for each in both]
    yield Hosts(both, Balancer(sites), engine, clock)
    for site in sites:
        close(site)
