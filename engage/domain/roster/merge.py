"""Merge of the files of an import with the current roster, where the files have no data.

A column that is in no file leaves the stored value. A row that was refused leaves its person unchanged. In a delta
import everyone who is not in the files stays.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from engage.domain.roster.homerooms import assign_classes
from engage.domain.roster.programs import DISABILITY, LEARNER, PROGRAMS_FILE, flag_sql, merge_programs
from engage.domain.roster.remarks import RosterRefused
from engage.domain.roster.staging_db import StagingDb
from engage.storage.slugs import make_slug

SCHOOL_ID_MOST = 36  # characters, so that "-2" and so on still fit into 40
CHILDREN = 25  # children of one guardian; more indicate a placeholder such as "Unknown parent"
REVERSE = 1000  # position of a guardian whose row names the student, if the student's row does not name the guardian

ONCE = """
create index users_id on users (id);
create index roles_user on roles (user);
create index traits_id on traits (id);
create index agents_user on agents (user);
create index agents_agent on agents (agent);
create index user_orgs_user on user_orgs (user);
create index languages_id on languages (id);
create index unsure_user on unsure (user);
create index now_links_guardian on now_links (guardian);
create table known (id text primary key, kind text) without rowid;
insert into known select id, 'student' from now_students union select id, 'guardian' from now_guardians where true
  and id not in (select id from now_students);
create table silent (id text primary key) without rowid;
insert or ignore into silent select id from refused union select id from gone_already
"""

REPEATED = """
insert into problems select '{file}', line, 'repeated', shown(id), shown(id) from {table} as one
  where rowid > (select min(rowid) from {table} as other where other.id = one.id);
delete from {table} where rowid > (select min(rowid) from {table} as other where other.id = {table}.id)
"""

OF_REPEATED = """
delete from agents where not exists (select 1 from users where id = agents.user and line = agents.line);
delete from user_orgs where not exists (select 1 from users where id = user_orgs.user and line = user_orgs.line)
"""

UNKNOWN = """
insert into problems select '{file}', line, 'user_unknown', shown({who}), shown({who}) from {table} as one where {alive}
  and not exists (select 1 from users where id = one.{who})
  and not exists (select 1 from silent where id = one.{who})
  and ((:whole and not :keep_people) or not exists (select 1 from known where id = one.{who}))
"""

REPEATING = (
    ("orgs", "orgs.csv"),
    ("users", "users.csv"),
    ("classes", "classes.csv"),
    ("traits", "demographics.csv"),
)

ORGS_UNKNOWN = """
insert into problems select 'roles.csv', line, 'org_unknown', shown(org), shown(user) from roles
  where not gone and org is not null and org not in (select org from places);
insert into problems select 'enrollments.csv', line, 'org_unknown', shown(school), shown(user) from enrollments
  where school not in (select org from places)
"""

KINDS = """
create table kinds (id text primary key, kind text) without rowid;
insert into kinds select user, kind from (select user, kind, row_number() over (partition by user
    order by main desc, case kind when 'student' then 0 when 'guardian' then 1 else 2 end, line) as nth
  from roles where not gone) where nth = 1
"""

FACTS = """
create table facts (id text primary key, kind text, line integer, told integer, named integer) without rowid;
insert into facts select u.id,
    coalesce(case when :keep_kinds or u.id in (select user from unsure) then n.kind end,
      case when :by_roles then k.kind else u.role end, case when not :roles_whole then n.kind end),
    u.line, u.agents, 1
  from users as u left join kinds as k on k.id = u.id left join known as n on n.id = u.id where not u.gone;
insert into problems select 'users.csv', line, 'no_role', '', shown(id) from facts as f where kind is null
  and not exists (select 1 from roles where user = f.id);
insert into refused select id from facts as f where kind is null
  and not exists (select 1 from roles where user = f.id);
