"""The watched folder: complete deliveries are imported and deleted, broken ones are set aside with the reason, and what
removes many waits for a person."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from engage.cli import main
from engage.domain.roster import deliveries
from engage.domain.roster.deliveries import (
    DeliveryChanged,
    FolderProblem,
    WatchedFolder,
    copy_delivery,
    find_old_deliveries,
    list_deliveries,
)
from engage.domain.roster.staging_db import delete_folder
from engage.domain.roster.updates import update_status
from engage.services.runtime import open_runtime
from engage.services.tasks.roster_updates import RosterUpdates
from engage.services.tasks.store_roster import ImportSite
from engage.services.tasks.update_roster import claim_updates, update_from_folder
from engage.storage.engine import read_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.roster_updates import RosterUpdate
from engage.storage.models.schools import School
from tests.domain.mail.test_worker import ROOT, environ, running, until
from tests.domain.roster.conftest import District
from tests.domain.roster.generator import Files, large, small

pytestmark = pytest.mark.slow


@pytest.fixture
def sftp(tmp_path: Path) -> Path:
    """The folder that the district's system writes to."""
    folder = tmp_path / "sftp"
    folder.mkdir()
    return folder


def delivers(sftp: Path, files: Files, name: str = "roster.zip", *, ready: bool = True) -> Path:
    path = files.zip(sftp / name)
    if ready:
        (sftp / f"{name}.ready").touch()
    return path


def updates(district: District, sftp: Path, site: ImportSite | None = None) -> RosterUpdate | None:
    """Import what is complete in the folder; None if nothing is."""
    delivery, _ = WatchedFolder(sftp).find_complete(1.0)
    return delivery and update_from_folder(site or district.site, sftp, delivery, lambda: False)


def waits(district: District) -> RosterUpdate | None:
    with read_session(district.engine) as session:
        return update_status(session).waiting


def discards(district: District) -> None:
    """Delete the folder of the update that waits, as retention does."""
    delete_folder(district.settings.data_dir / "rosters" / str(waits(district).folder))


def test_a_file_counts_when_it_no_longer_grows(sftp: Path) -> None:
    watched = WatchedFolder(sftp, steady=60)
    path = delivers(sftp, small(), ready=False)
    assert watched.find_complete(100.0) == (None, 1)
    assert watched.find_complete(159.0) == (None, 1)
    with path.open("ab") as more:
        more.write(b"x")
    assert watched.find_complete(161.0) == (None, 1), "it grew between the looks"
    assert watched.find_complete(220.0) == (None, 1)
    delivery, incomplete = watched.find_complete(221.0)
    assert delivery is not None
    assert (delivery.name, incomplete) == ("roster.zip", 0)


@pytest.mark.parametrize("name", [".ready", "roster.zip.ready", "roster.ready", "ROSTER.READY"])
def test_a_file_that_says_so_ends_the_wait(name: str, sftp: Path) -> None:
    delivers(sftp, small(), ready=False)
    (sftp / name).touch()
    assert WatchedFolder(sftp).find_complete(1.0)[0] is not None


@pytest.mark.parametrize("name", ["other.zip.ready", "ready.txt"])
def test_another_file_does_not_end_the_wait(name: str, sftp: Path) -> None:
    delivers(sftp, small(), ready=False)
    (sftp / name).touch()
    assert WatchedFolder(sftp).find_complete(1.0)[0] is None


def test_a_transfer_that_is_running_is_waited_for(sftp: Path) -> None:
    small().folder(sftp)
    (sftp / "users.csv.filepart").write_bytes(b"sourcedId")
    watched = WatchedFolder(sftp, steady=0)
    assert [watched.find_complete(now)[0] for now in (1.0, 2.0)] == [None, None]
    (sftp / "users.csv.filepart").unlink()
    assert watched.find_complete(3.0)[0] is not None


