"""The changes an import would make (rows added, changed, and removed), and the remarks about its files, by kind."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from engage.domain.roster.remarks import NOTES, OF_FAMILIES, UNREAD, RemarkGroup
from engage.domain.roster.staging_db import StagingDb

FIRST_LINES = 3  # number of lines listed for each kind of remark
FIRST_VALUES = 5  # number of values listed for each kind of remark

REMARK_KINDS = "select file, code, count(*), count(distinct value) from problems group by file, code"
REMARK_LINES = "select distinct line from problems where file = ? and code = ? order by line limit ?"
REMARK_VALUES = """select value, count(*) as number from problems where file = ? and code = ?
  group by value order by number desc, min(line), value limit ?"""

KINDS = ("schools", "students", "guardians", "households")
FATES_OF = ("added", "changed", "gone")
STEEP = 0.2  # share of a group that may be removed without a warning; a graduating class is 1/13 of the students
ROWS_PER_SECOND = 20_000  # stored on an ordinary machine, with the pauses between (tests/bench/bench_roster.py)
LEAST_GONE = 5  # minimum for a warning about a school, a language, or guardians; small groups lose fewer in any year

FATES = """
create table fates (kind text, id text, fate text, primary key (kind, id)) without rowid;
create index now_members_of on now_members (household, kind, member);

insert into fates select 'schools', w.id, case when n.id is null then 'added' when n.active and not w.active then 'gone'
    else 'changed' end from want_schools as w left join now_schools as n on n.id = w.id
  where n.id is null or n.name is not w.name or n.source is not w.source or n.active is not w.active
    or n.teachers is not w.teachers;

insert into fates select 'students', w.id, case when n.id is null then 'added' else 'changed' end
  from want_students as w left join now_students as n on n.id = w.id
  where n.id is null or (w.school, w.grade, w.class, w.language, w.learner, w.disability, w.name)
    is not (n.school, n.grade, n.class, n.language, n.learner, n.disability, n.name);
create table new_links as select w.student, w.guardian, w.position, n.position as before from want_links as w
  left join now_links as n on n.student = w.student and n.guardian = w.guardian where n.position is not w.position;
create table old_links as select student, guardian from now_links as n
  where not exists (select 1 from want_links where student = n.student and guardian = n.guardian);
insert or ignore into fates select 'students', student, 'changed' from new_links;
insert or ignore into fates select 'students', student, 'changed' from old_links
  where student in (select id from want_students);
insert into fates select 'students', id, 'gone' from now_students where id not in (select id from want_students);

insert into fates select 'guardians', w.id, case when n.id is null then 'added' else 'changed' end
  from want_guardians as w left join now_guardians as n on n.id = w.id
  where n.id is null or (w.reads, w.speaks, w.home, w.contact) is not (n.reads, n.speaks, n.home, n.contact);
insert into fates select 'guardians', id, 'gone' from now_guardians where id not in (select id from want_guardians);

create table want_households (id text primary key, school text, language text, speaks text, greeting text)
  without rowid;
insert into want_households select s.household, w.school, w.language, w.speaks, w.greeting
  from want_homes as w join same as s on s.home = w.home;
create table want_members (kind text, member text, household text, primary key (household, kind, member)) without rowid;
insert into want_members select m.kind, m.member, s.household from members as m join same as s on s.home = m.home;
insert into fates select 'households', w.id, case when n.id is null then 'added' else 'changed' end
  from want_households as w left join now_households as n on n.id = w.id
  where n.id is null
    or (w.school, w.language, w.speaks, w.greeting) is not (n.school, n.language, n.speaks, n.greeting);
create table new_members as select kind, member, household from want_members as w
  where not exists (select 1 from now_members where household = w.household and kind = w.kind and member = w.member);
create index new_members_of on new_members (household, kind, member);
create table old_members as select kind, member, household from now_members as n
  where not exists (select 1 from want_members where household = n.household and kind = n.kind and member = n.member);
insert or ignore into fates select 'households', household, 'changed' from new_members;
insert or ignore into fates select 'households', household, 'changed' from old_members
  where household in (select id from want_households);
insert into fates select 'households', id, 'gone' from now_households as n
  where id not in (select id from want_households) and exists (select 1 from now_members where household = n.id)
"""


@dataclass(frozen=True, slots=True)
class Change:
    """Numbers of added, changed, and removed rows of one kind."""

    added: int = 0
    changed: int = 0
    gone: int = 0

    @property
    def total(self) -> int:
        """Number of all changes."""
        return self.added + self.changed + self.gone


# Size and number of removed members for each group. A household whose language changes counts as removed from the group
# of its current language.
LOSSES = """
select 'students', '', count(*), count(f.id) from now_students as n
  left join fates as f on f.kind = 'students' and f.id = n.id and f.fate = 'gone'
union all select 'guardians', '', count(*), count(f.id) from now_guardians as n
  left join fates as f on f.kind = 'guardians' and f.id = n.id and f.fate = 'gone'
union all select * from (select 'school', coalesce(s.name, n.school), count(*), count(f.id) from now_students as n
  left join fates as f on f.kind = 'students' and f.id = n.id and f.fate = 'gone'
  left join now_schools as s on s.id = n.school group by n.school order by 2)
union all select * from (select 'language', n.language, count(*), sum(w.id is null) from now_households as n
  left join want_households as w on w.id = n.id and w.language = n.language
  where n.language <> 'und' and exists (select 1 from now_members where household = n.id)
  group by n.language order by 2)
