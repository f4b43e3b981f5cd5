"""OneRoster CSV, 1.1 and 1.2: the files are read row by row onto the stage, and every row is looked at by itself."""

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from engage.questionnaire.text import clean
from engage.roster.grades import LONGEST, grade
from engage.roster.reasons import RosterRefused
from engage.roster.rooms import UNSURE, is_seat, kinds, room, seat
from engage.roster.rows import Row, Tell, first, rows
from engage.roster.source import Source
from engage.roster.stage import Stage
from engage.roster.tongues import tag_of

FILES = ("orgs", "users", "roles", "classes", "enrollments", "demographics")
OF_PEOPLE = ("users", "demographics")  # files whose sourcedIds are people
LANGUAGES_FILE = "languages"  # the two-column file that may come beside
ID_MOST = 255  # characters, as the columns hold
NAME_MOST = 200  # characters of a name
GUARDIANS = 20  # of one student
ORG_TYPES = frozenset({"department", "school", "district", "local", "state", "national"})
GUARDIAN_ROLES = frozenset({"guardian", "parent", "relative"})
OTHER_ROLES = frozenset(
    {"administrator", "aide", "proctor", "teacher", "counselor", "districtadministrator", "principal"}
    | {"siteadministrator", "systemadministrator"}
)
KINDS = {"student": "student", **dict.fromkeys(GUARDIAN_ROLES, "guardian"), **dict.fromkeys(OTHER_ROLES, "other")}

# Columns that districts put the same thing in, the likeliest first (names in small letters, without "_").
HOME_LANGUAGE = ("metadata.homelanguage", "metadata.homelanguagecode", "metadata.nativelanguage", "metadata.language")
READS = ("metadata.readinglanguage", "metadata.correspondencelanguage", "metadata.writtenlanguage", "metadata.language")
SPEAKS = ("metadata.speakinglanguage", "metadata.spokenlanguage")
LEARNER = ("metadata.englishlearner", "metadata.englishlanguagelearner", "metadata.ell", "metadata.el", "metadata.lep")
DISABILITY = ("metadata.disability", "metadata.iep", "metadata.swd", "metadata.specialeducation")
HOME = ("metadata.household", "metadata.householdid", "metadata.homeid", "metadata.home", "metadata.address")