@pytest.mark.parametrize("as_zip", [True, False])
def test_a_delivery_is_imported_and_the_folder_emptied(as_zip: bool, district: District, sftp: Path) -> None:
    if as_zip:
        delivers(sftp, small())
        (sftp / "languages.csv").write_text("studentId,language\nsam,Somali\n")
    else:
        small().folder(sftp)
        (sftp / "languages.csv").write_text("studentId,language\nsam,Somali\n")
        (sftp / ".ready").touch()
    (sftp / "notes.txt").write_text("not ours")
    row = updates(district, sftp)
    assert (row.state, row.reason, row.added, row.is_full) == ("stored", "", 16, True)
    assert district.students["sam"].home_language == "so"
    assert [path.name for path in sftp.iterdir()] == ["notes.txt"]
    (done,) = district.imports.values()
    assert (done.source, done.imported_by, row.import_id) == ("folder", None, done.id)
    (event,) = (event for event in district.rows_of(AuditEvent) if event.deed == "import roster")
    assert event.actor == "nightly run"
    assert "Amina" not in event.detail


def test_the_same_roster_again_changes_nothing(district: District, sftp: Path) -> None:
    delivers(sftp, small())
    updates(district, sftp)
    delivers(sftp, small())
    assert updates(district, sftp).state == "unchanged"
    assert not list(sftp.iterdir())
    assert len(district.imports) == 1


def test_several_files_are_imported_from_the_oldest_on(district: District, sftp: Path) -> None:
    old, new = small(), small()
    new.row("users", "sam")["grades"] = "06"
    os.utime(delivers(sftp, new, "a.zip"), (2_000, 2_000))
    os.utime(delivers(sftp, old, "b.zip"), (1_000, 1_000))
    updates(district, sftp)
    assert district.students["sam"].grade == "05"
    updates(district, sftp)
    assert district.students["sam"].grade == "06"
    assert not list(sftp.iterdir())


BROKEN = {
    "not a ZIP file": (lambda path: path.write_bytes(b"PK, but not really"), "not_a_zip", "This is not a ZIP file."),
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:-40]), "not_a_zip", "This is not a ZIP file."),
    "no students": (lambda path: _without_students(path), "no_students", "No student in the files can be used"),
    "a file is missing": (lambda path: _without(path, "users"), "no_file", "“users.csv” is missing."),
    "a link": (lambda path: _link(path), "delivery_link", "“roster.zip” is a link or a device"),
}


def _without(path: Path, file: str) -> None:
    files = small()
    del files.rows[file]
    files.zip(path)


def _without_students(path: Path) -> None:
    files = small()
    files.rows["users"] = [row for row in files.rows["users"] if row["role"] != "student"]
    files.zip(path)


def _link(path: Path) -> None:
    secret = path.parent.parent / "elsewhere.zip"
    path.rename(secret)
    path.symlink_to(secret)


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_delivery_is_set_aside_with_the_reason(what: str, district: District, sftp: Path) -> None:
    delivers(sftp, small())
    updates(district, sftp)
    breaks, code, sentence = BROKEN[what]
    breaks(delivers(sftp, small()))
    row = updates(district, sftp)
    assert (row.state, row.reason) == ("refused", code)
    assert len(district.students) == 5
    assert [path.name for path in sftp.iterdir()] == ["not-imported"]
    (aside,) = (sftp / "not-imported").iterdir()
    assert sentence in (aside / "WHY.txt").read_text()
    assert (aside / "roster.zip").is_symlink() == (what == "a link")
    assert updates(district, sftp) is None, "it is not tried again"
    delivers(sftp, small())
    assert updates(district, sftp).state == "unchanged"


def test_files_set_aside_are_deleted_after_two_weeks(district: District, sftp: Path) -> None:
    delivers(sftp, small()).write_bytes(b"broken")
    updates(district, sftp)
    (aside,) = (sftp / "not-imported").iterdir()
    now = district.site.now
    os.utime(aside, (now.timestamp(), now.timestamp()))
    assert find_old_deliveries(str(sftp), now + timedelta(days=13)) == []
    assert find_old_deliveries(str(sftp), now + timedelta(days=15)) == [aside]


