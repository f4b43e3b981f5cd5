"""Cleaning of external texts and ids: control characters, direction overrides, NULs."""

import re
import unicodedata

BIDI_OVERRIDES = "\u202a-\u202e\u2066-\u2069"
# A bidi override can make a sentence appear to say the opposite. A NUL ends a C string, and PostgreSQL refuses it.
_UNWANTED = re.compile(f"[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff\ud800-\udfff{BIDI_OVERRIDES}]")
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")


def clean_text(text: str, *, lines: bool = True) -> str:
    """Return text in NFC, trimmed, with "\\n" line ends, without control characters, bidi overrides, and lone
    surrogates.

    With `lines=False` the result is one line. `clean_text(clean_text(t)) == clean_text(t)`.
    """
    text = _UNWANTED.sub("", _LINE_ENDS.sub("\n", text).replace("\t", " "))
    if not lines:
        text = text.replace("\n", " ")
    return unicodedata.normalize("NFC", text).strip()


def visible_text(text: str) -> str:
    """Return a number or code as a person sees it: without invisible characters (joiners, direction marks, soft
    hyphens), and with the digits of every script as 0 to 9."""
    seen = (each for each in text if unicodedata.category(each) != "Cf")
    return "".join(each if (digit := unicodedata.decimal(each, None)) is None else str(digit) for each in seen)


def hidden_characters(text: str) -> list[str]:
    """Return the characters that `clean_text` would remove, as "U+202E", in order and without repeats."""
    return list(dict.fromkeys(f"U+{ord(match):04X}" for match in _UNWANTED.findall(text)))


def is_possible_id(text: str) -> bool:
    """Whether an external id can be looked up at all. PostgreSQL raises an error for a NUL."""
    return text.isprintable()


def quote_value(value: object) -> str:
    """Return a value of the file in quotation marks, shortened to one line, for a message."""
    text = value if isinstance(value, str) else repr(value)
    printable = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    return '"' + (printable if len(printable) <= 40 else printable[:37] + "...") + '"'
