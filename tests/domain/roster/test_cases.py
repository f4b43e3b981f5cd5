"""Files as spreadsheets and student information systems write them: each folder of cases/ has one roster. Checks what
is stored and reported, and that nobody is lost if a damaged copy follows a valid one."""

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from engage.domain.roster.grades import grade_rank, parse_grade
from engage.domain.roster.language_names import find_language_tag, is_unknown_language
from engage.domain.roster.remarks import RosterRefused
from tests.domain.roster.generator import Files, small

pytestmark = pytest.mark.slow

CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected content of the database, and the number of remarks for each reason. `refused`: the code of a
    refusal."""

    students: int
    guardians: int
    households: int
    said: dict[str, int]
    refused: str = ""


ALONE = {
    "demo10": Expected(1, 1, 1, {}),
    "dupguard": Expected(2, 2, 2, {"same_guardian": 2}),
    "good8": Expected(8, 8, 8, {}),
    "good8cp": Expected(8, 8, 8, {"windows_1252": 1}),
    "good8short": Expected(8, 8, 8, {}),
    "hundred": Expected(100, 100, 100, {}),
    "hundredcp": Expected(100, 100, 100, {"windows_1252": 1}),
    "kinder0": Expected(2, 1, 1, {}),
    "kinderKG": Expected(2, 1, 1, {}),
    "lang_ok": Expected(1, 1, 1, {}),
    "lang_cp": Expected(1, 1, 1, {"windows_1252": 1}),
    "langcodes": Expected(6, 0, 6, {"language": 6}),
    "noschool": Expected(0, 0, 0, {"not_a_school": 2}, refused="no_students"),
    "roles_us": Expected(0, 0, 0, {"end_date": 1, "no_role": 1}, refused="no_students"),
    "short": Expected(4, 4, 4, {}),
    "trailhead": Expected(1, 1, 1, {}),
    "v_ok": Expected(8, 8, 8, {}),
    "v_blank": Expected(8, 8, 8, {}),
    "v_comma": Expected(7, 7, 7, {"more_cells": 1}),
    "v_ctrl": Expected(7, 7, 7, {"control": 1}),
    "v_status": Expected(7, 7, 7, {"status": 1}),
}
PAIRS = [
    ("hundred", "hundredcp"),
    ("good8", "good8cp"),
    ("good8", "good8short"),
    ("lang_ok", "lang_cp"),
    *(("v_ok", each) for each in ("v_blank", "v_comma", "v_ctrl", "v_status")),
]


def said(problems) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in problems:
        found[each.code] = found.get(each.code, 0) + 1
    return found


def test_every_case_is_here() -> None:
    assert {each.name for each in CASES.iterdir() if each.is_dir()} == set(ALONE)


@pytest.mark.parametrize("name", ALONE)
def test_what_is_stored_and_said(name: str, district) -> None:
    expected = ALONE[name]
    if expected.refused:
        with pytest.raises(RosterRefused) as refused:
            district.brings(CASES / name)
        assert refused.value.code == expected.refused
        assert {each.code: each.count for each in refused.value.remarks} == expected.said
    else:
        district.brings(CASES / name)
        assert said(district.problems) == expected.said
    stored = len(district.students), len(district.guardians), len(district.households)
    assert stored == (expected.students, expected.guardians, expected.households)


@pytest.mark.parametrize("name", ["kinder0", "kinderKG"])
def test_a_household_stands_at_its_kindergarten(name: str, district) -> None:
    district.brings(CASES / name)
    [home] = district.households.values()
    assert district.schools[home.school_id].name == "North Elementary"


def test_a_grade_that_is_not_known_does_not_decide(district) -> None:
    files = small()
    files.row("users", "amina")["grades"] = "XX"  # at Lincoln, with a brother in grade 7 at Cedar
    district.brings(files)
    assert district.households[district.home_of("amina", "yusuf", "hodan")].school_id == "cedar-middle-school"
    assert district.reasons == [("users.csv", files.line("users", "amina"), "grade")]
    assert district.students["amina"].grade == ""


GRADES = {
    "PR": "PK3 3PK P3 -2 PPK Preschool EC",
    "PK": "PK PK4 4PK P4 -1 Pre-K PreK Pre-Kindergarten K4 4K",
    "TK": "TK T-K KT",
    "KG": "KG 0 00 K KF KH KDG Kindergarten KINDER K5",
    "01": "1 01 1st First Grade_1",
    "02": "2 02 2nd Second 2nd_Grade Gr.2",
    "05": "5 05 5th Grade_5 Gr_5 G5 05,06",
    "12": "12 12th Senior GRADE_12",
    "13": "13",
    "PS": "PS",
    "UG": "UG Ungraded",
    "OTHER": "Other",
    "": ",",
    None: "14TH 14 22 XX 12+ -5 Grade Elementary ٣",
}


@pytest.mark.parametrize("known", GRADES)
def test_grades_as_systems_write_them(known: str | None) -> None:
    for text in GRADES[known].split():
        assert parse_grade(text.replace("_", " ")) == known, text
        assert parse_grade(text.lower().replace("_", " ")) == known, text


def test_the_order_of_grades_is_that_of_ages() -> None:
    ordered = [parse_grade(text) for text in ("-2", "-1", "TK", "0", *map(str, range(1, 14)), "PS")]
    assert [grade_rank(str(each)) for each in ordered] == sorted({grade_rank(str(each)) for each in ordered})
    assert grade_rank("UG") == grade_rank("OTHER") == grade_rank("") > grade_rank("PS")


NAMES = {  # home language, given name, family name: the printed name
    ("en", "Amina", "Yusuf"): "Amina Yusuf",
    ("es", "María José", "García de la Peña"): "María José García de la Peña",
    ("vi", "Văn Nam", "Nguyễn"): "Nguyễn Văn Nam",
    ("Chinese", "Wei", "Wang"): "Wang Wei",
    ("Cantonese", "Ka Fai", "Chan"): "Chan Ka Fai",
    ("", "伟", "王"): "王伟",
    ("Korean", "Min-su", "Kim"): "Kim Min-su",
    ("en", "민수", "김"): "김민수",
    ("Hungarian", "János", "Kovács"): "Kovács János",
    ("", "Ayaan", ""): "Ayaan",
    ("vi", "", "Trần"): "Trần",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_stand_in_the_order_of_their_language(name: tuple[str, str, str], district) -> None:
    language, given, family = name
    files = small()
    more = {"metadata_homeLanguage": language} if language else {}
    files.student("child", "s1", "adult", **more)
    files.row("users", "child").update(givenName=given, familyName=family)
    files.guardian("adult").update(givenName=given, familyName=family)
    district.brings(files)
    assert district.opened(district.students["child"].name) == NAMES[name]
    greeting = json.loads(str(district.opened(district.households[district.home_of("child", "adult")].greeting)))
    assert greeting == {"students": [NAMES[name]], "guardians": [NAMES[name]]}
    assert district.brings(files).nothing


def test_a_name_is_ordered_by_the_language_of_any_file(district) -> None:
    files = small()
    files.row("users", "sam").update(givenName="Nam", familyName="Nguyễn")
    district.brings(files, b"studentId,language\r\nsam,Vietnamese\r\n")
    assert district.opened(district.students["sam"].name) == "Nguyễn Nam"


@pytest.mark.parametrize(("good", "copy"), PAIRS, ids=[f"{good} then {copy}" for good, copy in PAIRS])
def test_nobody_is_lost_when_a_damaged_copy_follows(good: str, copy: str, district) -> None:
    district.brings(CASES / good)
    before = people(district)
    seen = district.brings(CASES / copy)
    assert not seen.sum("gone")
    assert people(district) == before


def people(district) -> tuple:
    """Return the people, their relationships, the open schools, and the languages of households."""
    return (
        set(district.students),
        set(district.guardians),
        {members: district.households[id].language for id, members in district.homes.items()},
        {id: one.active for id, one in district.schools.items()},
        district.links,
        {id: (one.home_language, one.english_learner, one.class_name) for id, one in district.students.items()},
    )


@pytest.mark.parametrize("more", [b",", b",,,"])
def test_rows_that_all_end_in_too_many_commas_are_read(more: bytes, district, tmp_path: Path) -> None:
    folder = small().folder(tmp_path / "files")
    for file in folder.iterdir():
        head, *lines = file.read_bytes().split(b"\r\n")
        file.write_bytes(b"\r\n".join((head, *(line + more if line else line for line in lines))))
    district.brings(folder)
    assert district.reasons == [("demographics.csv", 2, "more_cells")]  # a single row cannot be compared with others
    assert len(district.students) == 5


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_columns_may_be_separated_by_semicolons_or_tabs(delimiter: str, district, tmp_path: Path) -> None:
    files = small()
    folder = files.folder(tmp_path / "files")
    for file in folder.iterdir():
        rows = list(csv.reader(io.StringIO(file.read_text("utf-8"))))
        with file.open("w", encoding="utf-8", newline="") as page:
            csv.writer(page, delimiter=delimiter).writerows(rows)
    district.brings(files)
    assert district.brings(folder).nothing
    assert district.problems == []


def test_a_quotation_mark_that_closes_rows_later_takes_nobody_away(district, tmp_path: Path) -> None:
    """It opens in one person's name and closes in another's, with whole rows between them."""
    files = small()
    district.brings(files)
    for id, name in (("amina", '"Amina'), ("yusuf", 'Yusuf"')):
        files.row("users", id)["givenName"] = f"MARK{name}"
    folder = files.folder(tmp_path / "files")
    text = (folder / "users.csv").read_bytes().replace(b'"MARK""Amina"', b'"Amina').replace(b'"MARKYusuf"""', b'Yusuf"')
    (folder / "users.csv").write_bytes(text)
    seen = district.brings(folder)
    assert ("users.csv", files.line("users", "amina"), "quote") in district.reasons
    assert not seen.sum("gone")
    assert set(district.students) == {"amina", "yusuf", "leo", "mai", "sam"}


