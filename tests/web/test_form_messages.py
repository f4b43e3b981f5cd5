"""Form messages: each message of the library that a page can show is replaced by ours."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask_wtf
import pytest
import wtforms
from werkzeug.datastructures import MultiDict
from wtforms import IntegerField, SelectField, SelectMultipleField
from wtforms.validators import DataRequired, Email, Length, NumberRange

from engage.web.forms import BaseForm, LibraryMessages, _library_sentences

LIBRARIES = [Path(module.__file__).parent for module in (wtforms, flask_wtf)]


class EveryField(BaseForm):
    """A form with a field for each message."""

    empty = wtforms.StringField(validators=[DataRequired()])
    long = wtforms.StringField(validators=[Length(max=3)])
    number = IntegerField()
    range = IntegerField(validators=[NumberRange(1, 5)])
    one = SelectField()
    several = SelectMultipleField()
    mail = wtforms.StringField(validators=[Email()])


SENTENCES = {
    "empty": "Fill this in.",
    "long": "This is too long. Use at most 3 characters.",
    "number": "Write a whole number in digits.",
    "range": "Write a number from 1 to 5.",
    "one": "Choose an option from the list.",
    "several": "Choose an option from the list.",
    "mail": "Enter an email address",
}


@pytest.fixture
def form(site: Any) -> Iterator[EveryField]:
    sent = MultiDict(
        {"empty": "", "long": "four", "number": "x", "range": "9", "one": "zz", "several": "zz", "mail": "nobody"}
    )
    with site.staff.test_request_context("/staff/", method="POST"):
        filled = EveryField(sent, meta={"csrf": False})
        filled.one.choices = filled.several.choices = [("a", "A")]
        filled.validate()
        yield filled


@pytest.mark.parametrize("name", SENTENCES)
def test_an_error_of_the_library_is_our_sentence(form: EveryField, name: str) -> None:
    assert SENTENCES[name] in " ".join(form[name].errors)


def test_each_message_that_we_replace_is_one_of_the_library(site: Any) -> None:
    source = "".join(file.read_text() for folder in LIBRARIES for file in folder.rglob("*.py"))
    flat = "".join(source.split('"\n'))
    with site.staff.test_request_context("/staff/"):
        assert [message for message in _library_sentences() if message not in flat] == []
        assert LibraryMessages().gettext("A message that nobody knows") == "A message that nobody knows"