delete from facts where kind is null;
create table dropped (id text primary key) without rowid;
insert or ignore into dropped select id from users where gone;
insert or ignore into dropped select r.user from roles as r join now_students as n on n.id = r.user
  left join now_schools as s on s.id = n.school
  where :by_roles and not :roles_whole and r.gone and r.kind = 'student' and (r.org is null or r.org = s.source)
    and not exists (select 1 from roles as a where a.user = r.user and not a.gone)
"""

FACTS_OF_CHANGES = """
insert or ignore into facts select n.id, coalesce(k.kind, n.kind), null, 0, 0 from known as n
  left join kinds as k on k.id = n.id
  where n.id not in (select id from dropped) and n.id not in (select id from users)
    and (n.id in (select user from roles where not gone) or n.id in (select id from traits where not gone)
      or n.id in (select id from languages)
      or n.id in (select student from programs where not by_number))
"""

PLACED = """
create table placed (id text primary key, org text, state text, school text) without rowid;
insert into placed select user, org, state, school from (
  select c.user, c.org, coalesce(p.state, 'school_unknown') as state, p.school, row_number() over (partition by c.user
    order by (coalesce(p.state, '') <> 'school'), c.nth, c.org) as best
  from (
    select id as user, main_org as org, 0 as nth from users where not gone and main_org is not null
    union all select user, org, 1 from roles where not gone and kind = 'student' and main and org is not null
    union all select user, org, 2 + position from user_orgs
    union all select user, org, 1000 from roles where not gone and kind = 'student' and not main and org is not null
  ) as c join facts as f on f.id = c.user and f.kind = 'student' left join places as p on p.org = c.org
) where best = 1;
insert or replace into placed select f.id, '', 'school', n.school from facts as f join now_students as n on n.id = f.id
  left join placed as p on p.id = f.id
  where f.kind = 'student' and not :whole and (p.id is null or (p.state <> 'school' and not f.named));
create table unplaced (id text primary key) without rowid;
insert into unplaced select f.id from facts as f left join placed as p on p.id = f.id
  where f.kind = 'student' and coalesce(p.state, '') <> 'school';
insert or replace into placed select user, school, 'school', id from (
  select e.user, e.school, p.school as id,
    row_number() over (partition by e.user order by count(*) desc, e.school) as nth
  from enrollments as e join unplaced as u on u.id = e.user join places as p on p.org = e.school and p.state = 'school'
  group by e.user, e.school) where nth = 1;
insert into problems select 'users.csv', f.line, coalesce(p.state, 'no_school'), shown(coalesce(p.org, '')), shown(f.id)
  from facts as f join unplaced as u on u.id = f.id left join placed as p on p.id = f.id
  where coalesce(p.state, '') <> 'school' and f.line is not null;
delete from unplaced where id in (select id from placed where state = 'school');
insert into refused select id from unplaced;
delete from facts where id in (select id from unplaced)
"""

STUDENTS = """
create table want_students (id text primary key, school text, grade text, language text, learner integer,
  disability integer, name text, rank integer, class text) without rowid;
insert into want_students select f.id, p.school, coalesce(u.grade, n.grade, ''),
    {language},
    {learner}, {disability},
    case when :keep_names then nullif(coalesce(full_name(u.given, u.family, {language}), n.name), '') end,
    rank(coalesce(u.grade, n.grade, '')), coalesce(n.class, '')
  from facts as f join placed as p on p.id = f.id and p.state = 'school'
    left join users as u on u.id = f.id and not u.gone
    left join traits as t on t.id = f.id and not t.gone
    left join program_flags as listed on listed.id = f.id
    left join languages as l on l.id = f.id and l.what in ('student', '')
    left join now_students as n on n.id = f.id
  where f.kind = 'student';
insert or ignore into want_students select id, school, grade, language, learner, disability,
    case when :keep_names then name end, rank(grade), class
  from now_students where {stays} and id not in (select id from facts where kind <> 'student')
