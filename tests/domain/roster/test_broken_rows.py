"""Rows that are broken in different ways. Each is refused on its own, with its file, line, and reason; the others are
imported."""

import io
from collections.abc import Callable
from gettext import NullTranslations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engage.domain.roster import remarks
from engage.domain.roster.csv_reader import read_records
from engage.domain.roster.files import CHUNK, _detect_encoding
from engage.domain.roster.remarks import RosterRefused, RowProblem, reason_text
from tests.domain.roster.generator import Files, small

pytestmark = pytest.mark.slow

Break = Callable[[Files], tuple[str, str] | tuple[str, int]]
"""Breaks something; returns the file, and the id (or line) of the row that must be refused."""

# name: version, the function that breaks a row, the reason, and whether student "amina" is still imported
BROKEN: dict[str, tuple[str, Break, str, bool]] = {}


def broken(version: str, code: str, *, comes: bool = True) -> Callable[[Break], Break]:
    def note(make: Break) -> Break:
        BROKEN[make.__name__.replace("_", " ")] = (version, make, code, comes)
        return make

    return note


def change(files: Files, file: str, id: str, **values: str) -> tuple[str, str]:
    files.row(file, id).update({name.replace("metadata_", "metadata."): value for name, value in values.items()})
    return file, id


@broken("1.1", "no_id", comes=False)
def a_student_without_an_id(files):
    line = files.line("users", "amina")
    change(files, "users", "amina", sourcedId="")
    return "users", line


@broken("1.1", "long_id", comes=False)
def an_id_that_is_too_long(files):
    line = files.line("users", "amina")
    change(files, "users", "amina", sourcedId="x" * 256)
    return "users", line


@broken("1.1", "repeated")
def an_id_that_was_there_before(files):
    files.student("amina", "s2", "ana")
    return "users", len(files.rows["users"]) + 1


@broken("1.1", "status", comes=False)
def a_status_of_its_own(files):
    return change(files, "users", "amina", status="inactive")


@broken("1.1", "role", comes=False)
def a_role_of_its_own(files):
    return change(files, "users", "amina", role="king")


@broken("1.1", "no_school", comes=False)
def a_student_without_a_school(files):
    files.rows["enrollments"] = []
    return change(files, "users", "amina", orgSourcedIds="")


@broken("1.1", "school_unknown", comes=False)
def a_school_that_is_not_there(files):
    files.rows["enrollments"] = []
    return change(files, "users", "amina", orgSourcedIds="s9")


@broken("1.1", "not_a_school", comes=False)
def a_student_of_the_district(files):
    files.rows["enrollments"] = []
    return change(files, "users", "amina", orgSourcedIds="d1")


@broken("1.1", "school_closed", comes=False)
def a_student_of_a_school_that_closes(files):
    files.school("s3", "Closing School")["status"] = "tobedeleted"
    files.rows["enrollments"] = []
    return change(files, "users", "amina", orgSourcedIds="s3")


@broken("1.1", "guardian_unknown")
def a_guardian_who_is_not_there(files):
    return change(files, "users", "amina", agentSourcedIds="hodan,ghost")


@broken("1.1", "own_guardian")
def their_own_guardian(files):
    return change(files, "users", "amina", agentSourcedIds="amina,hodan")


@broken("1.1", "many_guardians")
def more_guardians_than_anybody_has(files):
    for number in range(21):
        files.guardian(f"g{number:02}")
    return change(files, "users", "amina", agentSourcedIds=",".join(f"g{number:02}" for number in range(21)))


@broken("1.1", "many_children")
def a_guardian_of_everybody(files):
    files.guardian("all")
    for number in range(26):
        files.student(f"x{number}", "s1", "all")
    return "users", "all"


@broken("1.1", "language")
def a_language_nobody_knows(files):
    return change(files, "users", "amina", metadata_homeLanguage="Elvish")


@broken("1.1", "flag")
def neither_yes_nor_no(files):
    return change(files, "users", "amina", metadata_englishLearner="perhaps")


@broken("1.1", "grade")
def a_grade_nobody_knows(files):
    return change(files, "users", "amina", grades="x" * 21)


@broken("1.1", "long_name")
def a_name_that_is_too_long(files):
    return change(files, "users", "amina", givenName="x" * 201)


@broken("1.1", "email")
def an_address_that_is_none(files):
    return change(files, "users", "hodan", email="at home")


@broken("1.1", "phone")
def a_phone_number_that_is_none(files):
    return change(files, "users", "hodan", phone="ask me")


