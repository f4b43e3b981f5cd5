"""Serials: the public number on every page of a sheet, short to type and with a check symbol."""

from collections.abc import Container, Iterator
from random import Random

from engage.domain.security.access_codes import ALPHABET, LOOK_ALIKES, check_symbol, normalize_code

BODY = 5  # symbols before the check symbol: 6 million sheets
UNREGISTERED = "X"  # first symbol of the serials of blank sheets without a print run
UNREGISTERED_MOST = len(ALPHABET) ** (BODY - 1)


def generate_serials(rng: Random, taken: Container[str]) -> Iterator[str]:
    """Yield new serials ("K7W-2MX") without end: none that is in `taken`, and none twice."""
    issued: set[str] = set()
    while True:
        serial = _format_serial("".join(rng.choices(ALPHABET, k=BODY)))
        if not (is_unregistered(serial) or serial in taken or serial in issued):
            issued.add(serial)
            yield serial


def unregistered_serial(number: int) -> str:
    """Return the serial of the `number`th blank sheet (from 0) without a print run. These serials start again with
    every printing. Raises ValueError beyond 279,840."""
    if not 0 <= number < UNREGISTERED_MOST:
        raise ValueError(f"serials of unregistered sheets run from 0 to {UNREGISTERED_MOST - 1}, not {number}")
    size = len(ALPHABET)
    places = [number // size**place % size for place in reversed(range(BODY - 1))]
    return _format_serial(UNREGISTERED + "".join(ALPHABET[each] for each in places))


def is_unregistered(serial: str) -> bool:
    """Whether a serial belongs to a sheet without a print run."""
    return serial.startswith(UNREGISTERED)


def parse_serial(typed: str) -> str | None:
    """Return the serial that a person typed, as it is stored; None if it is not valid. Accepts any case, spacing,
    hyphens, and digits of any script."""
    symbols = normalize_code(typed).translate(LOOK_ALIKES)
    if len(symbols) != BODY + 1 or any(symbol not in ALPHABET for symbol in symbols):
        return None
    return _format_serial(symbols[:BODY]) if check_symbol(symbols[:BODY]) == symbols[BODY] else None


def _format_serial(body: str) -> str:
    text = body + check_symbol(body)
    return f"{text[:3]}-{text[3:]}"
