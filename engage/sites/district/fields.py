"""The fields of the leader's forms: one line, a text, a day; cleaned, never too long, worded in the page's language."""

from datetime import date
from typing import Any

from wtforms import DateField, StringField, TextAreaField

from engage.questionnaire.text_cleaning import clean_text
from engage.web.page_language import gettext, ltr

DAY = "2026-09-30"  # an example that cannot be read as another day
LINE = 200  # characters, as the columns hold
TEXT = 2000  # characters: what can be read aloud in two minutes
LONGEST = 20_000  # characters looked at; what is longer is cut before it is cleaned, and refused for its length


class LineField(StringField):  # type: ignore[misc]  # wtforms has no types
    """One line of text."""

    most = LINE

    def process_formdata(self, values: list[str]) -> None:
        """Clean what was typed. Raises ValueError where it is too long."""
        self.data = clean_text(values[0][:LONGEST], lines=False) if values else ""
        _check_length(self.data, self.most)


class TextField(TextAreaField):  # type: ignore[misc]  # wtforms has no types
    """Some lines of text."""

    most = TEXT

    def process_formdata(self, values: list[str]) -> None:
        """Clean what was typed. Raises ValueError where it is too long."""
        self.data = clean_text(values[0][:LONGEST]) if values else ""
        _check_length(self.data, self.most)


class DayField(DateField):  # type: ignore[misc]  # wtforms has no types
    """A day; None where nothing was given."""

    data: date | None

    def process_formdata(self, values: list[str]) -> None:
        """Read YYYY-MM-DD. Raises ValueError where it is no day."""
        self.data = None
        if values and values[0].strip():
            try:
                self.data = date.fromisoformat(values[0].strip()[:LINE])
            except ValueError:
                # translators: staff form; %(example)s is a day like 2026-09-30
                sentence = gettext("Write the day as year, month and day, as in %(example)s.", example=ltr(DAY))
                raise ValueError(sentence) from None


def add_problem(form: Any, name: str, sentence: str) -> None:
    """Add a problem to a field of a form that has passed its own checks so far."""
    form[name].errors = [*form[name].errors, sentence]


def _check_length(text: str, most: int) -> None:
    if len(text) > most:
        # translators: staff form
        raise ValueError(gettext("This is too long. Use at most %(most)s letters.", most=most))
