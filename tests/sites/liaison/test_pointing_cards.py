"""The pointing card: who may print it, and in which languages."""

from io import BytesIO
from typing import Any

import pypdfium2
import pytest

from engage.domain.paper.typesetting.fonts import MissingFont
from tests.sites.liaison.conftest import Desk
from tests.sites.liaison.test_print_request import asks, looks

pytestmark = pytest.mark.slow

CARD = "/staff/liaison/card"


def words(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(BytesIO(pdf))
    found = " ".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return " ".join(found.split())


def downloads(person: Any, address: str, status: int = 200) -> bytes:
    person.opens(f"{CARD}/{address}", status)
    return bytes(person.response.data)


def test_the_print_page_and_the_packets_page_lead_to_it(liaison: Any) -> None:
    looks(liaison)
    cards = [link.get("href") for link in liaison.page.all("a") if link.text.startswith("Pointing card")]
    assert cards == [f"{CARD}/fall/{tag}.pdf?paper=letter" for tag in ("en", "es", "ar")]
    asks(liaison, second="es", paper="a4")
    cards = [link.get("href") for link in liaison.page.all("a") if link.text.startswith("Pointing card")]
    assert cards[0] == f"{CARD}/fall/en.pdf?paper=a4&second=es"
    assert cards[1] == f"{CARD}/fall/es.pdf?paper=a4"


def test_it_is_in_the_language_asked_for_and_in_two(liaison: Any) -> None:
    assert "Point to your answer." in words(downloads(liaison, "fall/en.pdf"))
    assert liaison.response.headers["Content-Disposition"] == "attachment; filename=fall-card-en.pdf"
    spanish = downloads(liaison, "fall/es.pdf")
    assert b"/Lang (es)" in spanish
    both = words(downloads(liaison, "fall/en.pdf?second=es"))
    assert "Point to your answer." in both
    assert downloads(liaison, "fall/en.pdf?second=es") != downloads(liaison, "fall/en.pdf")
    assert downloads(liaison, "fall/es.pdf?second=es") == spanish


def test_it_is_on_the_paper_asked_for(liaison: Any) -> None:
    for paper, width in (("letter", 612), ("a4", 595)):
        document = pypdfium2.PdfDocument(BytesIO(downloads(liaison, f"fall/en.pdf?paper={paper}")))
        assert round(document[0].get_width()) == width
        document.close()


@pytest.mark.parametrize(
    "address",
    ["none/en.pdf", "%00/en.pdf", "fall/vi.pdf", "fall/xx.pdf", "fall/en.pdf?second=vi", "fall/en.pdf?paper=a3"],
)
def test_what_is_not_there_is_not_found(liaison: Any, address: str) -> None:
    downloads(liaison, address, 404)


def test_letters_that_are_not_there_are_named(liaison: Any, desk: Desk, monkeypatch: Any) -> None:
    def broken(*_args: Any, **_more: Any) -> None:
        raise MissingFont("ar")

    monkeypatch.setattr("engage.sites.liaison.pointing_cards.write_card", broken)
    liaison.opens(f"{CARD}/fall/ar.pdf")
    liaison.sees("The fonts for العربية are not installed on this computer.", "engage doctor")
