"""Problems of a survey file, and a reader that collects all of them instead of stopping at the first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from engage.questionnaire.model import Words
from engage.questionnaire.rules import NAME
from engage.questionnaire.text_cleaning import clean_text, hidden_characters, quote_value

Table = Mapping[str, object]
"""A table of the TOML file."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`str(problem)` is "file: place: what; do"."""

    file: str
    place: str
    what: str
    do: str

    def __str__(self) -> str:
        return f"{self.file}: {self.place}: {self.what}; {self.do}"


class SurveyProblems(ValueError):
    """A survey file that cannot be used. Lists every problem."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def suggest_name(name: str, candidates: tuple[str, ...]) -> str:
    """Return advice about an unknown name: the nearest valid name, or all of them."""
    close = get_close_matches(name, candidates, n=1)
    return f'did you mean "{close[0]}"?' if close else "use one of " + ", ".join(candidates)


def describe_place(what: str, name: object, number: int) -> str:
    """Return the name of a place for messages: with its id if that is valid, else with its number (from 1)."""
    return f'{what} "{name}"' if isinstance(name, str) and NAME.match(name) else f"{what} {number}"


@dataclass(slots=True)
class TableReader:
    """Reads fields of TOML tables and collects their problems."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def say(self, place: str, what: str, do: str) -> None:
        self.problems.append(Problem(self.file, place, what, do))

    def known_keys(self, table: Table, allowed: tuple[str, ...], place: str) -> None:
        for key in table:
            if key not in allowed:
                self.say(place, f"key {quote_value(key)} is not known", suggest_name(key, allowed))

    def text(self, table: Table, key: str, place: str, most: int, *, required: bool = False) -> Words:
        value = table.get(key, "")
        if not isinstance(value, str):
            self.say(place, f"{key} is not a text", "put it in quotation marks")
            return Words("")
        hidden = hidden_characters(value)
        if hidden:
            self.say(place, f"{key} holds the hidden character {', '.join(hidden[:3])}", "take it out")
        text = clean_text(value)
        if required and not text:
            self.say(place, f"{key} is missing or empty", f'write {key} = "..."')
        if len(text) > most:
            self.say(place, f"{key} is {len(text)} characters long", f"keep it to {most}")
        return Words(text)

    def whole(self, table: Table, key: str, place: str, least: int, most: int) -> int | None:
        value = table.get(key)
        if value is None:
            return None
        if type(value) is not int or not least <= value <= most:
            self.say(place, f"{key} is not a whole number from {least} to {most}", f"write {key} = {max(least, 1)}")
            return None
        return value

    def truth(self, table: Table, key: str, place: str, default: bool) -> bool:
        value = table.get(key, default)
        if not isinstance(value, bool):
            self.say(place, f"{key} is not true or false", f"write {key} = true, without quotation marks")
            return default
        return value

    def texts(self, table: Table, key: str, place: str, most: int) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value) or len(value) > most:
            self.say(place, f"{key} is not a list of at most {most} texts", f'write {key} = ["a", "b"]')
            return ()
        return tuple(clean_text(each)[:200] for each in value)

    def tables(self, table: Table, key: str, place: str, most: int) -> list[Table]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            self.say(place, f"{key} is not a list of tables", f"see the shipped surveys for how {key} is written")
            return []
        if len(value) > most:
            self.say(place, f"{len(value)} {key} are too many", f"keep it to {most}")
            return value[:most]
        return value
