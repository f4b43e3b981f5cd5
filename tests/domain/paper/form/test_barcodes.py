"""Codes as modules, checked with zxing-cpp (which makes and reads QR codes) and OpenCV (the source of the markers)."""

import re

import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import example, given
from hypothesis import strategies as st

from engage.domain.paper.form.barcodes import ALPHANUMERIC, SHEET, Modules, aruco, qr
from engage.questionnaire.numbering import BASE36, encode_payload

pytestmark = pytest.mark.slow

CODES = st.text(ALPHANUMERIC, min_size=SHEET, max_size=SHEET)
ADDRESSES = st.from_regex(r"https://[a-z0-9.-]{3,40}/[A-Za-z0-9/?=#&%_-]{0,60}", fullmatch=True)


def picture(modules: Modules) -> np.ndarray:
    """Return an array (rows, columns) of 0 for black and 255 for white, without a margin."""
    rows = np.frombuffer(modules.rows, np.uint8).reshape(modules.size, -1)
    return np.uint8(255) * (1 - np.unpackbits(rows, axis=1)[:, : modules.size])


def read(modules: Modules) -> zxingcpp.Barcode:
    large = np.kron(np.pad(picture(modules), 4, constant_values=255), np.ones((4, 4), np.uint8))
    (code,) = zxingcpp.read_barcodes(large, formats=zxingcpp.BarcodeFormat.QRCode)
    return code


def made_by_zxing(text: str, **how: object) -> np.ndarray:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, **how)
    return np.asarray(code.to_image(scale=1, add_quiet_zones=False))


@given(text=CODES)
@example(text="0000000000000000")
@example(text="1234567890123456")
def test_the_code_of_a_page_is_read_back(text: str) -> None:
    code = read(qr(text))
    assert code.text == text
    assert code.ec_level == "H"
    assert qr(text).size == 25


@given(text=CODES.filter(lambda text: not re.search(r"\d{5}", text)))
def test_the_code_of_a_page_is_the_one_zxing_makes(text: str) -> None:
    """For long runs of digits zxing-cpp saves bits by another mode, which 16 symbols do not need."""
    assert np.array_equal(picture(qr(text)), made_by_zxing(text, ec_level="H", version=2, data_mask=3))


@given(
    serial=st.text(BASE36, min_size=6, max_size=6), page=st.integers(1, 99), digest=st.binary(min_size=4, max_size=4)
)
def test_every_payload_is_read_back(serial: str, page: int, digest: bytes) -> None:
    text = encode_payload(f"{serial[:3]}-{serial[3:]}", page, digest.hex())
    assert read(qr(text)).text == text


@given(text=ADDRESSES)
def test_an_address_is_read_back_and_is_the_one_zxing_makes(text: str) -> None:
    code = read(qr(text))
    assert code.text == text
    assert code.ec_level == "Q"
    assert np.array_equal(picture(qr(text)), made_by_zxing(text, ec_level="Q", data_mask=3))


@pytest.mark.parametrize("text", ["abcdefghijklmnop", "https://a.org/üß", "AAAAAAAAAAAAAAA{"])
def test_sixteen_symbols_that_are_no_page_code_are_read_back(text: str) -> None:
    assert len(text) == SHEET
    assert read(qr(text)).text == text


def test_what_no_code_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        qr("x" * 3000)


@given(text=st.one_of(CODES, ADDRESSES))
def test_runs_blacken_what_is_black(text: str) -> None:
    modules = qr(text)
    drawn = np.full((modules.size, modules.size), 255, np.uint8)
    for column, row, length in modules.runs():
        assert (drawn[row, column : column + length] == 255).all()
        drawn[row, column : column + length] = 0
    assert np.array_equal(drawn, picture(modules))


def test_marks_are_opencvs() -> None:
    book = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    for number in range(50):
        assert np.array_equal(picture(aruco(number)), cv2.aruco.generateImageMarker(book, number, 6)), number


@pytest.mark.parametrize("number", [-1, 50])
def test_there_are_fifty_marks(number: int) -> None:
    with pytest.raises(IndexError):
        aruco(number)
