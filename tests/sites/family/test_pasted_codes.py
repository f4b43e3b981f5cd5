"""Pasted and mistyped input: whole links, text around a code, the wrong code in a field, URLs typed by hand."""

import logging
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.domain.security import form_serials
from engage.domain.security.access_codes import (
    LENGTH,
    derive_reply_code,
    format_access_code,
    format_reply_code,
    generate_access_code,
)
from engage.domain.security.pasted_codes import find_access_code, find_reply_code, find_serial

pytestmark = pytest.mark.slow

REPLY = derive_reply_code(b"k" * 32, b"s" * 32)
SERIAL = next(form_serials.generate_serials(Random(1), ()))

PASTED = [
    "http://localhost/en/c/{}",
    "https://engage.riverbend.example/es/c/{}?fbclid=IwAR0x2Zb",
    "https://engage.riverbend.example/es/c/{}%3Ffbclid%3DIwAR0x2Zb",
    "Code: {}",
    "code {}.",
    "Código: {}!",
    "«{}»",
    "Your code is {}, thank you",
    "{} {}",
    "{}{}",
    "{}\n{}\n",
    "\u200f{}\u200e\u200b",
    "الرمز: {}،",
]


@pytest.mark.parametrize("text", PASTED)
def test_the_one_valid_code_is_found_in_what_was_pasted(family, code, text):
    for shown in (
        format_access_code(code),
        code,
        format_access_code(code).lower(),
        format_access_code(code).replace("-", " – "),
    ):
        family.opens("/en/c").sends(code=text.replace("{}", shown)).sees("A small survey", "Start")


@given(st.integers(), st.text(max_size=30), st.text(max_size=30))
def test_a_code_is_found_between_any_words_or_none_is(seed, before, after):
    code = generate_access_code(Random(seed))
    found = find_access_code(f"{before} : {format_access_code(code)} ; {after}")
    assert found in (code, None)
    if not any(each.isalnum() for each in before + after):
        assert found == code


@given(st.integers(), st.integers())
def test_of_two_different_codes_none_is_chosen(one, other):
    first, second = generate_access_code(Random(one)), generate_access_code(Random(other))
    found = find_access_code(f"{format_access_code(first)} {format_access_code(second)}")
    assert found == (first if first == second else None)


@given(st.text(max_size=60))
def test_looking_for_codes_never_fails_and_finds_what_can_be_one(text):
    for find, length in ((find_access_code, LENGTH), (find_reply_code, 16), (find_serial, 7)):
        found = find(text)
        assert found is None or len(found) == length


@pytest.mark.parametrize(
    "text", [format_reply_code(REPLY), f"Code: {REPLY}", f"+{REPLY}.", f"{format_reply_code(REPLY)} {REPLY}"]
)
def test_a_reply_code_typed_as_a_code_leads_to_its_page_and_into_no_address(family, code, text, caplog):
    caplog.set_level(logging.DEBUG)
    family.opens("/en/c").sends(code=text).sees("There is no answer for this code yet")
    assert family.path == "/en/reply"
    assert REPLY not in caplog.text.replace(" ", "")


def test_a_code_typed_as_a_reply_code_leads_to_its_page(family, code):
    family.opens("/en/reply").sends(code=f"Code: {format_access_code(code)}").sees("A small survey", "Start")


@pytest.mark.parametrize("text", [SERIAL, f"Form {SERIAL}", SERIAL.lower().replace("-", " ")])
@pytest.mark.parametrize("page", ["c", "reply"])
def test_the_number_of_a_paper_form_is_explained_and_opens_nothing(family, small, text, page):
    family.opens(f"/en/{page}").sends(code=text, status=422).sees("This is the form number from a paper form, not a")
    assert family.field("code") == text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Please type your code."),
        ("K7MP4-XTR9", "1 character is missing. The code has 10."),
        ("Code: K7MP4-XT", "3 characters are missing. The code has 10."),
        ("K7MP4-XTR9C77", "There are 2 characters too many. The code has 10."),
        ("K7MP4-XTR9R", "This code has a mistake in it."),
        ("hello", "This code has a mistake in it."),
    ],
)
def test_the_page_says_what_is_wrong_with_a_code(family, small, typed, said):
    family.opens("/en/c").sends(code=typed, status=422).sees(said)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Please type your reply code."),
        ("3888 0592 2973 788", "1 character is missing. The code has 16."),
        ("3888 0592 2973 78899", "There is 1 character too many. The code has 16."),
        ("3888 0592 2973 7880", "This code has a mistake in it. A reply code has 16 digits."),
    ],
)
def test_the_page_says_what_is_wrong_with_a_reply_code(family, small, typed, said):
    family.opens("/en/reply").sends(code=typed, status=422).sees(said)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/En/", "/en/"),
        ("/en", "/en/"),
        ("/SO/", "/so/"),
        ("/es-MX/", "/es/"),
        ("/es_mx", "/es/"),
        ("/zh/", "/zh-Hans/"),
        ("/zh-hans/", "/zh-Hans/"),
        ("/zh-CN/reply", "/zh-Hans/reply"),
        ("/so/reply/", "/so/reply"),
        ("/so/Reply", "/so/reply"),
        ("/en/w/fall/", "/en/w/fall"),
        ("/EN/W/Fall", "/en/w/fall"),
        ("/en//w/fall", "/en/w/fall"),
        ("/en/c/K7MP4-XTR9C/", "/en/c/K7MP4-XTR9C"),
        ("/es-MX/w/fall?x=1&y", "/es/w/fall?x=1&y"),
    ],
)
def test_addresses_typed_by_hand_lead_on(family, small, path, meant):
    answer = family.client.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (303, meant)


def test_a_code_behind_the_address_leads_to_its_page_in_the_language_of_the_phone(family, code):
    answer = family.client.get(f"/{format_access_code(code).lower()}", headers={"Accept-Language": "es-MX"})
    assert answer.headers["Location"] == f"/es/c/{format_access_code(code)}"
    assert family.client.get(f"/{code}").headers["Location"] == f"/en/c/{format_access_code(code)}"


@pytest.mark.parametrize(
    "path",
    [
        *("//evil.example", "/\\evil.example", "/En//evil.example/", "/EN/%2F%2Fevil.example", "/En/..//evil.example"),
        *("/zh-TW/", "/xx/", "/en/nowhere", "/K7MP4-XTR9R", "/en/c/%0d%0aX-Y:1/", "/EN/reply/https://evil.example"),
    ],
)
def test_no_address_leads_away_or_in_a_circle(family, small, path):
    answer = family.client.get(path, base_url="http://localhost")
    place = answer.headers.get("Location", "/")
    assert place.startswith("/")
    assert not place.startswith(("//", "/\\"))
    assert "\n" not in place
    seen = set()
    while answer.status_code in (301, 302, 303, 307, 308):
        assert answer.headers["Location"] not in seen
        seen.add(answer.headers["Location"])
        answer = family.client.get(answer.headers["Location"])
    assert answer.status_code in (200, 404)
