"""The privacy notice for families: shipped, as edited by the district, and as stored with a wave."""

import json
import re
from dataclasses import dataclass
from datetime import date
from gettext import NullTranslations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engage.base.catalogs import survey_catalogues
from engage.base.config import Settings
from engage.base.languages import LANGUAGES
from engage.domain.summaries.published_figures import audience_minimums
from engage.questionnaire.editions import Edition, build_edition
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.text_cleaning import clean_text
from engage.services.waves import privacy_notice as privacy
from engage.services.waves.opening import NewWave, OpeningConditions, WaveRefused, open_wave
from engage.services.waves.privacy_notice import (
    TEXT_MOST,
    build_notice_json,
    find_faults,
    find_untranslated_texts,
    render_notice,
    store_district_texts,
)
from engage.services.waves.privacy_statements import PARTS, POPULATIONS, STATEMENTS, notice_headings, statement_names
from engage.services.waves.screening import screening_items
from engage.storage.engine import write_session
from engage.storage.models.waves import Wave
from tests.makers import a_school

TODAY = date(2026, 9, 20)
DAY = date(2029, 10, 30)
MODES = [("anonymous", "open"), ("anonymous", "code"), ("confidential", "code"), ("confidential", "open")]
SETTINGS = Settings(district_name="Riverbend", district_phone="555-0142", keep_drafts_days=30)


@dataclass
class Asked:
    identity: str = "anonymous"
    entry: str = "open"
    privacy_notice: str | None = None
    population: str = "family"


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize(("identity", "entry"), MODES)
def test_every_kind_of_wave_has_a_whole_notice_in_every_language(identity: str, entry: str, tag: str) -> None:
    told = render_notice(Asked(identity, entry), SETTINGS, tag, DAY)
    assert list(told) == list(PARTS)
    assert all(told.values())
    assert not [text for text in told.values() if re.search(r"[{}%]", text)], "a place was not filled in"
    assert "2029" in told["how_long"]
    assert "Riverbend" in told["who_asks"]
    assert "555-0142" in told["who_asks"]
    assert ("30" in told["on_phone"]) == ((identity, entry) != ("confidential", "code"))


def test_the_notice_says_what_the_kind_of_wave_keeps() -> None:
    seen = {mode: render_notice(Asked(*mode), SETTINGS, "en", DAY)["who_sees"] for mode in MODES}
    assert [mode for mode, text in seen.items() if "never yours alone" in text] == MODES[:2]
    assert [mode for mode, text in seen.items() if "We do not store it with your answers" in text] == MODES[1:2]
    assert [mode for mode, text in seen.items() if "the few people who help families" in text] == MODES[2:]


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize("population", ["educator", "student"])
def test_educators_and_students_have_a_whole_notice_of_their_own(population: str, tag: str) -> None:
    told = render_notice(Asked(entry="code", population=population), SETTINGS, tag, DAY)
    of_families = render_notice(Asked(entry="code"), SETTINGS, tag, DAY)
    assert list(told) == list(PARTS) == list(notice_headings(population))
    assert not [text for text in told.values() if re.search(r"[{}%]", text)], "a place was not filled in"
    assert "Riverbend" in told["who_asks"]
    assert ("555-0142" in told["who_asks"]) == (population == "educator")
    assert [part for part in PARTS if told[part] == of_families[part]] == {
        "educator": ["who_asks", "how_long", "on_phone"],
        "student": ["how_long"],
    }[population]


@pytest.mark.parametrize("population", ["educator", "student"])
def test_the_number_that_is_said_is_the_least_that_anyone_is_shown(population: str) -> None:
    said = render_notice(Asked(entry="code", population=population), SETTINGS, "en", DAY)["who_sees"]
    assert {int(number) for number in re.findall(r"\d+", said)} == set(audience_minimums(population).values())
    assert "the words you type" in said, "they are read as they were typed"


@pytest.mark.parametrize("population", POPULATIONS)
def test_a_statement_belongs_to_those_who_read_it(population: str) -> None:
    read = {name for mode in MODES for name in statement_names(*mode, population).values()}
    assert read == {name for name, statement in STATEMENTS.items() if population in statement.populations}


def test_without_a_telephone_it_says_to_ask_at_the_school() -> None:
    told = render_notice(Asked(), Settings(district_name="Riverbend"), "en", DAY)["who_asks"]
    assert told == "\u2068Riverbend\u2069. Questions? Ask at your school's office."


def test_a_telephone_number_keeps_its_order_in_arabic() -> None:
    own = json.dumps({"who_asks": {"ar": "للأسئلة: هودان ورسمه، 555-0142."}})
    assert "\u2066555-0142\u2069" in render_notice(Asked(privacy_notice=own), SETTINGS, "ar", DAY)["who_asks"]


@pytest.mark.parametrize(
    ("name", "typed", "found"),
    [
        ("who_asks", "The office. Ask for Hodan Warsame, 555-0142.", []),
        ("who_asks", "{district}: call {phone}", []),
        ("who_asks", "x" * TEXT_MOST, []),
        ("who_asks", "x" * (TEXT_MOST + 1), ["long"]),
        ("who_asks", "The <b>office</b>", ["markup"]),
        ("who_asks", "=1+1", ["formula"]),
        ("who_asks", "  @office", ["formula"]),
        ("who_asks", "Ask \u202eus", ["hidden"]),
        ("who_asks", "Ask us 🙂", ["picture"]),
        ("who_asks", "Ask {name}", ["place"]),
        ("who_asks", "Ask { us", ["place"]),
        ("how_long", "We delete the answers soon.", ["missing"]),
        ("how_long", "Gone on {day}.", []),
        ("on_phone_choice", "A number, for {day}.", ["place", "missing"]),
    ],
)
def test_a_text_is_screened(name: str, typed: str, found: list[str]) -> None:
    assert [code for code, _ in find_faults(name, typed)] == found


