"""A roster is stored in many short transactions: it may stop after any of them, others write meanwhile, and the result
is the same."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from engage.domain.roster import import_parts
from engage.domain.roster.import_parts import PartsChanged
from engage.domain.roster.import_state import find_unfinished_import, roster_version
from engage.domain.roster.importer import FullRosterNeeded, RosterChanged
from engage.domain.roster.sampling_units import list_sampling_units
from engage.domain.roster.staging_db import FILE, StagingDb, claim_folder, delete_folder
from engage.services.tasks.store_roster import (
    ImportSite,
    InterruptedImports,
    begin_roster,
    continue_roster,
    store_roster,
)
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.base import Heartbeat
from engage.storage.models.invitations import Invitation
from engage.storage.models.roster import OptOut
from tests.domain.mail.test_worker import ROOT, environ, running, until
from tests.domain.roster.conftest import District
from tests.domain.roster.generator import Files, large, small
from tests.domain.roster.stored_rows import after, empty, one_transaction, prepared, stored

pytestmark = pytest.mark.slow


@pytest.fixture
def by_row(district: District, monkeypatch: pytest.MonkeyPatch) -> ImportSite:
    """The site, where each row is a part with its own transaction."""
    monkeypatch.setattr(import_parts, "PART", 1)
    return replace(district.site, budget=0.0)


def one_by_one(site: ImportSite, folder: Path, look: Callable[[], None] = lambda: None, most: int = -1) -> int:
    """Store an import as if the process ended after each transaction, at most this number of them. Returns how many
    times it stopped."""
    begin_roster(site, folder, None)
    number = 0
    while number != most and not continue_roster(site, folder, stopping=one_transaction()):
        look()
        number += 1
    return number


def test_stopping_after_every_transaction_gives_the_same_roster(district: District, by_row: ImportSite) -> None:
    store_roster(district.site, prepared(district), None)
    expected = stored(district)
    folder = prepared(district)
    earlier, events = stored(district), len(district.rows_of(AuditEvent))
    versions, refusing = set(), {home for home, *_ in (*earlier["opt_outs"], *expected["opt_outs"])}
    staying = {row[0] for row in earlier["students"]} & {row[0] for row in expected["students"]}

    def look() -> None:
        with read_session(district.engine) as session:
            assert find_unfinished_import(session)
            versions.add(roster_version(session))
            asked = {
                unit.household_id for unit in list_sampling_units(session, "family", list(district.schools), "everyone")
            }
            invited = set(session.scalars(select(Invitation.household_id)))
        assert not asked & refusing, "a family that opted out would be asked"
        homes = district.homes
        assert staying <= set().union(*homes.values()), "a child who stays has no household"
        assert {id for id, members in homes.items() if not members} <= invited, "a household without members is left"

    stops = one_by_one(by_row, folder, look)
    assert stops > 20
    assert len(versions) == stops
    assert stored(district) == expected
    assert [one.state for one in district.imports.values()] == ["stored", "stored"]
    assert not folder.exists()
    assert len(district.rows_of(AuditEvent)) == events + 1, "the audit log names each import once"


def test_a_small_import_is_one_transaction_after_it_has_begun(district: District) -> None:
    folder, site = prepared(district), replace(district.site, budget=60.0)  # seconds, also on a busy machine
    begin_roster(site, folder, None)
    assert continue_roster(site, folder, stopping=one_transaction())


@pytest.mark.parametrize("version", [Files, small], ids=["of another size", "in another order"])
def test_an_import_that_another_version_began_is_not_continued(
    version: object, district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = prepared(district)
    begin_roster(district.site, folder, None)
    monkeypatch.setattr(import_parts, "PART" if version is Files else "ORDER", 7)
    with pytest.raises(PartsChanged):
        continue_roster(district.site, folder)
    delete_folder(folder)


@pytest.mark.parametrize("most", [0, 1, 5, 9, 13, 17, 21, 24])
@pytest.mark.thorough
def test_a_new_upload_heals_a_roster_whose_import_was_lost(most: int, district: District, by_row: ImportSite) -> None:
    store_roster(district.site, prepared(district), None)
    expected = district.homes.values(), district.links, stored(district)["students"], _refusing(district)
    folder = prepared(district)
    one_by_one(by_row, folder, most=most)
    delete_folder(folder)
    changes = Files()
    changes.manifest(demographics="delta", orgs="absent", users="absent")
    changes.add("demographics", sourcedId="amina", status="active", metadata_homeLanguage="es")
    some, _ = district.stages(changes)
    with pytest.raises(FullRosterNeeded):
        store_roster(district.site, some, None)
    delete_folder(some)
    district.brings(after())
    assert sorted(map(sorted, district.homes.values())) == sorted(map(sorted, expected[0]))
    assert (district.links, stored(district)["students"], _refusing(district)) == expected[1:]
    assert sorted(one.state for one in district.imports.values()) == ["replaced", "stored", "stored"]


def _refusing(district: District) -> set[frozenset[str]]:
    return {district.homes[row.household_id] for row in district.rows_of(OptOut)}


def test_of_two_imports_the_one_that_was_replaced_stops(district: District, by_row: ImportSite) -> None:
    first = prepared(district)
    second, _ = district.stages(after())
    begin_roster(by_row, first, None)
    with pytest.raises(RosterChanged):  # it was prepared from the roster before
        begin_roster(by_row, second, None)
    third, _ = district.stages(after())
    begin_roster(by_row, third, None)
    with pytest.raises(RosterChanged):
        continue_roster(by_row, first)
    continue_roster(by_row, third)
    for each in (first, second):
        delete_folder(each)


def test_opt_outs_that_changed_while_names_were_encrypted_count(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engage.services.tasks import store_roster as storing

    folder, late, real = prepared(district), [], storing.sync_folder

    def opts_out(place: Path) -> None:
        real(place)
        if not late:
            late.append(district.home_of("leo", "ana"))
            district.put(lambda session: session.add(OptOut(household_id=late[0], recorded_on=district.today)))

    monkeypatch.setattr(storing, "sync_folder", opts_out)
    store_roster(district.site, folder, None)
    assert frozenset(("leo", "kim", "ana")) in _refusing(district)


STORING = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from engage.base.config import Settings
from engage.domain.roster import import_parts
from engage.domain.roster.staging_db import claim_folder
from engage.services.tasks.store_roster import ImportSite, store_roster
from engage.storage.engine import connect
import_parts.PART = 20
settings, folder = Settings.read(os.environ), Path(sys.argv[1])
site = ImportSite(connect(settings.database), settings, datetime(2026, 10, 14, 12, tzinfo=UTC), budget=0.0)
with claim_folder(folder) as is_mine:
    assert is_mine
    store_roster(site, folder, None)
"""


