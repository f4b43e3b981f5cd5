import unicodedata

import icu
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engage.base.languages import LANGUAGES
from engage.domain.paper.typesetting.paragraph import Line, ParagraphStyle, lay_out_paragraph
from engage.domain.paper.typesetting.shaping import MissingGlyph, spell_out_missing
from tests.domain.paper.sample import SAMPLES, own_faces

WIDE = 1e6  # points


def shown(line: Line) -> str:
    """Return the text of a line, from left to right."""
    return "".join(glyph.text for strip in line.strips for glyph in strip.glyphs)


def set_in(language: str, text: str, width: float = WIDE, direction: str | None = None, **more: object):
    way = direction or LANGUAGES[language].direction
    return lay_out_paragraph(text, width, ParagraphStyle(10, own_faces(language), way, language, **more))


@given(st.text("אבגדה abc 123 (.,)-", max_size=25), st.sampled_from(["ltr", "rtl"]))
def test_mixed_directions_stand_as_icu_orders_them(text: str, direction: str) -> None:
    text = text.strip()
    bidi = icu.Bidi()
    whole = icu.UnicodeString(text)
    bidi.setPara(whole, 1 if direction == "rtl" else 0)
    expected = "".join(text[index] for index in bidi.getVisualMap())
    (line,) = set_in("en", text, direction=direction).lines
    assert shown(line) == expected


def test_brackets_are_mirrored_in_text_from_the_right() -> None:
    faces = own_faces("en")
    (line,) = set_in("en", "(א)", direction="rtl").lines
    first = line.strips[0].glyphs[0]
    assert first.text == ")"  # the closing bracket of the text is leftmost
    assert first.id == line.strips[0].face.font.get_nominal_glyph(ord("(")), "and is drawn opening to the right"
    assert faces.language == "en"


def test_arabic_letters_join() -> None:
    alone = set_in("ar", "ب").lines[0].strips[0].glyphs
    inside = set_in("ar", "ببب").lines[0].strips[0].glyphs
    assert len({glyph.id for glyph in (*alone, *inside) if glyph.text}) == 4  # isolated, initial, medial, final


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [60.0, 120.0])
def test_no_line_is_too_wide_and_nothing_is_lost(language: str, width: float) -> None:
    laid = set_in(language, SAMPLES[language] * 3, width)
    assert len(laid.lines) > 2
    assert laid.widest <= width + 0.01
    assert "".join("".join(line.text for line in laid.lines).split()) == "".join((SAMPLES[language] * 3).split())
    assert laid.height == pytest.approx(laid.leading * len(laid.lines))


@settings(max_examples=60, deadline=None)
@given(st.text("abc éא ب12漢字\u0301\u200d\n𠮷", max_size=80), st.floats(25, 300), st.sampled_from(["ltr", "rtl"]))
def test_any_text_keeps_within_any_width(text: str, width: float, direction: str) -> None:
    laid = set_in("en", text, width, direction)
    assert laid.widest <= width + 0.01
    kept = "".join(line.text for line in laid.lines)
    assert "".join(kept.split()) == "".join(unicodedata.normalize("NFC", text).split())


def test_a_long_word_is_cut_between_graphemes() -> None:
    word = "e\u0323\u0302" * 60  # ệ, three code points each
    laid = set_in("en", word, 50)
    assert laid.cut
    assert {len(line.text) % 1 for line in laid.lines} == {0}
    assert all(unicodedata.combining(line.text[0]) == 0 for line in laid.lines)


def test_chinese_breaks_without_spaces_but_not_before_a_full_stop() -> None:
    laid = set_in("zh-Hans", "中文标点。" * 12, 55)
    assert len(laid.lines) > 5
    assert all(not line.text.startswith("。") for line in laid.lines)


def test_characters_beyond_the_basic_plane_keep_their_place() -> None:
    (line,) = set_in("zh-Hans", "𠮷野家 abc 𠮷").lines
    assert shown(line) == "𠮷野家 abc 𠮷"
    assert all(glyph.id for strip in line.strips for glyph in strip.glyphs)


def test_line_ends_are_kept() -> None:
    assert [line.text for line in set_in("en", "one\r\n\ntwo\u2028three").lines] == ["one", "", "two", "three"]


def test_a_word_in_another_script_takes_another_face() -> None:
    (line,) = set_in("en", "Soo dhawoow العربية 中文 አማርኛ").lines
    assert len({strip.face.path for strip in line.strips}) == 4


def test_a_character_without_a_glyph_is_named() -> None:
    with pytest.raises(MissingGlyph, match=r'en: .*U\+1F9CB BUBBLE TEA, in "tea 🧋"'):
        set_in("en", "tea 🧋")


def test_it_can_be_spelled_out() -> None:
    assert spell_out_missing("tea 🧋!", own_faces("en")) == "tea [bubble tea]!"
    assert spell_out_missing("plain text", own_faces("en")) == "plain text"


def test_alignment_follows_the_direction_unless_told() -> None:
    assert set_in("ar", "نعم").align == "right"
    assert set_in("en", "yes").align == "left"
    centred = set_in("en", "yes", 100, align="center")
    assert centred.left(centred.lines[0]) == pytest.approx((100 - centred.widest) / 2)


@pytest.mark.parametrize("language", LANGUAGES)
def test_ink_stays_within_its_line(language: str) -> None:
    laid = set_in(language, SAMPLES[language])
    for strip in laid.lines[0].strips:
        for glyph in strip.glyphs:
            top, bottom = strip.face.ink(glyph.id)
            assert (glyph.y + top) * 10 <= laid.baseline + 0.01
            assert (bottom - glyph.y) * 10 <= laid.leading - laid.baseline + 0.01
