"""The parts in which a prepared import is stored: about PART rows each, always the same ones in the same order.

After any number of parts, every constraint holds and nobody is lost: people are stored before the households that they
belong to, and nothing is removed before everything new is stored. A household arrives together with its members and
its opt-out, and leaves together with its members, so that no household is ever without them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, bindparam, delete, insert, null, select, update
from sqlalchemy.orm import Session

from engage.domain.roster import opt_outs
from engage.domain.roster.staging_db import StagingDb, batches
from engage.storage.fast_statements import BulkStatement
from engage.storage.models.invitations import Invitation
from engage.storage.models.roster import Guardian, Guardianship, HouseholdGuardian, HouseholdStudent, Student
from engage.storage.models.schools import Household, School

PART = 250  # rows: a few milliseconds
ORDER = 2  # increase it when other parts are made, or in another order: the number of those stored means nothing then
MEMBERS = (("s", HouseholdStudent, "student_id"), ("g", HouseholdGuardian, "guardian_id"))
OLD_MEMBERS = """
select household, member from old_members where kind = ? and household in (select id from want_households)
order by household, member
"""
GONE = "select id from fates where kind = ? and fate = 'gone' order by id"


class PartsChanged(Exception):
    """The parts of this import are not those of this version, so it cannot be continued."""


@dataclass(frozen=True, slots=True)
class RosterTable:
    """Rows to store: their kind, table, columns (the key first), and a query for the kind of change and the values."""

    kind: str
    table: Any
    columns: tuple[str, ...]
    query: str


PEOPLE = (
    RosterTable(
        "schools",
        School,
        ("id", "name", "source_id", "active", "teachers"),
        "select f.fate, w.* from fates as f join want_schools as w on w.id = f.id where f.kind = 'schools' "
        "order by f.id",
    ),
    RosterTable(
        "students",
        Student,
        ("id", "school_id", "grade", "class_name", "home_language", "english_learner", "disability", "name"),
        "select f.fate, w.id, w.school, w.grade, w.class, w.language, w.learner, w.disability, s.sealed "
        "from fates as f join want_students as w on w.id = f.id join sealed as s on s.kind = f.kind and s.id = f.id "
        "where f.kind = 'students' order by f.id",
    ),
    RosterTable(
        "guardians",
        Guardian,
        ("id", "reads", "speaks", "home", "contact"),
        "select f.fate, w.id, w.reads, w.speaks, w.home, s.sealed from fates as f "
        "join want_guardians as w on w.id = f.id join sealed as s on s.kind = f.kind and s.id = f.id "
        "where f.kind = 'guardians' order by f.id",
    ),
    RosterTable(
        "guardianships",
        Guardianship,
        ("student_id", "guardian_id", "position"),
        "select 'added', student, guardian, position from new_links where before is null order by student, guardian",
    ),
)
HOUSEHOLDS = RosterTable(
    "households",
    Household,
    ("id", "school_id", "language", "speaks", "greeting"),
    "select f.fate, w.id, w.school, w.language, w.speaks, s.sealed from fates as f "
    "join want_households as w on w.id = f.id join sealed as s on s.kind = f.kind and s.id = f.id "
    "where f.kind = 'households' order by f.id",
)


@dataclass(frozen=True, slots=True)
class ImportPart:
    """A part of an import: what is stored, how many rows, and the function that stores them."""

    what: str
    rows: int
    write: Callable[[Session], None]


def fix_parts(stage: StagingDb) -> None:
    """Fix the size and order of the parts, before the import begins."""
    stage.keep("parts", [ORDER, PART])


def list_parts(stage: StagingDb) -> Iterator[ImportPart]:
    """Yield the parts of a prepared import. Names are sealed and opt-outs staged before. Raises PartsChanged."""
    if stage.stored_value("parts") != [ORDER, PART]:
        raise PartsChanged("Another version of Engage began this import. Import a full export again.")
    yield from _list_batches("opt-outs of children", opt_outs.new_marks(stage), opt_outs.write_marks)
    for table in PEOPLE:
        yield from _list_batches(table.kind, stage.all(table.query), _row_writer(table))
    yield from _household_parts(stage)
    yield from _removed_links(stage)
    yield from _removed_people(stage)


Write = Callable[[Session, Sequence[Any]], None]


def _list_batches(what: str, rows: Iterable[Any], write: Write) -> Iterator[ImportPart]:
    for batch in batches(rows, PART):
        yield ImportPart(what, len(batch), _bound(write, batch))


def _bound(write: Write, batch: Sequence[Any]) -> Callable[[Session], None]:
    return lambda session: write(session, batch)


def _row_writer(table: RosterTable) -> Write:
    return lambda session, batch: _write_rows(session, table, batch)


def _write_rows(session: Session, table: RosterTable, batch: Sequence[Any]) -> None:
    """Insert added rows and update changed ones; links never change."""
    rows, columns, here = table.table.__table__, table.columns, session.connection()
    flags = [name for name in columns if isinstance(rows.c[name].type, Boolean)]
    values: dict[str, Any] = {name: bindparam(name) for name in columns}
    added = [row[1:] for row in batch if row[0] == "added"]
    changed = [row[1:] for row in batch if row[0] != "added"]
    if added:
        BulkStatement(here, insert(rows).values(values), columns, flags).run(added)
    if changed:
        change = _where_keys(update(rows), columns[0]).values({name: values[name] for name in columns[1:]})
        BulkStatement(here, change, ("key0", *columns[1:]), flags).run(changed)


def _household_parts(stage: StagingDb) -> Iterator[ImportPart]:
    """Yield the added and changed households, each with its new members and with an opt-out that it inherits."""
    for batch in batches(stage.all(HOUSEHOLDS.query), PART):
        first, last = batch[0][1], batch[-1][1]
        members = [_new_members(stage, kind, first, last) for kind, _, _ in MEMBERS]
        inherited = opt_outs.inherited(stage, first, last)
        rows = sum(map(len, (batch, *members, inherited)))
        yield ImportPart("households", rows, _bound(_write_households, [batch, members, inherited]))


def _write_households(session: Session, parts: Sequence[Any]) -> None:
    households, members, inherited = parts
    _write_rows(session, HOUSEHOLDS, households)
    for (_, table, member), rows in zip(MEMBERS, members, strict=True):
        _write_rows(session, RosterTable("", table, ("household_id", member), ""), rows)
    opt_outs.write_inherited(session, inherited)


def _new_members(stage: StagingDb, kind: str, first: str, last: str) -> list[Any]:
    query = (
        "select 'added', household, member from new_members where household between ? and ? and kind = ? "
        "order by household, member"
    )
    return list(stage.all(query, first, last, kind))


def _removed_links(stage: StagingDb) -> Iterator[ImportPart]:
    """Yield the links of people who stay: changed positions, and links that ended."""
    keys = ("student_id", "guardian_id")
    moved = stage.all(
        "select student, guardian, position from new_links where before is not null order by student, guardian"
    )
    move = _where_keys(update(Guardianship), *keys).values(position=bindparam("value"))
    yield from _list_batches("guardians in another order", moved, _runner(move, "key0", "key1", "value"))
    ended = stage.all("select student, guardian from old_links order by student, guardian")
    yield from _list_batches("guardianships removed", ended, _runner(_where_keys(delete(Guardianship), *keys), *KEYS))
    for kind, table, member in MEMBERS:
        left = _where_keys(delete(table), "household_id", member)
        yield from _list_batches("members who left", stage.all(OLD_MEMBERS, kind), _runner(left, *KEYS))


def _removed_people(stage: StagingDb) -> Iterator[ImportPart]:
    yield from _list_batches("households removed", stage.all(GONE, "households"), _remove_households)
    for kind, table in (("students", Student), ("guardians", Guardian)):
        remove = _runner(_where_keys(delete(table), "id"), "key0")
        yield from _list_batches(f"{kind} removed", stage.all(GONE, kind), remove)


def _remove_households(session: Session, batch: Sequence[Any]) -> None:
    """Delete households with their members. A household with an invitation stays, without members and names."""
    for _, table, _member in MEMBERS:
        _runner(_where_keys(delete(table), "household_id"), "key0")(session, batch)
    _runner(_where_keys(update(Household), "id").values(greeting=null()), "key0")(session, batch)
    invited = select(Invitation.household_id).where(Invitation.household_id == Household.id).exists()
    _runner(_where_keys(delete(Household), "id").where(~invited), "key0")(session, batch)


KEYS = ("key0", "key1")


def _where_keys(statement: Any, *keys: str) -> Any:
    """Return the statement for the row with these keys, which are the parameters key0 and key1."""
    columns = statement.table.c
    return statement.where(*(columns[key] == bindparam(f"key{number}") for number, key in enumerate(keys)))


def _runner(statement: Any, *names: str) -> Write:
    """Return a function that runs a statement for each row of a batch."""
    return lambda session, batch: BulkStatement(session.connection(), statement, names).run(batch)