@pytest.mark.thorough
def test_a_killed_process_loses_nothing_and_another_one_continues(
    district: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_parts, "PART", 20)
    old, new = large(tmp_path / "old", 500), large(tmp_path / "new", 600, seed=2)

    def staged() -> Path:
        empty(district)
        district.brings(old)
        return district.stages(new)[0]

    store_roster(district.site, staged(), None)
    expected, folder = stored(district), staged()
    rng, step = Random(), 0
    for _ in range(3):
        step = _kill_while_storing(district, folder, step + rng.randint(1, 40))
        with claim_folder(folder) as is_free:
            assert is_free, "the lock of a killed process is released"
        with read_session(district.engine) as session:
            assert find_unfinished_import(session).step >= step
    assert continue_roster(district.site, folder)
    assert stored(district) == expected


def _kill_while_storing(district: District, folder: Path, until: int) -> int:
    """Kill a process that stores the import as soon as this number of parts is stored. Returns how many are."""
    words = [sys.executable, "-c", STORING, str(folder)]
    process = subprocess.Popen(words, env=environ(district.settings), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    end, step = time.monotonic() + 60, 0
    while step < until:
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < end
        with read_session(district.engine) as session:
            unfinished = find_unfinished_import(session)
            step = unfinished.step if unfinished else 0
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    if process.stderr:
        process.stderr.close()
    return step


@pytest.mark.thorough
def test_others_write_while_a_roster_is_stored(
    district: District, tmp_path: Path, by_row: ImportSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_parts, "PART", 20)
    folder, _ = district.stages(large(tmp_path / "large", 400))
    begin_roster(by_row, folder, None)
    is_over, waits = threading.Event(), list[float]()

    def others() -> None:
        while not is_over.is_set():
            began = time.monotonic()
            with write_session(district.engine) as session:
                session.add(Heartbeat(at=str(began)))
                session.commit()
            waits.append(time.monotonic() - began)
            time.sleep(0.01)

    thread = threading.Thread(target=others)
    thread.start()
    try:
        continue_roster(by_row, folder)
    finally:
        is_over.set()
        thread.join()
    assert len(waits) > 5
    assert len(district.students) == 400


class TestWorker:
    """The worker continues what was interrupted."""

    def runtime(self, site: object) -> object:
        return site.staff.extensions["engage"]  # type: ignore[attr-defined]

    def test_it_continues_where_nobody_works_on_it(self, district: District, site: object) -> None:
        folder = prepared(district)
        begin_roster(district.site, folder, None)
        imports = InterruptedImports(self.runtime(site), lambda: False)  # type: ignore[arg-type]
        with claim_folder(folder):
            imports.poll()
        assert "zoe" not in district.students
        imports.poll()
        assert "zoe" in district.students
        imports.poll()

    def test_it_continues_as_a_process(self, district: District) -> None:
        begin_roster(district.site, prepared(district), None)
        with running(district.settings, "worker"):
            until(lambda: {one.state for one in district.imports.values()} == {"stored"})
        assert "zoe" in district.students

    def test_it_leaves_what_it_cannot_read(self, district: District, site: object) -> None:
        folder = prepared(district)
        begin_roster(district.site, folder, None)
        with StagingDb(folder / FILE) as stage:
            stage.run("drop table want_students")
        imports = InterruptedImports(self.runtime(site), lambda: False)  # type: ignore[arg-type]
        imports.poll()
        assert imports.failed == folder.name
        imports.poll()
        delete_folder(folder)
        imports.poll()
        district.brings(after())
        assert "zoe" in district.students
