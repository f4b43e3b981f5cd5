"""Forms of the staff pages: WTForms with translated error messages, a CSRF token in each form, and cleaned text.

CSRFProtect (web/auth/setup.py) checks the token of every POST before its view runs, so views do not. A form with fields
renders `form.csrf_token`; a form of a single button is drawn by the macro `action` and has no class.

Family pages have no form classes: their fields are the questions of a survey, which the survey's rules validate.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Self

from flask import request
from flask_wtf import FlaskForm
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from wtforms import DateField, Field, FieldList, FileField, FormField, IntegerField, StringField, TextAreaField
from wtforms.validators import Length, StopValidation

from engage.questionnaire.text_cleaning import clean_text
from engage.web.page_language import gettext, ltr

DAY = "2026-09-30"  # an unambiguous example: the day cannot be read as a month
LINE = 200  # characters, the length of the columns
TEXT = 2000  # characters: about two minutes of reading aloud
DIGITS = 15  # of a number; a float cannot represent more exactly
LONGEST = 20_000  # characters that are processed; longer text is cut before cleaning, and refused for its length

NOT_A_NUMBER = "Not a valid integer value."  # the message in WTForms


class LibraryMessages:
    """Translated messages, in the language of the page, in place of those of WTForms."""

    def gettext(self, message: str) -> str:
        """The translated message; the message itself if there is no translation."""
        return _library_sentences().get(message, message)

    def ngettext(self, one: str, many: str, number: int) -> str:
        """The translated message about `number` things."""
        return self.gettext(one if number == 1 else many)


def _library_sentences() -> dict[str, str]:
    # translators: staff form: a field was left empty
    empty = gettext("Fill this in.")
    # translators: in a form
    from_list = gettext("Choose an option from the list.")
    # translators: staff form; %(max)s is a number
    longest = gettext("This is too long. Use at most %(max)s characters.")
    # translators: staff form
    number = gettext("Write a whole number in digits.")
    # translators: staff form; %(min)s and %(max)s are numbers
    between = gettext("Write a number from %(min)s to %(max)s.")
    # translators: in a form: the example is an e-mail address
    email = gettext("Enter an email address, like name@example.org.")
    # translators: staff form: a page was open for too long, or in a browser where somebody else signed in since
    expired = gettext("This page was open for too long. Send the form again.")
    return {
        "This field is required.": empty,
        "Not a valid choice.": from_list,
        "Invalid Choice: could not coerce.": from_list,
        "'%(value)s' is not a valid choice for this field.": from_list,
        "'%(value)s' are not valid choices for this field.": from_list,
        "Invalid choice(s): one or more data inputs could not be coerced.": from_list,
        "Field cannot be longer than %(max)d character.": longest,
        "Field cannot be longer than %(max)d characters.": longest,
        NOT_A_NUMBER: number,
        "Number must be between %(min)s and %(max)s.": between,
        "Invalid email address.": email,
        "CSRF token expired.": expired,
        "Invalid CSRF Token": expired,
        "CSRF token missing.": expired,
    }


class BaseForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A form of the staff pages."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """WTForms options: the source of messages."""

        def get_translations(self, _form: Any) -> LibraryMessages:
            """The translated messages."""
            return LibraryMessages()

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """The form data of the request; None for a JSON body. A file is ignored where the form has no field for
            one: other fields expect text."""
            sent_json = bool(request) and request.is_json and not isinstance(formdata, MultiDict)
            sent = None if sent_json else super().wrap_formdata(form, formdata)
            takes_files = any(isinstance(field, FileField) for field in form)
            return request.form if isinstance(sent, CombinedMultiDict) and not takes_files else sent

    def add_error(self, name: str, sentence: str) -> None:
        """Add an error to a field of a validated form. Raises KeyError."""
        self[name].errors = [*self[name].errors, sentence]

    def prefix_ids(self, prefix: str) -> Self:
        """Put `prefix` before the ids of the fields, so that ids stay unique on a page with several forms of one
        class."""
        for field in self:
            field.id = f"{prefix}-{field.id}"
        return self

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """The id of a field and a message, for each error, in the order of the form."""
        return [pair for field in self for pair in _field_errors(field)]


class QueryForm(BaseForm):
    """A form whose fields are in the query of the address. It changes nothing, so it has no CSRF token."""

    def __init__(self, **options: Any) -> None:
        super().__init__(request.args, meta={"csrf": False}, **options)


class EnclosedForm(BaseForm):
    """A form that is a field of another, by FormField; the outer form has the CSRF token."""

    def __init__(self, meta: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(meta={**(meta or {}), "csrf": False}, **options)


class LineField(StringField):
    """One line of text, cleaned; refused if it is longer than `most` characters."""

    def __init__(self, label: str = "", validators: Sequence[Any] = (), most: int = LINE, **options: Any) -> None:
        self.most = most
        options.setdefault("filters", [_cleaner(lines=False)])
        super().__init__(label, [*validators, Length(max=most)], **options)


class TextField(TextAreaField):
    """Several lines of text, cleaned; refused if it is longer than `most` characters."""

    def __init__(self, label: str = "", validators: Sequence[Any] = (), most: int = TEXT, **options: Any) -> None:
        self.most = most
        options.setdefault("filters", [_cleaner(lines=True)])
        super().__init__(label, [*validators, Length(max=most)], **options)


class DayField(DateField):
    """A date; None if the field is empty."""

    data: date | None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Parse YYYY-MM-DD. Raises ValueError for any other text."""
        self.data = None
        if valuelist and valuelist[0].strip():
            try:
                self.data = date.fromisoformat(valuelist[0].strip()[:LINE])
            except ValueError:
                # translators: staff form; %(example)s is a day like 2026-09-30
                sentence = gettext("Enter the date as year, month, and day, like %(example)s.", example=ltr(DAY))
                raise ValueError(sentence) from None

    def pre_validate(self, _form: Any) -> None:
        """Stop further validation of a text that is not a date. Raises StopValidation."""
        _stop_if_unreadable(self)


class NumberField(IntegerField):
    """An integer, in digits of any script; None for any other text."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Parse a number of at most DIGITS digits. Raises ValueError."""
        if valuelist and len(valuelist[0].strip()) > DIGITS:
            self.data = None
            raise ValueError(LibraryMessages().gettext(NOT_A_NUMBER))
        super().process_formdata(valuelist)

    def pre_validate(self, _form: Any) -> None:
        """Stop further validation of a text that is not a number. Raises StopValidation."""
        _stop_if_unreadable(self)


class OptionalNumberField(NumberField):
    """The same; a blank one is None and valid."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Parse a number, unless it is blank. Raises ValueError."""
        if valuelist and not valuelist[0].strip():
            self.data = None
        else:
            super().process_formdata(valuelist)


def _stop_if_unreadable(field: Field) -> None:
    if field.process_errors:
        raise StopValidation


def _cleaner(lines: bool) -> Callable[[str | None], str]:
    return lambda text: clean_text((text if isinstance(text, str) else "")[:LONGEST], lines=lines)  # or a file


def _field_errors(field: Field) -> Iterator[tuple[str, str]]:
    if isinstance(field, FormField | FieldList):
        for enclosed in field:
            yield from _field_errors(enclosed)
    else:
        yield from ((field.id, error) for error in field.errors)