@broken("1.1", "no_name")
def a_school_without_a_name(files):
    files.school("s3", " ")
    return "orgs", "s3"


@broken("1.1", "long_name")
def a_school_with_a_long_name(files):
    files.school("s3", "x" * 201)
    return "orgs", "s3"


@broken("1.1", "org_type")
def an_org_of_its_own_kind(files):
    files.school("s3", "A Shop", "shop")
    return "orgs", "s3"


@broken("1.1", "user_unknown")
def an_enrollment_of_nobody(files):
    return change(files, "enrollments", "e0", userSourcedId="ghost")


@broken("1.1", "org_unknown")
def an_enrollment_nowhere(files):
    return change(files, "enrollments", "e0", schoolSourcedId="s9")


@broken("1.1", "user_unknown")
def traits_of_nobody(files):
    files.add("demographics", sourcedId="ghost", sex="male")
    return "demographics", "ghost"


@broken("1.1", "repeated")
def traits_said_twice(files):
    files.add("demographics", sourcedId="amina", sex="male")
    return "demographics", len(files.rows["demographics"]) + 1


@broken("1.2", "no_role", comes=False)
def nobodys_role(files):
    files.drop("roles", "r-amina")
    return "users", "amina"


@broken("1.2", "role", comes=False)
def a_role_nobody_knows(files):
    # the person has no role left, which is reported too
    change(files, "roles", "r-amina", role="pupil")
    return "roles", "r-amina"


@broken("1.2", "role_type")
def a_kind_of_role_nobody_knows(files):
    files.add("roles", sourcedId="r-x", userSourcedId="amina", roleType="tertiary", role="student", orgSourcedId="s1")
    return "roles", "r-x"


@broken("1.2", "end_date")
def an_end_that_is_no_day(files):
    files.add("roles", sourcedId="r-x", userSourcedId="amina", roleType="primary", role="student", endDate="June")
    return "roles", "r-x"


@broken("1.2", "user_unknown")
def a_role_of_nobody(files):
    files.add("roles", sourcedId="r-x", userSourcedId="ghost", roleType="primary", role="student", orgSourcedId="s1")
    return "roles", "r-x"


@broken("1.2", "org_unknown")
def a_role_nowhere(files):
    files.add("roles", sourcedId="r-x", userSourcedId="amina", roleType="secondary", role="student", orgSourcedId="s9")
    return "roles", "r-x"


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_row_is_refused_by_itself(name: str, district) -> None:
    version, make, code, comes = BROKEN[name]
    files = small(version)
    file, row = make(files)
    line = row if isinstance(row, int) else files.line(file, row)
    district.brings(files)
    assert (f"{file}.csv", line, code) in district.reasons
    told = [one for one in district.reasons if one[2] != "user_unknown" or one[0] == f"{file}.csv"]
    assert len(told) <= 2  # consequences of a person without an id are reported too
    assert ("amina" in district.students) == comes
    assert {"yusuf", "leo", "mai", "sam"} <= set(district.students)
    for problem in district.problems:
        assert "%" not in reason_text(problem, NullTranslations())


RAW = {
    "text beyond the last column": (b"torn" + b"," * 40 + b"x", "cells"),
    "a quotation mark that does not close": (b'torn,"active,,true,s1,student,,,,,,,,,,,,,,,,,,', "quote"),
    "a quotation mark inside": (b'torn,"act"ive,,true,s1,student,,,,,,,,,,,,,,,,,,', "quote"),
    "not UTF-8": (b"torn,,,true,s1,student,t,,Jos\xe9,,,,,,,,,,,,,,,", "not_utf8"),
    "a NUL": (b"torn,,,true,s1,student,t,,Jos\x00,,,,,,,,,,,,,,,", "control"),
    "a bell": (b"torn,,,true,s1,student,t,,Jos\x07,,,,,,,,,,,,,,,", "control"),
    "a megabyte": (b"torn,,,true,s1,student,t,," + b"x" * 1_000_000 + b",,,,,,,,,,,,,,,", "long_row"),
    "a megabyte of quotation marks": (b'torn,,,true,s1,student,t,,"' + b'""' * 500_000 + b'",,,,,,,', "long_row"),
}  # fmt: skip


