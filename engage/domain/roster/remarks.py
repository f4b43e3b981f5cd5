"""Remarks: why something in the files was not used, as a code and a value, with sentences in any language."""

from collections.abc import Sequence
from dataclasses import dataclass
from gettext import NullTranslations

from engage.questionnaire.text_cleaning import clean_text

SHOWN = 80  # characters of a value from the files that a sentence quotes
UNREAD = (
    *("quote", "not_utf8", "control", "long_row", "cells", "more_cells", "no_id", "no_user"),
    *("empty_file", "no_column", "column_twice", "languages_columns", "programs_columns"),
)
"""Codes of rows, and of whole files, where it is unknown whom they concern."""
NOTES = ("windows_1252", "ignored", "same_guardian", "language_none", "program_other")
"""Codes about data that was used, but should be reviewed."""
_WHO = ("long_id", "repeated", "status", "no_status", "role", "no_role", "role_type", "end_date", "flag", "grade")
_WHERE = ("no_name", "org_type", "no_school", "school_unknown", "not_a_school", "school_closed", "class_columns")
_GUARDIANS = ("guardian_unknown", "many_guardians", "many_children", "same_guardian")
_LANGUAGES = ("language", "language_none", "language_unknown_id", "language_twice", "windows_1252")
_PROGRAMS = ("program_unknown_id",)
OF_FAMILIES = frozenset((*UNREAD, *_WHO, *_WHERE, *_GUARDIANS, *_LANGUAGES, *_PROGRAMS))
"""Codes that affect which households are surveyed, at which school, or in which language. The others concern contacts
and classes."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row, or part of one, that was not used. `line` is the physical line where the row begins; `id` is the sourcedId
    it concerns, "" if unknown."""

    file: str
    line: int
    code: str
    value: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class RemarkGroup:
    """All remarks of one file with the same reason: their number, the first lines, and the most frequent values of the
    files. `more` is the number of other values."""

    file: str
    code: str
    count: int
    lines: tuple[int, ...]
    values: tuple[tuple[str, int], ...]
    more: int = 0

    @property
    def example(self) -> RowProblem:
        """Return one of the remarks, as the example in a sentence."""
        return RowProblem(self.file, self.lines[0], self.code, self.values[0][0])

    @property
    def families(self) -> bool:
        """Whether it affects which households are surveyed, at which school, or in which language."""
        return self.code in OF_FAMILIES


class RosterRefused(Exception):
    """The files cannot be used at all. `code` is a key of `_refusal_texts`; the message is in English. `remarks` are
    the remarks about the files so far, by kind."""

    def __init__(self, code: str, value: str = "") -> None:
        self.code, self.value = code, shorten_value(value)
        self.remarks: Sequence[RemarkGroup] = ()
        super().__init__(refusal_text(self, NullTranslations()))


def shorten_value(value: str) -> str:
    """Return a value from the files for use in a sentence: short, on one line, without control characters."""
    text = clean_text(value[: SHOWN * 4].encode("utf-8", "replace").decode(), lines=False)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def refusal_text(refused: RosterRefused, words: NullTranslations) -> str:
    """Return why the whole roster was refused, and what to do."""
    return _refusal_texts(words)[refused.code] % {"value": refused.value}


def reason_text(problem: RowProblem, words: NullTranslations) -> str:
    """Return why a row, or part of it, was not used."""
    return _reason_texts(words)[problem.code] % {"value": problem.value}


