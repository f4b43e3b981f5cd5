"""The message and the poster of a survey: complete and true in every language, and easy to read."""

from datetime import date
from io import BytesIO
from itertools import product
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp

from engage.base.catalogs import catalogue, survey_catalogues
from engage.base.config import NAME_MOST, Settings
from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.poster import write_poster
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_survey
from engage.services.printing.share_texts import build_poster, share_address, write_share_message
from engage.storage.models.waves import Wave
from tests.questionnaire.reading_grade import grade

pytestmark = pytest.mark.slow

EDITION = build_edition(shipped_survey("home-access"), survey_catalogues())
SETTINGS = Settings(
    data_dir=Path(),
    base_url="https://survey.riverbend.example",
    district_name="Riverbend Public Schools",
    interpreter_phone="(555) 010-0199",
)
PRIVATE = "Private. Only the few people who help families see your name with your answers."
DESIGNS = list(product(("anonymous", "confidential"), ("open", "code")))


def a_wave(identity: str = "anonymous", entry: str = "open", notice: str | None = None) -> Wave:
    days = {"opens": date(2026, 11, 9), "closes": date(2026, 12, 4), "delete_on": date(2029, 6, 30)}
    return Wave(id="fall", identity=identity, entry=entry, population="family", privacy_notice=notice, **days)


def message(language: str = "en", **design: str) -> str:
    return write_share_message(a_wave(**design), EDITION, SETTINGS, language)


def test_a_message_says_who_asks_what_until_when_how_long_and_where() -> None:
    assert message().splitlines() == [
        "Riverbend Public Schools would like to hear from your family: “Learning at home”. "
        "Please answer by December 4, 2026.",
        "It takes about 5 minutes.",
        "No names. We do not store who you are.",
        "Answer here:",
        "https://survey.riverbend.example/en/w/fall",
    ]


@pytest.mark.parametrize(
    ("identity", "entry", "line", "answer", "path"),
    [
        ("anonymous", "code", "No names. We do not store your code with your answers.", "with the code from", "en/c"),
        ("confidential", "code", PRIVATE, "with the code from your letter:", "en/c"),
        ("confidential", "open", PRIVATE, "Answer here:", "en/w/fall"),
    ],
)
def test_it_says_what_the_first_page_of_that_survey_says(
    identity: str, entry: str, line: str, answer: str, path: str
) -> None:
    *_, privacy, here, address = message(identity=identity, entry=entry).splitlines()
    assert (privacy, address) == (line, f"https://survey.riverbend.example/{path}")
    assert answer in here


@pytest.mark.parametrize(("identity", "entry"), DESIGNS)
def test_a_sixth_grader_can_read_it(identity: str, entry: str) -> None:
    *sentences, _ = message(identity=identity, entry=entry).splitlines()
    assert grade(" ".join(sentences[1:]).replace(":", ".")) <= 6


@pytest.mark.parametrize("language", [tag for tag in LANGUAGES if tag != "en"])
@pytest.mark.parametrize(("identity", "entry"), DESIGNS)
def test_no_english_is_left_in_another_language(language: str, identity: str, entry: str) -> None:
    english = message(identity=identity, entry=entry).splitlines()
    lines = message(language, identity=identity, entry=entry).splitlines()
    assert len(lines) == len(english)
    assert not set(lines) & set(english)
    assert EDITION.survey(language).title in lines[0]
    assert "Riverbend Public Schools" in lines[0]
    assert "<" not in "".join(lines)


def test_only_a_right_to_left_language_gets_control_characters() -> None:
    with_controls = {tag for tag in LANGUAGES if any(0x2066 <= ord(each) <= 0x2069 for each in message(tag))}
    assert with_controls == {tag for tag, language in LANGUAGES.items() if language.rtl}
    assert all(message(tag).splitlines()[-1] == f"{SETTINGS.base_url}/{tag}/w/fall" for tag in LANGUAGES)


def test_a_poster_says_who_sees_the_answers_as_the_surveys_own_notice_does() -> None:
    own = '{"who_sees": {"en": "Only the office of {district} sees your answers."}}'
    notes = build_poster(a_wave(notice=own), EDITION, SETTINGS, "en").notes
    assert notes[0].heading == "Who sees my answers?"
    assert notes[0].text == "Only the office of \u2068Riverbend Public Schools\u2069 sees your answers."
    shipped = build_poster(a_wave("confidential"), EDITION, SETTINGS, "en").notes[0].text
    assert shipped.startswith("Only the few people who help families")


def test_a_poster_names_the_interpreter_only_if_there_is_one() -> None:
    silent = Settings(data_dir=Path())
    texts = [note.text for note in build_poster(a_wave(), EDITION, silent, "en").notes]
    assert not any("interpreter" in text for text in texts)
    texts = [note.text for note in build_poster(a_wave(), EDITION, SETTINGS, "en").notes]
    assert texts[-1] == "Call \u2066(555) 010-0199\u2069 and say your language. An interpreter will help you."


def test_a_poster_for_codes_asks_for_the_code() -> None:
    assert build_poster(a_wave(), EDITION, SETTINGS, "en").steps == ()
    coded = build_poster(a_wave(entry="code"), EDITION, SETTINGS, "en")
    assert (coded.address, coded.steps) == (
        "survey.riverbend.example/en/c",
        ("Then type the code from your letter.",),
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("entry", ["open", "code"])
def test_its_code_leads_to_the_address_in_every_language(language: str, entry: str) -> None:
    longest = Settings(data_dir=Path(), base_url=SETTINGS.base_url, district_name="Wide Water " * 10 + "W" * 10)
    assert len(longest.district_name) == NAME_MOST
    for settings in (SETTINGS, longest):
        wave, out = a_wave("confidential", entry), BytesIO()
        poster = build_poster(wave, EDITION, settings, language)
        write_poster(out, poster)
        (page,) = pypdfium2.PdfDocument(out.getvalue())
        (code,) = zxingcpp.read_barcodes(page.render(scale=1.5, grayscale=True).to_pil())
        assert code.text == share_address(wave, settings, language) == poster.link
        assert code.text.endswith(poster.address)


@pytest.mark.parametrize("language", [tag for tag in LANGUAGES if tag != "en"])
def test_a_poster_is_in_its_language(language: str) -> None:
    english, other = (build_poster(a_wave(entry="code"), EDITION, SETTINGS, tag) for tag in ("en", language))
    texts = [
        [each.title, *each.leads, each.scan, *each.steps, *(note.text for note in each.notes), each.notes[0].heading]
        for each in (english, other)
    ]
    assert len(texts[0]) == len(texts[1])
    assert not set(texts[0]) & set(texts[1])
    assert catalogue(language).gettext("Then type the code from your letter.") in texts[1]
