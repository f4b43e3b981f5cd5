"""Languages in the spellings of student information systems."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.base.languages import LANGUAGES
from engage.domain.roster.language_names import NOT_CODES, _language_rows, find_language_tag

KNOWN = {
    "es": ["Spanish", "spa", "es", "ES", "es-MX", "es_US", "Español", "Spanish; Castilian", " spanish ", "es-419"],
    "zh-Hans": ["Chinese (Simplified)", "Chinese, Simplified", "Simplified Chinese", "zh-CN", "zh_cn", "cmn", "zh",
                "zho", "chi", "Mandarin", "Chinese", "简体中文", "zh-SG"],
    "zh-Hant": ["Chinese (Traditional)", "zh-TW", "zh-HK", "zh-Hant"],
    "ar": ["Arabic", "ara", "arb", "ar-IQ", "العربية", "Arabic (Egypt)", "Egypt - Arabic", "Arabic/English"],
    "so": ["Somali", "som", "so-SO", "Soomaali"],
    "vi": ["Vietnamese", "vie", "vi-VN", "Tiếng Việt"],
    "en": ["English", "eng", "en-US", "en-GB-oxendict"],
    "ht": ["Haitian Creole", "hat", "Haitian"],
    "yue": ["Cantonese", "yue"],
    "fr-CA": ["fr-ca", "fr_CA"],
    "pt-BR": ["pt-br"],
    "sr-Latn": ["sr-latn"],
    "fa-AF": ["Dari", "prs", "fa-AF"],
    "fil": ["Tagalog", "tgl", "Filipino"],
    "hmn": ["Hmong", "hmn", "Hmoob"],
    "nan": ["Hokkien", "Taiwanese", "台語"],
    "ko": ["Korean", "한국어", "kor", "KOREAN "],
    "quc": ["K'iche'", "K’iche’", "Quiché", "quc"],
    "no": ["Norwegian", "nor", "nb"],
    "": ["", "  ", "Unknown", "und", "Other", "N/A", "mul", "Not specified"],
}  # fmt: skip
NOBODY_KNOWS = [
    "xx!",
    "12",
    "a",
    "abcd",
    "Non-English",
    "Elvish",
    "Klingon",
    "SP",
    "TBD",
    "No",
    "NaN",
    "=1+1",
    "<script>",
    "es es",
    "-",
    "es-",
    "-es",
    "é" * 300,
    "x-y",
]


@pytest.mark.parametrize(("tag", "text"), [(tag, text) for tag, texts in KNOWN.items() for text in texts])
def test_what_is_understood(tag: str, text: str) -> None:
    assert find_language_tag(text) == tag


@pytest.mark.parametrize("text", NOBODY_KNOWS)
def test_what_is_not(text: str) -> None:
    assert find_language_tag(text) is None


@given(st.text(max_size=30) | st.from_regex(r"[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{1,8}){0,4}", fullmatch=True))
def test_a_tag_is_short_and_stays_what_it_is(text: str) -> None:
    tag = find_language_tag(text)
    if tag:
        assert len(tag) <= 20  # the size of households.language
        assert find_language_tag(tag) == tag or tag in LANGUAGES or tag in NOT_CODES or tag == NAURUAN


NAURUAN = "na"  # its ISO 639-1 code alone is how people write "not applicable"


@pytest.mark.parametrize("text", ["NA", "n/a", "NA[", "(N/A)", "unknown / other", "None (not specified)"])
def test_a_cell_that_says_only_that_nobody_knows_is_empty(text: str) -> None:
    assert find_language_tag(text) == ""


def test_a_part_that_says_nobody_knows_leaves_the_other_part() -> None:
    assert {find_language_tag("Spanish (other)"), find_language_tag("unknown / Español")} == {"es"}
    assert {find_language_tag("Nauru"), find_language_tag("nau")} == {NAURUAN}


def test_every_row_of_the_table_is_understood_as_what_it_is() -> None:
    """Each code and name leads to its own row: no name is in two rows, and no tag has two spellings."""
    for tag, codes, names in _language_rows():
        own = {find_language_tag(each) for each in (*codes, *names) if each not in NOT_CODES}
        assert own == {find_language_tag(tag) or tag} or tag in NOT_CODES, (tag, own)
        assert all(names)
        assert all(re.fullmatch("[a-z]{2,3}", code) for code in codes)


def test_the_table_holds_every_language_that_is_offered() -> None:
    assert {find_language_tag(each.english) for each in LANGUAGES.values()} == set(LANGUAGES)
    assert {find_language_tag(each.name) for each in LANGUAGES.values()} == set(LANGUAGES)