def _refusal_texts(words: NullTranslations) -> dict[str, str]:
    return {
        # translators: a roster is the school district's list of students and guardians; value is a path
        "missing": words.gettext("Nothing was found at “%(value)s”. Give the path of a folder or a ZIP file."),
        # translators: about a file that was handed in
        "not_a_zip": words.gettext("This is not a ZIP file. Export the roster again as OneRoster CSV."),
        # translators: about a ZIP file that was handed in; value is a file name in it
        "zip_damaged": words.gettext("The ZIP file is damaged at “%(value)s”. Export it again."),
        # translators: about a ZIP file that was handed in; value is a file name in it
        "zip_path": words.gettext(
            "The ZIP file contains “%(value)s”, which points outside the ZIP file. Do not use this file."
        ),
        # translators: about a ZIP file that was handed in; value is the name of a folder in it
        "zip_nested": words.gettext(
            "The ZIP file contains rosters in several folders. One of them is “%(value)s”. Put only one roster "
            "in the ZIP file."
        ),
        # translators: about a ZIP file that was handed in; value is a file name in it
        "zip_link": words.gettext(
            "“%(value)s” in the ZIP file is a link, not a file. Put the file itself in the ZIP file."
        ),
        # translators: about a ZIP file that was handed in; value is a file name in it
        "zip_locked": words.gettext(
            "The file “%(value)s” in the ZIP file has a password. Create the ZIP file without a password."
        ),
        # translators: about a ZIP file that was handed in; value is a file name in it
        "zip_method": words.gettext(
            "“%(value)s” is compressed in a way that cannot be read. Create a standard ZIP file."
        ),
        # translators: about a ZIP file that was handed in; value is a number
        "zip_crowded": words.gettext("The ZIP file contains %(value)s files. A roster has about 10."),
        # translators: about a ZIP file that was handed in; value is a file name in it
        "too_large": words.gettext("“%(value)s” is too large to be a roster file. Nothing was read."),
        # translators: about a ZIP file that was handed in; value is a file name in it
        "too_tight": words.gettext("“%(value)s” is much too large for a roster file when unzipped. Nothing was read."),
        # translators: value is a file name
        "file_twice": words.gettext("“%(value)s” appears twice. Remove one of them."),
        # translators: value is a file name
        "no_file": words.gettext("“%(value)s” is missing. Export all of the roster's files."),
        # translators: value is a file name
        "empty_file": words.gettext("“%(value)s” is empty. It does not even have a first line with column names."),
        # translators: value is a file name
        "utf16": words.gettext("“%(value)s” is UTF-16. Save it as UTF-8."),
        # translators: value is "file: column"
        "no_column": words.gettext("A column is missing (%(value)s)."),
        # translators: value is "file: column"
        "column_twice": words.gettext("A column appears twice (%(value)s). Remove one of them."),
        # translators: value is what stands in the file
        "manifest": words.gettext("manifest.csv says “%(value)s”. It must say absent, bulk, or delta for each file."),
        # translators: value is the number of a line; manifest.csv is a file of the roster
        "manifest_line": words.gettext(
            "Line %(value)s of manifest.csv cannot be read, so there is no way to tell whether these files are "
            "complete lists. Export the roster again."
        ),
        # translators: about a list of students that was handed in
        "no_role": words.gettext(
            "There is no way to tell who is a student: users.csv has no role column, and roles.csv is missing or empty."
        ),
        # translators: about a list of students that was handed in
        "no_students": words.gettext(
            "No student in the files can be used, so the roster would be empty. Nothing was changed."
        ),
        # translators: about a list of languages that was handed in
        "languages_columns": words.gettext(
            "The file of languages needs two columns: studentId or guardianId, and language."
        ),
        # translators: about a list of students in programs such as special education that was handed in
        "programs_columns": words.gettext(
            "The file of programs needs two columns: studentId or studentNumber, and program."
        ),
        # translators: about files that arrived in a folder; value is a file name. A link points to another file
        "delivery_link": words.gettext(
            "“%(value)s” is a link or a device, not a file. Send the file itself to the folder."
        ),
        # translators: value is a file name
        "unreadable": words.gettext("“%(value)s” cannot be read."),
    }


