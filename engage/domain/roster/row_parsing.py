"""Parser for the parts of a row: languages, flags, grades, contacts. A part that cannot be used is reported; the rest
of the row is used."""

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engage.domain.roster.csv_reader import Row, first_value, plain_column_name
from engage.domain.roster.grades import parse_grade
from engage.domain.roster.language_names import find_language_tag, is_unknown_language
from engage.domain.roster.staging_db import StagingDb

ID_MOST = 255  # characters, as the columns hold
NAME_MOST = 200  # characters of a name
GUARDIANS = 20  # guardians of one student
UNREADABLE = "?"  # in the staging database: an unrecognized language, so that the stored one stays

# Columns that districts use for the same data, by priority (names in lowercase, without "_").
HOME_LANGUAGE = ("metadata.homelanguage", "metadata.homelanguagecode", "metadata.nativelanguage", "metadata.language")
READS = ("metadata.readinglanguage", "metadata.correspondencelanguage", "metadata.writtenlanguage", "metadata.language")
SPEAKS = ("metadata.speakinglanguage", "metadata.spokenlanguage")
LEARNER = ("metadata.englishlearner", "metadata.englishlanguagelearner", "metadata.ell", "metadata.el", "metadata.lep")
DISABILITY = ("metadata.disability", "metadata.iep", "metadata.swd", "metadata.specialeducation")
HOME = ("metadata.household", "metadata.householdid", "metadata.homeid", "metadata.home", "metadata.address")

YES, NO = frozenset({"yes", "y", "true", "t", "1"}), frozenset({"no", "n", "false", "f", "0"})
UNSAID = -1  # a flag whose column exists but is empty
_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+")
_PHONE = re.compile(r"(?=(?:\D*\d){5})[\d\s()+./xX#*;,a-zA-Z-]{5,40}")


@dataclass(frozen=True, slots=True)
class FlagColumns:
    """More columns with yes or no, which the settings name: lowercase, without "_" and spaces."""

    learner: tuple[str, ...] = ()
    disability: tuple[str, ...] = ()

    @classmethod
    def of(cls, learner: str, disability: str) -> "FlagColumns":
        """Return the columns of two settings, with commas between their names."""
        return cls(*(tuple(map(plain_column_name, filter(None, text.split(",")))) for text in (learner, disability)))


NO_FLAG_COLUMNS = FlagColumns()
Contact = tuple[str | None, str | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class RowParser:
    """Parses the parts of the row of `id` on `line` of `file`. `home_key` makes keyed digests of home keys, which may
    be addresses."""

    stage: StagingDb
    home_key: bytes
    file: str
    line: int
    id: str

    def tell(self, code: str, value: str = "") -> None:
        """Report that a part of the row is not used."""
        self.stage.problem(self.file, self.line, code, value, self.id)

    def language(self, text: str | None) -> str | None:
        """Return a language tag; "" if the cell is empty or says that the language is unknown, UNREADABLE if it is not
        recognized, and None if there is no cell."""
        if not text:
            return text
        tag = find_language_tag(text)
        if tag is None:
            self.tell("language", text)
        elif is_unknown_language(text):
            self.tell("language_none", text)
        return UNREADABLE if tag is None else tag

    def flag(self, row: Row, columns: Sequence[str]) -> int | None:
        """Return 1 if any of the columns says yes, else 0 if any says no, UNSAID if they are empty, and None if there
        are none."""
        cells = [cell.lower() for column in columns if (cell := row.get(column)) is not None]
        flags = [each for each in cells if each in YES or each in NO]
        for unknown in [text for text in cells if text and text not in flags]:
            self.tell("flag", unknown)
        if flags:
            return int(any(each in YES for each in flags))
        return UNSAID if cells and not any(cells) else None

    def grade(self, text: str | None) -> str | None:
        """Return the grade in OneRoster's spelling; None if it is unknown or there is no cell."""
        grade = None if text is None else parse_grade(text)
        if text and grade is None:
            self.tell("grade", text)
        return grade

    def contact(self, row: Row) -> Contact:
        """Return given name, family name, email address, and phone number."""
        given_name = first_value(row, ("preferredgivenname",)) or first_value(row, ("givenname",))
        family = first_value(row, ("preferredfamilyname",)) or first_value(row, ("familyname",))
        name = f"{given_name or ''} {family or ''}".strip()
        if len(name) > NAME_MOST:
            self.tell("long_name", name)
            given_name = family = None
        email, phone = row.get("email"), first_value(row, ("phone", "sms"))
        return given_name, family, self._shaped(email, _EMAIL, "email"), self._shaped(phone, _PHONE, "phone")

    def _shaped(self, text: str | None, shape: re.Pattern[str], code: str) -> str | None:
        if text and (len(text) > 254 or not shape.fullmatch(text)):
            self.tell(code, text)
            return None
        return text

    def agents(self, agents: Sequence[str]) -> Iterator[Sequence[Any]]:
        """Yield user, agent, position, and line for each guardian that the row names."""
        named = list(dict.fromkeys(each for each in agents if each and len(each) <= ID_MOST))
        if self.id in named:
            self.tell("own_guardian")
        if len(named) > GUARDIANS:
            self.tell("many_guardians", str(len(named)))
        for position, agent in enumerate([each for each in named if each != self.id][:GUARDIANS]):
            yield self.id, agent, position, self.line

    def home(self, row: Mapping[str, str | None]) -> str | None:
        """Return the key of the home as a keyed digest: "12 Elm St." and "12 elm st" are equal."""
        text = first_value(row, HOME)
        plain = " ".join(re.findall(r"\w+", text.casefold())) if text else text
        return hmac.new(self.home_key, plain.encode(), hashlib.sha256).hexdigest()[:32] if plain else plain
