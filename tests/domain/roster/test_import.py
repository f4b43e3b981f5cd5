"""A roster is imported, imported again, changed, and removed."""

import json
from datetime import date
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import delete

from engage.domain.roster.diff import Change
from engage.domain.roster.files import open_roster
from engage.domain.roster.importer import RosterChanged, prepare_import
from engage.domain.roster.merge import CHILDREN
from engage.domain.roster.staging_db import FILE, StagingDb, delete_folder, delete_stale_folders, new_folder
from engage.services.tasks.store_roster import store_roster
from engage.storage.engine import read_session
from engage.storage.models.base import Base
from engage.storage.models.invitations import Invitation
from engage.storage.models.paper import SheetLink
from engage.storage.models.roster import OptOut
from engage.storage.models.schools import School
from tests.domain.roster.generator import Files, large, small
from tests.makers import a_wave, printed_sheets, staff

pytestmark = pytest.mark.slow

NONE = Change()
VERSIONS = ("1.1", "1.2")


def only(changes: dict[str, Change], **expected: Change) -> None:
    """Assert that these are the only changes."""
    assert {kind: change for kind, change in changes.items() if change != NONE} == expected


@pytest.mark.parametrize("version", VERSIONS)
def test_a_roster_comes_in(version: str, district) -> None:
    seen = district.brings(small(version))
    only(
        seen.changes,
        schools=Change(added=2),
        students=Change(added=5),
        guardians=Change(added=4),
        households=Change(added=5),
    )
    assert district.problems == []
    amina, sam = district.students["amina"], district.students["sam"]
    assert (amina.school_id, amina.grade, amina.home_language) == ("lincoln-elementary", "02", "so")
    assert (amina.english_learner, amina.disability) == (True, None)
    assert (sam.home_language, sam.english_learner, sam.disability) == ("", None, None)
    assert district.students["yusuf"].disability is True
    assert district.opened(amina.name) == "Amina Yusuf"
    hodan = district.guardians["hodan"]
    assert (hodan.reads, hodan.speaks, hodan.home) == ("so", "so", "")
    assert json.loads(district.opened(hodan.contact)) == {
        "name": "Hodan Ali", "email": "hodan@example.org", "phone": "555-0100",
    }  # fmt: skip
    assert district.guardians["ana"].home not in ("", "Elm St. 1")
    assert district.links == {"amina": ["hodan"], "yusuf": ["hodan"], "leo": ["ana", "ben"], "mai": ["linh"]}
    assert set(district.homes.values()) == {
        frozenset(each.split()) for each in ("amina yusuf hodan", "leo ana", "leo ben", "mai linh", "sam")
    }


def test_households_say_where_and_how_they_are_asked(district) -> None:
    district.brings(small())

    def asked(*members: str) -> tuple[str, str, str]:
        home = district.households[district.home_of(*members)]
        return home.school_id, home.language, home.speaks

    assert asked("amina", "yusuf", "hodan") == ("lincoln-elementary", "so", "so")  # the youngest child's school
    assert asked("leo", "ana") == ("lincoln-elementary", "es", "")
    assert asked("leo", "ben") == ("lincoln-elementary", "en", "")  # his own, not the child's language
    assert asked("mai", "linh") == ("cedar-middle-school", "vi", "vi")  # the language she reads is unknown
    assert asked("sam") == ("lincoln-elementary", "und", "")  # unknown, and not assumed to be English
    greeting = district.households[district.home_of("amina", "yusuf", "hodan")].greeting
    assert json.loads(district.opened(greeting)) == {
        "students": ["Amina Yusuf", "Yusuf Yusuf"], "guardians": ["Hodan Ali"],
    }  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_the_same_files_again_change_nothing(version: str, district) -> None:
    district.brings(small(version))
    before = everything(district)
    seen = district.brings(small(version))
    assert seen.nothing
    assert everything(district) == before
    assert sorted((one.added, one.changed, one.gone) for one in district.imports.values()) == [(0, 0, 0), (16, 0, 0)]


def test_both_versions_say_the_same(district) -> None:
    district.brings(small("1.1"))
    assert district.brings(small("1.2")).nothing