"""

STAYS = """(id in (select id from refused) or :keep_people
  or (not :whole and id not in (select id from dropped)))"""

# The language that decides the order of a guardian's names: the language the guardian reads or speaks, else a child's
# home language.
NAMED_IN = """coalesce(nullif({reads}, ''), nullif({speaks}, ''),
  (select s.language from agents as a join want_students as s on s.id = a.user
    where a.agent = f.id and s.language <> '' order by s.id limit 1),
  (select s.language from agents as a join want_students as s on s.id = a.agent
    where a.user = f.id and s.language <> '' order by s.id limit 1),
  (select s.language from now_links as l join want_students as s on s.id = l.student
    where l.guardian = f.id and s.language <> '' order by s.id limit 1))"""

GUARDIANS = """
create table may_guard (id text primary key, reads text, speaks text, home text, contact text) without rowid;
insert into may_guard select f.id,
    {reads}, {speaks}, coalesce(u.home, n.home, ''),
    case when :keep_names then
      contact(n.contact, full_name(u.given, u.family, {named_in}), u.email, u.phone) end
  from facts as f left join users as u on u.id = f.id and not u.gone
    left join traits as t on t.id = f.id and not t.gone
    left join languages as l on l.id = f.id and l.what in ('guardian', '')
    left join now_guardians as n on n.id = f.id
  where f.kind = 'guardian';
insert or ignore into may_guard select id, reads, speaks, home, case when :keep_names then contact end
  from now_guardians where {stays} and id not in (select id from facts where kind <> 'guardian')
"""

LINKS = """
create table want_links (student text, guardian text, position integer, primary key (student, guardian)) without rowid;
insert into want_links select student, guardian, min(position) from (
  select a.user as student, a.agent as guardian, a.position from agents as a
    join facts as f on f.id = a.user and f.kind = 'student'
  union all select a.agent, a.user, :reverse from agents as a join facts as f on f.id = a.user and f.kind = 'guardian'
  union all select student, guardian, position from now_links as n where position < :reverse
    and not exists (select 1 from facts where id = n.student and told)
  union all select student, guardian, position from now_links as n where position >= :reverse
    and not exists (select 1 from facts where id = n.guardian and told)
) where student in (select id from want_students) and guardian in (select id from may_guard)
group by student, guardian;
insert into problems select 'users.csv', a.line, 'guardian_unknown', shown(a.agent), shown(a.user) from agents as a
  join want_students as s on s.id = a.user
  where not exists (select 1 from users where id = a.agent and not gone)
    and not exists (select 1 from silent where id = a.agent)
    and ((:whole and not :keep_people) or not exists (select 1 from known where id = a.agent));
create table stand_ins (id text primary key, children integer) without rowid;
insert into stand_ins select guardian, count(*) from want_links group by guardian having count(*) > :children;
insert into problems select 'users.csv', coalesce(f.line, 0), 'many_children', s.children, shown(s.id)
  from stand_ins as s left join facts as f on f.id = s.id;
delete from want_links where guardian in (select id from stand_ins);
create index want_links_guardian on want_links (guardian);
create table want_guardians (id text primary key, reads text, speaks text, home text, contact text) without rowid;
insert into want_guardians select * from may_guard where id in (select guardian from want_links)
  or (:keep_people and id in (select id from now_guardians))
"""

TONGUES = """
delete from languages where language = '?'
  and exists (select 1 from languages as other where other.id = languages.id and other.language <> '?');
insert into problems select 'languages.csv', line, 'language_twice', shown(id), shown(id) from languages as one
  where exists (select 1 from languages as other
    where other.id = one.id and other.rowid < one.rowid and other.language <> one.language);
delete from languages where rowid > (select min(rowid) from languages as other where other.id = languages.id)
"""

TONGUES_UNKNOWN = """
insert into problems select 'languages.csv', line, 'language_unknown_id', shown(id), shown(id) from languages as l
  where not (what in ('student', '') and exists (select 1 from want_students where id = l.id))
    and not (what in ('guardian', '') and exists (select 1 from may_guard where id = l.id))
    and not exists (select 1 from silent where id = l.id)