def test_what_is_missing_at_the_end_of_a_row_leaves_what_was_known(district, tmp_path: Path) -> None:
    files = small()
    district.brings(files)
    before = people(district)
    folder = files.folder(tmp_path / "files")
    lines = (folder / "users.csv").read_bytes().split(b"\r\n")
    lines[1:] = [b",".join(line.split(b",")[:9]) for line in lines[1:]]  # spreadsheets omit empty cells
    (folder / "users.csv").write_bytes(b"\r\n".join(lines))
    district.brings(folder)
    assert district.problems == []
    assert people(district) == before


def test_a_role_that_is_not_understood_makes_nobody_somebody_else(district) -> None:
    """Her role as a student is misspelled, and she is also somebody's guardian: she stays a student."""
    district.brings(small("1.2"))
    files = small("1.2")
    files.row("roles", "r-amina")["role"] = "pupil"
    files.add("roles", sourcedId="x", userSourcedId="amina", roleType="secondary", role="guardian", orgSourcedId="s1")
    seen = district.brings(files)
    assert district.reasons == [("roles.csv", files.line("roles", "r-amina"), "role")]
    assert seen.nothing


@pytest.mark.parametrize("change", [{"type": "shcool"}, {"name": ""}, {"status": "closed"}, {"sourcedId": ""}])
def test_a_school_whose_row_is_not_used_stays_open(change: dict[str, str], district) -> None:
    district.brings(small())
    files = small()
    files.row("orgs", "s2").update(change)
    seen = district.brings(files)
    assert seen.nothing
    assert district.schools["cedar-middle-school"].active
    assert len(district.problems) == 1