YES, NO = frozenset({"yes", "y", "true", "t", "1"}), frozenset({"no", "n", "false", "f", "0"})
UNSAID = -1  # a flag whose column is there and empty
_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+")
_PHONE = re.compile(r"(?=(?:\D*\d){5})[\d\s()+./xX#*;,a-zA-Z-]{5,40}")


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read: `today` ends roles, `keep_names` False leaves names and contacts where they are, `home_key` turns
    keys of homes, which may be addresses, into keyed digests."""

    stage: Stage
    today: date
    keep_names: bool
    home_key: bytes
    modes: dict[str, str] = field(default_factory=dict)

    def tell(self, file: str) -> Tell:
        """What `rows` calls for a row that cannot be read."""
        return lambda line, code, value: self.stage.problem(file, line, code, value)


def read(source: Source, reading: Reading) -> None:
    """Put all files on the stage and say in `reading.modes` which are bulk, delta, absent. Raises RosterRefused."""
    reading.modes.update(_manifest(source, reading))
    reading.stage.sql.execute("begin")
    for name, put in READERS.items():
        if reading.modes[name] != "absent":
            put(source, reading)
    if source.has(f"{LANGUAGES_FILE}.csv"):
        _languages(source, reading)
    reading.stage.sql.execute("commit")
    reading.stage.keep("modes", reading.modes)
    reading.stage.keep("digest", source.digest)


def _manifest(source: Source, reading: Reading) -> dict[str, str]:
    modes = {name: "bulk" if source.has(f"{name}.csv") else "absent" for name in FILES}
    if source.has("manifest.csv"):
        for _, row in rows(source, "manifest.csv", ("propertyname", "value"), reading.tell("manifest.csv")):
            name, said = str(row["propertyname"]).lower().removeprefix("file."), str(row["value"]).lower()
            if name in modes and (name != "classes" or source.has("classes.csv")):  # only it is done without
                modes[name] = said
    for name, said in modes.items():
        if said not in ("absent", "bulk", "delta"):
            raise RosterRefused("manifest", f"{name}: {said}")
        if said != "absent" and not source.has(f"{name}.csv"):
            raise RosterRefused("no_file", f"{name}.csv")
    delta = "delta" in modes.values()
    for name in ("orgs", "users"):
        if modes[name] == "absent" and not delta:
            raise RosterRefused("no_file", f"{name}.csv")
    return modes


def _orgs(source: Source, reading: Reading) -> None:
    def found() -> Iterator[Sequence[Any]]:
        for line, row, gone in _living(source, reading, "orgs", ("name", "type")):
            name, kind = clean(str(row["name"]), lines=False), str(row["type"]).lower()
            if not gone and kind not in ORG_TYPES:
                reading.stage.problem("orgs.csv", line, "org_type", kind)
            elif not gone and kind == "school" and not name:
                reading.stage.problem("orgs.csv", line, "no_name")
            elif len(name) > NAME_MOST:
                reading.stage.problem("orgs.csv", line, "long_name", name)
            else:
                yield row["sourcedid"], line, gone, kind, name

    reading.stage.put("orgs", found())


def _users(source: Source, reading: Reading) -> None:
    by_roles = reading.modes["roles"] != "absent"

    def found() -> Iterator[Sequence[Any]]:
        for line, row, gone in _living(source, reading, "users", ()):
            role = str(row.get("role") or "").lower()
            if not by_roles and "role" not in row:
                raise RosterRefused("no_role")
            if not by_roles and not gone and role not in KINDS:
                reading.stage.problem("users.csv", line, "role", role)
                reading.stage.put("refused", [(row["sourcedid"],)])
                continue
            yield _user(row, line, gone, None if by_roles else KINDS.get(role, "other"), reading)

    reading.stage.put("users", found())


def _user(row: Row, line: int, gone: bool, kind: str | None, reading: Reading) -> Sequence[Any]:
    id, note = str(row["sourcedid"]), _Note(reading, "users.csv", line)
    if not gone:
        orgs = [each for each in _listed(row.get("orgsourcedids")) if each]
        reading.stage.put("user_orgs", ((id, position, org, line) for position, org in enumerate(orgs)))
        reading.stage.put("agents", note.agents(id, _listed(row.get("agentsourcedids"))))
    return (
        id,
        line,
        gone,
        kind,
        row.get("primaryorgsourcedid") or None,
        note.grade(row.get("grades")),
        *(note.contact(row) if reading.keep_names else (None, None, None)),
        "agentsourcedids" in row,
        *_traits(row, note),
        note.home(row),
    )


def _roles(source: Source, reading: Reading) -> None:
    def found() -> Iterator[Sequence[Any]]:
        for line, row, gone in _living(source, reading, "roles", ("usersourcedid", "role")):
            role, kind = str(row["role"]).lower(), str(row.get("roletype") or "primary").lower()
            ends = _day(row.get("enddate"))
            if not gone and role not in KINDS:
                reading.stage.problem("roles.csv", line, "role", role)
            elif not gone and kind not in ("primary", "secondary"):
                reading.stage.problem("roles.csv", line, "role_type", kind)
            elif ends is None:
                reading.stage.problem("roles.csv", line, "end_date", str(row.get("enddate")))
            else:
                over = gone or ends < reading.today
                org = row.get("orgsourcedid") or None
                yield row["usersourcedid"], line, over, KINDS.get(role, "other"), kind == "primary", org

    reading.stage.put("roles", found())


def _classes(source: Source, reading: Reading) -> None:
    def found() -> Iterator[Sequence[Any]]:
        for line, row, gone in _living(source, reading, "classes", ()):
            if "title" not in row or "classtype" not in row:
                reading.stage.problem("classes.csv", 1, "class_columns")
                reading.modes["classes"] = "absent"
                return
            yield row["sourcedid"], line, gone, *room(row, gone, _Note(reading, "classes.csv", line).tell)

    reading.stage.put("classes", found())


def _enrollments(source: Source, reading: Reading) -> None:
    """Where a student is, and, of homerooms, the seat; a seat that is given up is of no school."""
    needed, kind = ("schoolsourcedid", "usersourcedid", "role"), kinds(reading.stage)
    named = False

    def found() -> Iterator[Sequence[Any]]:
        nonlocal named
        for line, row, gone in _living(source, reading, "enrollments", needed):
            if str(row["role"]).lower() != "student":
                continue
            named = named or "classsourcedid" in row
            where, id = None if gone else row["schoolsourcedid"], row.get("classsourcedid")
            if id and is_seat(kind(id), gone):
                sits = seat(row, gone, kind(id), reading.today, _Note(reading, "enrollments.csv", line).tell)
                yield row["usersourcedid"], where, line, id, *sits
            elif not gone:
                yield row["usersourcedid"], where, line, None, None, None

    reading.stage.put("enrollments", found())
    reading.stage.keep("seats", named)


def _demographics(source: Source, reading: Reading) -> None:
    def found() -> Iterator[Sequence[Any]]:
        for line, row, gone in _living(source, reading, "demographics", ()):
            yield row["sourcedid"], line, gone, *_traits(row, _Note(reading, "demographics.csv", line))

    reading.stage.put("traits", found())


READERS = {
    "orgs": _orgs,
    "users": _users,
    "roles": _roles,
    "classes": _classes,
    "enrollments": _enrollments,
    "demographics": _demographics,
}


def _languages(source: Source, reading: Reading) -> None:
    """The two-column file: who, and the home language of a student or the reading language of a guardian."""
    file = f"{LANGUAGES_FILE}.csv"
    whose = {"studentid": "student", "guardianid": "guardian", "sourcedid": "", "id": ""}

    def found() -> Iterator[Sequence[Any]]:
        for line, row in rows(source, file, (), reading.tell(file)):
            column = next((each for each in whose if each in row), None)
            if column is None or "language" not in row:
                raise RosterRefused("languages_columns")
            if not row[column]:
                reading.stage.problem(file, line, "no_id")
            elif tag := _Note(reading, file, line).language(row["language"]):
                yield row[column], line, whose[column], tag

    reading.stage.put("languages", found())


def _living(source: Source, reading: Reading, name: str, needed: Sequence[str]) -> Iterator[tuple[int, Row, bool]]:
    """Rows with an id and a status; those to be deleted are left out of bulk files and marked in delta files."""
    file, bulk, tell = f"{name}.csv", reading.modes[name] == "bulk", reading.stage.problem
    for line, row in rows(source, file, ("sourcedid", *needed), reading.tell(file)):
        status = str(row.get("status") or "").lower()
        if not row["sourcedid"]:
            tell(file, line, "no_id")
        elif len(str(row["sourcedid"])) > ID_MOST:
            tell(file, line, "long_id")
        elif status not in ("", "active", "tobedeleted"):
            tell(file, line, "status", status)
            _refuse(reading, name, line, row)
        elif not status and not bulk:
            tell(file, line, "no_status")
            _refuse(reading, name, line, row)
        elif status != "tobedeleted" or not bulk or name == "orgs":
            yield line, row, status == "tobedeleted"
        elif name in OF_PEOPLE:
            reading.stage.put("gone_already", [(row["sourcedid"],)])


def _refuse(reading: Reading, name: str, line: int, row: Row) -> None:
    """Whom or what a refused row is about stays as it was."""
    if name in OF_PEOPLE:
        reading.stage.put("refused", [(row["sourcedid"],)])
    elif name == "classes":
        reading.stage.put("classes", [(row["sourcedid"], line, False, UNSURE, "", None)])
    elif name == "enrollments" and row.get("classsourcedid"):
        reading.stage.put("enrollments", [(row["usersourcedid"], None, line, row["classsourcedid"], UNSURE, False)])


def _traits(row: Row, note: "_Note") -> Sequence[Any]:
    """reads, speaks, language, learner, disability."""
    return (
        note.language(first(row, READS)),
        note.language(first(row, SPEAKS)),
        note.language(first(row, HOME_LANGUAGE)),
        note.flag(row, LEARNER),
        note.flag(row, DISABILITY),
    )


def _listed(cell: str | None) -> list[str]:
    return [each.strip() for each in cell.split(",")] if cell else []


def _day(text: str | None) -> date | None:
    if not text:
        return date.max
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Note:
    """Reads the parts of one row; a part that cannot be used is told, and the rest of the row stands."""

    reading: Reading
    file: str
    line: int

    def tell(self, code: str, value: str = "") -> None:
        self.reading.stage.problem(self.file, self.line, code, value)

    def language(self, text: str | None) -> str | None:
        """A tag; "" where the cell is empty, None where nothing is said or it cannot be understood."""
        if text is None:
            return None
        if (tag := tag_of(text)) is None:
            self.tell("language", text)
        return tag

    def flag(self, row: Row, columns: Sequence[str]) -> int | None:
        """1 where any of the columns says yes, 0 where they say no."""
        said = [cell.lower() for column in columns if (cell := row.get(column)) is not None]
        known = [each for each in said if each in YES or each in NO]
        for each in said:
            if each and each not in known:
                self.tell("flag", each)
        if known:
            return int(any(each in YES for each in known))
        return UNSAID if said and not any(said) else None

    def grade(self, text: str | None) -> str | None:
        found = None if text is None else grade(text)
        if found and len(found) > LONGEST:
            self.tell("grade", found)
            return None
        return found

    def contact(self, row: Row) -> tuple[str | None, str | None, str | None]:
        """Name, e-mail address, phone number."""
        given = first(row, ("preferredgivenname",)) or first(row, ("givenname",))
        family = first(row, ("preferredfamilyname",)) or first(row, ("familyname",))
        name = None if given is None and family is None else clean(f"{given or ''} {family or ''}", lines=False)
        if name and len(name) > NAME_MOST:
            self.tell("long_name", name)
            name = None
        email, phone = row.get("email"), first(row, ("phone", "sms"))
        return name, self._shaped(email, _EMAIL, "email"), self._shaped(phone, _PHONE, "phone")

    def _shaped(self, text: str | None, shape: re.Pattern[str], code: str) -> str | None:
        if text and (len(text) > 254 or not shape.fullmatch(text)):
            self.tell(code, text)
            return None
        return text

    def agents(self, id: str, agents: Sequence[str]) -> Iterator[Sequence[Any]]:
        named = list(dict.fromkeys(each for each in agents if each and len(each) <= ID_MOST))
        if id in named:
            self.tell("own_guardian")
        if len(named) > GUARDIANS:
            self.tell("many_guardians", str(len(named)))
        for position, agent in enumerate([each for each in named if each != id][:GUARDIANS]):
            yield id, agent, position, self.line

    def home(self, row: Mapping[str, str | None]) -> str | None:
        """The key of the home, as a keyed digest: "12 Elm St." and "12 elm st" are one."""
        said = first(row, HOME)
        plain = " ".join(re.findall(r"\w+", said.casefold())) if said else said
        return hmac.new(self.reading.home_key, plain.encode(), hashlib.sha256).hexdigest()[:32] if plain else plain
