"""The class of a student, and the class by which a household's paper forms are handed out."""

from pathlib import Path

import pytest

from engage.domain.roster.classes import AT_ONCE, youngest_children
from engage.domain.roster.diff import Change
from engage.storage.engine import read_session
from engage.storage.models.roster import HouseholdStudent, Student
from engage.storage.models.schools import Household, School
from tests.domain.roster.generator import Files, Row, large, small

pytestmark = pytest.mark.slow

VERSIONS = ("1.1", "1.2")
AMINA = "amina"  # a student of Lincoln, s1


def with_rooms(version: str = "1.1") -> Files:
    """The small district with homerooms. Only Amina and Leo are enrolled in them."""
    files = small(version)
    files.room("h2", "2A Ms. Ruiz")
    files.room("h7", "7 Blue", "s2")
    files.room("k", "KG-1")
    files.room("math", "Algebra", kind="scheduled")
    files.sits(AMINA, "h2")
    files.sits("leo", "k")
    files.sits("sam", "math")
    return files


def seats(district) -> dict[str, str]:
    """Return classes by student, for those who have one."""
    return {id: one.class_name for id, one in district.students.items() if one.class_name}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_homeroom_comes_in_and_again_changes_nothing(version: str, district) -> None:
    district.brings(with_rooms(version))
    assert seats(district) == {AMINA: "2A Ms. Ruiz", "leo": "KG-1"}
    assert district.problems == []
    assert district.brings(with_rooms(version)).nothing


