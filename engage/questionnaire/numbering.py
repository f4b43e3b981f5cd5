"""Numbers on paper: those questions carry, and what the code on every page says."""

from typing import NamedTuple

from engage.questionnaire.model import Survey

BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SERIAL, PAGE, DIGEST = 6, 2, 8  # symbols of each part of the code
NOBODYS = "0" * SERIAL  # instead of a serial, which never has a 0
PAGES_MOST = len(BASE36) ** PAGE - 1


class Payload(NamedTuple):
    """What the code on a page says: "K7W-2MX", 1, "0a1b2c3d" (the first 8 hex digits of the layout's digest)."""

    serial: str
    page: int
    digest: str


def question_numbers(survey: Survey) -> dict[str, int]:
    """Question id to printed number, 1..n in survey order. Notes have none; a child block repeats the same numbers."""
    answerable = (question.id for _, question in survey.questions() if question.kind != "note")
    return {id: number for number, id in enumerate(answerable, 1)}


def encode_payload(serial: str, page: int, digest: str) -> str:
    """The 16 symbols in the code of a page: serial, page in base 36, first 8 hex digits of the layout's digest.

    `serial` is "" for a form printed at home. Only digits and capitals, so that it fits a QR of version 2 at level Q.
    Raises ValueError for what does not fit.
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
    """What `encode_payload` wrote; None where it did not write this."""
    if len(text) != SERIAL + PAGE + DIGEST or any(symbol not in BASE36 for symbol in text):
        return None
    serial, page, short = text[:SERIAL], int(text[SERIAL : SERIAL + PAGE], 36), text[SERIAL + PAGE :]
    if not page or any(symbol not in BASE36[:16] for symbol in short):
        return None
    return Payload("" if serial == NOBODYS else f"{serial[:3]}-{serial[3:]}", page, short.lower())
