"""The roster of a OneRoster server as the files of a OneRoster CSV export, so that the same rules apply as for an
import by hand. Only fields that an import reads are written; the others are dropped in memory."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path

from engage.domain.roster.csv_reader import plain_column_name
from engage.domain.roster.oneroster_client import OneRosterServer, Record, ServerProblem
from engage.domain.roster.row_parsing import (
    DISABILITY,
    HOME,
    HOME_LANGUAGE,
    LEARNER,
    READS,
    SPEAKS,
    FlagColumns,
)

Cells = dict[str, str]
COLUMNS = {
    "orgs": ("sourcedId", "status", "name", "type"),
    "users": (
        *("sourcedId", "status", "role", "primaryOrgSourcedId", "orgSourcedIds", "agentSourcedIds", "grades"),
        *("givenName", "familyName", "preferredGivenName", "preferredFamilyName", "email", "phone", "sms"),
        "identifier",
    ),
    "roles": ("sourcedId", "status", "userSourcedId", "roleType", "role", "orgSourcedId", "beginDate", "endDate"),
    "classes": ("sourcedId", "status", "title", "classType", "schoolSourcedId"),
    "enrollments": (
        *("sourcedId", "status", "classSourcedId", "schoolSourcedId", "userSourcedId", "role", "primary"),
        *("beginDate", "endDate"),
    ),
    "demographics": ("sourcedId", "status"),
}
ALWAYS = ("sourcedId", "status")  # columns that a file has even if no record does
REFERENCES = {  # columns with the id of another record, by the name of its field
    "primaryOrgSourcedId": "primaryOrg",
    "schoolSourcedId": "school",
    "classSourcedId": "class",
    "userSourcedId": "user",
    "orgSourcedId": "org",
    "orgSourcedIds": "orgs",
    "agentSourcedIds": "agents",
}
OPTIONAL = ("classes", "enrollments", "demographics")  # a server may not have them
DEMOGRAPHICS = "sourcedId,status,dateLastModified,metadata"  # the only fields that are asked for
KNOWN_METADATA = (*HOME_LANGUAGE, *READS, *SPEAKS, *LEARNER, *DISABILITY, *HOME)


def download_roster(server: OneRosterServer, folder: Path, since: datetime | None, flags: FlagColumns) -> None:
    """Write the files into a new folder: everything, or with `since` the records modified since. Raises
    ServerProblem."""
    folder.mkdir(mode=0o700)
    metadata = frozenset((*KNOWN_METADATA, *flags.learner, *flags.disability))
    modes: dict[str, str] = {}
    for collection in ("orgs", "users", "classes", "enrollments", "demographics"):
        if collection == "demographics" and "demographics" not in server.scope:
            continue
        fields = DEMOGRAPHICS if collection == "demographics" else ""
        try:
            written = _write_collection(folder, collection, server.list_records(collection, since, fields), metadata)
        except ServerProblem as problem:
            if collection not in OPTIONAL or problem.code not in ("server_missing", "server_forbidden"):
                raise
            written = []
        modes |= dict.fromkeys(written, "bulk" if since is None else "delta")
    every = {f"file.{name}": modes.get(name, "absent") for name in COLUMNS}
    _write_rows(folder / "manifest.csv", ("propertyName", "value"), every.items())


def _write_collection(
    folder: Path, collection: str, records: Iterator[Record], metadata: frozenset[str]
) -> Sequence[str]:
    """Write a collection; returns the names of its files. From version 1.2 on, users have a list of roles, which is a
    file of its own."""
    first = next(records, None)
    records = chain([] if first is None else [first], records)
    if collection != "users" or first is None or "roles" not in first:
        _write_file(folder, collection, (_cells(record, collection, metadata) for record in records))
        return [collection]
    with (folder / "roles.csv").open("w", encoding="utf-8", newline="") as page:
        roles = csv.DictWriter(page, COLUMNS["roles"], restval="")
        roles.writeheader()

        def users() -> Iterator[Cells]:
            for record in records:
                roles.writerows(_roles(record))
                yield {name: cell for name, cell in _cells(record, "users", metadata).items() if name != "role"}

        _write_file(folder, "users", users())
    return ["users", "roles"]


def _write_file(folder: Path, collection: str, rows: Iterable[Cells]) -> None:
    """Write a file with those columns that any record has. A column without any would say that all values are empty,
    and delete what is stored."""
    part, names = folder / f"{collection}.part", dict.fromkeys(ALWAYS)
    is_empty = True
    with part.open("w", encoding="utf-8", newline="") as page:
        writer = csv.writer(page)
        for row in rows:
            names |= dict.fromkeys(row)
            is_empty = False
            writer.writerow([cell for pair in row.items() for cell in pair])
    names |= dict.fromkeys(COLUMNS[collection]) if is_empty else {}
    with part.open(encoding="utf-8", newline="") as page:
        pairs = (dict(zip(row[::2], row[1::2], strict=True)) for row in csv.reader(page))
        _write_rows(folder / f"{collection}.csv", [*names], ([row.get(name, "") for name in names] for row in pairs))
    part.unlink()


def _write_rows(path: Path, names: Sequence[str], rows: Iterable[Iterable[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as page:
        writer = csv.writer(page)
        writer.writerow(names)
        writer.writerows(rows)


def _cells(record: Record, collection: str, metadata: frozenset[str]) -> Cells:
    """Return the cells of a record that the import reads."""
    cells = {}
    for column in COLUMNS[collection]:
        value = record.get(REFERENCES.get(column, column))
        if value is not None:
            cells[column] = _text(value)
    values = record.get("metadata")
    for name, value in values.items() if isinstance(values, Mapping) else ():
        column = f"metadata.{plain_column_name(str(name)).removeprefix('metadata.')}"
        if column in metadata and value is not None:
            cells[column] = _text(value)
    return cells


def _roles(record: Record) -> Iterator[Cells]:
    """Yield the roles of a user as rows of roles.csv."""
    roles, user = record.get("roles"), _text(record.get("sourcedId", ""))
    for number, role in enumerate(roles if isinstance(roles, list) else ()):
        if isinstance(role, Mapping) and record.get("status") != "tobedeleted":
            names = ("roleType", "role", "org", "beginDate", "endDate")
            values = {name: _text(role[name]) for name in names if role.get(name) is not None}
            org = {"orgSourcedId": values.pop("org")} if "org" in values else {}
            yield {"sourcedId": f"{user}-{number}", "status": "active", "userSourcedId": user, **values, **org}


def _text(value: object) -> str:
    """Return a value as it is in a CSV file: a list with commas, and a reference as its id."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(filter(None, map(_text, value)))
    if isinstance(value, Mapping):
        return _text(value.get("sourcedId", ""))
    return "" if value is None else " ".join(str(value).split())
