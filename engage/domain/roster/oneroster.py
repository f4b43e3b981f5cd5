"""Reader for OneRoster CSV 1.1 and 1.2. Each row is checked on its own and copied to the staging database."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any

from engage.domain.roster.csv_reader import Row, Tell, first_value, read_rows
from engage.domain.roster.files import RosterSource
from engage.domain.roster.homerooms import (
    UNSURE,
    class_kind_lookup,
    is_homeroom_enrollment,
    parse_class,
    parse_enrollment,
)
from engage.domain.roster.programs import PROGRAMS_FILE, read_programs
from engage.domain.roster.remarks import UNREAD, RosterRefused
from engage.domain.roster.row_parsing import (
    DISABILITY,
    HOME_LANGUAGE,
    ID_MOST,
    LEARNER,
    NAME_MOST,
    NO_FLAG_COLUMNS,
    READS,
    SPEAKS,
    FlagColumns,
    RowParser,
)
from engage.domain.roster.staging_db import StagingDb
from engage.questionnaire.text_cleaning import clean_text

FILES = ("orgs", "users", "roles", "classes", "enrollments", "demographics")
OF_PEOPLE = ("users", "demographics")  # files whose sourcedId refers to a person
LANGUAGES_FILE = "languages"  # optional file with two columns
BESIDE = (LANGUAGES_FILE, PROGRAMS_FILE)  # files of ours, which may also be beside a roster
OPTIONAL = ("classes", "enrollments", "demographics")  # files that a roster may omit
ORG_TYPES = frozenset({"department", "school", "district", "local", "state", "national"})
TEACHER = "teacher"
GUARDIAN_ROLES = frozenset({"guardian", "parent", "relative"})
OTHER_ROLES = frozenset(
    {"administrator", "aide", "proctor", "teacher", "counselor", "districtadministrator", "principal"}
    | {"siteadministrator", "systemadministrator"}
)
KINDS = {"student": "student", **dict.fromkeys(GUARDIAN_ROLES, "guardian"), **dict.fromkeys(OTHER_ROLES, "other")}


BLANK = ',;\t\r\n "'  # characters that a blank row may contain
ALIASES = {"demographics": {"usersourcedid": "sourcedid"}}  # older names of columns, by file
OF_COLUMNS = ("empty_file", "no_column", "column_twice", "languages_columns", "programs_columns")  # of a first line


@dataclass(frozen=True, slots=True)
class ReadingContext:
    """Context of reading. `today` decides which roles have ended; `keep_names` False ignores names and contacts;
    `home_key` makes keyed digests of home keys, which may be addresses; `flags` are columns of the settings."""

    stage: StagingDb
    today: date
    keep_names: bool
    home_key: bytes
    flags: FlagColumns = NO_FLAG_COLUMNS
    modes: dict[str, str] = field(default_factory=dict)

    def tell(self, file: str) -> Tell:
        """Return the function for `read_rows` that reports a row that cannot be read."""
        return lambda line, code, value: self.stage.problem(file, line, code, value)

    def parser(self, file: str, line: int, row: Row) -> RowParser:
        """Return a parser for the parts of a row."""
        return RowParser(self.stage, self.home_key, file, line, str(row.get("sourcedid") or ""))


Put = Callable[[RosterSource, ReadingContext], None]


def read_files(source: RosterSource, reading: ReadingContext) -> None:
    """Copy all files to the staging database, and set in `reading.modes` which are bulk, delta, or absent. Raises
    RosterRefused."""
    reading.modes.update(_read_manifest(source, reading))
    reading.stage.sql.execute("begin")
    for name in source.ignored:
        reading.stage.problem(name, 0, "ignored")
    for name, put in READERS.items():
        if reading.modes[name] != "absent":
            _read_file(name, put, source, reading)
    if source.has(f"{LANGUAGES_FILE}.csv"):
        _read_file(LANGUAGES_FILE, _read_languages, source, reading)
    if source.has(f"{PROGRAMS_FILE}.csv"):
        _read_file(PROGRAMS_FILE, _read_programs, source, reading)
    reading.stage.sql.execute("commit")
    reading.stage.keep("modes", reading.modes)
    reading.stage.keep("digest", source.digest)


def _read_file(name: str, put: Put, source: RosterSource, reading: ReadingContext) -> None:
    """Read one file. For an optional file, wrong columns are reported and the import continues."""
    try:
        put(source, reading)
    except RosterRefused as refused:
        if name not in (*OPTIONAL, *BESIDE) or refused.code not in OF_COLUMNS:
            raise
        reading.stage.problem(f"{name}.csv", 1, refused.code, refused.value)
        if name in reading.modes:
            reading.modes[name] = "absent"


def _read_manifest(source: RosterSource, reading: ReadingContext) -> dict[str, str]:
    modes = {name: "bulk" if source.has(f"{name}.csv") else "absent" for name in FILES}
    if source.has("manifest.csv"):
        for _, row in read_rows(source, "manifest.csv", ("propertyname", "value"), _refuse_manifest):
            name, mode = str(row["propertyname"]).lower().removeprefix("file."), str(row["value"]).lower()
            if name in modes and (name != "classes" or source.has("classes.csv")):  # other missing files are refused
                modes[name] = mode
    for name, mode in modes.items():
        if mode not in ("absent", "bulk", "delta"):
            raise RosterRefused("manifest", f"{name}: {mode}")
        if mode != "absent" and not source.has(f"{name}.csv"):
            raise RosterRefused("no_file", f"{name}.csv")
    for name in ("roles", *OPTIONAL):
        if modes[name] == "bulk" and not _has_rows(source, f"{name}.csv"):
            modes[name] = "absent"
    delta = "delta" in modes.values()
    for name in ("orgs", "users"):
        if modes[name] == "absent" and not delta:
            raise RosterRefused("no_file", f"{name}.csv")
    return modes


def _has_rows(source: RosterSource, file: str) -> bool:
    """Whether a file has any row after the first line."""
    lines = (line.strip(BLANK) for line in source.lines(file))
    return len(list(islice(filter(None, lines), 2))) > 1


def _refuse_manifest(line: int, code: str, _value: str) -> None:
    """Refuse an unreadable line of the manifest. It may be the line that says "delta"; treated as full lists, the files
    would delete everyone who is not in them."""
    if code in UNREAD:
        raise RosterRefused("manifest_line", str(line))


def _read_orgs(source: RosterSource, reading: ReadingContext) -> None:
    def rows() -> Iterator[Sequence[Any]]:
        for line, row, gone in _usable_rows(source, reading, "orgs", ("name", "type")):
            name, kind = clean_text(str(row["name"]), lines=False), str(row["type"]).lower()
            if not gone and (reason := _org_problem(kind, name)):
                reading.stage.problem("orgs.csv", line, *reason, str(row["sourcedid"]))
                _refuse_row(reading, "orgs", line, row)
            else:
                yield row["sourcedid"], line, gone, kind, name

    reading.stage.put("orgs", rows())


def _org_problem(kind: str, name: str) -> tuple[str, str] | None:
    """Return the reason why a row of orgs.csv cannot be used, and the value concerned; None if it can."""
    if kind not in ORG_TYPES:
        return "org_type", kind
    if kind == "school" and not name:
        return "no_name", ""
    return ("long_name", name) if len(name) > NAME_MOST else None


def _read_users(source: RosterSource, reading: ReadingContext) -> None:
    by_roles = reading.modes["roles"] != "absent"

    def rows() -> Iterator[Sequence[Any]]:
        for line, row, gone in _usable_rows(source, reading, "users", ()):
            role = str(row.get("role") or "").lower()
            if not by_roles and "role" not in row:
                raise RosterRefused("no_role")
            if not by_roles and not gone and role not in KINDS:
                reading.stage.problem("users.csv", line, "role", role, str(row["sourcedid"]))
                reading.stage.put("refused", [(row["sourcedid"],)])
                continue
            if role == TEACHER and not by_roles and not gone:
                reading.stage.put("teachers", ((row["sourcedid"], line, org) for org in _user_orgs(row)))
            yield _user_row(row, line, gone, None if by_roles else KINDS.get(role, "other"), reading)

    reading.stage.put("users", rows())


def _user_orgs(row: Row) -> list[str]:
    """Return the orgs of a person, the main one first."""
    orgs = [str(row.get("primaryorgsourcedid") or ""), *_split_list(row.get("orgsourcedids"))]
    return [org for org in dict.fromkeys(orgs) if org]


def _user_row(row: Row, line: int, gone: bool, kind: str | None, reading: ReadingContext) -> Sequence[Any]:
    id, note = str(row["sourcedid"]), reading.parser("users.csv", line, row)
    if not gone:
        orgs = [each for each in _split_list(row.get("orgsourcedids")) if each]
        reading.stage.put("user_orgs", ((id, position, org, line) for position, org in enumerate(orgs)))
        reading.stage.put("agents", note.agents(_split_list(row.get("agentsourcedids"))))
    return (
        id,
        line,
        gone,
        kind,
        row.get("primaryorgsourcedid") or None,
        note.grade(row.get("grades")),
        *(note.contact(row) if reading.keep_names else (None, None, None, None)),
        row.get("agentsourcedids") is not None,
        *_parse_traits(row, note, reading.flags),
        note.home(row),
        row.get("identifier") or None,
    )


def _read_roles(source: RosterSource, reading: ReadingContext) -> None:
    def rows() -> Iterator[Sequence[Any]]:
        for line, row, gone in _usable_rows(source, reading, "roles", ("usersourcedid", "role")):
            role, kind = str(row["role"]).lower(), str(row.get("roletype") or "primary").lower()
            ends, who = _parse_end_date(row.get("enddate")), str(row["usersourcedid"])
            if not gone and role not in KINDS:
                reading.stage.problem("roles.csv", line, "role", role, who)
                _refuse_row(reading, "roles", line, row)
            elif not gone and kind not in ("primary", "secondary"):
                reading.stage.problem("roles.csv", line, "role_type", kind, who)
                _refuse_row(reading, "roles", line, row)
            elif ends is None:
                reading.stage.problem("roles.csv", line, "end_date", str(row.get("enddate")), who)
                _refuse_row(reading, "roles", line, row)
            elif not who:
                reading.stage.problem("roles.csv", line, "no_user")
            else:
                over = gone or ends < reading.today
                org = row.get("orgsourcedid") or None
                if role == TEACHER and not over and org:
                    reading.stage.put("teachers", [(who, line, org)])
                yield who, line, over, KINDS.get(role, "other"), kind == "primary", org

    reading.stage.put("roles", rows())


def _read_classes(source: RosterSource, reading: ReadingContext) -> None:
    def rows() -> Iterator[Sequence[Any]]:
        for line, row, gone in _usable_rows(source, reading, "classes", ()):
            if "title" not in row or "classtype" not in row:
                reading.stage.problem("classes.csv", 1, "class_columns")
                reading.modes["classes"] = "absent"
                return
            yield row["sourcedid"], line, gone, *parse_class(row, gone, reading.parser("classes.csv", line, row).tell)

    reading.stage.put("classes", rows())


def _read_enrollments(source: RosterSource, reading: ReadingContext) -> None:
    """Read the school of each student, and enrollments in homerooms. An enrollment to be deleted has no school."""
    needed, kind = ("schoolsourcedid", "usersourcedid", "role"), class_kind_lookup(reading.stage)
    named = False

    def rows() -> Iterator[Sequence[Any]]:
        nonlocal named
        for line, row, gone in _usable_rows(source, reading, "enrollments", needed):
            if str(row["role"]).lower() != "student":
                continue
            named = named or "classsourcedid" in row
            where, id = None if gone else row["schoolsourcedid"], row.get("classsourcedid")
            if id and is_homeroom_enrollment(kind(id), gone):
                sits = parse_enrollment(
                    row, gone, kind(id), reading.today, reading.parser("enrollments.csv", line, row).tell
                )
                yield row["usersourcedid"], where, line, id, *sits
            elif not gone:
                yield row["usersourcedid"], where, line, None, None, None

    reading.stage.put("enrollments", rows())
    reading.stage.keep("seats", named)


def _read_demographics(source: RosterSource, reading: ReadingContext) -> None:
    def rows() -> Iterator[Sequence[Any]]:
        for line, row, gone in _usable_rows(source, reading, "demographics", ()):
            note = reading.parser("demographics.csv", line, row)
            yield row["sourcedid"], line, gone, *_parse_traits(row, note, reading.flags)

    reading.stage.put("traits", rows())


READERS = {
    "orgs": _read_orgs,
    "users": _read_users,
    "roles": _read_roles,
    "classes": _read_classes,
    "enrollments": _read_enrollments,
    "demographics": _read_demographics,
}


def _read_languages(source: RosterSource, reading: ReadingContext) -> None:
    """Read the two-column file: a person's id, and the home language of a student or the reading language of a
    guardian."""
    file = f"{LANGUAGES_FILE}.csv"
    whose = {"studentid": "student", "guardianid": "guardian", "sourcedid": "", "id": ""}

    def rows() -> Iterator[Sequence[Any]]:
        for line, row in read_rows(source, file, (), reading.tell(file)):
            column = next((each for each in whose if each in row), None)
            if column is None or "language" not in row:
                raise RosterRefused("languages_columns")
            if not row[column]:
                reading.stage.problem(file, line, "no_id")
            elif tag := RowParser(reading.stage, b"", file, line, str(row[column])).language(row["language"]):
                yield row[column], line, whose[column], tag

    reading.stage.put("languages", rows())


def _read_programs(source: RosterSource, reading: ReadingContext) -> None:
    read_programs(source, reading.stage, reading.tell(f"{PROGRAMS_FILE}.csv"))


def _usable_rows(
    source: RosterSource, reading: ReadingContext, name: str, needed: Sequence[str]
) -> Iterator[tuple[int, Row, bool]]:
    """Yield rows with a valid id and status. Rows to be deleted are left out of bulk files and flagged in delta
    files."""
    file, bulk, tell = f"{name}.csv", reading.modes[name] == "bulk", reading.stage.problem
    for line, row in read_rows(source, file, ("sourcedid", *needed), reading.tell(file), ALIASES.get(name, {})):
        status, id = str(row.get("status") or "").lower(), str(row["sourcedid"])
        if not id:
            tell(file, line, "no_id")
        elif len(id) > ID_MOST:
            tell(file, line, "long_id")
        elif status not in ("", "active", "tobedeleted"):
            tell(file, line, "status", status, id)
            _refuse_row(reading, name, line, row)
        elif not status and not bulk:
            tell(file, line, "no_status", "", id)
            _refuse_row(reading, name, line, row)
        elif status != "tobedeleted" or not bulk or name == "orgs":
            yield line, row, status == "tobedeleted"
        elif name in OF_PEOPLE:
            reading.stage.put("gone_already", [(row["sourcedid"],)])


def _refuse_row(reading: ReadingContext, name: str, line: int, row: Row) -> None:
    """Record that the subject of a refused row stays unchanged."""
    if name in OF_PEOPLE:
        reading.stage.put("refused", [(row["sourcedid"],)])
    elif name == "orgs":
        reading.stage.put("refused_orgs", [(row["sourcedid"],)])
    elif name == "roles":
        reading.stage.put("unsure", [(row["usersourcedid"],)])
    elif name == "classes":
        reading.stage.put("classes", [(row["sourcedid"], line, False, UNSURE, "", None)])
    elif name == "enrollments" and row.get("classsourcedid"):
        reading.stage.put("enrollments", [(row["usersourcedid"], None, line, row["classsourcedid"], UNSURE, False)])


def _parse_traits(row: Row, note: RowParser, flags: FlagColumns) -> Sequence[Any]:
    """Return reads, speaks, language, learner, disability."""
    return (
        note.language(first_value(row, READS)),
        note.language(first_value(row, SPEAKS)),
        note.language(first_value(row, HOME_LANGUAGE)),
        note.flag(row, (*LEARNER, *flags.learner)),
        note.flag(row, (*DISABILITY, *flags.disability)),
    )


def _split_list(cell: str | None) -> list[str]:
    return [each.strip() for each in cell.split(",")] if cell else []


def _parse_end_date(text: str | None) -> date | None:
    if not text:
        return date.max
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
