"""Square codes as modules: QR for serials and URLs, ArUco for the corners of a page. Pure functions.

zxing-cpp takes 34 µs for a QR code with a fixed mask (140 µs if it chooses one). The code on every page takes 4 µs
here: with fixed version, level, and mask, every module is an affine function over GF(2) of the text's bits
(Reed-Solomon is linear, the mask is a constant), so a code is the sum of one base pattern and one pattern for each pair
of symbols.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import zxingcpp

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"  # ISO/IEC 18004, table 5: a symbol's value is its index
SHEET = 16  # symbols in the code of a page: serial 6, page 2, digest 8; they fit version 2 at level H
MASK = 3  # any mask works, but it must be fixed so that codes are sums of patterns
PAIR = 11  # bits: two symbols are encoded as 45 * first + second
BASE = "AA"  # not digits: a long run of them is encoded in another mode

# DICT_4X4_50, the 16 inner modules row by row, 1 = black. From OpenCV's modules/objdetect/src/aruco/
# predefined_dictionaries.hpp (Apache-2.0), where 1 = white; S. Garrido-Jurado et al., Pattern Recognition 47 (2014).
ARUCO = bytes.fromhex(
    "4ACDF065CCD266B9AB61863261D13B0D012530A9066EEE58F148D5F0DB4ED9C1B99A99FF93A1895079744FD4332A227D01B86B8E531B5AAB"
    "DEDCCB90BBEAA84D61300F34F751F6D6E78AFB00F209E3A5E8E7D5D7CD73C74DDB17D114D2C0B49BAFD1AFEC"
)


@dataclass(frozen=True, slots=True)
class Modules:
    """A square of `size` modules per side. In `rows`, 1 is black and the first module is the highest bit; rows are
    padded to bytes."""

    size: int
    rows: bytes

    @property
    def stride(self) -> int:
        """Bytes per row."""
        return (self.size + 7) // 8

    def black(self, column: int, row: int) -> bool:
        return bool(self.rows[row * self.stride + column // 8] >> (7 - column % 8) & 1)

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """Yield black runs as (column, row, length) from the top left, for drawing without an image."""
        for row in range(self.size):
            start = 0
            for column in range(self.size + 1):
                if column == self.size or not self.black(column, row):
                    if column > start:
                        yield start, row, column - start
                    start = column + 1


def qr(text: str) -> Modules:
    """Return a QR code of error level Q or better, without its white margin (4 modules). Raises ValueError if the text
    is too long."""
    if len(text) == SHEET:
        try:
            return _combine_parts(text)
        except KeyError:  # lowercase letters, or characters without a short encoding
            pass
    return _create_qr(text)


@cache
def aruco(number: int) -> Modules:
    """Return a marker of DICT_4X4_50 with its black border: 6 modules per side. Raises IndexError beyond 49."""
    if not 0 <= number < len(ARUCO) // 2:
        raise IndexError(number)
    inner = int.from_bytes(ARUCO[2 * number : 2 * number + 2], "big")
    rows = (0b100001 | (inner >> shift & 0xF) << 1 for shift in (12, 8, 4, 0))
    return Modules(6, bytes(row << 2 for row in (0b111111, *rows, 0b111111)))


@lru_cache(maxsize=64)  # in many packets, all covers have the same URL
def _create_qr(text: str, level: str = "Q", **more: int) -> Modules:
    # Not options="ecLevel=Q,dataMask=3": zxing-cpp 3.1 silently ignores the first of them.
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level, data_mask=MASK, **more)
    picture = np.asarray(code.to_image(scale=1, add_quiet_zones=False))
    return Modules(len(picture), np.packbits(picture == 0, axis=1).tobytes())


def _combine_parts(text: str) -> Modules:
    size, whole, pairs = _qr_parts()
    for at, pair in enumerate(pairs):
        whole ^= pair[text[2 * at : 2 * at + 2]]
    return Modules(size, whole.to_bytes(size * ((size + 7) // 8), "big"))


class _PairChange(dict[str, int]):
    """The changes to the base pattern by a pair of symbols at one position."""

    def __init__(self, bits: list[int]) -> None:
        self.bits = bits  # pattern for each bit of the pair's value, lowest first

    def __missing__(self, pair: str) -> int:
        turned = _pair_value(pair) ^ _pair_value(BASE)
        pattern = 0
        for bit, change in enumerate(self.bits):
            pattern ^= change if turned >> bit & 1 else 0
        self[pair] = pattern
        return pattern


@cache
def _qr_parts() -> tuple[int, int, list[_PairChange]]:
    """Return modules per side, the code of all BASE as a number, and the changes by position."""
    count = SHEET // 2
    base = _create_qr(BASE * count, "H", version=2)
    whole = int.from_bytes(base.rows, "big")

    def change(place: int, bit: int) -> int:
        first, second = divmod(_pair_value(BASE) ^ 1 << bit, len(ALPHANUMERIC))
        text = BASE * place + ALPHANUMERIC[first] + ALPHANUMERIC[second] + BASE * (count - place - 1)
        return whole ^ int.from_bytes(_create_qr(text, "H", version=2).rows, "big")

    return base.size, whole, [_PairChange([change(place, bit) for bit in range(PAIR)]) for place in range(count)]


def _pair_value(pair: str) -> int:
    """Return the value of two symbols. Raises KeyError for a symbol that is not alphanumeric."""
    first, second = (ALPHANUMERIC.find(symbol) for symbol in pair)
    if first < 0 or second < 0:
        raise KeyError(pair)
    return len(ALPHANUMERIC) * first + second
