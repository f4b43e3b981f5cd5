"""Accessibility checks in a browser: axe-core reports no violations, and nothing overflows horizontally.

axe takes seconds on a long page, so the suite checks each page once: half of them in English on a wide screen, half in
Arabic on a narrow one. The long form (`.ci/thorough`) checks all of them in both languages and widths. Overflow is
always checked at both widths and at twice the text size.
"""

import zlib
from itertools import product
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

NARROW, WIDE = "narrow", "wide"
EVERY_PAGE = False  # set by tests/conftest.py for the long form
PHONE = 600  # CSS pixels: narrower screens are phones
CUT_TEXT = """() => {
  const out = [...document.querySelectorAll(".choice")].filter(each => each.scrollWidth > each.clientWidth);
  const broken = [...document.querySelectorAll("td.n:not([colspan])")].filter(each => {
    const range = document.createRange();
    range.selectNodeContents(each);
    return /^[0-9.,]+%?$/.test(each.innerText.trim()) && range.getClientRects().length > 1;
  });
  return [...out, ...broken].map(each => each.innerText);
}"""  # answers that stick out of their box, and numbers in tables that are broken into lines


def in_english_and_arabic(names: tuple[str, str], narrow: object, wide: object) -> pytest.MarkDecorator:
    """Run a test in both languages, in one of them on a narrow screen and in the other on a wide one; in the long form
    with all combinations. `names` are the names of the parameters for language and screen."""
    every = [pytest.param(*each, marks=pytest.mark.thorough) for each in product(("en", "ar"), (narrow, wide))]
    return pytest.mark.parametrize(names, [("en", wide), ("ar", narrow), *every])


in_both_languages = in_english_and_arabic(("language", "screen"), NARROW, WIDE)


def look(page: Any, address: str, widths: tuple[int, ...], screen: str) -> None:
    """Open a page at each width with all details open, and run axe on one kind of screen. Fails with the violations, or
    with the element that is too wide."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(address)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{address} is wider than {width}"
        if width >= PHONE or not urlsplit(address).path.startswith("/staff"):  # staff use desktop screens
            check_at_double_text(page)
        if (width < PHONE) == (screen == NARROW) and (EVERY_PAGE or _is_turn_of(address, screen)):
            check_with_axe(page)


def check_at_double_text(page: Any) -> None:
    """Fail if the open page is wider than the screen or cuts text at 200% text size (WCAG 2.2, 1.4.4)."""
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    cut = page.evaluate(CUT_TEXT)
    page.evaluate("document.documentElement.style.fontSize = ''")
    assert wide <= 0, f"{page.url} is {wide} px too wide at twice the text size"
    assert not cut, f"{page.url} cuts these at twice the text size: {cut}"


def _is_turn_of(address: str, screen: str) -> bool:
    path = urlsplit(address).path
    return zlib.crc32(path.encode()) % 2 == (screen == NARROW)


def check_with_axe(page: Any) -> None:
    """Fail with the violations that axe finds on the open page."""
    found = Axe().run(page)
    assert found.violations_count == 0, f"{page.url}:\n{found.generate_report()}"
