from dataclasses import replace
from datetime import date, timedelta
from gettext import NullTranslations

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from engage.base.catalogs import survey_catalogues
from engage.questionnaire.editions import Edition, build_edition
from engage.questionnaire.library import shipped_survey
from engage.services.waves.opening import NewWave, OpeningConditions, WaveRefused, add_unnamed_invitations, open_wave
from engage.services.waves.screening import screening_items
from engage.storage.engine import write_session
from engage.storage.models.invitations import Invitation
from engage.storage.models.schools import School
from engage.storage.models.waves import StoredEdition, Wave

WORDS = NullTranslations()
TODAY = date(2026, 9, 1)
GOOD = NewWave("Home access, fall 2026", ("lincoln",), ("en", "es"), date(2026, 9, 14), date(2026, 10, 2))


@pytest.fixture(scope="module")
def edition() -> Edition:
    return build_edition(shipped_survey("home-access"), survey_catalogues())


@pytest.fixture
def session(engine: Engine):
    with write_session(engine) as session:
        session.add_all([School(id="lincoln", name="Lincoln"), School(id="cedar", name="Cedar")])
        session.flush()
        yield session


def opened(session: Session, edition: Edition, new: NewWave = GOOD, gaps=None) -> Wave:
    conditions = OpeningConditions(gaps or {}, screening_items(edition.survey("en")))
    return open_wave(session, edition, new, TODAY, conditions, WORDS)


def refusals(session: Session, edition: Edition, new: NewWave, gaps=None) -> list[str]:
    with pytest.raises(WaveRefused) as caught:
        opened(session, edition, new, gaps)
    assert session.scalar(select(func.count()).select_from(Wave)) == 0
    return [each.field for each in caught.value.refusals]


def test_a_wave_is_what_was_asked_for(session, edition):
    wave = opened(session, edition)
    session.expire_all()
    assert (wave.id, wave.title, wave.offered) == ("home-access-fall-2026", "Home access, fall 2026", ["en", "es"])
    assert [school.id for school in wave.schools] == ["lincoln"]
    assert (wave.identity, wave.entry, wave.results_on) == ("anonymous", "open", None)
    assert wave.edition.digest == edition.digest
    assert wave.edition.document == edition.document
    assert wave.edition.slug == "home-access"


def test_the_same_edition_is_stored_once_and_ids_stay_apart(session, edition):
    first, second, third = (opened(session, edition) for _ in range(3))
    assert [first.id, second.id, third.id] == [GOOD_ID, GOOD_ID + "-2", GOOD_ID + "-3"]
    assert session.scalar(select(func.count()).select_from(StoredEdition)) == 1


GOOD_ID = "home-access-fall-2026"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": " \u202e "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"schools": ()}, "schools"),
        ({"schools": ("lincoln", "nowhere")}, "schools"),
        ({"languages": ()}, "languages"),
        ({"languages": ("en", "xx")}, "languages"),
        ({"opens": None}, "opens"),
        ({"closes": None}, "closes"),
        ({"closes": date(2026, 9, 13)}, "closes"),
        ({"results_on": date(2026, 10, 2)}, "results_on"),
        ({"identity": "secret"}, "identity"),
        ({"entry": ""}, "entry"),
        ({"id": "Not an address"}, "id"),
        ({"id": "../x"}, "id"),
    ],
)
def test_what_does_not_fit_is_named(session, edition, change, field):
    assert refusals(session, edition, replace(GOOD, **change)) == [field]


def test_everything_that_is_wrong_is_said_at_once(session, edition):
    empty = NewWave("", (), (), None, None, identity="", entry="")
    assert refusals(session, edition, empty) == [
        "title", "opens", "closes", "schools", "languages", "identity", "entry",
    ]  # fmt: skip


def test_one_day_is_enough_and_the_next_day_may_bring_results(session, edition):
    day = GOOD.opens
    wave = opened(session, edition, replace(GOOD, closes=day, results_on=day + timedelta(days=1)))
    assert wave.is_open(day)


def test_a_language_with_untranslated_pages_is_refused_with_examples(session, edition):
    with pytest.raises(WaveRefused) as caught:
        opened(session, edition, GOOD, {"es": ["Next", "Back", "Stop", "Send"]})
    [refusal] = caught.value.refusals
    assert refusal.field == "languages"
    assert "Español" in refusal.sentence
    assert "4 translations" in refusal.sentence
    assert "Next · Back · Stop …" in refusal.sentence


def test_a_gap_in_a_language_that_is_not_offered_does_not_matter(session, edition):
    assert opened(session, edition, replace(GOOD, languages=("en",)), {"es": ["Next"]}).offered == ["en"]


def test_a_title_without_latin_letters_still_gets_an_address(session, edition):
    assert opened(session, edition, replace(GOOD, title="家庭网络")).id == "wave-2026-09-14"


def test_invitations_keep_the_digest_and_nothing_of_a_household(session, edition):
    wave = opened(session, edition, replace(GOOD, entry="code"))
    add_unnamed_invitations(session, wave, "lincoln", "es", ["a" * 64, "b" * 64])
    session.flush()
    stored = session.scalars(select(Invitation).order_by(Invitation.digest)).all()
    assert [(each.digest[0], each.school_id, each.language, each.household_id, each.used_on) for each in stored] == [
        ("a", "lincoln", "es", None, None),
        ("b", "lincoln", "es", None, None),
    ]


@pytest.mark.parametrize(
    ("slug", "change", "field"),
    [
        ("family-beliefs", {"identity": "confidential"}, "identity"),
        ("supports-and-needs", {"identity": "anonymous"}, "identity"),
        ("home-access", {"counting": "student"}, "counting"),
    ],
)
def test_a_survey_is_asked_only_as_it_was_made_for(session, slug, change, field):
    survey = build_edition(shipped_survey(slug), survey_catalogues())
    fitting = replace(GOOD, identity=shipped_survey(slug).identity or "anonymous")
    assert refusals(session, survey, replace(fitting, **change)) == [field]
    assert opened(session, survey, fitting).identity == fitting.identity
