"""An administrator edits the privacy notice for families."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from engage.domain.security.access_codes import ACCESS_KEY, digest, generate_access_code
from engage.questionnaire.library import shipped_survey
from engage.storage.models.audit import AuditEvent
from engage.storage.models.privacy import PrivacyStatement
from tests.makers import a_slip_wave, a_wave, screened
from tests.people import Family, StaffMember

pytestmark = pytest.mark.slow

NOTICE = "/staff/administration/privacy-notice"
STORE = "Save this text: Who is asking?"
OWN = "Family Engagement Office. Ask for Hodan Warsame, 555-0142."
Someone = Callable[[str], StaffMember]


def texts(stored: Any) -> dict[tuple[str, str], str]:
    return {(one.name, one.language): one.text for one in stored(PrivacyStatement)}


def test_a_text_is_stored_audited_and_told_to_the_families_of_later_surveys(
    someone: Someone, stored: Any, arrange: Any, site: Any
) -> None:
    arrange(lambda session: a_wave(session, "before"))
    administrator = someone("administrator")
    administrator.opens("/staff/").follows("Administration").follows("Privacy notice")
    administrator.sees("Who is asking?", "This is the district's promise. Software cannot keep it.")
    spanish = "Oficina de Familias. Hodan Warsame, 555-0142."
    administrator.sends(button=STORE, en=OWN, es=spanish, ar="مكتب العائلات.")
    administrator.sees(
        "The text was saved.", OWN, "cannot be opened in these languages", "Soomaali, Tiếng Việt, 简体中文"
    )
    assert texts(stored)["who_asks", "en"] == OWN
    [event] = [one for one in stored(AuditEvent) if one.deed == "change privacy notice"]
    assert (event.about, event.detail) == ("who_asks", '{"languages":"en es ar"}')
    arrange(lambda session: a_wave(session, "after"))
    family = Family(site)
    family.opens("/en/w/after").sees(OWN)
    family.opens("/es/w/after").sees(spanish)
    family.opens("/en/w/before").sees_no("Hodan").sees("Our school district. Questions? Call 555 0100.")
    administrator.opens(NOTICE).sends(button=STORE, en="", es="", ar="").sees("The text was saved.")
    assert texts(stored) == {}
    family.opens("/en/w/after").sees(OWN)
    administrator.opens(NOTICE).sends(button=STORE).sees("Nothing was changed.")


def test_the_statements_stand_under_those_who_read_them(someone: Someone) -> None:
    administrator = someone("administrator").opens(NOTICE)
    heads = [one.text for one in next(administrator.page.all("main")).all("h2", "h3")]
    groups = ["Surveys of families", "Surveys of educators", "Surveys of students", "More than one kind of survey"]
    assert [head for head in heads if head.startswith(("Surveys", "More"))] == groups
    students = heads[heads.index(groups[2]) + 1 : heads.index(groups[3])]
    assert students == ["Who is asking?", "Who sees my answers?", "Can I get in trouble for an answer?"]


def test_a_text_for_educators_is_read_by_educators_only(someone: Someone, stored: Any, arrange: Any, site: Any) -> None:
    administrator = someone("administrator").opens(NOTICE)
    administrator.sends(button=f"{STORE} Survey of educators", en="Ask the union office.", es="Pregunte al sindicato.")
    assert set(texts(stored)) == {("who_asks_educator", "en"), ("who_asks_educator", "es")}
    code = generate_access_code(Random(5))
    key = site.family.extensions["engage"].secret(ACCESS_KEY)
    arrange(lambda session: (a_wave(session, "fall"), a_slip_wave(session, "educator", [digest(code, key)])))
    Family(site).opens(f"/en/c/{code}").sees("Ask the union office.")
    Family(site).opens("/en/w/fall").sees_no("union")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("<b>Us</b>", "Do not use < or > in the text."),
        ("=cmd", "Start with a letter, not with =."),
        ("Us\u202e", "hidden character U+202E"),
        ("Us 🙂", "🙂 cannot be printed on paper."),
        ("x" * 401, "Use at most 400 characters."),
        ("Call {me}", "{me} cannot be used here."),
    ],
)
def test_a_bad_text_is_refused_and_stays_in_its_box(someone: Someone, stored: Any, typed: str, said: str) -> None:
    administrator = someone("administrator")
    administrator.opens(NOTICE).sends(button=STORE, status=422, en=typed, es="Bien.").sees(said)
    form = administrator._form(STORE)
    boxes = {one.get("name"): "".join(map(str, one.inside)).removeprefix("\n") for one in form.all("textarea")}
    assert (boxes["en"], boxes["es"]) == (typed, "Bien.")
    assert texts(stored) == {}


def test_the_day_must_stay_in_the_text(someone: Someone, stored: Any) -> None:
    administrator = someone("administrator")
    administrator.opens(NOTICE).sends(button="Save this text: How long do you keep them?", status=422, en="For ever.")
    administrator.sees("Keep {day} in the text. {day} is replaced with the date the answers will be deleted.")


def test_changed_english_asks_about_each_translation_that_was_left(someone: Someone, stored: Any) -> None:
    administrator = someone("administrator")
    administrator.opens(NOTICE).sends(button=STORE, en=OWN, es="Oficina.", ar="مكتب.")
    administrator.sends(button=STORE, status=422, en="Another office.", es="Otra oficina.")
    administrator.sees("The English text has changed.")
    assert texts(stored)["who_asks", "en"] == OWN
    administrator.sends(button=STORE, fits="yes").sees("The text was saved.")
    assert set(texts(stored).values()) == {"Another office.", "Otra oficina.", "مكتب."}


def test_a_survey_is_not_opened_in_a_language_that_waits(someone: Someone, arrange: Any) -> None:
    survey = shipped_survey("home-access")
    arrange(lambda session: screened(session, survey))
    administrator = someone("administrator")
    administrator.opens(NOTICE).sends(button=STORE, en=OWN, es="Oficina.")
    new = {
        "survey": "home-access",
        "title": "Fall",
    }
    days = {"opens": "2026-10-15", "closes": "2026-10-30"}
    administrator.prepares(**new, stop_at="schools").sees("1 translation is missing")
    administrator.sends(languages=["en", "es", "ar"], schools=["lincoln"])
    administrator.sees("العربية cannot be offered yet", OWN)
    administrator.sends(languages=["en", "es"]).sends(**days).sends()
    administrator.opens_prepared_survey().sees("The survey was saved.")


def test_only_administrators_change_it(someone: Someone) -> None:
    for role in ("liaison", "leader", "translator"):
        someone(role).opens(NOTICE, 403)