def everything(district) -> dict[str, list[tuple]]:
    """Every row of every table but the list of imports."""
    found = {}
    with read_session(district.engine) as session:
        for table in Base.metadata.sorted_tables:
            if table.name not in ("roster_imports", "audit_events", "audit_heads"):
                found[table.name] = sorted(map(tuple, session.execute(table.select())), key=repr)
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_larger_districts_come_twice_too(version: str, tmp_path: Path, district) -> None:
    path = large(tmp_path / "large", 400, version)
    first = district.brings(path)
    assert first.changes["students"].added == 400
    assert district.problems == []
    assert len({member for members in district.homes.values() for member in members}) == 400 + len(district.guardians)
    assert district.brings(path).nothing


def test_files_may_look_like_any_program_wrote_them(district, tmp_path: Path) -> None:
    files = small()
    district.brings(files)
    odd = small()
    odd.bom, odd.ending = True, "\n"
    for file in ("users", "orgs"):
        names = list(odd.names(file))
        Random(3).shuffle(names)
        odd.columns[file] = ["x-unknown", *names]
    for row in odd.rows["users"]:
        row["middleName"] = 'A "middle"\nname, with\r\nlines'
        row["x-unknown"] = "=cmd|' /C calc'!A0"
    folder = odd.folder(tmp_path / "odd")
    for file in ("users", "orgs"):
        head, _, rest = (folder / f"{file}.csv").read_bytes().partition(b"\n")
        head = head.upper().replace(b"SOURCEDID", b"Sourced_Id")
        (folder / f"{file}.csv").write_bytes(head + b"\n\n" + rest + b"\n\n")
    seen = district.brings(folder)
    assert district.problems == []
    assert seen.nothing


def test_a_row_after_a_cell_with_lines_has_its_own_line(district) -> None:
    files = small()
    files.row("users", "amina")["middleName"] = "one\ntwo\nthree"
    files.row("users", "sam")["metadata.homeLanguage"] = "xx!"
    district.brings(files)
    assert district.reasons == [("users.csv", files.line("users", "sam") + 2, "language")]


