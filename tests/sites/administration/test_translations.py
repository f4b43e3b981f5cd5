"""The page about the status of translations."""

from collections.abc import Callable

import pytest

from engage.base.languages import LANGUAGES
from tests.people import StaffMember

pytestmark = pytest.mark.slow

TRANSLATIONS = "/staff/administration/translations"
Someone = Callable[[str], StaffMember]


def test_every_language_is_there_with_every_survey(someone: Someone) -> None:
    translator = someone("translator")
    translator.opens(TRANSLATIONS).sees("Learning at home", "Pages and forms for families", "Pages for staff")
    headings = " ".join(heading.text for heading in translator.page.all("h2"))
    assert all(each.name in headings for each in LANGUAGES.values() if not each.source)
    assert "English" not in headings.replace("Simplified", "")


def test_what_is_missing_is_listed(someone: Someone) -> None:
    translator = someone("translator")
    for tag, language in LANGUAGES.items():
        if not language.source:
            translator.opens(f"{TRANSLATIONS}/{tag}").sees(f"Missing translations: {language.name}")


@pytest.mark.parametrize("tag", ["en", "xx", "..", "%00", "es%2f.."])
def test_other_languages_are_not_there(someone: Someone, tag: str) -> None:
    someone("translator").opens(f"{TRANSLATIONS}/{tag}", status=404)


@pytest.mark.parametrize(("role", "status"), [("administrator", 200), ("liaison", 403), ("leader", 403)])
def test_who_may_look(someone: Someone, role: str, status: int) -> None:
    someone(role).opens(TRANSLATIONS, status)