"""

MISSING = """
select count(*) from now_{0} where id not in (select id from facts) and id not in (select id from refused)
"""
LANGUAGES = "select language, count(*) as number from want_households group by language order by number desc, language"


@dataclass(frozen=True, slots=True)
class Loss:
    """A group with a large loss, which triggers a warning. `kind` is "students", "guardians" (all of them), "school"
    (`name` is the school's, `size` its number of students), or "language" (`name` is a tag, `size` the number of
    households that read it)."""

    kind: str
    name: str
    size: int
    gone: int


@dataclass(frozen=True, slots=True)
class Preview:
    """The effect of an import, by kind ("schools", "students", "guardians", "households").

    `refused` is the number of unused rows and parts of rows; `students` are the numbers before and after. `unread`
    lists the files with rows that could not be read, and `kept` has the number per kind that stay only because of that.
    `languages` has the households after the import by language tag, the most frequent first. `same_guardians` is the
    number of apparent duplicates among guardians.
    """

    changes: dict[str, Change]
    refused: int
    students: tuple[int, int]
    delta: bool
    digest: str = field(repr=False, default="")
    losses: tuple[Loss, ...] = ()
    unread: tuple[str, ...] = ()
    kept: dict[str, int] = field(default_factory=dict)
    languages: tuple[tuple[str, int], ...] = ()
    same_guardians: int = 0

    @property
    def steep(self) -> bool:
        """Whether so many rows would be removed that a warning is shown."""
        return bool(self.losses)

    @property
    def seconds(self) -> int:
        """About how long storing the changes takes, during which no codes or packets can be made; 0 if less than a
        second."""
        return sum(change.total for change in self.changes.values()) // ROWS_PER_SECOND

    @property
    def nothing(self) -> bool:
        """Whether the import would change nothing."""
        return not any(change.total for change in self.changes.values())

    @property
    def audit_counts(self) -> dict[str, int]:
        """All numbers by the names used in the audit log, such as "students_added"."""
        every = {f"{kind}_{fate}": getattr(self.changes[kind], fate) for kind in KINDS for fate in FATES_OF}
        return {**every, "refused": self.refused}

    def sum(self, fate: str) -> int:
        """Return the number of rows of all kinds that are "added", "changed", or "gone"."""
        return sum(getattr(change, fate) for change in self.changes.values())


def compare_roster(stage: StagingDb) -> None:
    """Store in the staging database what happens to each row, and the warnings."""
    stage.sql.execute("begin")
    stage.run(FATES)
    stage.sql.execute("commit")
    stage.keep("losses", [list(row) for row in stage.all(LOSSES) if _is_steep_loss(*row)])
    missing = {kind: int(stage.one(MISSING.format(kind))) for kind in ("students", "guardians")}
    unsettled = missing if stage.stored_value("keep_people") else {}
    stage.keep("kept", {**unsettled, "schools": stage.stored_value("schools_kept")})
    stage.keep("languages", list(stage.all(LANGUAGES)))


def _is_steep_loss(kind: str, _name: str, size: int, gone: int) -> bool:
    return gone > STEEP * size and (kind == "students" or gone >= LEAST_GONE)


def build_preview(stage: StagingDb) -> Preview:
    """Return the preview: the stored changes, counted."""
    counted: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    for kind, fate, number in stage.all("select kind, fate, count(*) from fates group by kind, fate"):
        counted[kind][fate] = number
    remark_counts = dict(_count_remarks(stage))
    return Preview(
        changes={kind: Change(**fates) for kind, fates in counted.items()},
        refused=stage.size("problems") - sum(remark_counts.values()),
        students=(stage.size("now_students"), stage.size("want_students")),
        delta="delta" in stage.stored_value("modes").values(),
        digest=stage.stored_value("digest"),
        losses=tuple(Loss(*row) for row in stage.stored_value("losses")),
        unread=tuple(sorted(stage.unread)),
        kept={kind: number for kind, number in stage.stored_value("kept").items() if number},
        languages=tuple((tag, number) for tag, number in stage.stored_value("languages")),
        same_guardians=remark_counts.get("same_guardian", 0),
    )


def _count_remarks(stage: StagingDb) -> Iterator[tuple[str, int]]:
    """Return the number of remarks about data that was used nevertheless, by code."""
    marks = ", ".join("?" * len(NOTES))
    return stage.all(f"select code, count(*) from problems where code in ({marks}) group by code", *NOTES)  # noqa: S608


def group_remarks(stage: StagingDb) -> Sequence[RemarkGroup]:
    """Return the remarks in groups: rows that could not be read, then those that affect families, then by frequency."""
    stage.run("create index if not exists problems_kind on problems (file, code, value)")
    groups = []
    for file, code, count, distinct in list(stage.all(REMARK_KINDS)):
        lines = tuple(row[0] for row in stage.all(REMARK_LINES, file, code, FIRST_LINES))
        values = tuple((value, number) for value, number in stage.all(REMARK_VALUES, file, code, FIRST_VALUES))
        groups.append(RemarkGroup(file, code, count, lines, values, distinct - len(values)))
    return sorted(groups, key=_sort_key)


def _sort_key(group: RemarkGroup) -> tuple[bool, bool, int, str, str]:
    return group.code not in UNREAD, group.code not in OF_FAMILIES, -group.count, group.file, group.code
