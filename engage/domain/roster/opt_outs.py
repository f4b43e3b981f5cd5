"""Opt-outs of families across roster imports.

An opt-out is stored for each child as a digest that only this site can compute, so that it survives changes of the
household. It stays if a child is missing from one roster and present in the next.
"""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import date

from sqlalchemy import Select, delete, exists, select
from sqlalchemy.orm import Session, aliased

from engage.domain.roster.staging_db import StagingDb, batches
from engage.storage.models.roster import HouseholdStudent, OptedOutStudent, OptOut

OPT_OUT_KEY = "opt-outs"  # purpose of the derived key for the digests of children

DIGESTS = """
create table digests (student text primary key, digest text) without rowid;
create index digests_of on digests (digest)
"""
CHILDREN = "select id from want_students union select id from now_students"

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


def mark_before_import(session: Session, stage: StagingDb, today: date) -> None:
    """Before a roster is stored: store the digests of the children of all opted-out households, and copy both to the
    staging database."""
    stage.run(
        "create temp table refusing (id text primary key); create temp table marked (student text, recorded text)"
    )
    stage.put("refusing", ((id,) for id in session.scalars(select(OptOut.household_id)).all()))
    _mark_refusing(
        session, stage, "select d.digest from now_members as n join digests as d on d.student = n.member", today
    )
    marks_now = session.execute(select(OptedOutStudent.digest, OptedOutStudent.recorded_on)).all()
    for digest, day in marks_now:
        stage.sql.execute("insert into marked select student, ? from digests where digest = ?", (str(day), digest))


def apply_after_import(session: Session, stage: StagingDb, today: date) -> int:
    """After a roster is stored: opt out the households that inherit an opt-out, and store the digests of all children
    of opted-out households. Returns the number of households that inherited one."""
    inherited = list(stage.all(INHERITING))
    session.add_all(OptOut(household_id=home, recorded_on=date.fromisoformat(day)) for home, day in inherited)
    session.flush()
    stage.put("refusing", ((home,) for home, _ in inherited))
    _mark_refusing(
        session, stage, "select d.digest from want_members as n join digests as d on d.student = n.member", today
    )
    stage.run("drop table refusing; drop table marked")
    return len(inherited)


def _mark_refusing(session: Session, stage: StagingDb, members: str, today: date) -> None:
    rows: Iterator[tuple[str]] = stage.all(
        f"{members} where n.kind = 's' and n.household in (select id from refusing)"  # noqa: S608  our own queries
    )
    for batch in batches(rows):
        _store_digests(session, {row[0] for row in batch}, today)


def _store_digests(session: Session, digests: set[str], today: date) -> None:
    marked = OptedOutStudent.digest
    stored = set(session.scalars(select(marked).where(marked.in_(digests))))
    session.add_all(OptedOutStudent(digest=each, recorded_on=today) for each in sorted(digests - stored))
    session.flush()


def _student_ids(household_id: str) -> Select[str]:
    return select(HouseholdStudent.student_id).where(HouseholdStudent.household_id == household_id)
