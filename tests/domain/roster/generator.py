"""Generator of a district as OneRoster CSV, 1.1 or 1.2, of any size: split homes, siblings in different schools,
families with several languages, names in every script. The same seed gives the same bytes."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

GIVEN = ["Amina", "José", "Nguyễn", "Wei", "فاطمة", "O'Neil", "Ann-Marie", "Łucja", "Ayaan", "Siobhán", "李", "Đức"]
FAMILY = ["Yusuf", "García", "Trần", "王", "الأحمد", "Smith, Jr.", 'Mc"Kay', "Hassan", "Nuñez", "van der Berg", "Abdi"]
TONGUES = ["en", "Spanish", "spa", "ar", "Somali", "vi", "Chinese (Simplified)", "zh-CN", "fr-CA", ""]
GRADES = ["PK", "KG", *(f"{each:02}" for each in range(1, 13))]

COLUMNS = {
    "orgs": ("sourcedId", "status", "dateLastModified", "name", "type", "identifier", "parentSourcedId"),
    "users1.1": (
        "sourcedId", "status", "dateLastModified", "enabledUser", "orgSourcedIds", "role", "username", "userIds",
        "givenName", "familyName", "middleName", "identifier", "email", "sms", "phone", "agentSourcedIds", "grades",
        "password", "metadata.homeLanguage", "metadata.readingLanguage", "metadata.speakingLanguage",
        "metadata.englishLearner", "metadata.iep", "metadata.homeId",
    ),
    "users1.2": (
        "sourcedId", "status", "dateLastModified", "enabledUser", "username", "userIds", "givenName", "familyName",
        "middleName", "identifier", "email", "sms", "phone", "agentSourcedIds", "grades", "password",
        "userMasterIdentifier", "resourceSourcedIds", "preferredGivenName", "preferredMiddleName",
        "preferredFamilyName", "primaryOrgSourcedId", "pronouns", "metadata.homeLanguage",
        "metadata.readingLanguage", "metadata.speakingLanguage", "metadata.englishLearner", "metadata.iep",
        "metadata.homeId",
    ),
    "roles": (
        "sourcedId", "status", "dateLastModified", "userSourcedId", "roleType", "role", "beginDate", "endDate",
        "orgSourcedId", "userProfileSourcedId",
    ),
    "classes": (
        "sourcedId", "status", "dateLastModified", "title", "grades", "courseSourcedId", "classCode", "classType",
        "location", "schoolSourcedId", "termSourcedIds", "subjects", "subjectCodes", "periods",
    ),
    "enrollments": (
        "sourcedId", "status", "dateLastModified", "classSourcedId", "schoolSourcedId", "userSourcedId", "role",
        "primary", "beginDate", "endDate",
    ),
    "demographics": ("sourcedId", "status", "dateLastModified", "birthDate", "sex", "hispanicOrLatinoEthnicity"),
    "manifest": ("propertyName", "value"),
    "languages": ("studentId", "language"),
}  # fmt: skip

Row = dict[str, str]


@dataclass
class Files:
    """Rows by file, which a test can change before they are written."""

    version: str = "1.1"
    rows: dict[str, list[Row]] = field(default_factory=dict)
    columns: dict[str, Sequence[str]] = field(default_factory=dict)
    bom: bool = False
    ending: str = "\r\n"

    def add(self, file: str, **row: str) -> Row:
        """Add a row; "metadata_x" stands for the column "metadata.x"."""
        made = {name.replace("metadata_", "metadata."): value for name, value in row.items()}
        self.rows.setdefault(file, []).append(made)
        return made

    def row(self, file: str, id: str) -> Row:
        """The row with this sourcedId."""
        return next(row for row in self.rows[file] if row["sourcedId"] == id)

    def drop(self, file: str, id: str) -> None:
        """Take out the row with this sourcedId."""
        self.rows[file].remove(self.row(file, id))

    def line(self, file: str, id: str) -> int:
        """Return the line number of this row, if no cell has a line end."""
        return 2 + self.rows[file].index(self.row(file, id))

    def names(self, file: str) -> Sequence[str]:
        """The columns of a file."""
        found = self.columns.get(file) or COLUMNS.get(file) or COLUMNS[f"{file}{self.version}"]
        more = {name: None for row in self.rows.get(file, ()) for name in row if name not in found}
        return [*found, *more]

    def text(self, file: str) -> bytes:
        """A file's bytes."""
        page = io.StringIO(newline="")
        names = self.names(file)
        writer = csv.DictWriter(page, names, restval="", lineterminator=self.ending)
        writer.writeheader()
        writer.writerows(self.rows.get(file, ()))
        return page.getvalue().encode("utf-8-sig" if self.bom else "utf-8")

    def folder(self, path: Path) -> Path:
        """Write every file into a folder."""
        path.mkdir(parents=True, exist_ok=True)
        for file in self.rows:
            (path / f"{file}.csv").write_bytes(self.text(file))
        return path

    def zip(self, path: Path) -> Path:
        """Write every file into a ZIP file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name in self.rows:
                file.writestr(f"{name}.csv", self.text(name))
        return path

    # people, in both versions

    def school(self, id: str, name: str, kind: str = "school") -> Row:
        """Add an org."""
        return self.add("orgs", sourcedId=id, name=name, type=kind, identifier=id)

    def student(self, id: str, school: str = "s1", *agents: str, grade: str = "03", name: str = "", **more: str) -> Row:
        """Add a student with guardians."""
        given, _, family = name.partition(" ")
        made = self._person(id, "student", school, given, family, **more)
        made |= {"agentSourcedIds": ",".join(agents), "grades": grade}
        return made

    def guardian(self, id: str, name: str = "", role: str = "parent", org: str = "d1", **more: str) -> Row:
        """Add a guardian."""
        given, _, family = name.partition(" ")
        return self._person(id, role, org, given, family, **more)

    def _person(self, id: str, role: str, org: str, given: str, family: str, **more: str) -> Row:
        common = {"sourcedId": id, "enabledUser": "true", "username": id, "givenName": given, "familyName": family}
        if self.version == "1.1":
            return self.add("users", **common, role=role, orgSourcedIds=org, **more)
        self.add("roles", sourcedId=f"r-{id}", userSourcedId=id, roleType="primary", role=role, orgSourcedId=org)
        return self.add("users", **common, primaryOrgSourcedId=org, **more)

    def room(self, id: str, title: str, school: str = "s1", kind: str = "homeroom", **more: str) -> Row:
        """Add a class."""
        return self.add("classes", sourcedId=id, title=title, classType=kind, schoolSourcedId=school, **more)

    def sits(self, student: str, room: str, school: str = "s1", **more: str) -> Row:
        """Add an enrollment of a student in a class."""
        common = {"classSourcedId": room, "schoolSourcedId": school, "userSourcedId": student, "role": "student"}
        return self.add("enrollments", **{"sourcedId": f"e-{student}-{room}", **common, **more})

    def manifest(self, **modes: str) -> None:
        """Add a manifest. Files that are not named are bulk if present, else absent."""
        every = {name: "bulk" if name in self.rows else "absent" for name in ("orgs", "users", "roles", "enrollments")}
        every |= {name: "bulk" for name in ("classes", "demographics") if name in self.rows} | modes
        said = {"manifest.version": "1.0", "oneroster.version": self.version}
        said |= {f"file.{name}": mode for name, mode in every.items()}
        self.rows["manifest"] = [{"propertyName": name, "value": value} for name, value in said.items()]


def small(version: str = "1.1") -> Files:
    """Return two schools and four homes: a mother of two in different schools, a split home, a grandmother, and a child
    without guardians."""
    files = Files(version)
    files.school("d1", "Riverbend District", "district")
    files.school("s1", "Lincoln Elementary")
    files.school("s2", "Cedar Middle School")
    more = {"metadata_homeLanguage": "Somali", "metadata_englishLearner": "yes"}
    files.student("amina", "s1", "hodan", grade="02", name="Amina Yusuf", **more)
    files.student("yusuf", "s2", "hodan", grade="07", name="Yusuf Yusuf", **more, metadata_iep="1")
    files.student("leo", "s1", "ana", "ben", grade="KG", name="Leo García", metadata_homeLanguage="es-MX")
    files.student("mai", "s2", "linh", grade="06", name="Mai Trần", metadata_homeLanguage="vie")
    files.student("sam", "s1", grade="05", name="Sam Smith")
    speaks = {"metadata_readingLanguage": "so", "metadata_speakingLanguage": "Somali"}
    files.guardian("hodan", "Hodan Ali", **speaks, email="hodan@example.org", phone="555-0100")
    files.guardian("ana", "Ana García", metadata_readingLanguage="Spanish", metadata_homeId="Elm St. 1")
    files.guardian("ben", "Ben Miller", metadata_readingLanguage="en", metadata_homeId="Oak Ave 9")
    files.guardian("linh", "Linh Trần", "relative", metadata_speakingLanguage="Vietnamese")
    files.add("demographics", sourcedId="amina", sex="female", birthDate="2018-02-03")
    for number, (who, school) in enumerate((("amina", "s1"), ("yusuf", "s2"), ("leo", "s1"), ("mai", "s2"))):
        files.add("enrollments", sourcedId=f"e{number}", classSourcedId="c1", schoolSourcedId=school,
                  userSourcedId=who, role="student")  # fmt: skip
    return files


def large(folder: Path, students: int, version: str = "1.2", seed: int = 1) -> Path:
    """Write a district with this number of students and 1.5 times as many guardians, row by row."""
    rng = Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    files = Files(version)
    schools = [f"s{each}" for each in range(max(2, students // 700))]
    _write(folder, files, "orgs", _orgs(schools))
    _write(folder, files, "classes", _classes(schools))
    with _page(folder, "users") as users, _page(folder, "roles") as roles, _page(folder, "enrollments") as enrollments:
        out = {
            "users": csv.DictWriter(users, COLUMNS[f"users{version}"], restval=""),
            "roles": csv.DictWriter(roles, COLUMNS["roles"], restval=""),
            "enrollments": csv.DictWriter(enrollments, COLUMNS["enrollments"], restval=""),
        }
        for writer in out.values():
            writer.writeheader()
        for file, row in _people(students, schools, version, rng):
            out[file].writerow(row)
    if version == "1.1":
        (folder / "roles.csv").unlink()
    return folder


def _page(folder: Path, file: str) -> io.TextIOWrapper:
    return (folder / f"{file}.csv").open("w", encoding="utf-8", newline="")


def _write(folder: Path, files: Files, file: str, rows: Iterable[Row]) -> None:
    with _page(folder, file) as page:
        writer = csv.DictWriter(page, files.names(file), restval="")
        writer.writeheader()
        writer.writerows(rows)


def _orgs(schools: Sequence[str]) -> Iterator[Row]:
    yield {"sourcedId": "d1", "name": "A District", "type": "district"}
    for each in schools:
        yield {"sourcedId": each, "name": f"School {each[1:]}", "type": "school", "parentSourcedId": "d1"}


def _classes(schools: Sequence[str]) -> Iterator[Row]:
    """Yield two homerooms of each grade and five subjects in each school."""
    for school in schools:
        for grade in GRADES:
            for letter in "AB":
                id, title = f"c-{school}-{grade}{letter}", f"{grade.lstrip('0')}{letter}"
                yield {"sourcedId": id, "title": title, "classType": "homeroom", "schoolSourcedId": school}
        for lesson in range(1, 6):
            id, title = f"c-{school}-{lesson}", f"Lesson {lesson}"
            yield {"sourcedId": id, "title": title, "classType": "scheduled", "schoolSourcedId": school}


def _people(students: int, schools: Sequence[str], version: str, rng: Random) -> Iterator[tuple[str, Row]]:
    """Yield families of one or two children. Most have two guardians; every sixth pair has separate homes."""
    made = number = 0
    while made < students:
        number += 1
        two = rng.random() < 0.92
        apart = two and rng.random() < 0.16
        guardians = [f"g{number:07}a"] + ([f"g{number:07}b"] if two else [])
        tongue, home = rng.choice(TONGUES), rng.choice(schools)
        for each in guardians:
            more = {"metadata.readingLanguage": tongue, "metadata.speakingLanguage": tongue}
            more |= {"metadata.homeId": f"{number} {each[-1]} Street"} if apart else {}
            more |= {"email": f"{each}@example.org", "phone": f"555-01{number % 100:02}"}
            yield from _rows(each, "guardian", "d1", version, more, rng)
        for child in range(min(rng.choice((1, 1, 1, 1, 1, 2, 2)), students - made)):
            made += 1
            school = home if child == 0 or rng.random() < 0.6 else rng.choice(schools)
            more = {"metadata.homeLanguage": tongue, "agentSourcedIds": ",".join(guardians)}
            more |= {"grades": rng.choice(GRADES), "metadata.englishLearner": "yes" if rng.random() < 0.1 else "no"}
            more |= {"metadata.iep": "1" if rng.random() < 0.12 else "0"}
            id = f"p{made:07}"
            yield from _rows(id, "student", school, version, more, rng)
            for lesson in range(6):
                room = lesson or f"{more['grades']}{'AB'[made % 2]}"  # the first is the homeroom
                yield "enrollments", _enrolled(f"e{made}-{lesson}", id, school, f"c-{school}-{room}")


def _enrolled(id: str, user: str, school: str, room: str) -> Row:
    return {
        "sourcedId": id,
        "classSourcedId": room,
        "schoolSourcedId": school,
        "userSourcedId": user,
        "role": "student",
    }


def _rows(
    id: str, role: str, org: str, version: str, more: Mapping[str, str], rng: Random
) -> Iterator[tuple[str, Row]]:
    row = {"sourcedId": id, "enabledUser": "true", "username": id, "givenName": rng.choice(GIVEN)}
    row |= {"familyName": rng.choice(FAMILY), **more}
    if version == "1.1":
        yield "users", row | {"role": role, "orgSourcedIds": org}
        return
    yield "users", row | {"primaryOrgSourcedId": org}
    yield (
        "roles",
        {
            "sourcedId": f"r-{id}",
            "userSourcedId": id,
            "roleType": "primary",
            "role": role,
            "orgSourcedId": org,
        },
    )
