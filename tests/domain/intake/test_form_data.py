"""What a form may send, and how a draft is stored."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from engage.domain.intake import drafts
from engage.domain.intake.draft_encryption import (
    DraftContent,
    DraftKeys,
    add_page,
    open_draft,
    phone_draft_keys,
    seal_draft,
)
from engage.domain.intake.drafts import SentPage
from engage.domain.intake.form_data import (
    DRAFT_LONGEST,
    FIELDS_MOST,
    VALUE_LONGEST,
    VALUES_MOST,
    FormTooLarge,
    deserialize_draft,
    merge_page,
    parse_form,
    serialize_draft,
)
from engage.storage.engine import write_session
from engage.storage.models.responses import Draft
from tests.makers import a_wave

KEYS = frozenset({"internet", "child.1.grade"})
TODAY = date(2026, 10, 14)
raws = st.dictionaries(st.sampled_from(["internet", "internet~", "where", "x"]), st.lists(st.text(), max_size=3))


def test_known_fields_are_kept_as_typed_and_blanks_are_not():
    pairs = [("internet", " yes "), ("internet", ""), ("internet~", "refused"), ("evil", "x"), ("child.1.grade", "  ")]
    assert parse_form(pairs, KEYS) == {"internet": [" yes "], "internet~": ["refused"]}


@pytest.mark.parametrize(
    "pairs",
    [
        [("x", "1")] * (FIELDS_MOST + 1),
        [("internet", "y")] * (VALUES_MOST + 1),
        [("internet", "y" * (VALUE_LONGEST + 1))],
    ],
)
def test_too_much_is_refused(pairs):
    with pytest.raises(FormTooLarge):
        parse_form(pairs, KEYS)


def test_the_longest_that_is_allowed_is_allowed():
    assert parse_form([("internet", "y" * VALUE_LONGEST)] * VALUES_MOST, KEYS)
    assert parse_form([("x", "1")] * FIELDS_MOST, KEYS) == {}


@given(raws)
def test_a_draft_comes_back_as_it_was_kept(raw):
    text = serialize_draft(raw)
    assert deserialize_draft(text) == raw
    assert text.isascii()
    assert "\x00" not in text


def test_a_draft_that_grows_without_end_is_refused():
    with pytest.raises(FormTooLarge):
        serialize_draft({"x": ["y" * DRAFT_LONGEST]})


@given(raws, raws)
def test_a_page_sent_again_replaces_itself_and_nothing_else(kept, sent):
    page = {name: values for name, values in sent.items() if name.startswith("internet")}
    merged = merge_page(kept, page, ["internet"])
    assert {name: merged[name] for name in merged if not name.startswith("internet")} == {
        name: values for name, values in kept.items() if not name.startswith("internet")
    }
    assert {name: merged[name] for name in merged if name.startswith("internet")} == page


def phone(letter: bytes) -> DraftKeys:
    """Return the keys of a phone's draft."""
    return phone_draft_keys(letter * 32, "fall", b"the site's key")


def test_drafts_are_begun_saved_read_and_swept(engine):
    with write_session(engine) as session:
        a_wave(session)
        session.commit()
    new = DraftContent("lincoln", "d" * 64, "e" * 64, {})
    own, old, none = phone(b"a"), phone(b"b"), phone(b"x")
    with engine.begin() as connection:
        drafts.begin_draft(connection, own, new, wave_id="fall", today=TODAY)
        uncoded = DraftContent("lincoln", None, None, {})
        drafts.begin_draft(connection, old, uncoded, wave_id="fall", today=TODAY - timedelta(days=31))
        assert drafts.save_page(connection, none, SentPage(1, [], {}), today=TODAY) is None
        drafts.save_page(connection, own, SentPage(2, KEYS, {"internet": ["yes"]}), today=TODAY)
        kept = drafts.save_page(connection, own, SentPage(1, ["where"], {}), today=TODAY)
        assert drafts.delete_stale_drafts(connection, TODAY - timedelta(days=30)) == 1
    assert drafts.peek_draft(engine, own) == kept
    assert drafts.peek_draft(engine, old) is None
    assert (kept.invitation, kept.spent, kept.seen, kept.raw["internet"]) == ("d" * 64, "e" * 64, {1, 2}, ["yes"])


def test_a_draft_says_nothing_without_the_phone_and_the_site(engine):
    with write_session(engine) as session:
        a_wave(session)
        session.commit()
    with engine.begin() as connection:
        new = DraftContent("lincoln", "d" * 64, None, {})
        drafts.begin_draft(connection, phone(b"a"), new, wave_id="fall", today=TODAY)
        drafts.save_page(connection, phone(b"a"), SentPage(1, KEYS, {"question": ["Buses?"]}), today=TODAY)
        [stored] = connection.execute(select(Draft)).all()
    for word in (b"d" * 8, b"lincoln", b"Buses", b"question"):
        assert word not in bytes(stored.sealed)
    assert open_draft(phone(b"a"), stored.sealed) == drafts.peek_draft(engine, phone(b"a"))
    others_site = phone_draft_keys(b"a" * 32, "fall", b"another key")
    assert others_site.key == stored.key
    assert open_draft(others_site, stored.sealed) is None
    assert open_draft(DraftKeys(b"z" * 32, phone(b"a").lock), stored.sealed) is None, "a draft moved to another row"
    for spoiled in (b"", b"x", stored.sealed[:20], stored.sealed[:-1] + b"\0\0"):
        assert open_draft(phone(b"a"), spoiled) is None


@given(
    st.text(max_size=40),
    st.none() | st.text(alphabet="0123456789abcdef", min_size=64, max_size=64),
    raws,
    st.integers(1, 99),
)
def test_whatever_is_sealed_can_be_opened(school, digest, raw, page):
    kept = add_page(DraftContent(school, digest, digest, {}), raw, page)
    assert open_draft(phone(b"a"), seal_draft(phone(b"a"), kept)) == kept


def test_beginning_again_goes_on_with_the_same_draft(engine):
    from tests.makers import a_school

    with write_session(engine) as session:
        a_wave(session, schools=[a_school(session), a_school(session, "harbor", "Harbor")])
        session.commit()
    row = {"wave_id": "fall", "today": TODAY}
    with engine.begin() as connection:
        drafts.begin_draft(connection, phone(b"a"), DraftContent("lincoln", None, None, {}), **row)
        drafts.save_page(connection, phone(b"a"), SentPage(1, KEYS, {"internet": ["no"]}), today=TODAY)
        drafts.begin_draft(connection, phone(b"a"), DraftContent("harbor", None, None, {}), **row)
    kept = drafts.peek_draft(engine, phone(b"a"))
    assert (kept.school_id, kept.raw["internet"]) == ("harbor", ["no"])
