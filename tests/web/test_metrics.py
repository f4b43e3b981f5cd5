"""/metrics: who may read it, what it counts, and that nothing in it is about a family."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, text, update
from sqlalchemy.exc import OperationalError
from werkzeug.test import Client

from engage import create_app
from engage.base.clock import stored_utc
from engage.base.config import BACKUP_FILE, Settings
from engage.base.measurements import Recorder, recorder, replace_recorder
from engage.domain.mail import outbox
from engage.domain.mail.outbox import OutgoingMail
from engage.domain.security.access_codes import ACCESS_KEY, digest, generate_access_code
from engage.services import site_metrics
from engage.services.retention import run_schedule
from engage.services.waves.opening import add_unnamed_invitations
from engage.storage.engine import write_session
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.jobs import Export, FigureCount
from engage.storage.models.paper import Packet
from engage.web.metrics import route_group
from tests.conftest import close
from tests.makers import a_school, a_wave, staff
from tests.people import Family
from tests.scrapes import Scrape

TOKEN = "a-token-of-the-tests-" + "0123456789" * 3
SITES = {"family", "staff", "static"}
GROUPS = {
    *("entry", "survey", "results", "files", "health", "none"),
    *("account", "liaison", "district", "administration"),
}


@pytest.fixture(autouse=True)
def _discarding() -> Iterator[None]:
    """The recorder is one for each process."""
    yield
    replace_recorder(Recorder())


@pytest.fixture
def measured(settings: Settings, clock: Callable[[], datetime]) -> Iterator[Any]:
    """A site with a token."""
    site = create_app(replace(settings, metrics_token=TOKEN), clock)
    yield site
    close(site)


def scrape(site: Any, token: str = TOKEN) -> Scrape:
    answer = Client(site).get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    return Scrape(answer.text)


def test_without_a_token_in_the_settings_there_is_no_such_page(site: Any) -> None:
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}"}):
        assert Client(site).get("/metrics", headers=headers).status_code == 404
    assert not recorder().active, "and nothing is measured"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}0", f"Bearer {TOKEN[:-1]}", "Bearer é"]
)
def test_a_wrong_token_is_refused(measured: Any, header: str) -> None:
    answer = Client(measured).get("/metrics", headers={"Authorization": header})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "engage_" not in answer.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_token_opens_the_page(measured: Any, scheme: str) -> None:
    answer = Client(measured).get("/metrics", headers={"Authorization": f"{scheme} {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.sqlite
@pytest.mark.parametrize("doors", ["family", "staff", "both"])
def test_each_kind_of_machine_has_it(settings: Settings, clock: Callable[[], datetime], doors: str) -> None:
    site = create_app(replace(settings, metrics_token=TOKEN, doors=doors), clock)
    assert scrape(site).value("engage_database_up") == 1
    close(site)


VISITS = [
    ("/", "family", "entry", 3),
    ("/en/", "family", "entry", 2),
    ("/en/c", "family", "entry", 1),
    ("/en/reply", "family", "entry", 1),
    ("/en/results/", "family", "results", 1),
    ("/en/nowhere", "family", "none", 4),
    ("/en/w/nowhere", "family", "survey", 2),
    ("/healthz", "family", "health", 1),
    ("/static/none", "static", "files", 2),
    ("/staff/login", "staff", "account", 5),
    ("/staff/nowhere", "staff", "none", 1),
    ("/staff/district/waves", "staff", "district", 2),
    ("/staff/administration/audit.csv", "staff", "files", 1),
]


def test_requests_are_counted_by_site_group_and_class_of_status(measured: Any) -> None:
    expected: Counter[tuple[str, str, str]] = Counter()
    for path, site, group, times in VISITS:
        for _ in range(times):
            expected[group, site, f"{Client(measured).get(path).status_code // 100}xx"] += 1
    found = scrape(measured)
    samples = [(labels, number) for (name, labels), number in found.samples.items() if name == "engage_requests_total"]
    assert {tuple(value for _, value in labels): number for labels, number in samples} == expected
    for site in SITES:
        times = sum(number for (_, each, _), number in expected.items() if each == site)
        assert found.value("engage_request_seconds_count", site=site) == times


def test_every_route_has_a_group_from_the_list(site: Any) -> None:
    for app in (site.family, site.staff):
        for rule in app.url_map.iter_rules():
            assert route_group(rule.endpoint, rule.rule) in GROUPS, rule.rule


def test_a_familys_whole_visit_leaves_no_trace_of_who_where_or_what(measured: Any, engine: Engine, today: date) -> None:
    code = generate_access_code(Random(3))
    key = measured.family.extensions["engage"].secret(ACCESS_KEY)
    with write_session(engine) as session:
        school = a_school(session, "harbor", "Harbor Middle School")
        wave = a_wave(session, "invited", [school], entry="code", identity="confidential")
        add_unnamed_invitations(session, wave, "harbor", "ar", [digest(code, key)])
        session.commit()
    family = Family(measured)
    family.begins_with(code, "ar").walks({"question": "When does the bus come?"}).sends()
    assert family.path.partition("?")[0].endswith("/thanks")
    found = scrape(measured)
    assert found.value("engage_writer_seconds_count") > 0, "what the family sent was written"
    for trace in (code, code[:5], "harbor", "Harbor", "invited", "/", "127.0.0.1", "bus", '"ar"', "question"):
        samples = "".join(line for line in found.text.splitlines(True) if not line.startswith("#"))
        assert trace not in samples
    assert found.labels("site") <= SITES
    assert found.labels("group") <= GROUPS
    names = {label for _, labels in found.samples for label, _ in labels}
    assert names <= {"site", "group", "status", "le", "state", "file", "process", "place", "kind"}
    assert found.value("engage_requests_total", site="family", group="survey") == found.value(
        "engage_requests_total", site="family"
    ) - found.value("engage_requests_total", site="family", group="entry")


def test_email_that_waits_or_failed_is_counted_with_the_age_of_the_oldest(
    measured: Any, engine: Engine, clock: Callable[[], datetime]
) -> None:
    letter = OutgoingMail("ana@district.example", "A subject", "A text")
    with write_session(engine) as session:
        for minutes in (10, 45, 90):
            outbox.queue_mail(session, "reset", letter, str.encode, clock() - timedelta(minutes=minutes))
        failed = outbox.queue_mail(session, "reset", letter, str.encode, clock() - timedelta(days=3))
        session.flush()
        outbox.mark_failed(session, failed, 0, "no such mailbox")
        session.commit()
    found = scrape(measured)
    assert found.value("engage_mail", state="waiting") == 3
    assert found.value("engage_mail", state="failed") == 1
    assert found.value("engage_mail_oldest_seconds") == 90 * 60
    assert "ana" not in found.text


def test_packets_are_counted_and_the_oldest_is_as_old_as_it_was_first_seen(
    measured: Any, engine: Engine, settings: Settings, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_metrics, "FRESH", 0.0)
    with write_session(engine) as session:
        a_wave(session)
        session.flush()
        for number, state in enumerate(("waiting", "drawing", "failed", "ready", "cancelled")):
            session.add(a_packet(f"packet-{number}", state, today))
        session.commit()
    first = scrape(measured)
    states = ("waiting", "running", "failed")
    assert [first.value("engage_jobs", kind="packets", state=each) for each in states] == [1, 1, 1]
    assert first.value("engage_jobs_oldest_seconds", kind="packets") == 0
    site_later = create_app(
        replace(settings, metrics_token=TOKEN), lambda: datetime.combine(today, time(18, 20), UTC)
    )  # another process of the same machine, 20 minutes later
    assert scrape(site_later).value("engage_jobs_oldest_seconds", kind="packets") == 20 * 60
    with engine.begin() as connection:
        connection.execute(update(Packet).values(state="ready"))
    assert scrape(site_later).value("engage_jobs_oldest_seconds", kind="packets") == 0
    close(site_later)


def test_counts_and_files_are_counted_by_state_with_the_age_of_the_oldest(
    measured: Any, engine: Engine, today: date, clock: Callable[[], datetime]
) -> None:
    now = stored_utc(clock())
    with write_session(engine) as session:
        leader = staff(session, "leader")
        session.add(Checkpoint(id="fall", title="Fall", meets_on=today))
        session.flush()
        file = {"kind": "csv", "checkpoint_id": "fall", "language": "en", "asked_by": leader.id}
        for number, state in enumerate(("waiting", "waiting", "making", "failed")):
            session.add(Export(id=f"{number}", state=state, asked_at=now - timedelta(hours=number), **file))
        count = {"checkpoint_id": "fall", "purpose": "draft", "state": "counting"}
        session.add(FigureCount(id="count", asked_at=now - timedelta(minutes=3), **count))
        session.commit()
    found = scrape(measured)
    states = ("waiting", "running", "failed")
    assert [found.value("engage_jobs", kind="files", state=each) for each in states] == [2, 1, 1]
    assert [found.value("engage_jobs", kind="counts", state=each) for each in states] == [0, 1, 0]
    assert [found.value("engage_jobs", kind="email", state=each) for each in states] == [0, 0, 0]
    ages = [found.value("engage_jobs_oldest_seconds", kind=each) for each in ("files", "counts", "email")]
    assert ages == [2 * 3600, 3 * 60, 0]


def a_packet(id: str, state: str, today: date) -> Packet:
    words = {"contents": "blanks", "outside": "code", "paper": "letter", "style": "standard", "arrangement": "under"}
    return Packet(
        id=id, wave_id="fall", school_id="lincoln", state=state, asked="{}", classes="{}", made_on=today, **words
    )


def test_the_last_retention_run_and_the_last_backup_are_told_once_they_are_known(
    measured: Any, engine: Engine, settings: Settings, clock: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_metrics, "FRESH", 0.0)
    last = {"engage_retention_last_success_timestamp_seconds", "engage_backup_last_success_timestamp_seconds"}
    assert not scrape(measured).names & last
    ended = clock() - timedelta(hours=40)
    with write_session(engine) as session:
        assert run_schedule.claim_run(session, ended.date(), "one", ended)
        run_schedule.end_run(session, ended.date(), {}, "", ended)
        session.commit()
    backup = settings.data_dir / BACKUP_FILE
    backup.touch()
    os.utime(backup, (1_790_000_000, 1_790_000_000))
    found = scrape(measured)
    assert found.value("engage_retention_last_success_timestamp_seconds") == ended.timestamp()
    assert found.value("engage_retention_overdue") == 1
    assert found.value("engage_backup_last_success_timestamp_seconds") == 1_790_000_000


def test_a_database_that_is_away_leaves_the_other_figures(measured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("select 1", {}, Exception("connection refused"))

    monkeypatch.setattr(site_metrics, "read_session", away)
    found = scrape(measured)
    assert found.value("engage_database_up") == 0
    assert {"engage_disk_free_bytes", "engage_process_resident_bytes", "engage_requests_waiting"} <= found.names
    assert "engage_mail" not in found.names, "unknown is not zero"


def test_the_sizes_are_those_of_the_system(
    measured: Any, settings: Settings, engine: Engine, database_kind: str
) -> None:
    found = scrape(measured)
    disk = os.statvfs(settings.data_dir)
    assert found.value("engage_disk_size_bytes") == disk.f_blocks * disk.f_frsize
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    resident = int(status["VmRSS"].split()[0]) * 1024
    assert found.value("engage_process_resident_bytes") == pytest.approx(resident, rel=0.1)
    if database_kind == "sqlite":
        size = float((settings.data_dir / "engage.db").stat().st_size)
    else:
        with engine.connect() as connection:
            size = connection.scalar(text("select pg_database_size(current_database())"))
    assert found.value("engage_database_bytes", file="database") == pytest.approx(size, rel=0.05)