# description: titles of homerooms by id, enrollments of Amina, her class
CASES: dict[str, tuple[dict[str, str], list[Row], str]] = {
    "the first by title": ({"a": "3C", "b": "3B"}, [{"room": "a"}, {"room": "b"}], "3B"),
    "the primary one": ({"a": "3C", "b": "3B"}, [{"room": "a", "primary": "TRUE"}, {"room": "b"}], "3C"),
    "a subject is no homeroom": ({"a": "3C"}, [{"room": "math", "primary": "true"}, {"room": "a"}], "3C"),
    "one that is over": ({"a": "3C", "b": "3B"}, [{"room": "a"}, {"room": "b", "endDate": "2026-10-13"}], "3C"),
    "one that ends today": ({"a": "3C", "b": "3B"}, [{"room": "a"}, {"room": "b", "endDate": "2026-10-14"}], "3B"),
    "one that begins tomorrow": (
        {"a": "3C", "b": "3B"}, [{"room": "a"}, {"room": "b", "beginDate": "2026-10-15", "primary": "true"}], "3C",
    ),
    "only one that begins next year": ({"a": "3C"}, [{"room": "a", "beginDate": "2027-09-01"}], "3C"),
    "one that was deleted": ({"a": "3C"}, [{"room": "a", "status": "tobedeleted"}], ""),
    "a teacher's seat": ({"a": "3C"}, [{"room": "a", "role": "teacher"}], ""),
    "a class nobody knows": ({"a": "3C"}, [{"room": "elsewhere"}], ""),
    "long and odd titles": ({"a": "  3C\t\x85" + "x" * 200}, [{"room": "a"}], "3C  " + "x" * 96),
    "a time in the date": ({"a": "3C"}, [{"room": "a", "beginDate": "2026-09-01T08:00:00Z"}], "3C"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_which_homeroom_counts(case: str, district) -> None:
    rooms, enrolled, expected = CASES[case]
    files = small()
    files.room("math", "1st Algebra", kind="scheduled")
    for id, title in rooms.items():
        files.room(id, title)
    for each in enrolled:
        files.sits(AMINA, **each)
    district.brings(files)
    assert district.students[AMINA].class_name == expected
    assert district.problems == []


def test_a_homeroom_of_another_school_does_not_count_and_one_of_an_unknown_school_does(district) -> None:
    files = small()
    files.room("there", "7 Blue", "s2")
    files.room("somewhere", "K2", "nowhere")
    files.sits(AMINA, "there")
    files.sits("leo", "somewhere")
    district.brings(files)
    assert seats(district) == {"leo": "K2"}
    assert district.problems == []


def test_classes_that_do_not_matter_are_not_complained_about(district) -> None:
    files = with_rooms()
    for number in range(50):
        files.room(f"m{number}", "", f"unknown{number}", kind=("scheduled", "ext:advisory")[number % 2])
        files.sits("mai", f"gone{number}", "s2")
        files.sits("mai", f"m{number}", "s2", endDate="soon")
    district.brings(files)
    assert district.problems == []


class TestKnownBefore:
    """What stays if the files have no data, or none that can be used."""

    @pytest.mark.parametrize("lacking", ["classes", "enrollments"])
    def test_without_one_of_the_files(self, lacking: str, district) -> None:
        district.brings(with_rooms())
        files = with_rooms()
        del files.rows[lacking]
        assert district.brings(files).nothing
        assert seats(district) == {AMINA: "2A Ms. Ruiz", "leo": "KG-1"}

    def test_a_manifest_may_speak_of_classes_that_were_left_out(self, district) -> None:
        district.brings(with_rooms())
        files = with_rooms()
        del files.rows["classes"]
        files.manifest(classes="bulk")
        assert district.brings(files).nothing

    def test_a_file_that_the_manifest_calls_absent_is_not_read(self, district) -> None:
        files = with_rooms()
        files.manifest(classes="absent")
        district.brings(files)
        assert seats(district) == {}

    def test_enrollments_that_name_no_class(self, district) -> None:
        district.brings(with_rooms())
        files = with_rooms()
        files.columns["enrollments"] = [name for name in files.names("enrollments") if name != "classSourcedId"]
        for row in files.rows["enrollments"]:
            del row["classSourcedId"]
        assert district.brings(files).nothing

    def test_a_file_of_classes_without_titles(self, district) -> None:
        district.brings(with_rooms())
        files = with_rooms()
        files.columns["classes"] = ["sourcedId", "classType"]
        files.rows["classes"] = [{"sourcedId": "h2", "classType": "homeroom"}]
        assert district.brings(files).nothing
        assert district.reasons == [("classes.csv", 1, "class_columns")]

    # file of the row, the changed values, and the reason for the refusal
    @pytest.mark.parametrize(
        ("file", "id", "cells", "code"),
        [
            ("classes", "h2", {"classType": "lunch"}, "class_type"),
            ("classes", "h2", {"classType": ""}, "class_type"),
            ("classes", "h2", {"title": " \t"}, "class_title"),
            ("classes", "h2", {"status": "gone"}, "status"),
            ("enrollments", "e-amina-h2", {"status": "gone"}, "status"),
            ("enrollments", "e-amina-h2", {"endDate": "in June"}, "end_date"),
            ("enrollments", "e-amina-h2", {"beginDate": "2026-13-01"}, "begin_date"),
        ],
    )
    def test_a_row_that_is_refused(self, file: str, id: str, cells: Row, code: str, district) -> None:
        district.brings(with_rooms())
        files = with_rooms()
        files.row(file, id).update(cells)
        assert district.brings(files).nothing
        assert district.reasons == [(f"{file}.csv", files.line(file, id), code)]

    def test_a_class_that_was_there_before(self, district) -> None:
        files = with_rooms()
        files.room("h2", "Another")
        district.brings(files)
        assert district.reasons == [("classes.csv", 6, "repeated")]
        assert district.students[AMINA].class_name == "2A Ms. Ruiz"


class TestChanges:
    def test_who_moves_and_who_sits_nowhere_any_more(self, district) -> None:
        district.brings(with_rooms())
        files = with_rooms()
        files.room("h2b", "2B")
        files.row("enrollments", "e-amina-h2")["classSourcedId"] = "h2b"
        files.drop("enrollments", "e-leo-k")
        seen = district.brings(files)
        assert seen.changes["students"] == Change(changed=2)
        assert [kind for kind, change in seen.changes.items() if change.total] == ["students"]
        assert seats(district) == {AMINA: "2B"}

    def test_a_student_whose_row_is_refused_stays_there(self, district) -> None:
        district.brings(with_rooms())
        files = with_rooms()
        files.row("users", AMINA)["role"] = "king"
        files.drop("enrollments", "e-amina-h2")
        files.drop("enrollments", "e0")
        assert district.brings(files).nothing

    def test_a_number_of_a_row_is_no_number_of_a_person(self, district) -> None:
        """Each file of some systems counts from 1: a refused enrollment 17 does not concern person 17."""
        district.brings(small())
        files = small()
        files.drop("users", "sam")
        files.sits("amina", "c1", sourcedId="sam", status="odd")
        assert district.brings(files).changes["students"] == Change(gone=1)


class TestDelta:
    """Delta imports: nothing changes for students who are not in them."""

    def delta(self, **modes: str) -> Files:
        files = Files()
        files.rows = {"classes": [], "enrollments": []}
        files.manifest(**({"orgs": "absent", "users": "absent", "classes": "delta", "enrollments": "delta"} | modes))
        return files

    def test_a_new_seat(self, district) -> None:
        district.brings(with_rooms())
        files = self.delta()
        files.room("h2b", "2B", status="active")
        files.sits(AMINA, "h2b", status="active")
        files.sits(AMINA, "h2", status="tobedeleted")
        seen = district.brings(files)
        assert (seen.changes["students"], seen.delta) == (Change(changed=1), True)
        assert seats(district) == {AMINA: "2B", "leo": "KG-1"}

    @pytest.mark.parametrize("over", [{"status": "tobedeleted"}, {"status": "active", "endDate": "2026-10-01"}])
    def test_a_seat_that_is_given_up(self, over: Row, district) -> None:
        district.brings(with_rooms())
        files = self.delta()
        files.room("h2", "2A Ms. Ruiz", status="active")
        files.sits(AMINA, "h2", **over)
        district.brings(files)
        assert seats(district) == {"leo": "KG-1"}

    def test_a_class_that_is_given_up_with_its_seats(self, district) -> None:
        district.brings(with_rooms())
        files = self.delta()
        files.room("h2", "2A Ms. Ruiz", status="tobedeleted")
        files.sits(AMINA, "h2", status="tobedeleted")
        district.brings(files)
        assert seats(district) == {"leo": "KG-1"}

    def test_a_seat_in_a_class_that_is_not_in_the_list(self, district) -> None:
        district.brings(with_rooms())
        files = self.delta()
        files.sits(AMINA, "k", status="active")
        assert district.brings(files).nothing
        assert district.problems == []

    def test_all_classes_and_some_seats(self, district) -> None:
        district.brings(with_rooms())
        files = self.delta(classes="bulk")
        files.rows["classes"] = with_rooms().rows["classes"]
        files.sits("yusuf", "h7", "s2", status="active")
        district.brings(files)
        assert seats(district) == {AMINA: "2A Ms. Ruiz", "leo": "KG-1", "yusuf": "7 Blue"}


def test_a_large_district_has_every_student_in_a_class_of_the_own_grade(district, tmp_path: Path) -> None:
    district.brings(large(tmp_path / "large", 300))
    assert district.problems == []
    for one in district.students.values():
        assert one.class_name[:-1] == one.grade.lstrip("0")


class TestHouseholds:
    def of(self, district, homes: list[str], school: str) -> dict[str, str]:
        with read_session(district.engine) as session:
            return {home: child.class_name for home, child in youngest_children(session, homes, school).items()}

    def test_the_youngest_child_in_the_school_decides(self, district) -> None:
        files = with_rooms()
        files.room("h5", "5A")
        files.sits("sam", "h5")
        files.row("users", "sam")["agentSourcedIds"] = "hodan"  # of grade 5, beside Amina of grade 2
        files.sits("yusuf", "h7", "s2")
        district.brings(files)
        family, leo = district.home_of(AMINA, "yusuf", "sam", "hodan"), district.home_of("leo", "ana")
        mai = district.home_of("mai", "linh")
        assert self.of(district, [family, leo, mai], "lincoln-elementary") == {
            family: "2A Ms. Ruiz", leo: "KG-1", mai: "",
        }  # fmt: skip
        assert self.of(district, [family, mai], "cedar-middle-school") == {family: "7 Blue", mai: ""}
        files.drop("enrollments", "e-amina-h2")
        district.brings(files)
        assert self.of(district, [family], "lincoln-elementary") == {family: ""}  # not Sam's: Amina is the youngest

    def test_of_two_in_a_grade_the_first_by_id_and_of_many_homes_all(self, district) -> None:
        number = AT_ONCE + 1

        def make(session) -> None:
            session.add(School(id="oak", name="Oak"))
            session.flush()
            for each in range(number):
                home = f"{each:032x}"
                session.add(Household(id=home, school_id="oak", language="en"))
                for child, room in (("b", "wrong"), ("a", f"room {each}")):
                    session.add(Student(id=f"{each}{child}", school_id="oak", grade="04", class_name=room))
                session.flush()
                session.add_all(HouseholdStudent(household_id=home, student_id=f"{each}{child}") for child in "ab")

        district.put(make)
        homes = [f"{each:032x}" for each in range(number)]
        assert self.of(district, homes, "oak") == {home: f"room {each}" for each, home in enumerate(homes)}
