"""A person decides about every question before it is asked."""

import pytest
from sqlalchemy import select

from engage.questionnaire.library import shipped_survey
from engage.services.waves.screening import STATUTE, screening_items
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.screening import Screening
from engage.storage.models.staff import Staff

pytestmark = pytest.mark.slow

LIST = "/staff/district/screening"
SURVEY = f"{LIST}/home-access"
KEEP = "Save these decisions"


@pytest.fixture
def asked():
    """The items of the survey, in order."""
    return list(screening_items(shipped_survey("home-access")))


def area(item):
    return f"item-{item}-area"


def note(item):
    return f"item-{item}-note"


def kept(engine):
    with read_session(engine) as session:
        return {each.item: each for each in session.scalars(select(Screening))}


def test_every_question_is_there_and_waits(leader, asked):
    leader.opens("/staff/").follows("Surveys").follows("Content screening").sees(
        "Learning at home", "Learning and your family"
    )
    leader.follows("Learning at home").sees("Is there internet at home?", "A satellite dish")
    assert len(list(leader.page.all("select"))) == len(asked)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_words_of_the_law_are_beside_the_plain_ones(signs_in, language):
    page = signs_in("leader", language=language).opens(SURVEY).sees("PPRA").page
    quoted = [one.text for one in page.all("bdi") if (one.get("lang"), one.get("dir")) == ("en", "ltr")]
    assert quoted == [f"“{statute}”" for statute in STATUTE.values()]
    numbers = [one.text for one in next(page.all("tbody")).all("th")]
    assert numbers == [f"({number})" for number in range(1, 9)]


def test_a_person_without_a_name_is_named_by_the_address(leader, asked, engine):
    with write_session(engine) as session:
        someone = session.scalars(select(Staff)).one()
        someone.name, email = "", someone.email
        session.commit()
    leader.opens(SURVEY).sends(**{area(asked[0]): "none"}).sees(f"Decided by {email} on October 14, 2026.")


def test_decisions_are_kept_with_who_made_them(leader, signs_in, asked, engine):
    leader.opens(SURVEY).sends(**{area(asked[0]): "none", area(asked[1]): "income", note(asked[1]): "bill"})
    leader.sees("Your decisions were saved.", "Decided by A leader on October 14, 2026.")
    assert {digest: (each.area, each.note) for digest, each in kept(engine).items()} == {
        asked[0]: ("none", ""),
        asked[1]: ("income", "bill"),
    }
    leader.opens(LIST).sees("13", "1")
    before = kept(engine)[asked[1]].decided_by
    signs_in("administrator").opens(SURVEY).sends(**{area(asked[0]): "religion"})
    now = kept(engine)
    assert now[asked[0]].area == "religion"
    assert now[asked[1]].decided_by == before != now[asked[0]].decided_by
    with read_session(engine) as session:
        events = [each for each in session.scalars(select(AuditEvent)) if each.deed == "screen questions"]
    assert [(each.about, each.detail) for each in events] == [
        ("home-access", '{"changed":2,"protected":1}'),
        ("home-access", '{"changed":1,"protected":2}'),
    ]


def test_keeping_what_is_kept_writes_nothing_down(leader, asked, engine):
    leader.opens(SURVEY).sends(**{area(asked[0]): "none"})
    leader.opens(SURVEY).sends()
    with read_session(engine) as session:
        assert len([each for each in session.scalars(select(AuditEvent)) if each.deed == "screen questions"]) == 1


def test_a_note_that_is_too_long_loses_nothing(leader, asked, engine):
    long = {area(asked[0]): "none", note(asked[0]): "x" * 501, area(asked[1]): "sex"}
    leader.opens(SURVEY).sends(status=422, **long)
    assert leader.page.text.count("This is too long. Use at most 500 characters.") == 2
    assert f"#{note(asked[0])}" in [link.get("href") for link in leader.page.all("a")]
    assert leader.field(area(asked[1])) == "sex"
    assert kept(engine) == {}
    leader.sends(**{note(asked[0]): "short"})
    assert len(kept(engine)) == 2


def test_hostile_notes_stay_words(leader, asked, engine):
    leader.opens(SURVEY).sends(**{area(asked[0]): "none", note(asked[0]): '"><script>\x00\u202e'})
    assert "<script>" not in leader.response.text.split("<main")[1]
    assert kept(engine)[asked[0]].note == '"><script>'


@pytest.mark.parametrize("unknown", ["weather", "\x00", "x" * 100_000])
def test_an_area_the_law_does_not_name_is_refused(leader, asked, engine, unknown):
    leader.opens(SURVEY).sends(status=422, **{area(asked[0]): unknown})
    leader.sees("Choose an option from the list.")
    assert kept(engine) == {}


@pytest.mark.parametrize("slug", ["nothing", "..", "%00", "x" * 3000])
def test_an_unknown_survey_is_not_found(leader, slug):
    leader.opens(f"{LIST}/{slug}", status=404)


@pytest.mark.parametrize(
    ("role", "status"), [("administrator", 200), ("leader", 200), ("liaison", 403), ("translator", 403)]
)
def test_only_some_decide(signs_in, role, status):
    someone = signs_in(role, ("lincoln",) if role == "liaison" else ())
    someone.opens(LIST, status=status)
    someone.opens(SURVEY, status=status)
