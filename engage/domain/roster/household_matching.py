"""Households of the new roster: members, school, language, and the matching current household."""

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from engage.domain.roster.households import HouseholdMembers, group_households
from engage.domain.roster.staging_db import StagingDb
from engage.storage.models.schools import UNDETERMINED

TABLES = """
create table members (home integer, kind text, member text);
create table overlaps (home integer, household text, shared integer);
create table want_homes (home integer primary key, school text, language text, speaks text, greeting text);
create table same (home integer primary key, household text)
"""

CHILDREN = """
select m.home, s.school, s.language, s.name from members as m join want_students as s on s.id = m.member
where m.kind = 's' order by m.home, s.rank, s.id
"""

# The guardians of a household: first those of its youngest child, in the order of that child's row.
GUARDIANS = """
select m.home, g.reads, g.speaks, g.contact, min(printf('%03d %s %06d', s.rank, s.id, l.position)) as place
from members as m join want_guardians as g on g.id = m.member join want_links as l on l.guardian = g.id
  join want_students as s on s.id = l.student
where m.kind = 'g' group by m.home, g.id order by m.home, place, g.id
"""

OVERLAPS = """
select m.home, n.household, count(*) as shared from members as m
  join now_members as n on n.kind = m.kind and n.member = m.member
group by m.home, n.household order by shared desc, m.home, n.household
"""


def match_households(stage: StagingDb, keep_names: bool) -> None:
    """Fill the tables members, want_homes, and same. Households are numbered in the order of their first child's id."""
    stage.sql.execute("begin")
    stage.run(TABLES)
    stage.put("members", _member_rows(group_households(_guardians_by_student(stage), dict(_home_keys(stage)))))
    stage.run(
        "create index members_home on members (home, kind, member); create index members_of on members (kind, member)"
    )
    stage.put("want_homes", _describe_homes(stage, keep_names))
    stage.put("same", _match_current_households(stage))
    stage.sql.execute("commit")


def _guardians_by_student(stage: StagingDb) -> dict[str, tuple[str, ...]]:
    guardians: dict[str, tuple[str, ...]] = dict.fromkeys(
        (row[0] for row in stage.all("select id from want_students")), ()
    )
    query = "select student, guardian from want_links order by student, position, guardian"
    for student, rows in groupby(stage.all(query), key=itemgetter(0)):
        guardians[student] = tuple(row[1] for row in rows)
    return guardians


def _home_keys(stage: StagingDb) -> Iterator[Any]:
    return stage.all("select id, home from want_guardians where home <> ''")


def _member_rows(households: Iterator[HouseholdMembers]) -> Iterator[tuple[int, str, str]]:
    for number, home in enumerate(households):
        yield from ((number, "g", guardian) for guardian in home.guardians)
        yield from ((number, "s", child) for child in home.children)


def _describe_homes(stage: StagingDb, keep_names: bool) -> Iterator[tuple[Any, ...]]:
    """Yield home, school of the youngest child, language, speaks, greeting."""
    adults = _group_by_home(stage.all(GUARDIANS))
    waiting = next(adults, None)
    for home, children in _group_by_home(stage.all(CHILDREN)):
        guardians: list[Any] = []
        if waiting is not None and waiting[0] == home:
            guardians, waiting = waiting[1], next(adults, None)
        reads = [row[1] for row in guardians] + [row[2] for row in children] + [UNDETERMINED]
        speaks = [row[2] for row in guardians] + [""]
        greeting = _greeting(children, guardians) if keep_names else None
        yield home, children[0][1], _first_text(reads), _first_text(speaks), greeting


def _group_by_home(rows: Iterator[Any]) -> Iterator[tuple[int, list[Any]]]:
    return ((home, list(group)) for home, group in groupby(rows, key=itemgetter(0)))


def _first_text(texts: list[str]) -> str:
    return next((text for text in texts if text), "")


def _greeting(children: list[Any], guardians: list[Any]) -> str | None:
    """Return the names for the salutation of letters as JSON, without any words."""
    contacts = [json.loads(row[3]) for row in guardians if row[3]]
    names = {
        "students": [row[3] for row in children if row[3]],
        "guardians": [contact["name"] for contact in contacts if contact.get("name")],
    }
    return json.dumps(names, ensure_ascii=False, sort_keys=True) if any(names.values()) else None


def _match_current_households(stage: StagingDb) -> Iterator[tuple[int, str]]:
    """Match each new household to the current one that shares the most members with it, if at least half of those
    stayed."""
    sizes = dict(stage.all("select household, count(*) from now_members group by household"))
    taken: set[str] = set()
    matched: set[int] = set()
    for home, household, shared in stage.all(OVERLAPS):
        if home not in matched and household not in taken and shared * 2 >= sizes[household]:
            matched.add(home)
            taken.add(household)
            yield home, household


New = Callable[[], str]


def assign_new_ids(stage: StagingDb, new_id: New) -> None:
    """Give a new id to each household that does not match a current one."""
    stage.sql.execute("begin")
    missing = [row[0] for row in stage.all("select home from want_homes where home not in (select home from same)")]
    stage.put("same", ((home, new_id()) for home in missing))
    stage.sql.execute("commit")
