"""What administrators see of automatic updates: the state, what waits for them, and what was refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.registry import Collector

from engage.domain.roster.staging_db import delete_stale_folders
from engage.domain.roster.updates import needed_folders
from engage.services.retention.policies import build_policies
from engage.services.runtime import open_runtime
from engage.services.site_metrics import SiteCollector
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.roster_updates import RosterUpdate
from tests.domain.roster.conftest import District
from tests.domain.roster.generator import small
from tests.domain.roster.test_folder_updates import delivers, updates
from tests.makers import PASSWORD, staff
from tests.people import StaffMember

pytestmark = pytest.mark.slow

ROSTER = "/staff/administration/roster"


@pytest.fixture
def sftp(tmp_path: Path) -> Path:
    folder = tmp_path / "sftp"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(settings, sftp: Path):
    return replace(settings, roster_dir=str(sftp))


@pytest.fixture
def someone(site: Any, engine) -> Callable[[str], StaffMember]:
    def comes(role: str) -> StaffMember:
        email = f"{role}@district.example"
        with write_session(engine) as session:
            staff(session, role, email=email)
            session.commit()
        return StaffMember(site).signs_in(email, PASSWORD)

    return comes


@pytest.fixture
def waiting(district: District, sftp: Path) -> RosterUpdate:
    """An update that would remove two of five students."""
    delivers(sftp, small())
    updates(district, sftp)
    fewer = small()
    for id in ("amina", "yusuf"):
        fewer.drop("users", id)
    delivers(sftp, fewer)
    return updates(district, sftp)


def metrics(district: District) -> dict[str, float]:
    runtime = open_runtime(district.settings)
    collector: Collector = SiteCollector(runtime)
    found = {sample.name: sample.value for metric in collector.collect() for sample in metric.samples}
    runtime.engine.dispose()
    return {name: value for name, value in found.items() if name.startswith("engage_roster")}


def test_an_update_waits_for_any_administrator_and_is_confirmed(
    someone, district: District, waiting: RosterUpdate
) -> None:
    administrator = someone("administrator")
    administrator.opens("/staff/").sees("An automatic update of the roster waits for you.")
    assert metrics(district)["engage_roster_update_waiting"] == 1
    administrator.opens(ROSTER).sees(
        "An automatic update waits for you.",
        "Many records would be removed.",
        "Waiting for confirmation",
        "The roster follows the files that arrive in the watched folder.",
        "Next update: as soon as files arrive.",
    )
    administrator.follows("Review the update")
    administrator.sees("This automatic update waits for you.", "2 of 5 students")
    administrator.sends(button="Update the roster", status=409).sees("Check how many would be removed")
    assert len(district.students) == 5
    administrator.sends(button="Update the roster", sure="y").sees("The roster was imported.", "Imported")
    assert len(district.students) == 3
    assert [row.state for row in district.rows_of(RosterUpdate) if row.id == waiting.id] == ["stored"]
    actors = [event.actor for event in district.rows_of(AuditEvent) if event.deed == "import roster"]
    assert actors == ["nightly run", "administrator@district.example"]
    assert metrics(district)["engage_roster_update_waiting"] == 0
    assert metrics(district)["engage_roster_update_last_success_timestamp_seconds"] > 0


def test_an_update_is_declined(someone, district: District, waiting: RosterUpdate) -> None:
    administrator = someone("administrator")
    administrator.opens(f"{ROSTER}/{waiting.folder}").sends(button="Keep the roster as it is")
    administrator.sees("Nothing was changed.", "An administrator kept the roster as it was.")
    assert len(district.students) == 5
    administrator.opens("/staff/").sees_no("waits for you")


def test_others_see_that_it_waits_for_administrators_only(someone, district: District, waiting: RosterUpdate) -> None:
    leader = someone("leader")
    leader.opens("/staff/").sees_no("waits for you")
    assert leader.client.get(f"{ROSTER}/{waiting.folder}", base_url=leader.base_url).status_code in (403, 404)
    someone("administrator").opens(f"{ROSTER}/{waiting.folder}").sends(button="Keep the roster as it is")


def test_what_was_refused_is_shown_with_the_remedy(someone, district: District, sftp: Path) -> None:
    administrator = someone("administrator")
    administrator.opens(ROSTER).sees("No update has succeeded yet.")
    delivers(sftp, small(), "<b>.zip").write_bytes(b"broken")
    updates(district, sftp)
    administrator.opens("/staff/").sees("The latest automatic update of the roster could not be used.")
    administrator.opens(ROSTER).sees("Files refused", "This is not a ZIP file.")
    assert metrics(district)["engage_roster_update_failing"] == 1
    delivers(sftp, small())
    updates(district, sftp, replace(district.site, now=district.site.now + timedelta(hours=1)))
    administrator.opens(ROSTER).sees("Last successful update:", "Imported")
    administrator.opens("/staff/").sees_no("could not be used")


def test_a_waiting_update_stays_for_seven_days(district: District, waiting: RosterUpdate) -> None:
    now = district.site.now

    def run(days: int) -> None:
        later = now + timedelta(days=days)
        for policy in build_policies(district.settings, later.date(), later):
            if "roster" in policy.what:
                with write_session(district.engine) as session:
                    policy.destroy(session)
                    session.commit()

    run(6)
    with read_session(district.engine) as session:
        assert needed_folders(session) == {waiting.folder}
    run(8)
    (row,) = (each for each in district.rows_of(RosterUpdate) if each.id == waiting.id)
    assert (row.state, row.reason, row.folder) == ("discarded", "expired", None)
    run(400)
    assert district.rows_of(RosterUpdate) == []
    with read_session(district.engine) as session:
        assert delete_stale_folders(district.settings.site_dir, now + timedelta(days=400), needed_folders(session)) == 0


def test_an_update_that_a_newer_one_replaced_is_not_stored(
    someone, district: District, waiting: RosterUpdate, sftp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is replaced while its names are encrypted, which takes a while in a large district."""
    from engage.services.tasks import store_roster as storing

    administrator = someone("administrator").opens(f"{ROSTER}/{waiting.folder}")
    real, newer = storing.stage_opt_outs, list[RosterUpdate]()

    def replaces(*words: Any) -> None:
        real(*words)
        fewer = small()
        fewer.drop("users", "amina")
        fewer.drop("users", "leo")
        delivers(sftp, fewer)
        newer.append(updates(district, sftp))

    monkeypatch.setattr(storing, "stage_opt_outs", replaces)
    administrator.sends(button="Update the roster", sure="y").sees("A newer update took its place.")
    assert len(district.students) == 5
    assert {row.id: row.state for row in district.rows_of(RosterUpdate)}[waiting.id] == "discarded"
    administrator.opens(f"{ROSTER}/{newer[0].folder}").sends(button="Keep the roster as it is")
