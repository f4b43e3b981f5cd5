"""The staff pages and heavy actions that `bench_large_site` measures, for a generated large district.

An action that is left to the worker is measured together with the worker's part, which is done here at once.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from click.testing import CliRunner
from sqlalchemy import Engine, func, select
from werkzeug.test import Client, TestResponse

from engage.cli.keys import keys
from engage.cli.retention import retention
from engage.domain.mail.delivery_log import AcceptedMailLog
from engage.services.runtime import Runtime
from engage.services.tasks import count_figures, make_exports
from engage.services.tasks.context import DONE, WorkerContext
from engage.storage.engine import read_session
from engage.storage.models.invitations import Invitation
from engage.storage.models.jobs import Export, FigureCount
from tests.bench.large_district import DRAFT, NEW, OPEN_LINK
from tests.bench.large_history import ADMINISTRATOR, CONFIDENTIAL, FROZEN, LEADER, LIAISON, PASSWORD, school

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
LEFT_TO_THE_WORKER = re.compile(r"/exports/\w+$|/freeze$")  # where a request for work of the worker leads
CHECKPOINTS = "/staff/district/checkpoints"
WAVES = "/staff/district/waves"
SCHOOL = school(0)


class Browser:
    """A browser of a person; signed in unless the address is empty. Redirects are not followed."""

    def __init__(self, site: Any, email: str) -> None:
        self.site, self.client = site, Client(site, TestResponse)
        if email:
            self.post("/staff/login", "/staff/login", {"email": email, "password": PASSWORD})()

    def get(self, path: str) -> Callable[[], int]:
        """The action of opening a page; it returns the number of bytes."""
        return lambda: self._finish(path, self.client.get(path))

    def post(self, form: str, path: str, fields: Mapping[str, str]) -> Callable[[], int]:
        """The action of sending a form; the page with the form is opened now."""
        found = TOKEN.search(self.client.get(form).get_data(as_text=True))
        assert found, f"{form} has no form"
        return lambda: self._finish(path, self.client.post(path, data={**fields, "csrf_token": found[1]}))

    def _finish(self, path: str, response: TestResponse) -> int:
        """Do the worker's part, if there is any. Returns the number of bytes."""
        if "Refresh" in response.headers or LEFT_TO_THE_WORKER.search(response.headers.get("Location", "")):
            do_jobs(self.site.staff.extensions["engage"])
        return _size(path, response)


def do_jobs(runtime: Runtime) -> None:
    """Count and make what waits for the worker."""
    accepted = AcceptedMailLog(runtime.settings.data_dir / "accepted", [])
    context = WorkerContext(runtime, server=None, accepted=accepted, stopping=lambda: False)
    with read_session(runtime.engine) as session:
        counts = session.scalars(select(FigureCount.id).where(FigureCount.state == "waiting")).all()
        files = session.scalars(select(Export.id).where(Export.state == "waiting")).all()
    results = [
        *(count_figures._count(context, id) for id in counts),
        *(make_exports._make(context, id) for id in files),
    ]
    assert set(results) <= {DONE}, results


def _size(path: str, response: TestResponse) -> int:
    body = len(response.data)
    assert response.status_code in (200, 302, 303, 422), f"{path}: {response.status}"
    location = response.headers.get("Location", "")
    assert not re.search("login|second", location), f"{path}: to {location}"
    return body


@dataclass(frozen=True, slots=True)
class Visit:
    """A page, or an action if it has a form: the path of the page with it, and its fields."""

    name: str
    who: str
    path: str
    form: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    def prepare(self, site: Any, browsers: dict[str, Browser]) -> Callable[[], int]:
        """Sign in if necessary, and return what is measured."""
        if self.who not in browsers:
            browsers[self.who] = Browser(site, self.who)
        browser = browsers[self.who]
        return browser.post(self.form, self.path, self.fields) if self.form else browser.get(self.path)


