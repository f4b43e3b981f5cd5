"""The pages of a checkpoint say whose answers they show: families', educators', students', or liaisons'."""

import re
from datetime import date
from gettext import NullTranslations

import pytest

from engage.services.checkpoints.planning import create_checkpoint
from engage.storage.engine import write_session
from engage.storage.models.waves import Wave
from tests.answering import POPULATIONS, a_wave_of
from tests.people import Family, rows

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("shared_figures")]

FALL = "/staff/district/checkpoints/fall"
RESULTS = "/en/results/fall"
FAMILIES = re.compile(r"famil|household", re.IGNORECASE)
NO = "Families can say no. Students whose families said no are counted too."


@pytest.fixture
def fall(engine):
    """A checkpoint over one survey of each population."""
    with write_session(engine) as session:
        waves = [a_wave_of(session, each).id for each in POPULATIONS]
        create_checkpoint(session, "Fall", date(2026, 10, 20), waves, NullTranslations())
        session.commit()
    return sorted(POPULATIONS)


def sections(page):
    """Return the sections of the surveys, by population."""
    named = {each.get("aria-labelledby"): each for each in page.all("section")}
    return {population: named[f"w{number}"] for number, population in enumerate(sorted(POPULATIONS), 1)}


def test_leaders_read_who_answered(leader, fall):
    found = sections(leader.opens(FALL).page)
    for population, said in {
        "educator": ["Teachers on the roster", "Likely range among all educators", "hidden to protect educators"],
        "student": ["of the 55 students who took part", "Likely range among all students", NO],
        "family": ["of the 55 families who took part", "Likely range among all families", "and how families answered"],
        "liaison": ["Liaisons write one debrief after each event.", "Debriefs"],
    }.items():
        text = found[population].text
        assert [each for each in said if each not in text] == [], population
        assert bool(FAMILIES.search(text.replace(NO, ""))) == (population == "family"), text
        assert ("By school, language" in text, "English" in text) == (population == "family",) * 2
    assert [rows(table)["All"] for table in list(found["liaison"].all("table"))[:1]] == [["55"]]
    assert [each.text for each in found["liaison"].all("h3")] == ["Debriefs"]
    leader.sees("fewer than 5 families, or from fewer than 10 educators or students, we hide it")


def test_a_draft_over_open_surveys_names_nobody_wrongly(leader, fall, engine, today):
    with write_session(engine) as session:
        for population in POPULATIONS:
            session.get(Wave, population).closes = today
        session.commit()
    found = sections(leader.opens(FALL).page)
    for population in ("educator", "student"):
        assert "at least 10 more have answered, so that no one can be picked out" in found[population].text
        assert "Cedar Hill" not in found[population].text
        assert not FAMILIES.search(found[population].text.replace(NO, ""))
    assert "Liaisons can still write debriefs." in found["liaison"].text
    leader.opens(f"{FALL}/freeze").sees("Because it is anonymous, its figures have no tables by group before it ends.")


def test_families_read_whose_answers_these_are(leader, fall, site):
    leader.opens(f"{FALL}/freeze").sends()
    leader.opens(f"{FALL}/publish").sends(without_promise="yes")
    family = Family(site).opens(RESULTS)
    family.sees(
        "Our days at school: 55 educators took part.",
        "Our days at school: 55 of 89 students took part.",
        "Our days at school: 55 families took part.",  # with students on the roster, no family is on it
        "After an event: Community liaisons wrote 55 debriefs.",
    )
    main = next(family.page.all("main"))
    parts = [each.text for each in main.all("b") if each.text.endswith("answered this survey.")]
    assert parts == [
        "Educators answered this survey.",
        "Families answered this survey.",
        "Students answered this survey.",
    ]
    heads = [each.text for table in main.all("table") for each in table.all("th") if each.get("scope") == "col"]
    assert [each for each in heads if each in ("Educators", "Families", "Students")] == [
        *["Educators"] * 3,
        *["Families"] * 3,
        *["Students"] * 3,
    ]
    family.sees_no("What did you hear?")  # nobody but liaisons is asked this
    family.opens("/en/results/").sees("Survey results", "Here you can read what people told us")
    family.opens("/es/results/fall").sees("Contestaron esta encuesta los educadores.")
