"""Parsing of submitted forms: known fields only, values as typed, within size limits."""

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

Raw = Mapping[str, Sequence[str]]

FIELDS_MOST = 2000  # fields in one form; the longest real form has about 400
VALUES_MOST = 40  # values of one field; a question has 35 boxes at most
VALUE_LONGEST = 20_000  # characters as typed; above the limit of 4000, so that a longer text can be saved and shortened
DRAFT_LONGEST = 200_000  # characters of a whole draft in JSON
FIRST_LONGEST = 60_000  # characters of a first page in JSON: two long texts of 4000 characters in any script

MARKER = "~"  # suffix of a slot key: the field beside a written answer, for "I don't know"


class FormTooLarge(ValueError):
    """More data than any family would type. Nothing of it is stored."""


def parse_form(pairs: Iterable[tuple[str, str]], keys: Container[str]) -> dict[str, list[str]]:
    """Return the raw strings of a form by slot key, without blanks and fields that are not in `keys`. Raises
    FormTooLarge."""
    raw: dict[str, list[str]] = {}
    for count, (name, value) in enumerate(pairs, 1):
        if count > FIELDS_MOST:
            raise FormTooLarge(f"more than {FIELDS_MOST} fields")
        if name.removesuffix(MARKER) not in keys or not value.strip():
            continue
        if len(value) > VALUE_LONGEST:
            raise FormTooLarge(f"more than {VALUE_LONGEST} characters in one field")
        values = raw.setdefault(name, [])
        if len(values) == VALUES_MOST:
            raise FormTooLarge(f"more than {VALUES_MOST} values in one field")
        values.append(value)
    return raw


def check_first_page_size(sent: Raw) -> None:
    """Raise FormTooLarge for more than the first page of any survey can have, so that many new drafts cannot fill the
    disk."""
    if len(serialize_draft(sent)) > FIRST_LONGEST:
        raise FormTooLarge(f"more than {FIRST_LONGEST} characters on the first page")


def merge_page(saved: Raw, sent: Raw, keys: Iterable[str]) -> dict[str, list[str]]:
    """Return the raw answers of a draft after one page was sent: those of `keys` are replaced, the others stay."""
    page = {name for key in keys for name in (key, key + MARKER)}
    merged = {name: list(values) for name, values in saved.items() if name not in page}
    merged.update({name: list(values) for name, values in sent.items()})
    return merged


def serialize_draft(raw: Raw | list[Any]) -> str:
    """Return a draft as JSON in ASCII, which every database accepts. Raises FormTooLarge."""
    text = json.dumps(raw, separators=(",", ":"))
    if len(text) > DRAFT_LONGEST:
        raise FormTooLarge(f"more than {DRAFT_LONGEST} characters in one draft")
    return text


def deserialize_draft(text: str) -> dict[str, list[str]]:
    """Parse the result of `serialize_draft`."""
    raw: dict[str, list[str]] = json.loads(text)
    return raw
