"""The cover that a family reads first: its texts, and that they fit on the first page."""

from dataclasses import dataclass
from datetime import date

import pytest

from engage.base.catalogs import catalogue, survey_catalogues
from engage.base.config import Settings
from engage.base.languages import LANGUAGES
from engage.domain.paper.form.cover import Cover
from engage.domain.paper.form.elements import Code, Layout, Text
from engage.domain.paper.form.layout import lay_out_sheet
from engage.domain.paper.form.typesetter import SurveyInLanguage
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_survey
from engage.services.waves import privacy_notice as privacy
from engage.services.waves.retention import answers_deleted_on

pytestmark = pytest.mark.slow

NUMBER = "The number on this form tells them which family it is from."
NAMELESS = "We do not ask for your name."


PHONE = "555-0142"
SETTINGS = Settings(district_name="Riverbend School District", district_phone=PHONE)


@dataclass(frozen=True)
class Asked:
    """The attributes of a wave that the privacy notice needs."""

    identity: str = "confidential"
    entry: str = "code"
    closes: date = date(2027, 1, 15)
    privacy_notice: str | None = None
    population: str = "family"
    delete_on: date | None = None


def sheet(slug: str, language: str, linked: bool, asked: Asked = Asked()) -> Layout:
    """Return a form as a household of a wave gets it, with everything a cover can have."""
    edition = build_edition(shipped_survey(slug, version=1), survey_catalogues())
    cover = Cover(
        "Riverbend School District",
        identity=asked.identity,
        opens=date(2026, 11, 16),
        closes=date(2027, 1, 15),
        interpreter="555 0199",
        phone="code",
        reply=True,
        answers=f"engage.riverbend.example/{language}/reply",
        outside="window",
        linked=linked,
        notice={language: privacy.render_notice(asked, SETTINGS, language, answers_deleted_on(asked, SETTINGS))},
    )
    first = SurveyInLanguage(language, edition.survey(language), catalogue(language))
    return lay_out_sheet(first, cover, edition=edition.digest)


def said(page_of: Layout) -> str:
    return " ".join(
        " ".join(line.text for line in item.laid.lines) for item in page_of.pages[0].items if isinstance(item, Text)
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slug", ["home-access", "family-beliefs"])
@pytest.mark.parametrize("asked", [Asked(), Asked("anonymous")], ids=["confidential", "anonymous"])
def test_all_of_the_cover_stands_on_the_first_page(slug: str, language: str, asked: Asked) -> None:
    made = sheet(slug, language, asked.identity == "confidential", asked)
    codes = [(page.number, item.what) for page in made.pages for item in page.items if isinstance(item, Code)]
    assert [number for number, what in codes if what == "phone"] == [1]


@pytest.mark.parametrize(("linked", "told", "untold"), [(True, NUMBER, NAMELESS), (False, NAMELESS, NUMBER)])
def test_a_sheet_says_whether_its_number_tells_the_family(linked: bool, told: str, untold: str) -> None:
    words = said(sheet("home-access", "en", linked))
    assert told in words
    assert untold not in words


SEES = {
    "who_sees_open": "The school sees what many families said together, never yours alone.",
    "who_sees_code": "We do not store it with your answers.",
    "who_sees_confidential": "Only the few people who help families with these needs see your answers.",
}
TYPED = "The person who types in your answers does not know whose they are."
UNNAMED = "Please do not write your name on this form."


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (Asked("anonymous", "open"), {"who_sees_open"}),
        (Asked("anonymous", "code"), {"who_sees_open", "who_sees_code"}),
        (Asked("confidential", "code"), {"who_sees_confidential"}),
    ],
)
def test_a_cover_promises_what_its_wave_keeps(asked: Asked, told: set[str]) -> None:
    words = said(sheet("home-access", "en", asked.identity == "confidential", asked))
    assert {name for name, sentence in SEES.items() if sentence in words} == told
    assert (TYPED in words, UNNAMED in words) == (asked.identity == "anonymous",) * 2
    assert (NUMBER in words) == (asked.identity == "confidential")
    for always in (
        "Riverbend School District\u2069. Questions? Call \u2066555-0142\u2069.",
        "You do not have to answer. Leave blank what you do not want to answer.",
        "We do not give answers to immigration officers unless a court orders it.",
        "Nobody is punished for an answer.",
        "We delete the answers on \u2068January 14, 2030\u2069.",
    ):
        assert always in words


def test_a_cover_says_what_its_wave_was_opened_with_and_the_day_its_last_day_makes_true() -> None:
    own = '{"who_asks": {"en": "Family Engagement Office. Ask for Hodan Warsame, 555-0142."}}'
    words = said(sheet("home-access", "en", True, Asked(privacy_notice=own, closes=date(2027, 1, 22))))
    assert "Family Engagement Office. Ask for Hodan Warsame, \u2066555-0142\u2069." in words
    assert "January 21, 2030" in words


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_longest_notice_a_district_may_write_is_printed_whole(language: str) -> None:
    own = "The answers are read by people. " * (privacy.TEXT_MOST // 32)
    parts = ", ".join(f'"{part}": {{"{language}": "{own}"}}' for part in ("who_asks", "who_sees", "used_against"))
    made = sheet("home-access", language, True, Asked(privacy_notice=f"{{{parts}}}"))
    words = " ".join(
        line.text for page in made.pages for item in page.items if isinstance(item, Text) for line in item.laid.lines
    )
    assert words.count("are read by people.") == 3 * (privacy.TEXT_MOST // 32)