def test_a_school_that_is_not_in_the_files_is_not_said_to_be_marked(district) -> None:
    district.brings(small())
    files = small()
    files.drop("orgs", "s2")
    seen = district.brings(files)
    assert seen.changes["schools"].gone == 1
    assert {each.code for each in district.problems if each.file == "users.csv"} == {"school_unknown"}
    assert {"yusuf", "mai"} <= set(district.students)


def test_in_a_list_of_changes_a_deletion_counts_beside_a_row_nobody_can_read(district, tmp_path: Path) -> None:
    district.brings(small())
    files = Files()
    files.add("orgs", sourcedId="d1", status="active", name="Riverbend District", type="district")
    files.add("users", sourcedId="sam", status="tobedeleted", role="student")
    files.student("leo", "s1", "ana", "ben", grade="KG", name="Leo García", status="active")
    files.manifest(orgs="delta", users="delta")
    folder = files.folder(tmp_path / "files")
    body = (folder / "users.csv").read_bytes().replace(b"\r\nleo", b"\r\n\x00leo")
    (folder / "users.csv").write_bytes(body)
    seen = district.brings(folder)
    assert seen.changes["students"].gone == 1
    assert set(district.students) == {"amina", "yusuf", "leo", "mai"}


def whole(version: str) -> Files:
    """A roster in which every file has information that no other has."""
    files = small(version)
    files.room("c1", "3B")
    for row in files.rows["users"]:
        row.setdefault("metadata.homeId", "")
        row["metadata.homeLanguage"] = row.get("metadata.homeLanguage", "")
    files.add("demographics", sourcedId="sam", metadata_homeLanguage="Arabic", metadata_ell="yes")
    files.add("languages", studentId="mai", language="Hmong")
    return files


