"""Homerooms of students, from classes.csv and enrollments.csv.

Only classes whose type is homeroom count, never subjects. Of several homerooms, one that has begun is preferred, then
the primary one, then the first by title; a homeroom of another school is ignored. Only titles are stored, with the
students. A delta import changes a student's class only if it includes both the class and the enrollment; otherwise the
stored class stays until the next full import.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from engage.domain.roster.csv_reader import Row
from engage.domain.roster.staging_db import StagingDb
from engage.questionnaire.text_cleaning import clean_text

TITLE_MOST = 100  # characters, as the column holds
TYPES = frozenset({"homeroom", "scheduled"})  # classType of OneRoster; 1.2 also allows "ext:..."
HOMEROOM, OTHER, UNSURE = "homeroom", "other", "unsure"
NOW, SOON, OVER = "1 now", "2 soon", "3 over"  # states of an enrollment, in order of preference
CACHE = 50_000  # classes in the cache; even a district of a million students has fewer homerooms

Tell = Callable[[str, str], None]
"""Called with the code of a reason and a value."""


def parse_class(row: Row, gone: bool, tell: Tell) -> Sequence[Any]:
    """Return kind, title, and org of a row of classes.csv. The kind is UNSURE, with a report, if the row cannot be
    used."""
    title = clean_text(row["title"] or "", lines=False)[:TITLE_MOST].strip()
    kind = (row["classtype"] or "").lower()
    org = row.get("schoolsourcedid") or None
    if kind != HOMEROOM and (kind in TYPES or kind.startswith("ext:")):
        return OTHER, title, org
    if gone or (kind == HOMEROOM and title):
        return kind, title, org
    tell(*(("class_title", "") if kind == HOMEROOM else ("class_type", kind)))
    return UNSURE, title, org


def class_kind_lookup(stage: StagingDb) -> Callable[[str], str | None]:
    """Return a function from the id of a class to its kind. None for a class that is not in the staging database, or is
    there only to be deleted."""

    @lru_cache(CACHE)
    def kind(id: str) -> str | None:
        class_kind: str | None = stage.one(
            "select kind from classes where id = ? and not gone order by rowid limit 1", id
        )
        return class_kind

    return kind


def is_homeroom_enrollment(kind: str | None, gone: bool) -> bool:
    """Whether a student's row of enrollments.csv concerns homerooms, by the kind of its class."""
    return gone if kind is None else kind != OTHER


def parse_enrollment(row: Row, gone: bool, kind: str | None, today: date, tell: Tell) -> Sequence[Any]:
    """Return the state, and whether it is the primary one, of a row that concerns homerooms."""
    begins, ends = _parse_day(row, "begindate", tell), _parse_day(row, "enddate", tell)
    if gone or (ends is not None and ends < today):
        state = OVER
    elif kind == UNSURE or (ends is None and row.get("enddate")):
        state = UNSURE
    else:
        state = SOON if begins is not None and begins > today else NOW
    return state, str(row.get("primary") or "").lower() in ("true", "1", "yes")


def _parse_day(row: Mapping[str, str | None], column: str, tell: Tell) -> date | None:
    if not (text := row.get(column)):
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        tell("end_date" if column == "enddate" else "begin_date", text)
        return None


SEATED = """
create table rooms (id text primary key, kind text, gone integer, title text, school text) without rowid;
insert into rooms select c.id, c.kind, c.gone, c.title, p.school from classes as c
  left join places as p on p.org = c.org and p.state = 'school' where c.kind in ('homeroom', 'unsure');
create table seated (id text primary key, class text) without rowid;
insert into seated select user, title from (
  select e.user, r.title, row_number() over (partition by e.user order by e.state, e.main desc, r.title, r.id) as nth
  from enrollments as e join rooms as r on r.id = e.class and r.kind = 'homeroom' and not r.gone
    join want_students as s on s.id = e.user and (r.school is null or r.school = s.school)
  where e.state in ('1 now', '2 soon')) where nth = 1;
create table unseated (id text primary key) without rowid;
insert or ignore into unseated select s.id from enrollments as e join rooms as r on r.id = e.class
    join want_students as s on s.id = e.user and s.class = r.title
  where e.state = '3 over' and (r.school is null or r.school = s.school);
insert or ignore into unseated select id from want_students where :all_seats;
delete from unseated where id in (select id from seated) or id in (select e.user from enrollments as e
  join rooms as r on r.id = e.class where e.state = 'unsure');
delete from seated where id in (select id from refused);
delete from unseated where id in (select id from refused);
update want_students set class = seated.class from seated
  where seated.id = want_students.id and seated.class <> want_students.class;
update want_students set class = '' where class <> '' and id in (select id from unseated)
"""


def assign_classes(stage: StagingDb, modes: Mapping[str, str], *, whole: bool) -> None:
    """Set the class of each student in want_students, which has the current classes.

    Unless the files are `whole`, students without a homeroom in them keep their current class.
    """
    class_modes = {modes[name] for name in ("classes", "enrollments")}
    if "absent" not in class_modes and stage.stored_value("seats"):
        stage.run(SEATED, all_seats=whole and class_modes == {"bulk"})
