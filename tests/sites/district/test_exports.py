"""Files that take long are made by the worker, for the person who asked, and deleted after a day; others at once."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from engage.base.config import Settings
from engage.services.checkpoints import exports, large_counts
from engage.services.retention.policies import build_policies
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.jobs import Export
from tests.domain.mail.test_worker import until
from tests.makers import PASSWORD, staff
from tests.people import StaffMember
from tests.services.tasks.workers import RENDERS_SLOWLY, kill, worker

pytestmark = pytest.mark.slow

FALL = "/staff/district/checkpoints/what-families-said-fall"
NAMES = {"csv": "figures.csv", "pdf": "packet.pdf", "xlsx": "figures.xlsx"}
PREPARED = "Your file is being prepared."
FULL_DISK = """
import errno, os
import engage.services.tasks.make_exports as make_exports
def replace_file(path, content):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
make_exports.replace_file = replace_file
"""


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file takes too long for a request."""
    monkeypatch.setattr(large_counts, "REQUEST_SECONDS", 0.0)


def rows(engine: Engine) -> list[Export]:
    with read_session(engine) as session:
        return list(session.scalars(select(Export).order_by(Export.kind)))


def are_in(engine: Engine, state: str) -> Callable[[], bool]:
    return lambda: {row.state for row in rows(engine)} == {state}


def downloads(engine: Engine) -> list[dict[str, Any]]:
    with read_session(engine) as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.deed == "export figures")).all()
        return [json.loads(event.detail) for event in events]


