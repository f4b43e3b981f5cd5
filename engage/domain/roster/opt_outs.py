"""Opt-outs of families across roster imports.

An opt-out is stored for each child as a digest that only this site can compute, so that it survives changes of the
household. It stays if a child is missing from one roster and present in the next.
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Select, delete, exists, insert, select
from sqlalchemy.orm import Session, aliased

from engage.domain.roster.staging_db import StagingDb
from engage.storage.models.roster import HouseholdStudent, OptedOutStudent, OptOut

OPT_OUT_KEY = "opt-outs"  # purpose of the derived key for the digests of children

DIGESTS = """
create table digests (student text primary key, digest text) without rowid;
create index digests_of on digests (digest)
"""
CHILDREN = "select id from want_students union select id from now_students"

OPT_OUT_TABLES = """
drop table if exists refusing; drop table if exists marks; drop table if exists marked; drop table if exists inherited;
create table refusing (id text primary key) without rowid;
create table marks (digest text primary key, recorded text, new integer) without rowid;
create table marked (student text, recorded text);
create table inherited (household text primary key, recorded text) without rowid
"""
NEW_MARKS = """
insert or ignore into marks select d.digest, :today, 1 from {0} as n join digests as d on d.student = n.member
where n.kind = 's' and n.household in (select id from refusing)
"""
MARKED = "insert into marked select d.student, m.recorded from marks as m join digests as d on d.digest = m.digest"

# A household inherits an opt-out if it is new, or if an opted-out child or a member of an opted-out household joined
# it. A household that only shares a child with one (the child's other home) does not.
INHERITING = """
with arriving as (
  select household, member, 's' as kind from new_members where kind = 's' and member in (select student from marked)
  union select n.household, n.member, 'g' from new_members as n join now_members as b
    on b.kind = 'g' and b.member = n.member where n.kind = 'g' and b.household in (select id from refusing)
)
select a.household, min(m.recorded) from arriving as a
  join want_members as w on w.household = a.household and w.kind = 's'
  join marked as m on m.student = w.member
where a.household not in (select id from refusing) group by a.household order by a.household
"""


def digest(key: bytes, student_id: str) -> str:
    """Return the digest of a child: 64 hex digits that depend on the site's key for OPT_OUT_KEY and the id."""
    return hmac.digest(key, student_id.encode(), hashlib.sha256).hex()


def mark_children(session: Session, key: bytes, household_id: str, today: date) -> None:
    """Store the digests of the children of a household that opts out."""
    _store_digests(session, {digest(key, child) for child in session.scalars(_student_ids(household_id))}, today)


def unmark_children(session: Session, key: bytes, household_id: str) -> None:
    """Delete the digests of a household's children, except for those with another home that is opted out."""
    other = aliased(HouseholdStudent)
    elsewhere = exists().where(
        other.student_id == HouseholdStudent.student_id,
        other.household_id != household_id,
        other.household_id == OptOut.household_id,
    )
    for child in session.scalars(_student_ids(household_id).where(~elsewhere)).all():
        session.execute(delete(OptedOutStudent).where(OptedOutStudent.digest == digest(key, child)))


def stage_digests(stage: StagingDb, key: bytes) -> None:
    """Add the digests of all children to the staging database, before the transaction that stores the roster."""
    stage.sql.execute("begin")
    stage.run(DIGESTS)
    children = [row[0] for row in stage.all(CHILDREN)]
    stage.put("digests", ((child, digest(key, child)) for child in children))
    stage.sql.execute("commit")


def stage_opt_outs(session: Session, stage: StagingDb, today: date) -> None:
    """Copy the opt-outs to the staging database, with the households that will inherit one and the digests to store, in
    a read session before the import begins. `opt_out_version` tells whether they changed meanwhile."""
    stage.sql.execute("begin")
    stage.run(OPT_OUT_TABLES)
    stage.keep("opt_outs", opt_out_version(session))
    stage.put("refusing", ((id,) for id in session.scalars(select(OptOut.household_id))))
    marks = session.execute(select(OptedOutStudent.digest, OptedOutStudent.recorded_on))
    stage.put("marks", ((digest, str(day), 0) for digest, day in marks))
    stage.run(NEW_MARKS.format("now_members"), today=str(today))
    stage.run(
        "insert into marked select d.student, m.recorded from marks as m join digests as d on d.digest = m.digest"
    )
    stage.put("inherited", list(stage.all(INHERITING)))
    stage.run("insert into refusing select household from inherited")
    stage.run(NEW_MARKS.format("want_members"), today=str(today))
    stage.sql.execute("commit")


def opt_out_version(session: Session) -> str:
    """Return a digest of all opt-outs."""
    homes = sorted(session.scalars(select(OptOut.household_id)))
    children = sorted(session.scalars(select(OptedOutStudent.digest)))
    return hashlib.sha256("\n".join([*homes, "", *children]).encode()).hexdigest()


def new_marks(stage: StagingDb) -> Iterator[Any]:
    """Yield the digests to store for children of opted-out households, with the day."""
    return stage.all("select digest, recorded from marks where new order by digest")


def write_marks(session: Session, marks: Sequence[Any]) -> None:
    """Store digests of `new_marks`."""
    rows = [{"digest": digest, "recorded_on": date.fromisoformat(day)} for digest, day in marks]
    session.execute(insert(OptedOutStudent), rows)


def inherited(stage: StagingDb, first: str, last: str) -> list[Any]:
    """Return the households with ids from `first` to `last` that inherit an opt-out, with its day."""
    return list(stage.all("select household, recorded from inherited where household between ? and ?", first, last))


def write_inherited(session: Session, households: Sequence[Any]) -> None:
    """Opt out the households of `inherited`."""
    rows = [{"household_id": home, "recorded_on": date.fromisoformat(day)} for home, day in households]
    if rows:
        session.execute(insert(OptOut), rows)


def _store_digests(session: Session, digests: set[str], today: date) -> None:
    marked = OptedOutStudent.digest
    stored = set(session.scalars(select(marked).where(marked.in_(digests))))
    session.add_all(OptedOutStudent(digest=each, recorded_on=today) for each in sorted(digests - stored))
    session.flush()


def _student_ids(household_id: str) -> Select[str]:
    return select(HouseholdStudent.student_id).where(HouseholdStudent.household_id == household_id)
