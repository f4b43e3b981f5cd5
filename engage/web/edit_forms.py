"""Forms that change what is stored. Two people who edit the same thing at once lose nothing of each other's work.

A page sends back, with its fields, a fingerprint of each value that it showed. A field that was left alone takes the
value stored now. A field that was changed both here and by somebody else is a conflict: nothing is saved, and the page
shows both texts."""

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import Any

from wtforms import Field, FieldList, FormField, HiddenField, SelectField, SelectMultipleField

from engage.web.forms import BaseForm
from engage.web.page_language import gettext, long_date

CONFLICT, INVALID = 409, 422  # HTTP status of a form that was refused
LONGEST = 50_000  # characters of a version that are read; 500 fields have less
_BESIDE = "beside"
_MARK = "."  # between the fingerprint of a field's name and the one of its value


class EditForm(BaseForm):
    """A form whose fields show stored values. Give it the stored row (`obj` or `data`), read in the transaction that
    writes. Render it with `form.hidden_tag()`.

    `beside` is what the page shows beside the form that a decision rests on, such as the messages that an answer is
    to. If it has changed, the form is refused once, with `beside_sentence` at the field `beside_field`."""

    version = HiddenField()
    beside_field = ""

    def __init__(self, *arguments: Any, beside: Any = "", **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._beside = _fingerprint(beside)
        self._conflicts: list[Field] = []
        self._is_outdated = False
        sent = self.version.data if self.is_submitted() else ""
        self._version_shown = sent if isinstance(sent, str) else ""  # or a file
        self.version.data = self._version_shown or self._current_version()

    def validate(self, extra_validators: Any = None) -> bool:
        """Take over what others have stored since the page was shown, then check the fields."""
        fingerprints = _parse_version(self._version_shown)
        self._conflicts = [field for field in self._fields_with_values() if not _merge(field, fingerprints)]
        self._is_outdated = bool(self.beside_field) and fingerprints.get(_BESIDE) != self._beside
        is_valid = super().validate(extra_validators)
        for field in self._conflicts:
            field.errors = [*field.errors, _conflict_sentence(field)]
        if self._is_outdated:
            self.add_error(self.beside_field, self.beside_sentence())
        if self.is_refused:
            self.version.data = self._current_version()  # sent again, it is a decision
        return is_valid and not self.is_refused

    def beside_sentence(self) -> str:
        """What to say where the page beside the form has changed."""
        raise NotImplementedError

    @property
    def is_refused(self) -> bool:
        """Whether somebody else changed, meanwhile, what this form is about."""
        return bool(self._conflicts) or self._is_outdated

    @property
    def refusal_status(self) -> int:
        """The HTTP status of the page that says why a form was not saved."""
        return CONFLICT if self.is_refused else INVALID

    def _fields_with_values(self) -> Iterator[Field]:
        for field in self:
            if field.name not in ("version", "csrf_token"):
                yield from _leaves(field)

    def _current_version(self) -> str:
        fields = [(_name_mark(field.name), _fingerprint(field.object_data)) for field in self._fields_with_values()]
        return " ".join(name + _MARK + value for name, value in [*fields, (_BESIDE, self._beside)])


def _leaves(field: Field) -> Iterator[Field]:
    if isinstance(field, FormField | FieldList):
        for enclosed in field:
            yield from _leaves(enclosed)
    elif field.short_name not in ("version", "csrf_token"):
        yield field


def _merge(field: Field, fingerprints: dict[str, str]) -> bool:
    """Settle a field's value. False: it was changed here and, in another way, by somebody else."""
    before = fingerprints.get(_name_mark(field.name))
    stored, typed = _fingerprint(field.object_data), _fingerprint(field.data)
    if typed in (before, stored) and not field.process_errors:
        field.process_data(field.object_data)
        for filtered in field.filters:
            field.data = filtered(field.data)
        return True
    return stored == before


def _name_mark(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def _fingerprint(value: Any) -> str:
    """12 hexadecimal digits of a value as a form sends it; nothing, no and an empty text are the same."""
    if isinstance(value, list | tuple | set | frozenset):
        plain = "\x1f".join(sorted(map(str, value)))
    else:
        plain = "\n".join(str(value if value not in (None, False) else "").strip().splitlines())
    return hashlib.sha256(plain.encode()).hexdigest()[:12]


def _parse_version(text: str) -> dict[str, str]:
    pairs = (pair.partition(_MARK) for pair in text[:LONGEST].split())
    return {name: value for name, _, value in pairs}


def _conflict_sentence(field: Field) -> str:
    stored = _describe(field)
    if not stored:
        # translators: staff form: somebody else emptied a box while this person was writing in it
        return gettext("Someone else cleared this while you were editing. To use your version, save again.")
    # translators: staff form: two people changed the same box at the same time; stored is what the other person wrote
    return gettext(
        "Someone else changed this to “%(stored)s” while you were editing. To use your version, save again.",
        stored=stored,
    )


def _describe(field: Field) -> str:
    """What is stored, as a person reads it."""
    value = field.object_data
    if isinstance(field, SelectField | SelectMultipleField):
        chosen = {str(each) for each in (value if isinstance(value, list | tuple) else [value])}
        return ", ".join(str(label) for code, label, *_ in field.iter_choices() if str(code) in chosen)
    if value is True:
        # translators: staff form: a box is marked
        return gettext("Yes")
    return long_date(value) if isinstance(value, date) else str(value or "")


def roster_wait_text() -> str:
    """The sentence for an action that decides from the roster, while that is being imported."""
    # translators: shown to staff whose action must wait: the list of schools, students and guardians is being replaced
    return gettext("A roster is being imported. Try again in a few minutes.")