class TestChanges:
    """The effect of a second roster on the first."""

    def test_a_change_of_school_and_language(self, district) -> None:
        district.brings(small())
        files = small()
        files.row("users", "amina")["orgSourcedIds"] = "s2"
        files.row("users", "ben")["metadata.readingLanguage"] = "ar"
        seen = district.brings(files)
        only(seen.changes, students=Change(changed=1), guardians=Change(changed=1), households=Change(changed=2))
        assert district.students["amina"].school_id == "cedar-middle-school"
        assert district.households[district.home_of("leo", "ben")].language == "ar"

    def test_who_left_is_deleted_with_what_hangs_on_them(self, district) -> None:
        district.brings(small())
        home = district.home_of("mai", "linh")
        files = small()
        for file, id in (("users", "mai"), ("users", "linh"), ("enrollments", "e3")):
            files.drop(file, id)
        seen = district.brings(files)
        only(seen.changes, students=Change(gone=1), guardians=Change(gone=1), households=Change(gone=1))
        assert "mai" not in district.students
        assert "linh" not in district.guardians
        assert "mai" not in district.links
        assert home not in district.households

    def test_a_household_with_an_invitation_stays_without_members_and_names(self, district) -> None:
        district.brings(small())
        home = district.home_of("mai", "linh")

        def invite(session) -> None:
            wave = a_wave(session, identity="confidential", entry="code")
            session.add(
                Invitation(digest="d" * 64, wave_id=wave.id, school_id="lincoln", language="vi", household_id=home,
                           **({"identity": "confidential"} if hasattr(Invitation, "identity") else {}))
            )  # fmt: skip

        district.put(invite)
        files = small()
        for id in ("mai", "linh"):
            files.drop("users", id)
        assert district.brings(files).changes["households"] == Change(gone=1)
        assert district.homes[home] == frozenset()
        assert district.households[home].greeting is None
        assert district.brings(files).nothing
        district.put(lambda session: session.execute(delete(Invitation)))
        assert district.brings(files).nothing

    def test_a_household_leaves_the_sheets_that_were_printed_for_it(self, district) -> None:
        district.brings(small())
        home = district.home_of("mai", "linh")

        def printed(session) -> str:
            wave = a_wave(session, identity="confidential", entry="code")
            [serial] = printed_sheets(session, wave, staff(session, "liaison"), 1)
            link = {"label": b"sealed", "forget_on": date(2027, 4, 29), "identity": "confidential"}
            session.add(SheetLink(serial=serial, wave_id=wave.id, household_id=home, invitation=None, **link))
            return serial

        serial = district.put(printed)
        files = small()
        for id in ("mai", "linh"):
            files.drop("users", id)
        assert district.brings(files).changes["households"] == Change(gone=1)
        assert home not in district.households
        [link] = district.rows_of(SheetLink)
        assert (link.serial, link.household_id, link.invitation) == (serial, None, None)

    def test_a_household_keeps_its_id_while_most_stay(self, district) -> None:
        district.brings(small())
        family, leo_and_ana = district.home_of("amina", "yusuf", "hodan"), district.home_of("leo", "ana")
        district.put(lambda session: session.add(OptOut(household_id=family, recorded_on=date(2026, 9, 1))))
        files = small()
        files.drop("users", "yusuf")
        files.student("ali", "s1", "hodan", "omar", grade="PK", name="Ali Yusuf")
        files.guardian("omar", "Omar Yusuf", metadata_readingLanguage="ar")
        district.brings(files)
        assert district.home_of("amina", "ali", "hodan", "omar") == family
        assert district.home_of("leo", "ana") == leo_and_ana
        assert district.households[family].language == "so"  # the first guardian of the youngest
        assert len(district.rows_of(OptOut)) == 1

    def test_two_homes_that_become_one(self, district) -> None:
        district.brings(small())
        before = {district.home_of("leo", "ana"), district.home_of("leo", "ben")}
        files = small()
        files.row("users", "ben")["metadata.homeId"] = "elm st 1"
        seen = district.brings(files)
        assert district.home_of("leo", "ana", "ben") in before
        assert seen.changes["households"] == Change(changed=1, gone=1)

    def test_a_home_that_becomes_two(self, district) -> None:
        files = small()
        files.row("users", "ben")["metadata.homeId"] = "ELM ST. 1 "
        district.brings(files)
        before = district.home_of("leo", "ana", "ben")
        seen = district.brings(small())
        assert before in {district.home_of("leo", "ana"), district.home_of("leo", "ben")}
        assert seen.changes["households"] == Change(changed=1, added=1)

    def test_only_the_order_of_guardians_changes(self, district) -> None:
        district.brings(small())
        files = small()
        files.row("users", "leo")["agentSourcedIds"] = "ben,ana"
        only(district.brings(files).changes, students=Change(changed=1))
        assert district.links["leo"] == ["ben", "ana"]
        assert district.brings(files).nothing

    def test_a_column_that_is_gone_leaves_what_was_known(self, district) -> None:
        district.brings(small())
        files = small()
        gone = [name for name in files.names("users") if name.startswith("metadata.")]
        files.columns["users"] = [name for name in files.names("users") if name not in gone]
        for row in files.rows["users"]:
            for name in gone:
                row.pop(name, None)
        assert district.brings(files).nothing

    def test_a_cell_that_is_emptied_empties_what_was_known(self, district) -> None:
        district.brings(small())
        files = small()
        for name in ("metadata.homeLanguage", "metadata.englishLearner", "metadata.iep"):
            files.row("users", "yusuf")[name] = ""
        files.row("users", "hodan")["email"] = ""
        only(district.brings(files).changes, students=Change(changed=1), guardians=Change(changed=1))
        yusuf = district.students["yusuf"]
        assert (yusuf.home_language, yusuf.english_learner, yusuf.disability) == ("", None, None)
        assert "email" not in json.loads(district.opened(district.guardians["hodan"].contact))

    def test_many_who_would_go_are_remarked_upon(self, district) -> None:
        district.brings(small())
        files = small()
        files.drop("users", "sam")
        assert not district.brings(files, dry=True).steep  # one in five
        files.drop("users", "mai")
        assert district.brings(files, dry=True).steep

    def test_a_dry_run_changes_nothing(self, district) -> None:
        district.brings(small(), dry=True)
        assert not district.students
        assert not district.schools
        assert not district.imports