@pytest.mark.thorough
def test_what_the_worker_makes_is_what_is_made_at_once(
    engine: Engine, leader: Any, planned: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader.freezes(planned)
    paths = {kind: f"{FALL}/{name}?language=es" for kind, name in NAMES.items()}
    at_once = {kind: leader.client.get(path) for kind, path in paths.items()}
    assert rows(engine) == []
    monkeypatch.setattr(large_counts, "REQUEST_SECONDS", 0.0)
    for path in paths.values():
        leader.opens(path).sees(PREPARED, "The background service is not running", "Español")
        assert leader.response.headers["Refresh"] == f"5; url={leader.path}?look=1"
    with worker(settings):
        until(are_in(engine, "ready"))
    for row in rows(engine):
        leader.opens(f"/staff/district/exports/{row.id}").sees("Your file is ready.")
        assert "Refresh" not in leader.response.headers
        with leader.client.get(f"/staff/district/exports/{row.id}/file") as answer:
            assert answer.headers["Content-Disposition"].replace('"', "") == at_once[row.kind].headers[
                "Content-Disposition"
            ].replace('"', "")
            assert answer.headers["Content-Type"] == at_once[row.kind].headers["Content-Type"]
            assert answer.headers["Cache-Control"] == "no-store"
            body = answer.data
        assert row.kind == "xlsx" or body == at_once[row.kind].data
        assert (row.size, row.digest) == (len(body), hashlib.sha256(body).hexdigest())
        assert exports.export_path(settings, row).stat().st_mode & 0o177 == 0
    assert sorted(json.dumps(each) for each in downloads(engine)[:3]) == sorted(
        json.dumps(each) for each in downloads(engine)[3:]
    )


def test_only_the_person_who_asked_sees_it(
    large: None, engine: Engine, leader: Any, signs_in: Any, planned: str, settings: Settings
) -> None:
    leader.opens(f"{FALL}/figures.csv")
    with worker(settings):
        until(are_in(engine, "ready"))
    (row,) = rows(engine)
    with write_session(engine) as session:
        email = staff(session, "leader", email="second@district.example").email
        session.commit()
    second = StaffMember(leader.client.application)
    second.opens("/staff/login?next=/staff/me").sends(email=email, password=PASSWORD)
    liaison = signs_in("liaison", ("lincoln",))
    for address in (f"/staff/district/exports/{row.id}", f"/staff/district/exports/{row.id}/file"):
        assert second.client.get(address).status_code == 404
        assert liaison.client.get(address).status_code == 403
        with leader.client.get(address) as answer:
            assert answer.status_code == 200
        assert leader.client.get(address.replace(row.id, "0" * 32)).status_code == 404
    assert len(downloads(engine)) == 1
    second.opens(f"{FALL}/figures.csv").sees(PREPARED)
    assert len(rows(engine)) == 2


@pytest.mark.thorough
def test_the_same_file_is_made_once_while_its_figures_are_current(
    large: None, engine: Engine, leader: Any, planned: str, settings: Settings, clock: Callable[..., datetime]
) -> None:
    addresses = {leader.opens(f"{FALL}/figures.csv").path for _ in range(3)}
    assert len(addresses) == len(rows(engine)) == 1
    leader.opens(f"{FALL}/figures.csv?language=es")
    leader.opens(f"{FALL}/packet.pdf?school=lincoln")
    leader.opens(f"{FALL}/packet.pdf?school=none-such")
    assert sorted((row.kind, row.language, row.school_id or "") for row in rows(engine)) == [
        ("csv", "en", ""),
        ("csv", "es", ""),
        ("pdf", "en", ""),
        ("pdf", "en", "lincoln"),
    ]
    with worker(settings):
        until(are_in(engine, "ready"))
    assert {leader.opens(f"{FALL}/figures.csv").path} == addresses
    with write_session(engine) as session:
        for row in session.scalars(select(Export)):
            row.asked_at -= large_counts.FRESH
        session.commit()
    assert leader.opens(f"{FALL}/figures.csv").sees(PREPARED).path not in addresses, "a draft may have changed"


@pytest.mark.thorough
def test_killed_in_the_middle_the_next_worker_makes_the_file(
    large: None, engine: Engine, leader: Any, planned: str, settings: Settings
) -> None:
    leader.opens(f"{FALL}/figures.csv")
    with worker(settings, RENDERS_SLOWLY) as first:
        until(are_in(engine, "making"))
        kill(first)
    leader.opens(leader.path).sees(PREPARED)
    with worker(settings):
        until(are_in(engine, "ready"))
    (row,) = rows(engine)
    assert [each.name for each in (settings.site_dir / exports.FOLDER).iterdir()] == [f"{row.id}.csv"]


@pytest.mark.thorough
def test_a_full_disk_is_said_and_the_file_can_be_asked_for_again(
    large: None, engine: Engine, leader: Any, planned: str, settings: Settings
) -> None:
    leader.opens(f"{FALL}/figures.csv?language=es")
    with worker(settings, FULL_DISK):
        until(are_in(engine, "failed"))
    leader.opens(leader.path).sees("The file could not be created. The disk is full, and nothing was saved.")
    leader.follows("Try again").sees(PREPARED)
    assert [row.language for row in rows(engine)] == ["es", "es"]


@pytest.mark.thorough
def test_files_are_deleted_after_a_day(
    large: None, engine: Engine, leader: Any, planned: str, settings: Settings, today: date
) -> None:
    leader.opens(f"{FALL}/figures.csv")
    with worker(settings):
        until(are_in(engine, "ready"))
    (row,) = rows(engine)
    path = exports.export_path(settings, row)
    orphan, part = path.with_name(f"{'0' * 32}.csv"), path.with_name(f".{row.id}.csv-1")
    orphan.write_text("no row")
    part.write_text("being written")
    noon = datetime.combine(today, time(18), UTC)
    delete_due(engine, settings, noon + timedelta(hours=23))
    assert (path.exists(), orphan.exists(), part.exists()) == (True, False, True)
    delete_due(engine, settings, noon + timedelta(hours=25))
    assert rows(engine) == []
    assert not path.exists()
    leader.opens(leader.path, status=404)


def delete_due(engine: Engine, settings: Settings, now: datetime) -> None:
    """Run the retention of this moment."""
    with write_session(engine) as session:
        for policy in build_policies(settings, settings.local_day(now), now):
            if "file" in policy.what:
                policy.destroy(session)
        session.commit()


@pytest.mark.thorough
def test_a_file_that_is_gone_is_said(
    large: None, engine: Engine, leader: Any, planned: str, settings: Settings
) -> None:
    leader.opens(f"{FALL}/figures.csv")
    with worker(settings):
        until(are_in(engine, "ready"))
    (row,) = rows(engine)
    exports.export_path(settings, row).unlink()
    leader.opens(f"/staff/district/exports/{row.id}/file").sees("The file is no longer available.")
    assert downloads(engine) == []