def test_a_link_is_never_followed(sftp: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("sourcedId\n")
    small().folder(sftp)
    (delivery,) = list_deliveries(sftp)
    (sftp / "orgs.csv").unlink()
    (sftp / "orgs.csv").symlink_to(tmp_path / "secret")
    with pytest.raises((deliveries.RosterRefused, DeliveryChanged)):  # it took the place of a file that was seen
        copy_delivery(sftp, delivery, tmp_path / "copy")
    link = tmp_path / "link"
    link.symlink_to(sftp)
    with pytest.raises(FolderProblem, match="is a link or a file, not a folder"):
        list_deliveries(link)


def test_a_file_that_is_replaced_while_it_is_read_stays(district: District, sftp: Path, monkeypatch) -> None:
    path, real = delivers(sftp, small()), deliveries._copy_file

    def grows(handle: int, file: object, target: Path) -> None:
        path.write_bytes(path.read_bytes() + b"more")
        real(handle, file, target)

    monkeypatch.setattr(deliveries, "_copy_file", grows)
    assert updates(district, sftp) is None
    assert path.exists()
    assert district.rows_of(RosterUpdate) == []


def test_what_removes_many_waits_for_a_person(district: District, sftp: Path) -> None:
    delivers(sftp, small())
    updates(district, sftp)
    fewer = small()
    for id in ("amina", "yusuf"):
        fewer.drop("users", id)
    delivers(sftp, fewer)
    row = updates(district, sftp)
    assert (row.state, row.reason) == ("waiting", "steep")
    assert (len(district.students), row.students_gone) == (5, 2)
    assert not list(sftp.iterdir())
    first = district.settings.data_dir / "rosters" / row.folder
    assert first.is_dir()
    delivers(sftp, fewer)
    newer = updates(district, sftp)
    assert {each.state for each in district.rows_of(RosterUpdate)} == {"stored", "discarded", "waiting"}
    assert waits(district).id == newer.id
    assert not first.exists()
    discards(district)


def a_year(students: int = 60, grade: int = 1) -> Files:
    files = Files()
    files.school("s1", "Lincoln Elementary")
    for number in range(students):
        files.student(f"p{number}", "s1", f"g{number}", grade=f"{number % 5 + grade:02}", name=f"Child {number}")
        files.guardian(f"g{number}", f"Parent {number}")
    return files


def test_the_end_of_a_school_year_waits_for_a_person(district: District, sftp: Path) -> None:
    delivers(sftp, a_year())
    updates(district, sftp)
    delivers(sftp, a_year(grade=2))
    assert updates(district, sftp).reason == "new_year"
    discards(district)
    nobody = a_year()
    for row in nobody.rows["users"]:
        row["sourcedId"] = f"other-{row['sourcedId']}"
        row["agentSourcedIds"] = ""
    delivers(sftp, nobody)
    assert updates(district, sftp).reason == "all_gone"
    discards(district)


def test_many_small_steps_wait_as_one_large_step_does(district: District, sftp: Path) -> None:
    delivers(sftp, a_year(60))
    updates(district, sftp)
    for students, state in ((56, "stored"), (52, "stored"), (47, "waiting")):
        delivers(sftp, a_year(students))
        assert updates(district, sftp).state == state, students
    discards(district)
    later = replace(district.site, now=district.site.now + timedelta(days=8))
    delivers(sftp, a_year(47))
    assert updates(district, sftp, later).state == "stored"


def test_a_list_of_changes_removes_only_whom_it_names(district: District, sftp: Path) -> None:
    delivers(sftp, a_year(60))
    updates(district, sftp)
    changes = Files()
    changes.student("p1", "s1", "g1", grade="07", name="Child 1", status="active")
    changes.student("p2", "s1", status="tobedeleted")
    changes.manifest(users="delta", orgs="absent")
    delivers(sftp, changes)
    row = updates(district, sftp)
    assert (row.state, row.is_full, row.students_gone) == ("stored", False, 1)
    assert set(district.students) == {f"p{number}" for number in range(60)} - {"p2"}
    assert district.students["p1"].grade == "07"


def test_teachers_are_counted_and_nothing_else_of_them_stored(district: District, sftp: Path) -> None:
    for version in ("1.1", "1.2"):
        files = small(version)
        for id, school in (("t1", "s1"), ("t2", "s1"), ("t3", "d1")):
            files.guardian(id, "Tea Cher", role="teacher", org=school)
        if version == "1.1":
            files.row("users", "t2")["orgSourcedIds"] = "s1,s2"
        else:
            files.add(
                "roles", sourcedId="r2", userSourcedId="t2", roleType="secondary", role="teacher", orgSourcedId="s2"
            )
        delivers(sftp, files)
        updates(district, sftp)
        assert {school.source_id: school.teachers for school in district.rows_of(School)} == {"s1": 2, "s2": 1}
    delivers(sftp, small())
    updates(district, sftp)
    assert {school.teachers for school in district.rows_of(School)} == {1, 2}, "a roster without teachers"
    assert not {"t1", "t2", "t3"} & {*district.students, *district.guardians}


PROGRAMS = {
    "by id": "studentId,program\nsam,ELL\nleo,IEP\n",
    "by number": "Student Number,Program\n9005,English Learner\n9003,Special Education\nsam,Gifted\n",
}


@pytest.mark.parametrize("how", PROGRAMS)
def test_programs_beside_the_roster(how: str, district: District, sftp: Path) -> None:
    files = small()
    files.row("users", "sam")["identifier"], files.row("users", "leo")["identifier"] = "9005", "9003"
    delivers(sftp, files)
    (sftp / "programs.csv").write_text(PROGRAMS[how])
    updates(district, sftp)
    # "yes" in users.csv is enough; whoever the list leaves out is not in the program
    flags = {id: (student.english_learner, student.disability) for id, student in district.students.items()}
    assert flags == {
        "amina": (True, False),
        "yusuf": (True, True),
        "leo": (False, True),
        "mai": (False, False),
        "sam": (True, False),
    }
    changes = Files()
    changes.student("mai", "s2", "linh", grade="07", name="Mai Trần", status="active")
    changes.manifest(users="delta", orgs="absent")
    delivers(sftp, changes)
    (sftp / "programs.csv").write_text("studentId,program\nmai,EL\n")
    updates(district, sftp)
    assert (district.students["mai"].english_learner, district.students["sam"].english_learner) == (True, True)


def test_the_settings_name_columns_with_flags(district: District, sftp: Path) -> None:
    files = small()
    files.row("users", "sam")["metadata.MLL Status"] = "Y"
    files.row("users", "leo")["metadata.Plan_504"] = "yes"
    columns = {"roster_learner_columns": "metadata.mllStatus", "roster_disability_columns": "x, metadata.Plan504"}
    delivers(sftp, files)
    updates(district, sftp, replace(district.site, settings=replace(district.settings, **columns)))
    assert district.students["sam"].english_learner
    assert district.students["leo"].disability


@pytest.mark.thorough
def test_the_worker_imports_what_arrives(district: District, sftp: Path) -> None:
    settings = replace(district.settings, roster_dir=str(sftp))
    delivers(sftp, small())
    os.environ["ENGAGE_ROSTER_DIR"] = str(sftp)
    try:
        with running(settings, "worker"):
            until(lambda: len(district.students) == 5 and not list(sftp.iterdir()))
    finally:
        del os.environ["ENGAGE_ROSTER_DIR"]
    assert [row.state for row in district.rows_of(RosterUpdate)] == ["stored"]


def test_a_folder_that_cannot_be_used_is_noted_once(district: District, sftp: Path) -> None:
    updating = RosterUpdates(open_runtime(replace(district.settings, roster_dir=str(sftp / "x"))), bool)
    for _ in range(2):
        updating._next = 0.0
        updating.poll()
        updating.stop(30)
    updating.runtime.engine.dispose()
    (row,) = district.rows_of(RosterUpdate)
    assert (row.state, row.reason) == ("failed", "folder_missing")


UPDATING = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from engage.base.config import Settings
from engage.domain.roster import import_parts
from engage.domain.roster.deliveries import list_deliveries
from engage.services.tasks.store_roster import ImportSite
from engage.services.tasks.update_roster import claim_updates, update_from_folder
from engage.storage.engine import connect
settings, folder = Settings.read(os.environ), Path(sys.argv[1])
site = ImportSite(connect(settings.database), settings, datetime(2026, 10, 14, 12, tzinfo=UTC), budget=0.0)
with claim_updates(settings.site_dir) as is_mine:
    assert is_mine
    update_from_folder(site, folder, list_deliveries(folder)[0], lambda: False)
"""


@pytest.mark.parametrize("when", ["reading", "storing"])
@pytest.mark.thorough
def test_a_killed_process_loses_nothing(when: str, district: District, sftp: Path, tmp_path: Path) -> None:
    large(sftp, 500 if when == "storing" else 3_000)
    (sftp / ".ready").touch()
    words = [sys.executable, "-c", UPDATING, str(sftp)]
    process = subprocess.Popen(words, env=environ(district.settings), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    until(lambda: [row.state for row in district.rows_of(RosterUpdate)] == [when] or process.poll() is not None)
    assert process.poll() is None, process.stderr.read()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert (sftp / "users.csv").exists()
    with claim_updates(district.settings.site_dir) as is_free:
        assert is_free
    if when == "storing":
        with running(district.settings, "worker"):
            until(lambda: [row.state for row in district.rows_of(RosterUpdate)] == ["stored"])
    row = updates(district, sftp)
    assert row.state == ("unchanged" if when == "storing" else "stored")
    assert len(district.students) == (500 if when == "storing" else 3_000)
    assert not list(sftp.iterdir())
    states = sorted(each.state for each in district.rows_of(RosterUpdate))
    assert states == (["stored", "unchanged"] if when == "storing" else ["failed", "stored"])
    for folder in (district.settings.data_dir / "rosters").iterdir():  # of the killed process; retention deletes it
        delete_folder(folder)


@pytest.mark.thorough
def test_five_thousand_students_arrive(district: District, sftp: Path) -> None:
    large(sftp, 5_000)
    (sftp / ".ready").touch()
    began = time.monotonic()
    row = updates(district, sftp)
    print(f"5,000 students by folder: {time.monotonic() - began:.1f} s")
    assert (row.state, len(district.students)) == ("stored", 5_000)


@pytest.fixture
def run(district: District, monkeypatch: pytest.MonkeyPatch):
    for name in ("data_dir", "secret_key"):
        monkeypatch.setenv(f"ENGAGE_{name.upper()}", str(getattr(district.settings, name)))
    monkeypatch.setenv("ENGAGE_DATABASE_URL", district.settings.database)
    return lambda *words: CliRunner().invoke(main, ["roster", "watch", *words])


def test_the_command_tries_it_once(run, district: District, sftp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "set ENGAGE_ROSTER_DIR" in run().output
    monkeypatch.setenv("ENGAGE_ROSTER_DIR", str(sftp))
    assert "There is no roster in the folder." in run().output
    delivers(sftp, small(), ready=False)
    assert "size to be compared   roster.zip" in run("--dry-run").output
    assert not district.students
    answer = run("--wait", "0.01")
    assert (answer.exit_code, "The roster was updated: 16 added" in answer.output) == (0, True), answer.output
    delivers(sftp, small()).write_bytes(b"broken")
    answer = run()
    assert (answer.exit_code, "The files cannot be used: This is not a ZIP file." in answer.output) == (1, True)
    assert run(str(sftp / "nowhere")).exit_code == 1
