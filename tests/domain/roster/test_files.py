"""Files from outside: malicious ZIP files, and ordinary mistakes."""

import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from engage.domain.roster.files import RosterSource, open_roster
from engage.domain.roster.remarks import RosterRefused
from tests.domain.roster.generator import small

Build = Callable[[zipfile.ZipFile], None]


def entry(name: str, body: bytes = b"a\r\n", mode: int = 0, method: int = zipfile.ZIP_DEFLATED) -> Build:
    def put(file: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo("placeholder")
        info.filename = name
        info.external_attr = mode << 16
        info.compress_type = method
        file.writestr(info, body)

    return put


def nested(file: zipfile.ZipFile) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as zip:
        zip.writestr("orgs.csv", "sourcedId\r\n")
    file.writestr("roster.zip", inner.getvalue())


def crowd(file: zipfile.ZipFile) -> None:
    for number in range(201):
        file.writestr(f"{number}.csv", "")


HOSTILE: dict[str, tuple[Build, str]] = {
    "up and out": (entry("../orgs.csv"), "zip_path"),
    "deep, up and out": (entry("a/../../orgs.csv"), "zip_path"),
    "from the top": (entry("/etc/orgs.csv"), "zip_path"),
    "a drive": (entry("C:/orgs.csv"), "zip_path"),
    "backslashes": (entry("..\\orgs.csv"), "zip_path"),
    "in several folders": (lambda file: (entry("a/orgs.csv")(file), entry("b/users.csv")(file)), "zip_nested"),
    "a link": (entry("orgs.csv", b"/etc/passwd", stat.S_IFLNK | 0o777), "zip_link"),
    "a device": (entry("orgs.csv", b"", stat.S_IFCHR | 0o666), "zip_link"),
    "a bomb": (entry("users.csv", b"a" * 20_000_000), "too_tight"),
    "another packing": (entry("orgs.csv", b"x" * 100, method=zipfile.ZIP_BZIP2), "zip_method"),
    "a crowd": (crowd, "zip_crowded"),
    "twice": (lambda file: (entry("orgs.csv")(file), entry("ORGS.csv")(file)), "file_twice"),
    "a ZIP in a ZIP": (nested, "no_file"),
    "nothing": (lambda file: None, "no_file"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_zip_is_refused_and_writes_nothing(name: str, tmp_path: Path, district) -> None:
    build, code = HOSTILE[name]
    path = tmp_path / "given" / "x.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as file:
        build(file)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RosterRefused) as refused:
        district.brings(path)
    assert refused.value.code == code
    new = set(tmp_path.rglob("*")) - set(before)
    assert not {each for each in new if each.suffix in (".csv", ".zip")}


def test_a_zip_that_lies_about_its_sizes(tmp_path: Path) -> None:
    """The directory says 10 bytes; reading stops there and finds a wrong checksum."""
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("orgs.csv", b"sourcedId,name\r\n" * 100_000)
    body = bytearray(path.read_bytes())
    at = body.index(b"PK\x01\x02")
    struct.pack_into("<L", body, at + 24, 10)
    path.write_bytes(bytes(body))
    with open_roster(path) as source, pytest.raises(RosterRefused) as refused:
        list(source.lines("orgs.csv"))
    assert refused.value.code == "zip_damaged"


def test_a_zip_with_a_password(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("orgs.csv", "x")
    body = bytearray(path.read_bytes())
    body[body.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(body))
    with pytest.raises(RosterRefused) as refused, open_roster(path):
        pass
    assert refused.value.code == "zip_locked"


@pytest.mark.parametrize("body", [b"", b"PK", b"PK\x03\x04 half of it", b"sourcedId,name\r\n", os.urandom(1000)])
def test_what_is_no_zip(body: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(body)
    with pytest.raises(RosterRefused, match="not a ZIP file"), open_roster(path):
        pass


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(RosterRefused, match="Nothing was found at"), open_roster(tmp_path / "nowhere"):
        pass


def test_what_the_mac_adds_is_overlooked(tmp_path: Path, district) -> None:
    path = small().zip(tmp_path / "x.zip")
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("__MACOSX/._orgs.csv", "x")
        file.writestr(".DS_Store", "x")
    assert district.brings(path).changes["students"].added == 5


@pytest.mark.parametrize("folder", ["export/", "Roster 2026/export/", "Roster 2026\\"])
def test_a_zip_that_holds_one_folder_is_read(folder: str, tmp_path: Path, district) -> None:
    path = tmp_path / "x.zip"
    files = small()
    with zipfile.ZipFile(path, "w") as file:
        entry(folder.replace("\\", "/"), b"")(file)
        for name in files.rows:
            entry(f"{folder}{name}.csv", files.text(name))(file)
        entry(f"__MACOSX/{folder}._users.csv", b"x")(file)
        entry(f"{folder}.DS_Store", b"x")(file)
    assert district.brings(path).changes["students"].added == 5
    assert district.problems == []


def test_what_lies_beside_the_roster_is_left_out_with_a_remark(tmp_path: Path, district) -> None:
    path = small().zip(tmp_path / "x.zip")
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("docs/readme.txt", "x")
        file.writestr("old/users.csv", "x")
    seen = district.brings(path)
    assert seen.changes["students"].added == 5
    assert district.reasons == [("docs/readme.txt", 0, "ignored"), ("old/users.csv", 0, "ignored")]
    assert seen.refused == 0


OPTIONAL = {
    "demographics": (b"who,sex\r\namina,female\r\n", "no_column"),
    "classes": (b"name\r\n3B\r\n", "no_column"),
    "enrollments": (
        b"sourcedId,sourced_id,schoolSourcedId,userSourcedId,role\r\n1,1,s1,sam,student\r\n",
        "column_twice",
    ),
    "languages": (b"who,what\r\na,b\r\n", "languages_columns"),
}


@pytest.mark.parametrize("file", OPTIONAL)
def test_a_file_that_is_not_needed_stops_nothing(file: str, tmp_path: Path, district) -> None:
    district.brings(small())
    before = district.students["amina"].home_language, district.students["amina"].english_learner
    folder = small().folder(tmp_path / "files")
    body, code = OPTIONAL[file]
    (folder / f"{file}.csv").write_bytes(body)
    assert district.brings(folder).nothing
    assert district.reasons == [(f"{file}.csv", 1, code)]
    assert before == (district.students["amina"].home_language, district.students["amina"].english_learner)


@pytest.mark.parametrize("head", [b"", b"sourcedId,status,other\r\n", b"userSourcedId,sex\r\n,\r\n"])
@pytest.mark.parametrize("file", ["demographics", "classes", "enrollments", "roles", "languages"])
def test_a_file_without_rows_is_nothing(file: str, head: bytes, tmp_path: Path, district) -> None:
    files = small()
    files.room("c1", "3B")
    district.brings(files)
    assert district.students["leo"].class_name == "3B"
    folder = files.folder(tmp_path / "files")
    (folder / f"{file}.csv").write_bytes(head)
    assert district.brings(folder).nothing
    assert district.students["leo"].class_name == "3B"


def test_a_folder_and_its_zip_have_one_digest(tmp_path: Path) -> None:
    def digest(source: RosterSource) -> str:
        for name in ("orgs.csv", "users.csv"):
            list(source.lines(name))
        return source.digest

    with open_roster(small().folder(tmp_path / "a")) as folder, open_roster(small().zip(tmp_path / "b.zip")) as packed:
        assert digest(folder) == digest(packed)


@pytest.mark.parametrize(
    ("file", "body", "code"),
    [
        ("orgs", b"", "empty_file"),
        ("users", b"\xff\xfes\x00o\x00", "utf16"),
        ("orgs", b"name,type\r\nx,school\r\n", "no_column"),
        ("users", b"sourcedId,role,givenName,GIVENNAME\r\n", "column_twice"),
        ("users", b"sourcedId,givenName\r\nx,y\r\n", "no_role"),
        ("users", b"sourcedId,role\r\n", "no_students"),
        ("manifest", b"propertyName,value\r\nfile.users,sometimes\r\n", "manifest"),
        ("manifest", b"propertyName,value\r\nfile.roles,bulk\r\n", "no_file"),
        ("manifest", b"propertyName,value\r\nfile.users,absent\r\n", "no_file"),
        ("manifest", b'propertyName,value\r\nfile.users,"delta\r\nfile.orgs,bulk\r\n', "manifest_line"),
        ("manifest", b"propertyName,value\r\nfile.users\r\n", "manifest"),
    ],
)
def test_files_that_cannot_be_used_at_all(file: str, body: bytes, code: str, tmp_path: Path, district) -> None:
    folder = small().folder(tmp_path / "files")
    (folder / f"{file}.csv").write_bytes(body)
    with pytest.raises(RosterRefused) as refused:
        district.brings(folder)
    assert refused.value.code == code
    assert str(refused.value).strip()
    assert not district.students


@pytest.mark.parametrize("file", ["orgs", "users"])
def test_a_file_that_is_missing(file: str, tmp_path: Path, district) -> None:
    folder = small().folder(tmp_path / "files")
    (folder / f"{file}.csv").unlink()
    with pytest.raises(RosterRefused, match=rf"{file}\.csv. is missing"):
        district.brings(folder)
