"""Escaping of text for spreadsheets, so that no cell becomes a formula, a link, or invalid in the file.

The rule follows OWASP ASVS 5.0, 1.2.10: an apostrophe is put before = + - @, TAB, CR, NUL, and their full-width forms.
Leading blanks, quotation marks, and invisible characters are skipped in this check, since some programs remove them.
"""

import re
import unicodedata

LONGEST = 32_767  # characters in one Excel cell
_OPENERS = frozenset("=+-@")
_CONTROL_OPENERS = frozenset("\t\r\0")
_SKIPPED = frozenset(" \n\"'\u00a0\u200b\u200e\u200f\u2060\ufeff")
_KEPT_CONTROLS = frozenset("\n\t")
_SPLIT = re.compile(r"[;\n]")  # where a program whose separator is a semicolon splits even a quoted cell
_PART = re.compile(r"(?<=[;\n])[^;\n]+")
_NO_FORMULA = ("-)",)  # the end of a smiley such as :-)


def safe_text(text: str) -> str:
    """Return text that every spreadsheet program reads as text, at most `LONGEST` characters long.

    Control characters (except line feed and tab), lone surrogates, and noncharacters are removed.
    """
    if text.isalnum() and text.isascii() and len(text) <= LONGEST:
        return text
    dangerous = _is_dangerous(text)
    if not text.isprintable():
        text = "".join(each for each in text if _is_allowed_character(each))
    text = "'" + text if dangerous or _is_dangerous(text) else text
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def safe_cell(value: str | int | float | None) -> str | int | float | None:
    """Return a cell's value: text made safe, numbers unchanged, and None for None, infinity, and NaN."""
    if isinstance(value, str):
        return safe_text(value)
    return None if value is None or value != value or value in (float("inf"), float("-inf")) else value


def safe_csv_cell(value: str | int | float | None) -> str | int | float | None:
    """Return a cell's value for CSV: like `safe_cell`, and no part after a semicolon or line feed is a formula.

    Where the list separator is a semicolon, Excel opens a file of quoted cells separated by commas as one cell per
    line, and splits it at every semicolon and line feed inside the quotes.
    """
    value = safe_cell(value)
    if not isinstance(value, str) or not _SPLIT.search(value):
        return value
    text = _PART.sub(lambda part: f"'{part[0]}" if _is_formula(part[0]) else part[0], value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _is_formula(part: str) -> bool:
    return _is_dangerous(part) and not part.startswith(_NO_FORMULA)


def _is_dangerous(text: str) -> bool:
    for character in text:
        if character in _SKIPPED:
            continue
        return character in _CONTROL_OPENERS or unicodedata.normalize("NFKC", character)[:1] in _OPENERS
    return False


def _is_allowed_character(character: str) -> bool:
    if character in _KEPT_CONTROLS:
        return True
    return unicodedata.category(character) not in ("Cc", "Cs") and ord(character) & 0xFFFE != 0xFFFE