@pytest.mark.parametrize("name", RAW)
@pytest.mark.parametrize("last", [False, True], ids=["within", "at the end"])
def test_a_row_that_cannot_be_read_costs_only_itself(name: str, last: bool, district, tmp_path: Path) -> None:
    raw, code = RAW[name]
    folder = small().folder(tmp_path / "files")
    lines = (folder / "users.csv").read_bytes().split(b"\r\n")
    place = len(lines) - 1 if last else 2
    lines.insert(place, raw)
    (folder / "users.csv").write_bytes(b"\r\n".join(lines))
    district.brings(folder)
    assert district.reasons == [("users.csv", place + 1, code)]
    assert set(district.students) == {"amina", "yusuf", "leo", "mai", "sam"}
    assert set(district.guardians) == {"hodan", "ana", "ben", "linh"}


def test_a_file_in_windows_1252_is_read_as_such(district, tmp_path: Path) -> None:
    files = small()
    for row in files.rows["users"]:
        if row["sourcedId"] in ("mai", "linh"):
            row["familyName"] = "Tran"
    files.row("users", "ben")["familyName"] = "O’Neil – Müller"
    folder = files.folder(tmp_path / "files")
    text = (folder / "users.csv").read_bytes().decode()
    (folder / "users.csv").write_bytes(text.encode("cp1252"))
    district.brings(folder)
    assert district.reasons == [("users.csv", 1, "windows_1252")]
    assert district.opened(district.students["leo"].name) == "Leo García"
    assert "Ben O’Neil – Müller" in str(district.opened(district.guardians["ben"].contact))


@pytest.mark.parametrize("byte", [0x81, 0x8D, 0x8F, 0x90, 0x9D])
def test_a_file_that_windows_1252_cannot_be_is_not_read_as_such(byte: int, district, tmp_path: Path) -> None:
    files = small()
    for row in files.rows["users"]:
        row["familyName"] = "Smith"
    folder = files.folder(tmp_path / "files")
    body = (folder / "users.csv").read_bytes().replace(b"Amina", b"Jos\xe9" + bytes([byte]))
    (folder / "users.csv").write_bytes(body)
    district.brings(folder)
    assert ("users.csv", files.line("users", "amina"), "not_utf8") in district.reasons
    assert ("users.csv", 1, "windows_1252") not in district.reasons


@settings(deadline=None)
@given(st.text(max_size=40), st.integers(0, 3))
def test_the_coding_of_a_file_hangs_on_all_of_it_and_not_on_where_it_is_cut(text: str, more: int) -> None:
    """UTF-8 is never taken for Windows-1252; a file whose accents are valid in Windows-1252 only is."""
    body = text.encode("utf-8", "replace")
    padding = b"x" * (CHUNK - 2 + more)
    assert _detect_encoding(io.BytesIO(padding + body), "users.csv") == "utf-8"
    assert _detect_encoding(io.BytesIO(padding + body + b"x\xf1,"), "users.csv") == (
        "cp1252" if body.isascii() else "utf-8"
    )


def test_whose_row_is_refused_stays_as_they_were(district) -> None:
    district.brings(small())
    files = small()
    change(files, "users", "amina", role="king")
    change(files, "users", "leo", orgSourcedIds="s9", metadata_homeLanguage="ar")
    change(files, "users", "linh", status="inactive")
    files.rows["enrollments"] = []
    assert district.brings(files).nothing
    assert len(district.problems) == 3


def test_every_reason_is_a_sentence_in_every_language() -> None:
    words = NullTranslations()
    for code in remarks._reason_texts(words):
        sentence = reason_text(RowProblem("users.csv", 2, code, "100% <b>"), words)
        assert sentence[-1] in ".)"
    for code in remarks._refusal_texts(words):
        assert str(RosterRefused(code, "100% <b>")).endswith(".")


def test_at_least_twenty_kinds_have_reasons_of_their_own() -> None:
    kinds = {code for _, _, code, _ in BROKEN.values()} | {code for _, code in RAW.values()}
    assert len(kinds) >= 30
    words = NullTranslations()
    assert len({reason_text(RowProblem("", 0, code, "x"), words) for code in kinds}) == len(kinds)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(alphabet='a",\r\n\x00é', max_size=12), max_size=60))
def test_whatever_the_lines_are_they_are_read_to_the_end(lines: list[str]) -> None:
    """No hang, no exception, and increasing line numbers."""
    found: list[int] = []
    told: list[int] = []
    physical = [each for line in lines for each in (line + "\n").splitlines(keepends=True)]
    for line, _ in read_records(iter(physical), lambda line, _code, _value: told.append(line)):
        found.append(line)
    assert found == sorted(set(found))
    assert all(1 <= line <= len(physical) for line in found + told)
    assert not set(found) & set(told)
