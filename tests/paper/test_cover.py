"""What a family reads first, and that it stands on the first page."""

from datetime import date

import pytest

from engage.languages import LANGUAGES, catalogue, survey_catalogues
from engage.paper.cover import Cover
from engage.paper.layout import layout
from engage.paper.sheet import Code, Layout, Text
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.wording import edition_of

NUMBER = "The number on this form tells them which family it is from."
NAMELESS = "We do not ask for your name."


def sheet(slug: str, language: str, linked: bool) -> Layout:
    """A set as a household of a confidential wave gets it, with everything a cover can say."""
    edition = edition_of(shipped_survey(slug), survey_catalogues())
    cover = Cover(
        "Riverbend School District",
        identity="confidential",
        opens=date(2026, 11, 16),
        closes=date(2027, 1, 15),
        interpreter="555 0199",
        phone="code",
        reply=True,
        answers=f"engage.riverbend.example/{language}/reply",
        outside="window",
        linked=linked,
    )
    return layout(edition.survey(language), language, catalogue(language), cover, edition=edition.digest)


def said(page_of: Layout) -> str:
    return " ".join(
        " ".join(line.text for line in item.laid.lines) for item in page_of.pages[0].items if isinstance(item, Text)
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slug", ["home-access", "family-beliefs"])
def test_all_of_the_cover_stands_on_the_first_page(slug: str, language: str) -> None:
    made = sheet(slug, language, linked=True)
    codes = [(page.number, item.what) for page in made.pages for item in page.items if isinstance(item, Code)]
    assert [number for number, what in codes if what == "phone"] == [1]


@pytest.mark.parametrize(("linked", "told", "untold"), [(True, NUMBER, NAMELESS), (False, NAMELESS, NUMBER)])
def test_a_sheet_says_whether_its_number_tells_the_family(linked: bool, told: str, untold: str) -> None:
    words = said(sheet("home-access", "en", linked))
    assert told in words
    assert untold not in words
