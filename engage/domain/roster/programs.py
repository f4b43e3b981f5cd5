"""The file of programs: which students are learning English, and which have an individualized education program, one
row for each student and program. It is a complete list: with a full roster, nobody else is in these programs."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from engage.domain.roster.csv_reader import Tell, read_rows
from engage.domain.roster.files import RosterSource
from engage.domain.roster.remarks import RosterRefused
from engage.domain.roster.staging_db import StagingDb

PROGRAMS_FILE = "programs"  # optional file with two columns
LEARNER, DISABILITY = "learner", "disability"
BY_ID, BY_NUMBER = ("studentid", "sourcedid", "id"), ("studentnumber", "identifier")  # columns, without "_"

# Letters and digits only, in lowercase
_NAMES = {
    **dict.fromkeys(("el", "ell", "lep", "esl", "eld", "englishlearner", "englishlearners"), LEARNER),
    **dict.fromkeys(("englishlanguagelearner", "englishlanguagelearners", "multilinguallearner"), LEARNER),
    **dict.fromkeys(("limitedenglishproficient", "limitedenglishproficiency", "bilingual", "lau"), LEARNER),
    **dict.fromkeys(("iep", "idea", "sped", "swd", "disability", "specialeducation", "specialed"), DISABILITY),
    **dict.fromkeys(("studentwithdisabilities", "individualizededucationprogram"), DISABILITY),
}

FLAGS = """
create index if not exists users_number on users (number);
create table program_flags (id text primary key, learner integer, disability integer) without rowid;
insert into program_flags select student, max(case when program = 'learner' then 1 end),
    max(case when program = 'disability' then 1 end)
  from (
    select coalesce(case when p.by_number then (select u.id from users as u where u.number = p.student
      group by u.number having count(distinct u.id) = 1) else p.student end, '') as student, p.program
    from programs as p
  ) where student <> '' group by student;
insert into problems select 'programs.csv', line, 'program_unknown_id', shown(student), shown(student)
  from programs as p where case when by_number
      then (select count(distinct u.id) from users as u where u.number = p.student) <> 1
      else not exists (select 1 from users where id = p.student)
        and not exists (select 1 from now_students where id = p.student) end
"""


def find_program(name: str) -> str | None:
    """Return LEARNER or DISABILITY for the name of a program; None for any other program."""
    return _NAMES.get("".join(letter for letter in name.lower() if letter.isalnum()))


def read_programs(source: RosterSource, stage: StagingDb, tell: Tell) -> None:
    """Copy the file to the staging database. Raises RosterRefused."""
    file = f"{PROGRAMS_FILE}.csv"

    def rows() -> Iterator[Sequence[Any]]:
        for line, row in read_rows(source, file, (), tell):
            column = next((name for name in (*BY_ID, *BY_NUMBER) if name in row), None)
            if column is None or "program" not in row:
                raise RosterRefused("programs_columns")
            program = find_program(row["program"] or "")
            if not row[column]:
                stage.problem(file, line, "no_id")
            elif program is None:
                stage.problem(file, line, "program_other", row["program"] or "", row[column] or "")
            else:
                yield row[column], line, column in BY_NUMBER, program

    stage.put("programs", rows())


def merge_programs(stage: StagingDb, *, is_whole: bool) -> None:
    """Fill program_flags, and store which programs are complete lists. `is_whole`: the roster is a full one, and every
    row of the file could be read."""
    stage.run(FLAGS)
    for program in (LEARNER, DISABILITY):
        has_rows = stage.one("select 1 from programs where program = ? limit 1", program) is not None
        stage.keep(f"{program}_listed", is_whole and has_rows)


def flag_sql(flag: str, stored_value: Callable[[str], Any]) -> str:
    """Return an SQL expression for a flag, given the stored values of the staging database: one "yes" of any file is
    enough, and a column that is in no file leaves the stored value. -1 stands for an empty cell, -2 for no cell."""
    program = f"coalesce(listed.{flag}, {0 if stored_value(f'{flag}_listed') else -2})"
    value = f"max(coalesce(u.{flag}, -2), coalesce(t.{flag}, -2), {program})"
    return f"case {value} when -2 then n.{flag} when -1 then case when :keep_traits then n.{flag} end else {value} end"
