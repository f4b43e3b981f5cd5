"""Search for codes in pasted text, such as a whole link, "Code: ...", or a code written twice. Check symbols
distinguish codes from other words; if two different codes are possible, none is returned."""

import unicodedata
from collections.abc import Callable, Iterator

from engage.domain.security import access_codes, form_serials
from engage.domain.security.access_codes import ALPHABET, LOOK_ALIKES
from engage.questionnaire.text_cleaning import visible_text

LONGEST = 2000  # characters searched
DIGITS = "0123456789"
TWICE = (2,)  # marker in place of sizes: the code is written twice


def find_access_code(text: str) -> str | None:
    """Return the only access code in a text, in the format of `access_codes.parse_access_code`, or None."""
    return access_codes.parse_access_code(text) or _find_code(
        text, ALPHABET, access_codes.LENGTH, (access_codes.LENGTH // 2,) * 2, access_codes.parse_access_code
    )


def find_reply_code(text: str) -> str | None:
    """Return the only reply code in a text, in the format of `access_codes.parse_reply_code`, or None."""
    groups = (access_codes.REPLY_GROUP,) * (access_codes.REPLY_LENGTH // access_codes.REPLY_GROUP)
    return access_codes.parse_reply_code(text) or _find_code(
        text, DIGITS, access_codes.REPLY_LENGTH, groups, access_codes.parse_reply_code
    )


def find_serial(text: str) -> str | None:
    """Return the only serial in a text, written as printed, in the format of `form_serials.parse_serial`, or None."""
    length = form_serials.BODY + 1
    shapes = ((length // 2,) * 2, (length,))
    serials = {
        form_serials.parse_serial(word) for sizes, word in _code_words(text, ALPHABET, length) if sizes in shapes
    } - {None}
    return form_serials.parse_serial(text) or (serials.pop() if len(serials) == 1 else None)


def count_symbols(text: str, alphabet: str = ALPHABET) -> int:
    """Return the length of the longest sequence of code symbols, ignoring separators: 9 if an access code lacks one."""
    return max((sum(map(len, run)) for run in _symbol_runs(text, alphabet)), default=0)


def _find_code(
    text: str, alphabet: str, length: int, groups: tuple[int, ...], read: Callable[[str], str | None]
) -> str | None:
    """Return the code that occurs twice in a row; else the one written as printed, in groups or as one word; else the
    one in any other spacing. None if there are several."""
    codes = [(sizes, code) for sizes, word in _code_words(text, alphabet, length) if (code := read(word))]
    for shapes in ((TWICE,), (groups, (length,)), {sizes for sizes, _ in codes}):
        if right := {code for sizes, code in codes if sizes in shapes}:
            return right.pop() if len(right) == 1 else None
    return None


def _code_words(text: str, alphabet: str, length: int) -> Iterator[tuple[tuple[int, ...], str]]:
    """Yield words, and sequences of adjacent words, with the length of a code, and the sizes of their parts."""
    for run in _symbol_runs(text, alphabet):
        for start in range(len(run)):
            word, sizes = "", []
            for part in run[start:]:
                word += part
                sizes.append(len(part))
                if len(word) == length:
                    yield tuple(sizes), word
                elif len(word) >= 2 * length:
                    break
            if len(word) == 2 * length and word[:length] == word[length:]:
                yield TWICE, word[:length]


def _symbol_runs(text: str, alphabet: str) -> Iterator[list[str]]:
    """Yield sequences of adjacent words that have only symbols of a code, as they are read."""
    seen = visible_text(unicodedata.normalize("NFKC", text[:LONGEST])).upper()
    run: list[str] = []
    for word in "".join(each if each.isalnum() else " " for each in seen).split():
        symbols = word.translate(LOOK_ALIKES) if alphabet is ALPHABET else word
        if all(symbol in alphabet for symbol in symbols):
            run.append(symbols)
        else:
            yield run
            run = []
    yield run
