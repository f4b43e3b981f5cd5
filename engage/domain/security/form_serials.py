"""Serials: the public number on every page of a sheet, short to type, with a check symbol."""

from collections.abc import Container, Iterator
from random import Random

from engage.domain.security.access_codes import ALPHABET, LOOK_ALIKES, check_symbol, normalize_code

BODY = 5  # symbols before the check symbol: 6 million sheets
UNREGISTERED = "X"  # begins the serials of blank sheets that no print run knows
UNREGISTERED_MOST = len(ALPHABET) ** (BODY - 1)


def generate_serials(rng: Random, taken: Container[str]) -> Iterator[str]:
    """New serials ("K7W-2MX") without end, none of them in `taken` and none twice."""
    issued: set[str] = set()
    while True:
        serial = _format_serial("".join(rng.choices(ALPHABET, k=BODY)))
        if not (is_unregistered(serial) or serial in taken or serial in issued):
            issued.add(serial)
            yield serial


def unregistered_serial(number: int) -> str:
    """The serial of the `number`th blank sheet (from 0) that belongs to no print run; such serials start anew with
    every printing. Raises ValueError beyond 279,840."""
    if not 0 <= number < UNREGISTERED_MOST:
        raise ValueError(f"serials of unregistered sheets run from 0 to {UNREGISTERED_MOST - 1}, not {number}")
    size = len(ALPHABET)
    places = [number // size**place % size for place in reversed(range(BODY - 1))]
    return _format_serial(UNREGISTERED + "".join(ALPHABET[each] for each in places))


def is_unregistered(serial: str) -> bool:
    """Whether a serial says that no print run knows its sheet."""
    return serial.startswith(UNREGISTERED)


def parse_serial(typed: str) -> str | None:
    """The serial as it is stored, from what was typed: any case, spacing and dashes, digits of any script.
    None where no serial can be it."""
    symbols = normalize_code(typed).translate(LOOK_ALIKES)
    if len(symbols) != BODY + 1 or any(symbol not in ALPHABET for symbol in symbols):
        return None
    return _format_serial(symbols[:BODY]) if check_symbol(symbols[:BODY]) == symbols[BODY] else None


def _format_serial(body: str) -> str:
    text = body + check_symbol(body)
    return f"{text[:3]}-{text[3:]}"
