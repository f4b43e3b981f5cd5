"""What a form may send, and how a draft is kept."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.intake import drafts
from engage.intake.submission import (
    DRAFT_LONGEST,
    FIELDS_MOST,
    VALUE_LONGEST,
    VALUES_MOST,
    TooMuch,
    from_form,
    merge,
    packed,
    unpacked,
)
from engage.records.session import writing
from tests.makers import a_wave

KEYS = frozenset({"internet", "child.1.grade"})
TODAY = date(2026, 10, 14)
raws = st.dictionaries(st.sampled_from(["internet", "internet~", "where", "x"]), st.lists(st.text(), max_size=3))


def test_known_fields_are_kept_as_typed_and_blanks_are_not():
    pairs = [("internet", " yes "), ("internet", ""), ("internet~", "refused"), ("evil", "x"), ("child.1.grade", "  ")]
    assert from_form(pairs, KEYS) == {"internet": [" yes "], "internet~": ["refused"]}


@pytest.mark.parametrize(
    "pairs",
    [
        [("x", "1")] * (FIELDS_MOST + 1),
        [("internet", "y")] * (VALUES_MOST + 1),
        [("internet", "y" * (VALUE_LONGEST + 1))],
    ],
)
def test_too_much_is_refused(pairs):
    with pytest.raises(TooMuch):
        from_form(pairs, KEYS)


def test_the_longest_that_is_allowed_is_allowed():
    assert from_form([("internet", "y" * VALUE_LONGEST)] * VALUES_MOST, KEYS)
    assert from_form([("x", "1")] * FIELDS_MOST, KEYS) == {}


@given(raws)
def test_a_draft_comes_back_as_it_was_kept(raw):
    text = packed(raw)
    assert unpacked(text) == raw
    assert text.isascii()
    assert "\x00" not in text


def test_a_draft_that_grows_without_end_is_refused():
    with pytest.raises(TooMuch):
        packed({"x": ["y" * DRAFT_LONGEST]})


@given(raws, raws)
def test_a_page_sent_again_replaces_itself_and_nothing_else(kept, sent):
    page = {name: values for name, values in sent.items() if name.startswith("internet")}
    merged = merge(kept, page, ["internet"])
    assert {name: merged[name] for name in merged if not name.startswith("internet")} == {
        name: values for name, values in kept.items() if not name.startswith("internet")
    }
    assert {name: merged[name] for name in merged if name.startswith("internet")} == page


def test_drafts_are_begun_saved_read_and_swept(engine):
    with writing(engine) as session:
        a_wave(session)
        session.commit()
    row = {"wave_id": "fall", "school_id": "lincoln", "language": "en", "invitation": None}
    with engine.begin() as connection:
        drafts.begin(connection, b"a" * 32, today=TODAY, **row)
        drafts.begin(connection, b"b" * 32, today=TODAY - timedelta(days=31), **row)
        assert drafts.save(connection, b"x" * 32, page=1, keys=[], sent={}, language="en", today=TODAY) is None
        drafts.save(connection, b"a" * 32, page=2, keys=KEYS, sent={"internet": ["yes"]}, language="es", today=TODAY)
        kept = drafts.save(connection, b"a" * 32, page=1, keys=["where"], sent={}, language="ar", today=TODAY)
        assert drafts.sweep(connection, TODAY - timedelta(days=30)) == 1
    assert drafts.look(engine, b"a" * 32) == kept
    assert drafts.look(engine, b"b" * 32) is None
    assert (kept.language, kept.seen, kept.raw["internet"]) == ("ar", {1, 2}, ["yes"])


def test_beginning_again_goes_on_with_the_same_draft(engine):
    from tests.makers import a_school

    with writing(engine) as session:
        a_wave(session, schools=[a_school(session), a_school(session, "harbor", "Harbor")])
        session.commit()
    row = {"wave_id": "fall", "language": "en", "invitation": None, "today": TODAY}
    with engine.begin() as connection:
        drafts.begin(connection, b"a" * 32, school_id="lincoln", **row)
        drafts.save(connection, b"a" * 32, page=1, keys=KEYS, sent={"internet": ["no"]}, language="en", today=TODAY)
        drafts.begin(connection, b"a" * 32, school_id="harbor", **row)
    kept = drafts.look(engine, b"a" * 32)
    assert (kept.school_id, kept.raw["internet"]) == ("harbor", ["no"])