def broken(line: bytes, rng: Random) -> bytes:
    """Return a row that cannot be read any more."""
    at = rng.randrange(len(line))
    return rng.choice(
        (
            line[:at] + b"\x00" + line[at:],
            line[:at] + b"\x81\xff" + line[at:],
            b'"' + line,
            b'x"' + line[:at] + b'" ,"x',
            line + b",x",
            line[:at] + b"," + line[at:],
            b"," + line.partition(b",")[2],  # without the id
            line[:at] + b"x" * 70_000 + line[at:],
        )
    )


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("seed", range(12))
def test_a_row_nobody_can_read_deletes_and_closes_nothing(version: str, seed: int, district, tmp_path: Path) -> None:
    """In any file of a full list: people, schools, households, their languages, flags, and classes stay."""
    rng = Random(f"{version} {seed}")
    district.brings(whole(version))
    before = people(district)
    assert "hmn" in before[2].values()
    for number in range(6):
        folder = whole(version).folder(tmp_path / f"{number}")
        file = rng.choice(sorted(folder.iterdir()))
        lines = file.read_bytes().split(b"\r\n")
        place = rng.randrange(1, len(lines) - 1)
        lines[place] = broken(lines[place], rng)
        file.write_bytes(b"\r\n".join(lines))
        seen = district.brings(folder)
        assert people(district) == before, (file.name, lines[place][:200], district.problems)
        assert not seen.sum("gone")


LABELS, NO_LANGUAGES = (
    [line.partition(" (meant")[0] for line in part.splitlines() if line and not line.startswith("#")]
    for part in (CASES / "language-labels.txt").read_text("utf-8").split("# Not a language")
)


@pytest.mark.parametrize("label", LABELS)
def test_labels_of_state_lists_name_a_language(label: str) -> None:
    assert find_language_tag(label)
    assert find_language_tag(label.upper()) == find_language_tag(label.lower()) == find_language_tag(label)


@pytest.mark.parametrize("label", NO_LANGUAGES[1:])
def test_what_is_no_language_is_none_and_is_reported(label: str, district) -> None:
    assert find_language_tag(label) is None or is_unknown_language(label)
    files = small()
    files.row("users", "sam")["metadata.homeLanguage"] = label
    district.brings(files)
    assert next(one.code for one in district.problems) in ("language", "language_none")
    assert district.households[district.home_of("sam")].language == "und"