@given(st.sampled_from(sorted(STATEMENTS)), st.text(max_size=TEXT_MOST))
def test_whatever_is_let_through_is_told_word_for_word(name: str, typed: str) -> None:
    if find_faults(name, typed) or not clean_text(typed, lines=False):
        return
    own = clean_text(typed, lines=False)
    part = STATEMENTS[name].part
    told = render_notice(Asked(privacy_notice=json.dumps({part: {"en": own}})), SETTINGS, "en", DAY)[part]
    expected = own.replace("{district}", "Riverbend").replace("{phone}", "555-0142")
    expected = expected.replace("{day}", "October 30, 2029").replace("{days}", "30 days")
    assert re.sub("[\u2066\u2068\u2069]", "", told) == expected
    assert not set("<>") & set(told)


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize("name", STATEMENTS)
def test_the_shipped_texts_could_be_typed_by_a_district(name: str, tag: str) -> None:
    assert find_faults(name, privacy.shipped_text(name, tag)) == []


@pytest.fixture(scope="module")
def edition() -> Edition:
    return build_edition(shipped_survey("home-access", version=1), survey_catalogues())


@pytest.fixture
def session(engine: Engine) -> Any:
    with write_session(engine) as session:
        a_school(session)
        yield session


def open_one(session: Session, edition: Edition, **more: Any) -> Wave:
    new = NewWave("Fall", ("lincoln",), ("en", "es"), date(2026, 10, 1), date(2026, 10, 31), **more)
    conditions = OpeningConditions({}, screening_items(edition.survey("en")))
    return open_wave(session, edition, new, TODAY, conditions, NullTranslations())


OWN = {"en": "Family Office. Ask for Hodan.", "es": "Oficina de Familias. Pida hablar con Hodan."}


def test_a_wave_keeps_what_it_was_opened_with(session: Session, edition: Edition) -> None:
    store_district_texts(session, "who_asks", OWN, None, TODAY)
    wave = open_one(session, edition)
    store_district_texts(session, "who_asks", {"en": "Somebody else."}, None, TODAY)
    told = {tag: render_notice(wave, SETTINGS, tag, DAY) for tag in OWN}
    assert {tag: each["who_asks"] for tag, each in told.items()} == OWN
    assert told["es"]["used_against"] == privacy.shipped_text("used_against", "es")
    kept = json.loads(wave.privacy_notice or "")
    assert {part: sorted(texts) for part, texts in kept.items()} == {part: ["en", "es"] for part in PARTS}
    store_district_texts(session, "who_asks", {}, None, TODAY)
    assert privacy.load_district_texts(session) == {}
    later = open_one(session, edition, id="later", identity="confidential", entry="code")
    assert render_notice(later, SETTINGS, "es", DAY)["who_asks"].endswith("¿Preguntas? Llame al \u2066555-0142\u2069.")


def test_a_language_waits_until_the_districts_own_text_is_translated(session: Session, edition: Edition) -> None:
    assert store_district_texts(session, "who_asks", {"en": OWN["en"]}, None, TODAY) == ["en"]
    assert find_untranslated_texts(session, ("en", "es")) == {"es": [OWN["en"]]}
    with pytest.raises(WaveRefused) as refused:
        open_one(session, edition)
    [refusal] = refused.value.refusals
    assert refusal.field == "languages"
    assert "Español cannot be offered yet: 1 translation is missing from the family pages" in refusal.sentence
    assert OWN["en"] in refusal.sentence
    assert store_district_texts(session, "who_asks", OWN, None, TODAY) == ["es"]
    assert find_untranslated_texts(session, LANGUAGES).keys() == LANGUAGES.keys() - OWN.keys()
    open_one(session, edition)


def test_a_text_for_educators_that_is_not_translated_stops_only_surveys_of_educators(
    session: Session, edition: Edition
) -> None:
    own = {"en": "Ask the office of educators."}
    store_district_texts(session, "who_asks_educator", own, None, TODAY)
    open_one(session, edition)
    assert find_untranslated_texts(session, ("en", "es"), "educator") == {"es": [own["en"]]}
    kept = json.loads(build_notice_json(session, "anonymous", "code", ("en",), "educator"))
    assert kept["who_asks"] == own
    assert json.loads(build_notice_json(session, "anonymous", "code", ("en",), "student"))["who_asks"] != own


def test_a_translation_of_the_districts_own_needs_no_own_english(session: Session) -> None:
    store_district_texts(session, "used_against", {"es": "No preguntamos sobre inmigración."}, None, TODAY)
    assert find_untranslated_texts(session, LANGUAGES) == {}
    kept = json.loads(build_notice_json(session, "anonymous", "open", ("en", "es", "ar")))["used_against"]
    assert kept["es"] == "No preguntamos sobre inmigración."
    assert kept["ar"] == privacy.shipped_text("used_against", "ar")
