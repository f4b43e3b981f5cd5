"""Question numbers on paper, and the payload of the barcode on every page."""

from typing import NamedTuple

from engage.questionnaire.model import Survey

BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SERIAL, PAGE, DIGEST = 6, 2, 8  # symbols of each part of the payload
NOBODYS = "0" * SERIAL  # in place of a serial; serials have no 0
PAGES_MOST = len(BASE36) ** PAGE - 1


class Payload(NamedTuple):
    """The payload of a page: "K7W-2MX", 1, "0a1b2c3d" (the first 8 hex digits of the layout's digest)."""

    serial: str
    page: int
    digest: str


def question_numbers(survey: Survey) -> dict[str, int]:
    """Return the printed numbers, 1..n in survey order, by question id. Notes have none; the words for "Something else"
    have the number of their question. Every block of a repeated section has the same numbers."""
    answerable = [question for _, question in survey.questions() if question.kind != "note"]
    numbered = [question.id for question in answerable if question.write_in_of is None]
    numbers = {id: number for number, id in enumerate(numbered, 1)}
    return {question.id: numbers[question.write_in_of or question.id] for question in answerable}


def encode_payload(serial: str, page: int, digest: str) -> str:
    """Return the 16 symbols of a page's barcode: serial, page in base 36, first 8 hex digits of the layout's digest.

    `serial` is "" for a form printed at home. Only digits and capital letters are used, so that it fits a QR code of
    version 2 at level Q. Raises ValueError for an invalid part.
    """
    plain = serial.replace("-", "").upper() or NOBODYS
    short = digest[:DIGEST].upper()
    if len(plain) != SERIAL or any(symbol not in BASE36 for symbol in plain):
        raise ValueError(f'a serial has {SERIAL} letters and digits; this one is "{serial}"')
    if not 1 <= page <= PAGES_MOST:
        raise ValueError(f"pages run from 1 to {PAGES_MOST}, not {page}")
    if len(short) != DIGEST or any(symbol not in BASE36[:16] for symbol in short):
        raise ValueError(f'a digest has at least {DIGEST} hexadecimal digits; this one is "{digest}"')
    return plain + BASE36[page // 36] + BASE36[page % 36] + short


def decode_payload(text: str) -> Payload | None:
    """Decode the result of `encode_payload`. None for any other text."""
    if len(text) != SERIAL + PAGE + DIGEST or any(symbol not in BASE36 for symbol in text):
        return None
    serial, page, short = text[:SERIAL], int(text[SERIAL : SERIAL + PAGE], 36), text[SERIAL + PAGE :]
    if not page or any(symbol not in BASE36[:16] for symbol in short):
        return None
    return Payload("" if serial == NOBODYS else f"{serial[:3]}-{serial[3:]}", page, short.lower())