"""

# A list of changes does not tell how many teachers a school has, and neither does a roster without any.
TEACHERS = """
update want_schools set teachers = (
    select count(distinct t.user) from teachers as t join places as p on p.org = t.org and p.school = want_schools.id
    where not exists (select 1 from gone_already where id = t.user))
  where active and exists (select 1 from teachers)
"""

SAME_GUARDIANS = """
create table same_guardians as select contact, min(id) as first, max(id) as last from want_guardians
  where contact like '%"name"%' and (contact like '%"email"%' or contact like '%"phone"%')
  group by contact having count(*) > 1;
insert into problems select 'users.csv', coalesce(f.line, 0), 'same_guardian',
    shown(case w.id when s.first then s.last else s.first end), shown(w.id)
  from same_guardians as s join want_guardians as w on w.contact = s.contact left join facts as f on f.id = w.id
"""


def merge_roster(stage: StagingDb, keep_names: bool, free: Callable[[str], str]) -> None:
    """Fill want_schools, want_students, want_guardians, and want_links in a staging database with the files and the
    current roster. `free` makes unused ids. Raises RosterRefused."""
    modes: dict[str, str] = stage.stored_value("modes")
    values = _statement_values(modes, stage.unread) | {"keep_names": keep_names}
    stage.keep("keep_people", values["keep_people"])
    stage.sql.execute("begin")
    _prepare_tables(stage, values)
    _merge_schools(stage, modes["orgs"] == "bulk", "orgs.csv" in stage.unread, free)
    _merge_people(stage, values)
    assign_classes(stage, modes, whole=not stage.unread & {"classes.csv", "enrollments.csv"})
    _note_same_guardians(stage)
    if values["whole"] and not values["keep_people"]:
        stage.run(TEACHERS)
    stage.sql.execute("commit")
    if not stage.one("select 1 from want_students limit 1"):
        raise RosterRefused("no_students")


def _statement_values(modes: Mapping[str, str], unread: Collection[str]) -> dict[str, object]:
    """Return the parameters of the SQL statements.

    It is unknown whom an unreadable row concerns. If a full list has such a row, nobody is removed for not being in it,
    and data about a person from other files stays.
    """
    whole = modes["users"] == "bulk"
    return {
        "whole": whole,
        "by_roles": modes["roles"] != "absent",
        "roles_whole": modes["roles"] != "delta",
        "reverse": REVERSE,
        "children": CHILDREN,
        "keep_people": whole and ("users.csv" in unread or "roles.csv" in unread),
        "keep_kinds": modes["roles"] == "bulk" and "roles.csv" in unread,
        "keep_traits": "demographics.csv" in unread,
        "keep_languages": "languages.csv" in unread,
    }


def _prepare_tables(stage: StagingDb, values: dict[str, object]) -> None:
    stage.run(ONCE)
    for table, file in REPEATING:
        stage.run(REPEATED.format(table=table, file=file))
    stage.run(OF_REPEATED + ";" + TONGUES)
    for table, file, who, alive in (
        ("roles", "roles.csv", "user", "not gone"),
        ("enrollments", "enrollments.csv", "user", "school is not null"),
        ("traits", "demographics.csv", "id", "not gone"),
    ):
        stage.run(UNKNOWN.format(table=table, file=file, who=who, alive=alive), **values)


def _merge_people(stage: StagingDb, values: dict[str, object]) -> None:
    stage.run(ORGS_UNKNOWN + ";" + KINDS + ";" + FACTS, **values)
    if not values["whole"]:
        stage.run(FACTS_OF_CHANGES)
    stage.run(PLACED, **values)
    merge_programs(stage, is_whole=bool(values["whole"]) and f"{PROGRAMS_FILE}.csv" not in stage.unread)
    flags = {name: flag_sql(name, stage.stored_value) for name in (LEARNER, DISABILITY)}
    language_sql = _language_expression("language", languages="l.language", users="u.language", traits="t.language")
    stage.run(STUDENTS.format(**flags, language=language_sql, stays=STAYS), **values)
    tongues = {"reads": _language_expression("reads", languages="l.language", users="u.reads", traits="t.reads")}
    tongues |= {"speaks": _language_expression("speaks", users="u.speaks", traits="t.speaks")}
    stage.run(GUARDIANS.format(**tongues, named_in=NAMED_IN.format(**tongues), stays=STAYS), **values)
    stage.run(LINKS + ";" + TONGUES_UNKNOWN, **values)


def _language_expression(stored: str, **columns: str) -> str:
    """Return an SQL expression for a language. `columns` are the columns of the files, by priority.

    The first file that names a language decides. If a file has an unrecognized language, or a row of it could not be
    read, the stored value has priority over files after it. Last come columns that are empty, and the stored value.
    """
    keep = {"languages": ":keep_languages", "traits": ":keep_traits"}
    terms = []
    for source, column in columns.items():
        keeps = f"{column} = '?' or {keep[source]}" if source in keep else f"{column} = '?'"
        terms += [f"nullif(nullif({column}, ''), '?')", f"case when {keeps} then nullif(n.{stored}, '') end"]
    empty = [f"nullif({column}, '?')" for column in columns.values()]
    return f"coalesce({', '.join((*terms, *empty))}, n.{stored}, '')"


def _merge_schools(stage: StagingDb, whole: bool, unread: bool, free: Callable[[str], str]) -> None:
    """Fill want_schools (id, name, source, active), and places (org, state, school), which has the meaning of each org.

    A school that is missing from a full list is closed, unless a row could not be read, which may be the school's.
    """
    stage.run(
        "create table want_schools (id text primary key, name text, source text, active integer, teachers integer)"
        " without rowid;"
        "create table places (org text primary key, state text, school text) without rowid"
    )
    now = [list(row) for row in stage.all("select id, name, source, active, teachers from now_schools order by id")]
    by_source = {row[2]: row for row in now if row[2] is not None}
    unclaimed = [row for row in now if row[2] is None]
    listed: set[str] = set()
    refused = {row[0] for row in stage.all("select id from refused_orgs")}
    for org, gone, kind, name in list(stage.all("select id, gone, kind, name from orgs order by id")):
        listed.add(org)
        row = by_source.get(org)
        if gone or kind != "school":
            stage.put("places", [(org, "school_closed" if gone else "not_a_school", None)])
            if row:
                row[3] = 0
        else:
            row = row or _claim_school(unclaimed, name) or [free(_school_id(name)), name, org, 1, None]
            row[1:4] = [name, org, 1]
            by_source[org] = row
            stage.put("places", [(org, "school", row[0])])
    missing = [row for org, row in by_source.items() if org not in listed]
    closing = [row for row in missing if row[3] and whole and row[2] not in refused]
    for row in closing if not unread else ():
        row[3] = 0
    stage.keep("schools_kept", len(closing) if unread else 0)
    stage.put("places", [(row[2], "school" if row[3] else "school_unknown", row[0]) for row in missing])
    stage.put("want_schools", [*by_source.values(), *unclaimed])


def _claim_school(unclaimed: list[list[Any]], name: str) -> list[Any] | None:
    """Remove and return a school with this name that is not from a roster; from now on it belongs to the roster. None
    if none."""
    for row in unclaimed:
        if row[1].casefold() == name.casefold():
            unclaimed.remove(row)
            return row
    return None


def _school_id(name: str) -> str:
    return make_slug(name, "school")[:SCHOOL_ID_MOST].strip("-")


def _note_same_guardians(stage: StagingDb) -> None:
    """Report guardians with the same name, email address, and phone number but different ids."""
    stage.run(SAME_GUARDIANS)