def _reason_texts(words: NullTranslations) -> dict[str, str]:
    return {
        # translators: about a file of a roster, before its rows
        "windows_1252": words.gettext(
            "The file is not in UTF-8. It was read as Windows-1252, the encoding Excel uses. Check names that "
            "have accents."
        ),
        # translators: about a file that came with a roster
        "ignored": words.gettext("This file is not part of the roster and was not read."),
        # translators: why a file of a roster was not used
        "empty_file": words.gettext("The file is empty, so it was not used."),
        # translators: why a file of a roster was not used; value is "file: column"
        "no_column": words.gettext("A column is missing (%(value)s), so the file was not used."),
        # translators: why a file of a roster was not used; value is "file: column"
        "column_twice": words.gettext("A column appears twice (%(value)s), so the file was not used."),
        # translators: why a file was not used; studentId, guardianId and language are names of columns
        "languages_columns": words.gettext(
            "The file needs two columns: studentId or guardianId, and language. The file was not used."
        ),
        # translators: why a file was not used; studentId, studentNumber and program are names of columns
        "programs_columns": words.gettext(
            "The file needs two columns: studentId or studentNumber, and program. The file was not used."
        ),
        # translators: about a row of a list of students; value is the name of a school program
        "program_other": words.gettext(
            "“%(value)s” is not one of the programs that are used: English learners, and special education (IEP)."
        ),
        # translators: why a row of a list was not used; value is the id or number of a student
        "program_unknown_id": words.gettext("“%(value)s” is not exactly one student in the roster."),
        # translators: why a row of a list was not used; value is a number
        "more_cells": words.gettext(
            "The row has %(value)s cells, more than the other rows. Put quotation marks around any cell that "
            "contains a comma."
        ),
        # translators: why a row of a list was not used; value is text from the file
        "cells": words.gettext(
            "The row has text after the last column (“%(value)s”). Put quotation marks around any cell that "
            "contains a comma."
        ),
        # translators: why a row of a list was not used
        "quote": words.gettext("A quotation mark is opened but not closed, or is closed inside a cell."),
        # translators: why a row of a list was not used
        "long_row": words.gettext("The row is too long to be a single row."),
        # translators: why a row of a list was not used
        "not_utf8": words.gettext("The row is not in UTF-8. Save the file as UTF-8."),
        # translators: why a row of a list was not used
        "control": words.gettext("The row contains a character that is not allowed in text."),
        # translators: why a row of a list was not used; sourcedId is the name of a column
        "no_id": words.gettext("The sourcedId is empty."),
        # translators: why a row of a list was not used; userSourcedId is the name of a column
        "no_user": words.gettext("The userSourcedId is empty."),
        # translators: why a row of a list was not used; sourcedId is the name of a column
        "long_id": words.gettext("The sourcedId is longer than 255 characters."),
        # translators: why a row of a list was not used; sourcedId is the name of a column
        "repeated": words.gettext("The sourcedId “%(value)s” appears more than once. The first row is used."),
        # translators: why a row of a list was not used; status, active and tobedeleted stand in the file like this
        "status": words.gettext("The status is “%(value)s”. It must be active or tobedeleted."),
        # translators: why a row of a list was not used; status stands in the file like this
        "no_status": words.gettext("The status is empty. In a list of changes, it must be active or tobedeleted."),
        # translators: why a row of a list was not used
        "no_name": words.gettext("The school has no name."),
        # translators: why a row or a part of it was not used; value is the beginning of a name
        "long_name": words.gettext("The name is longer than 200 characters (“%(value)s”)."),
        # translators: why a row of a list was not used; value stands in the file
        "org_type": words.gettext("“%(value)s” is not a OneRoster organization type."),
        # translators: why a row of a list was not used; value stands in the file
        "role": words.gettext("“%(value)s” is not a OneRoster role."),
        # translators: why a row of a list was not used
        "no_role": words.gettext("This person has no role in roles.csv."),
        # translators: why a row of a list was not used; value stands in the file
        "role_type": words.gettext("The roleType is “%(value)s”. It must be primary or secondary."),
        # translators: why a row of a list was not used; value stands in the file
        "end_date": words.gettext("The endDate “%(value)s” is not a date like 2026-09-01."),
        # translators: why a row of a list was not used; value stands in the file
        "begin_date": words.gettext("The beginDate “%(value)s” is not a date like 2026-09-01."),
        # translators: why a row of a list of school classes was not used; value stands in the file
        "class_type": words.gettext("“%(value)s” is not a OneRoster class type."),
        # translators: why a row of a list of school classes was not used
        "class_title": words.gettext("The class has no title."),
        # translators: why a list of school classes was not used; title and classType are names of columns
        "class_columns": words.gettext("The file has no title column or no classType column, so no classes were read."),
        # translators: why a row of a list was not used; value is an id
        "user_unknown": words.gettext("The person “%(value)s” is not in users.csv, or that row cannot be read."),
        # translators: why a row of a list was not used; value is an id
        "org_unknown": words.gettext("The organization “%(value)s” is not in orgs.csv."),
        # translators: why a student in a list was not used
        "no_school": words.gettext("The student has no school."),
        # translators: why a student in a list was not used; value is an id
        "school_unknown": words.gettext(
            "The student's school “%(value)s” is not in orgs.csv, or that row cannot be used."
        ),
        # translators: why a student in a list was not used; value is an id
        "not_a_school": words.gettext("“%(value)s” is not a school, and the student has no other school."),
        # translators: why a student in a list was not used; value is an id
        "school_closed": words.gettext("The student's school “%(value)s” is marked as tobedeleted."),
        # translators: why a part of a row was not used; value is an id
        "guardian_unknown": words.gettext("The guardian “%(value)s” was not found."),
        # translators: about a row of a list; value is an id
        "same_guardian": words.gettext(
            "This guardian has the same name, email address, and phone number as “%(value)s”. Their children are "
            "counted as separate households."
        ),
        # translators: why a part of a row was not used
        "own_guardian": words.gettext("This person is listed as their own guardian."),
        # translators: why a part of a row was not used; value is a number
        "many_guardians": words.gettext("The row lists %(value)s guardians. Only the first 20 are used."),
        # translators: why a row of a list was not used; value is a number
        "many_children": words.gettext(
            "This guardian has %(value)s students and looks like a placeholder. It was not used, because it "
            "would make all of them one household."
        ),
        # translators: why a part of a row was not used; value stands in the file
        "language": words.gettext("“%(value)s” is not a recognized language. Use its English name or its code."),
        # translators: about a part of a row of a list; value stands in the file
        "language_none": words.gettext("“%(value)s” does not name a language. The language is treated as unknown."),
        # translators: why a part of a row was not used; value stands in the file
        "flag": words.gettext("“%(value)s” is not yes or no."),
        # translators: why a part of a row was not used; value stands in the file
        "grade": words.gettext(
            "The grade “%(value)s” is not recognized. It is not used to decide which child is the youngest."
        ),
        # translators: why a part of a row was not used; value stands in the file
        "email": words.gettext("“%(value)s” is not an email address."),
        # translators: why a part of a row was not used; value stands in the file
        "phone": words.gettext("“%(value)s” is not a phone number."),
        # translators: why a row of a list was not used; value is an id
        "language_unknown_id": words.gettext("“%(value)s” is not a student or guardian in the roster."),
        # translators: why a row of a list was not used; value is an id
        "language_twice": words.gettext("“%(value)s” is listed with more than one language. The first row is used."),
    }