class TestSchools:
    def test_a_school_is_known_by_its_source_or_claimed_by_its_name(self, district) -> None:
        def make(session) -> None:
            session.add(School(id="lincoln", name="LINCOLN elementary"))
            session.add(School(id="cedar", name="Another name", source_id="s2"))
            session.add(School(id="night", name="Night School"))

        district.put(make)
        assert district.brings(small()).changes["schools"] == Change(changed=2)
        told = {id: (school.name, school.source_id, school.active) for id, school in district.schools.items()}
        assert told == {
            "lincoln": ("Lincoln Elementary", "s1", True),
            "cedar": ("Cedar Middle School", "s2", True),
            "night": ("Night School", None, True),
        }

    def test_a_school_that_is_gone_is_not_active_and_may_come_back(self, district) -> None:
        district.brings(small())
        files = small()
        files.drop("orgs", "s2")
        for id in ("yusuf", "mai"):
            files.row("users", id)["orgSourcedIds"] = "s1"
        assert district.brings(files).changes["schools"] == Change(gone=1)
        assert not district.schools["cedar-middle-school"].active
        assert district.brings(files).nothing
        assert district.brings(small()).changes["schools"] == Change(changed=1)
        assert district.schools["cedar-middle-school"].active

    def test_schools_of_one_name_get_ids_of_their_own(self, district) -> None:
        files = small()
        files.school("s3", "Lincoln Elementary")
        files.school("s4", "学校")
        files.school("s5", "A school with a name that goes on and on and on, and on")
        district.brings(files)
        assert set(district.schools) == {
            "lincoln-elementary", "lincoln-elementary-2", "cedar-middle-school", "school",
            "a-school-with-a-name-that-goes-on-an",
        }  # fmt: skip
        assert all(len(id) <= 40 for id in district.schools)


class TestPeople:
    def test_the_school_comes_from_wherever_it_is_said(self, district) -> None:
        files = small("1.2")
        for id, main, role in (("amina", "", "s1"), ("yusuf", "s2", ""), ("leo", "d1", "s1"), ("mai", "", "")):
            files.row("users", id)["primaryOrgSourcedId"] = main
            files.row("roles", f"r-{id}")["orgSourcedId"] = role
        district.brings(files)
        assert {id: one.school_id for id, one in district.students.items()} == {
            "amina": "lincoln-elementary", "yusuf": "cedar-middle-school", "leo": "lincoln-elementary",
            "mai": "cedar-middle-school", "sam": "lincoln-elementary",
        }  # fmt: skip
        assert district.problems == []

    def test_the_first_of_several_orgs_that_is_a_school(self, district) -> None:
        files = small()
        files.row("users", "amina")["orgSourcedIds"] = "d1, s2,s1"
        district.brings(files)
        assert district.students["amina"].school_id == "cedar-middle-school"

    def test_a_role_that_has_ended_counts_no_more(self, district) -> None:
        files = small("1.2")
        files.row("roles", "r-sam")["endDate"] = "2026-06-30"
        files.row("roles", "r-mai")["endDate"] = "2026-10-14"
        district.brings(files)
        assert "sam" not in district.students
        assert "mai" in district.students
        assert district.problems == []

    def test_the_primary_role_decides(self, district) -> None:
        files = small("1.2")
        files.add(
            "roles", sourcedId="x", userSourcedId="hodan", roleType="secondary", role="student", orgSourcedId="s1"
        )
        files.add("roles", sourcedId="y", userSourcedId="sam", roleType="secondary", role="guardian", orgSourcedId="s1")
        district.brings(files)
        assert "hodan" in district.guardians
        assert "sam" in district.students

    def test_guardians_may_name_their_students_instead(self, district) -> None:
        files = small()
        files.row("users", "amina")["agentSourcedIds"] = ""
        files.row("users", "hodan")["agentSourcedIds"] = "amina,yusuf"
        district.brings(files)
        assert district.links["amina"] == ["hodan"]
        assert district.home_of("amina", "yusuf", "hodan")
        assert district.brings(files).nothing

    def test_a_guardian_of_nobody_is_not_kept(self, district) -> None:
        files = small()
        files.guardian("nobody", "No Body")
        files.guardian("teacher", "Tea Cher", role="teacher", org="s1")
        files.row("users", "sam")["agentSourcedIds"] = "teacher"
        district.brings(files)
        assert set(district.guardians) == {"hodan", "ana", "ben", "linh"}
        assert district.problems == []

    def test_a_stand_in_for_every_guardian_makes_no_household(self, district) -> None:
        files = small()
        files.guardian("unknown", "Unknown Parent")
        for number in range(CHILDREN + 1):
            files.student(f"x{number:02}", "s1", "unknown")
        district.brings(files)
        assert district.reasons == [("users.csv", files.line("users", "unknown"), "many_children")]
        assert "unknown" not in district.guardians
        assert district.home_of("x00")

    def test_traits_may_stand_in_demographics(self, district) -> None:
        files = small()
        files.row("users", "sam").pop("metadata.homeLanguage", None)
        files.add(
            "demographics", sourcedId="sam", metadata_home_language="Arabic", metadata_ELL="TRUE", metadata_swd="n"
        )
        district.brings(files)
        sam = district.students["sam"]
        assert (sam.home_language, sam.english_learner, sam.disability) == ("ar", True, False)

    @pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
    def test_languages_may_come_in_a_file_of_their_own(self, bom: bytes, district) -> None:
        district.brings(small())
        seen = district.brings(small(), bom + b"studentId,language\r\nsam,Somali\r\nleo,ara\r\nnobody,es\r\nmai,?\r\n")
        assert district.students["sam"].home_language == "so"
        assert district.students["leo"].home_language == "ar"
        assert district.reasons == [("languages.csv", 4, "language_unknown_id"), ("languages.csv", 5, "language")]
        assert seen.changes["students"] == Change(changed=2)
        assert district.brings(small(), b"guardianId,language\nlinh,vi\nhodan,ar\n").changes["guardians"].changed == 2
        assert (district.guardians["hodan"].reads, district.guardians["hodan"].speaks) == ("ar", "so")

    def test_hostile_names_are_only_names(self, district) -> None:
        hostile = ["<script>alert(1)</script>", "=1+1", "Robert'); drop table students;--", "\u202eevil", "a" * 200]
        files = small()
        for number, name in enumerate(hostile):
            files.student(f"h{number}", "s1")["givenName"] = name
        files.student("'; --", "s1", name="Bobby Tables")
        district.brings(files)
        found = [district.opened(district.students[f"h{number}"].name) for number in range(len(hostile))]
        assert found == [name.replace("\u202e", "") for name in hostile]
        assert district.opened(district.students["'; --"].name) == "Bobby Tables"