PAGES = (
    Visit("family front page", "", "/en/"),
    Visit("family results", "", f"/en/results/{FROZEN}"),
    Visit("family results, Arabic", "", f"/ar/results/{FROZEN}"),
    Visit("home, leader", LEADER, "/staff/"),
    Visit("home, liaison", LIAISON, "/staff/"),
    Visit("home, administrator", ADMINISTRATOR, "/staff/"),
    Visit("waves, leader", LEADER, WAVES),
    Visit("waves, liaison", LIAISON, WAVES),
    Visit("survey, codes", LEADER, f"{WAVES}/{CONFIDENTIAL}"),
    Visit("survey, open link", LEADER, f"{WAVES}/{OPEN_LINK}"),
    Visit("survey, liaison", LIAISON, f"{WAVES}/{CONFIDENTIAL}"),
    Visit("reminders", LEADER, f"{WAVES}/{CONFIDENTIAL}/reminders"),
    Visit("reminders, open link", LEADER, f"{WAVES}/{OPEN_LINK}/reminders"),
    Visit("reminders.csv", LEADER, f"{WAVES}/{CONFIDENTIAL}/reminders.csv"),
    Visit("codes", LEADER, f"{WAVES}/{CONFIDENTIAL}/codes"),
    Visit("codes, new wave", LEADER, f"{WAVES}/{NEW}/codes"),
    Visit("withdraw codes", LEADER, f"{WAVES}/{CONFIDENTIAL}/codes/back"),
    Visit("who answered", LEADER, f"{WAVES}/{CONFIDENTIAL}/answered"),
    Visit("wave days", LEADER, f"{WAVES}/{CONFIDENTIAL}/days"),
    Visit("school events", LEADER, f"{WAVES}/{OPEN_LINK}/events"),
    Visit("open a wave", LEADER, f"{WAVES}/new"),
    Visit("opt-outs", LEADER, "/staff/district/opt-outs"),
    Visit("print, leader", LEADER, "/staff/liaison/print"),
    Visit("print, liaison", LIAISON, "/staff/liaison/print"),
    Visit("unnumbered forms", LIAISON, "/staff/liaison/keying/unnumbered"),
    Visit("keying", LIAISON, "/staff/liaison/keying"),
    Visit("conversations, leader", LEADER, "/staff/liaison/questions"),
    Visit("conversations, liaison", LIAISON, "/staff/liaison/questions"),
    Visit("checkpoints", LEADER, CHECKPOINTS),
    Visit("checkpoint, frozen", LEADER, f"{CHECKPOINTS}/{FROZEN}"),
    Visit("checkpoint, draft", LEADER, f"{CHECKPOINTS}/{DRAFT}"),
    Visit("staff", ADMINISTRATOR, "/staff/administration/staff"),
    Visit("organisations", ADMINISTRATOR, "/staff/administration/organisations"),
    Visit("roster", ADMINISTRATOR, "/staff/administration/roster"),
    Visit("audit log", ADMINISTRATOR, "/staff/administration/audit"),
)

_ANSWERED = f"{WAVES}/{CONFIDENTIAL}/answered"
_CODES = f"{WAVES}/{NEW}/codes"
_PACKET = {
    "shown": f"{CONFIDENTIAL} {SCHOOL}",
    "wave": CONFIDENTIAL,
    "school": SCHOOL,
    "contents": "households",
    "paper": "letter",
    "style": "standard",
    "arrangement": "under",
    "outside": "code",
}
_PRINT = "/staff/liaison/print"
# In the order in which one depends on another:
ACTIONS = (
    Visit("audit.csv", ADMINISTRATOR, "/staff/administration/audit.csv"),
    Visit("frozen figures.csv", LEADER, f"{CHECKPOINTS}/{FROZEN}/figures.csv"),
    Visit("frozen figures.xlsx", LEADER, f"{CHECKPOINTS}/{FROZEN}/figures.xlsx"),
    Visit("frozen packet.pdf", LEADER, f"{CHECKPOINTS}/{FROZEN}/packet.pdf"),
    Visit("freeze the draft", LEADER, f"{CHECKPOINTS}/{DRAFT}/freeze", f"{CHECKPOINTS}/{DRAFT}/freeze"),
    Visit("households of a school", LEADER, f"{_ANSWERED}/{SCHOOL}", _ANSWERED),
    Visit("wrong lost code", LEADER, f"{WAVES}/{CONFIDENTIAL}/codes/lost", _CODES, {"code": "7777-7777-7777"}),
    Visit("mint, csv", LEADER, f"{_CODES}/households", _CODES, {"kind": "csv"}),
    Visit("opt-out", LEADER, "/staff/district/opt-outs", "/staff/district/opt-outs", {"student": "s11-0"}),
    Visit("take codes back", LEADER, f"{_CODES}/back", f"{_CODES}/back", {"number": "{codes}"}),
    Visit("mint, xlsx", LEADER, f"{_CODES}/households", _CODES, {"kind": "xlsx"}),
    Visit("ask for a packet", LEADER, _PRINT, _PRINT, _PACKET),
)  # fmt: skip


def with_number(visit: Visit, engine: Engine) -> Visit:
    """The visit, with the number of codes of the new wave where it must be confirmed."""
    if "{codes}" not in visit.fields.values():
        return visit
    with engine.execution_options(reads=True).connect() as connection:
        query = select(func.count()).select_from(Invitation).where(Invitation.wave_id == NEW)
        return replace(visit, fields={"number": str(connection.scalar(query))})


def run_retention() -> int:
    """The action of `engage retention run`."""
    return _command(retention, ["run"])


def rotate_keys() -> int:
    """The action of `engage keys rotate`."""
    return _command(keys, ["rotate"])


COMMANDS: tuple[tuple[str, Callable[[], int]], ...] = (("retention run", run_retention), ("keys rotate", rotate_keys))


def _command(command: Any, arguments: list[str]) -> int:
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return len(done.output)
