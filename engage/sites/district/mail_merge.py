"""The mail-merge list for letters with access codes: downloaded once, as CSV or as a workbook."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from flask import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.base.exports.csv import csv_bytes
from engage.base.exports.xlsx import Worksheet, write_xlsx
from engage.base.languages import LANGUAGES
from engage.domain.roster.sampling_units import SamplingUnit
from engage.domain.security.access_codes import format_access_code
from engage.domain.security.encryption import SealBroken, Sealer
from engage.services.printing.recipients import read_greeting
from engage.services.waves.invitations import InvitationLetter
from engage.storage.models.roster import HouseholdStudent, Student
from engage.storage.models.schools import Household
from engage.storage.models.waves import Wave
from engage.web.context import runtime
from engage.web.page_language import gettext, language, long_date

KINDS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
AT_ONCE = 500  # households per query


@dataclass(frozen=True, slots=True)
class LetterLine:
    """One letter. `guardians`, `students` are names, empty if the district stores none; `numbers` are student
    numbers."""

    school: str
    numbers: str
    guardians: str
    students: str
    letter: InvitationLetter


@dataclass(frozen=True, slots=True)
class LetterNames:
    """Names for letters: guardians and students by household, students by their own id, and student numbers by
    household. Without those that the district does not store."""

    households: dict[str, tuple[str, str]]
    students: dict[str, str]
    numbers: dict[str, list[str]]


def read_letter_names(session: Session, units: Sequence[SamplingUnit], sealer: Sealer) -> LetterNames:
    """Read and decrypt the names for the letters to these units."""
    homes = dict(_greetings(session, units, sealer))
    return LetterNames(homes, dict(_student_names(session, units, sealer)), _student_numbers(session, units))


def letter_lines(wave: Wave, letters: Sequence[InvitationLetter], names: LetterNames) -> list[LetterLine]:
    """A line for each letter. Reads nothing, but the wave's schools must be loaded."""
    schools = {school.id: school.name for school in wave.schools}
    lines = []
    for letter in letters:
        guardians, students = names.households.get(letter.household_id, ("", ""))
        if letter.student_id is not None:
            students, numbers = names.students.get(letter.student_id, ""), [letter.student_id]
        else:
            numbers = names.numbers.get(letter.household_id, [])
        lines.append(LetterLine(schools[letter.school_id], " ".join(numbers), guardians, students, letter))
    return lines


def sort_letter_lines(lines: Sequence[LetterLine]) -> list[LetterLine]:
    """The lines by school, language and name; without names they stay in their random order."""
    return sorted(lines, key=lambda line: (line.school, line.letter.language, line.guardians, line.students))


def download_code_list(wave: Wave, lines: Sequence[LetterLine], kind: str) -> Response:
    """The list as a download."""
    headings = _headings()
    rows = list(_rows(lines))
    if kind == "csv":
        body = b"".join(csv_bytes(headings, rows))
    else:
        out = BytesIO()
        # translators: name of a sheet in a workbook
        sheet = Worksheet(gettext("Access codes"), headings, rows)
        # translators: name of the sheet in a workbook that says what the workbook holds
        about = gettext("About")
        write_xlsx(out, [sheet], _manifest(wave, len(rows)), language().direction == "rtl", about)
        body = out.getvalue()
    return download_response(body, KINDS[kind], f"codes-{wave.id}.{kind}")


def download_response(body: bytes, kind: str, name: str) -> Response:
    """A file download."""
    return Response(body, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def code_link(tag: str, code: str) -> str:
    """The address of a code's page in a language."""
    return f"{runtime().settings.base_url}/{tag}/c/{format_access_code(code)}"


def _headings() -> list[str]:
    return [
        # translators: heading of a table column: the number of a letter in a list
        gettext("Letter number"),
        # translators: heading of a table column
        gettext("School"),
        # translators: heading of a table column: numbers of students in the district's own system
        gettext("Student numbers"),
        # translators: heading of a table column: names of parents and others who care for a child
        gettext("Guardians"),
        # translators: heading of a table column: names of students
        gettext("Students"),
        # translators: heading of a table column
        gettext("Language"),
        # translators: heading of a table column: what a household types in to answer
        gettext("Access code"),
        # translators: heading of a table column: a web address
        gettext("Link"),
    ]


def _rows(lines: Sequence[LetterLine]) -> Iterator[tuple[int | str, ...]]:
    for number, line in enumerate(lines, 1):
        tag, code = line.letter.language, line.letter.code
        tongue = LANGUAGES[tag].name if tag in LANGUAGES else tag
        names = (line.numbers, line.guardians, line.students)
        yield (number, line.school, *names, tongue, format_access_code(code), code_link(tag, code))


def _manifest(wave: Wave, count: int) -> dict[str, str]:
    return {
        # translators: in a workbook, before the title of a survey's wave
        gettext("Survey"): wave.title,
        # translators: in a workbook, before a day
        gettext("Created on"): long_date(runtime().today()),
        # translators: in a workbook, before a number of access codes
        gettext("Access codes"): str(count),
        # translators: in a workbook, before a short advice
        gettext("Keep this list safe"): gettext(
            "Delete this list when the letters have been sent. The codes are not stored anywhere else."
        ),
    }


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    every = sorted(set(ids))
    return (every[at : at + AT_ONCE] for at in range(0, len(every), AT_ONCE))


def _greetings(
    session: Session, units: Iterable[SamplingUnit], sealer: Sealer
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Names of guardians and students, by household."""
    for homes in _batches(unit.household_id for unit in units):
        wanted = select(Household.id, Household.greeting).where(Household.id.in_(homes))
        for home, sealed in session.execute(wanted.where(Household.greeting.is_not(None))):
            yield home, read_greeting(sealed, sealer)


def _student_names(session: Session, units: Iterable[SamplingUnit], sealer: Sealer) -> Iterator[tuple[str, str]]:
    """Names of students by id, for letters to single students."""
    for some in _batches(each.student_id for each in units if each.student_id is not None):
        wanted = select(Student.id, Student.name).where(Student.id.in_(some), Student.name.is_not(None))
        for student, sealed in session.execute(wanted):
            try:
                yield student, sealer.open(sealed or b"")
            except SealBroken:
                continue


def _student_numbers(session: Session, units: Iterable[SamplingUnit]) -> dict[str, list[str]]:
    """Student numbers by household."""
    by_household: dict[str, list[str]] = {}
    for homes in _batches(unit.household_id for unit in units):
        wanted = select(HouseholdStudent.household_id, HouseholdStudent.student_id)
        here = wanted.where(HouseholdStudent.household_id.in_(homes)).order_by(HouseholdStudent.student_id)
        for household, student in session.execute(here):
            by_household.setdefault(household, []).append(student)
    return by_household