class TestNames:
    def test_where_no_names_are_kept_none_are(self, district) -> None:
        district.keep_names = False
        district.brings(small())
        assert not any(one.name for one in district.students.values())
        assert not any(one.contact for one in district.guardians.values())
        assert not any(one.greeting for one in district.households.values())
        assert district.brings(small()).nothing

    def test_what_was_kept_is_emptied_by_the_next_import(self, district) -> None:
        district.brings(small())
        district.keep_names = False
        seen = district.brings(small())
        assert seen.changes["students"] == Change(changed=5)
        assert not any(one.name for one in district.students.values())
        assert not any(one.contact for one in district.guardians.values())
        assert not any(one.greeting for one in district.households.values())
        district.keep_names = True
        district.brings(small())
        assert district.opened(district.students["amina"].name) == "Amina Yusuf"

    def test_no_name_stands_in_the_database(self, district) -> None:
        district.brings(small())
        plain = repr(everything(district))
        for name in ("Amina", "Hodan", "García", "example.org", "555-0100", "Elm St", "elm st", "elmst"):
            assert name not in plain


class TestDelta:
    """Delta imports: whoever is not in them stays."""

    def delta(self, version: str = "1.1", **modes: str) -> Files:
        files = Files(version)
        for name in ("orgs", "users"):
            files.rows.setdefault(name, [])
        if version == "1.2":
            files.rows.setdefault("roles", [])
        files.manifest(
            **({"orgs": "delta", "users": "delta"} | ({"roles": "delta"} if version == "1.2" else {}) | modes)
        )
        return files

    @pytest.mark.parametrize("version", VERSIONS)
    def test_an_empty_list_changes_nothing(self, version: str, district) -> None:
        district.brings(small(version))
        seen = district.brings(self.delta(version))
        assert seen.nothing
        assert seen.delta

    @pytest.mark.parametrize("version", VERSIONS)
    def test_only_those_who_are_named(self, version: str, district) -> None:
        district.brings(small(version))
        files = self.delta(version)
        files.student("amina", "s2", "hodan", grade="03", name="Amina Yusuf", status="active")
        files.student("new", "s1", "ana", name="New García", status="active")
        files.add("users", sourcedId="sam", status="tobedeleted", role="student")
        for row in files.rows.get("roles", ()):
            row["status"] = "active"
        seen = district.brings(files)
        assert district.problems == []
        assert seen.changes["students"] == Change(added=1, changed=1, gone=1)
        assert seen.changes["guardians"] == NONE
        assert district.students["amina"].school_id == "cedar-middle-school"
        assert district.home_of("leo", "new", "ana")
        assert "sam" not in district.students

    def test_a_role_that_is_deleted_ends_the_student(self, district) -> None:
        district.brings(small("1.2"))
        files = self.delta("1.2")
        files.add("roles", sourcedId="r-sam", status="tobedeleted", userSourcedId="sam", role="student",
                  roleType="primary", orgSourcedId="s1")  # fmt: skip
        only(district.brings(files).changes, students=Change(gone=1), households=Change(gone=1))

    def test_a_new_role_moves_the_student(self, district) -> None:
        district.brings(small("1.2"))
        files = self.delta("1.2")
        files.add("roles", sourcedId="r-2", status="active", userSourcedId="sam", role="student", roleType="primary",
                  orgSourcedId="s2")  # fmt: skip
        district.brings(files)
        assert district.students["sam"].school_id == "cedar-middle-school"

    def test_a_guardian_alone(self, district) -> None:
        district.brings(small())
        files = self.delta()
        files.guardian("hodan", "Hodan Yusuf", status="active", email="new@example.org")
        files.columns["users"] = [
            name for name in files.names("users") if name not in ("phone", "sms", "agentSourcedIds")
        ]
        for row in files.rows["users"]:
            row.pop("agentSourcedIds", None)
        only(district.brings(files).changes, guardians=Change(changed=1), households=Change(changed=1))
        contact = json.loads(district.opened(district.guardians["hodan"].contact))
        assert contact == {"name": "Hodan Yusuf", "email": "new@example.org", "phone": "555-0100"}
        assert district.home_of("amina", "yusuf", "hodan")

    def test_who_named_the_link_can_end_it(self, district) -> None:
        files = small()
        files.row("users", "amina")["agentSourcedIds"] = ""
        files.row("users", "hodan")["agentSourcedIds"] = "amina"
        district.brings(files)
        changes = self.delta()
        changes.student("amina", "s1", grade="02", name="Amina Yusuf", status="active")
        district.brings(changes)
        assert district.links["amina"] == ["hodan"]  # the student's row never named her
        changes = self.delta()
        changes.guardian("hodan", "Hodan Ali", status="active")
        district.brings(changes)
        assert "amina" not in district.links
        assert district.links["yusuf"] == ["hodan"]

    def test_a_school_closes(self, district) -> None:
        district.brings(small())
        files = self.delta()
        files.add("orgs", sourcedId="s2", status="tobedeleted")
        for id in ("yusuf", "mai"):
            files.student(id, "s1", name="", status="active")
        district.brings(files)
        assert not district.schools["cedar-middle-school"].active
        assert {one.school_id for one in district.students.values()} == {"lincoln-elementary"}

    def test_only_languages(self, district) -> None:
        district.brings(small())
        files = Files()
        files.add("demographics", sourcedId="sam", status="active", metadata_homeLanguage="es")
        files.manifest(demographics="delta", orgs="absent", users="absent")
        only(district.brings(files).changes, students=Change(changed=1), households=Change(changed=1))

    def test_an_empty_status_is_refused_here(self, district) -> None:
        district.brings(small())
        files = self.delta()
        files.student("sam", "s2", name="Sam Smith")
        assert district.brings(files).nothing
        assert district.reasons == [("users.csv", 2, "no_status")]


def test_somebody_else_imported_meanwhile(district, tmp_path: Path) -> None:
    folder = new_folder(district.settings.data_dir)
    with StagingDb(folder / FILE) as stage, open_roster(small().folder(tmp_path / "a")) as source:
        with read_session(district.engine) as session:
            prepare_import(session, source, stage, district.manner)
        district.brings(small())
    with pytest.raises(RosterChanged):
        store_roster(district.site, folder, None)
    delete_folder(folder)


def test_rosters_that_nobody_confirms_are_deleted_after_a_day(settings, clock) -> None:
    import os

    old, young, storing = (new_folder(settings.data_dir) for _ in range(3))
    assert oct(old.stat().st_mode)[-3:] == "700"
    day = clock().timestamp()
    os.utime(old, (day - 90_000, day - 90_000))
    os.utime(young, (day - 80_000, day - 80_000))
    os.utime(storing, (day - 90_000, day - 90_000))
    assert delete_stale_folders(settings.data_dir, clock(), storing.name) == 1
    assert young.exists()
    assert storing.exists()
    assert not old.exists()
