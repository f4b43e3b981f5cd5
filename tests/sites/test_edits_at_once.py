"""Two people open the same page, and both save: nothing that one of them wrote is lost without being shown."""

from collections.abc import Callable
from datetime import date
from gettext import NullTranslations
from typing import Any

import pytest
from sqlalchemy import Engine, select

from engage.questionnaire.library import shipped_survey
from engage.services.checkpoints.planning import create_checkpoint
from engage.services.waves.screening import screening_items
from engage.storage.engine import read_session, write_session
from engage.storage.models.checkpoints import Commitment, CommitmentWords
from engage.storage.models.privacy import PrivacyStatement
from engage.storage.models.screening import Screening
from engage.storage.models.staff import Organisation, Staff
from engage.storage.models.waves import Wave
from tests.makers import PASSWORD, a_school, a_wave, staff
from tests.people import StaffMember, filled

pytestmark = pytest.mark.slow

WAVE = "/staff/district/waves/fall/days"
CHECKPOINT = "/staff/district/checkpoints/fall-2026"
SCREENING = "/staff/district/screening/home-access"
ORGANISATIONS = "/staff/administration/organisations"
NOTICE = "/staff/administration/privacy-notice"
CHANGED = "Someone else changed this"

Pair = tuple[StaffMember, StaffMember]


@pytest.fixture
def two(site: Any, engine: Engine) -> Callable[[str, str], Pair]:
    """Two people of a role, each with the same page open."""

    def enter(role: str, page: str) -> Pair:
        return _enters(site, engine, role, page), _enters(site, engine, role, page)

    return enter


def _enters(site: Any, engine: Engine, role: str, page: str) -> StaffMember:
    with write_session(engine) as session:
        email = staff(session, role).email
        session.commit()
    visitor = StaffMember(site)
    visitor.signs_in(email, PASSWORD).opens(page)
    return visitor


def stored(engine: Engine, table: type[Any]) -> Any:
    with read_session(engine) as session:
        return session.scalars(select(table)).one()


@pytest.fixture
def wave(engine: Engine) -> None:
    with write_session(engine) as session:
        a_wave(session, closes=date(2026, 10, 31), results_on=date(2026, 11, 20))
        session.commit()


@pytest.fixture
def promise(engine: Engine, wave: None) -> str:
    """The address of a promise."""
    with write_session(engine) as session:
        checkpoint = create_checkpoint(session, "Fall 2026", date(2026, 11, 1), ["fall"], NullTranslations())
        words = CommitmentWords(language="en", theme="Buses", you_said="Late buses.", we_will="Two more buses.")
        row = Commitment(position=1, owner="Transport", status="planned", words=[words])
        checkpoint.commitments.append(row)
        session.commit()
        return f"/staff/district/checkpoints/{checkpoint.id}/promises/{row.id}"


def test_days_that_two_changed_are_both_kept(two: Any, wave: None, engine: Engine) -> None:
    one, other = two("leader", WAVE)
    one.sends(closes="2026-11-06").sees("The dates were saved.")
    other.sends(results_on="2026-11-25").sees("The dates were saved.")
    row = stored(engine, Wave)
    assert (row.closes, row.results_on) == (date(2026, 11, 6), date(2026, 11, 25))


def test_a_day_that_two_changed_is_decided_by_the_second_who_sees_both(two: Any, wave: None, engine: Engine) -> None:
    one, other = two("leader", WAVE)
    one.sends(closes="2026-11-06").sees("The dates were saved.")
    other.sends(closes="2026-11-08", status=409).sees(f"{CHANGED} to “November 6, 2026”")
    assert other.field("closes") == "2026-11-08"
    assert stored(engine, Wave).closes == date(2026, 11, 6)
    other.sends().sees("The dates were saved.")
    assert stored(engine, Wave).closes == date(2026, 11, 8)


def test_a_third_change_is_shown_again_to_who_decides_late(two: Any, wave: None, engine: Engine) -> None:
    one, other = two("leader", WAVE)
    one.sends(closes="2026-11-06")
    other.sends(closes="2026-11-08", status=409)
    one.opens(WAVE).sends(closes="2026-11-07").sees("The dates were saved.")
    other.sends(status=409).sees(f"{CHANGED} to “November 7, 2026”")


def test_a_translation_of_a_promise_outlives_a_change_of_its_owner(two: Any, promise: str, engine: Engine) -> None:
    one, other = two("leader", promise)
    one.sends(**{"es-theme": "Autobuses", "es-you_said": "Tarde.", "es-we_will": "Dos más."})
    other.sends(owner="The board", stage="under_way").sees("The promise was saved.")
    with read_session(engine) as session:
        row = session.scalars(select(Commitment)).one()
        assert (row.owner, row.status) == ("The board", "under_way")
        assert {words.language: words.we_will for words in row.words} == {"en": "Two more buses.", "es": "Dos más."}


def test_two_texts_of_a_promise_are_both_on_the_page(two: Any, promise: str) -> None:
    one, other = two("leader", promise)
    one.sends(**{"en-we_will": "Three more buses."}).sees("The promise was saved.")
    other.sends(**{"en-we_will": "<b>Four</b> buses."}, status=409).sees(f"{CHANGED} to “Three more buses.”")
    assert other.field("en-we_will") == "<b>Four</b> buses."


def test_screening_decisions_of_two_leaders_stand_beside_each_other(two: Any, engine: Engine) -> None:
    first, second, *_ = screening_items(shipped_survey("home-access"))
    one, other = two("leader", SCREENING)
    one.sends(**{f"item-{first}-area": "politics"}).sees("Your decisions were saved.")
    other.sends(**{f"item-{second}-area": "none"}).sees("Your decisions were saved.")
    with read_session(engine) as session:
        kept = {each.item: (each.area, each.decided_by) for each in session.scalars(select(Screening))}
    assert {item: area for item, (area, _) in kept.items()} == {first: "politics", second: "none"}
    assert kept[first][1] != kept[second][1]


def test_two_decisions_about_one_question_are_shown(two: Any) -> None:
    first, *_ = screening_items(shipped_survey("home-access"))
    one, other = two("leader", SCREENING)
    one.sends(**{f"item-{first}-area": "none"})
    other.sends(**{f"item-{first}-area": "income"}, status=409).sees(f"{CHANGED} to “No, none of them”")


def test_rights_that_two_administrators_changed_are_both_kept(two: Any, engine: Engine) -> None:
    with write_session(engine) as session:
        a_school(session, "cedar", "Cedar Hill")
        id = staff(session, "liaison").id
        session.commit()
    one, other = two("administrator", f"/staff/administration/staff/{id}")
    one.sends(name="Ana Ruiz").sees("were saved.")
    other.sends(schools=["lincoln", "cedar"]).sees("were saved.")
    with read_session(engine) as session:
        someone = session.get_one(Staff, id)
        assert (someone.name, {school.id for school in someone.schools}) == ("Ana Ruiz", {"lincoln", "cedar"})


def test_roles_that_two_administrators_changed_are_shown(two: Any, engine: Engine) -> None:
    with write_session(engine) as session:
        id = staff(session, "liaison").id
        session.commit()
    one, other = two("administrator", f"/staff/administration/staff/{id}")
    one.sends(roles=["liaison", "translator"]).sees("were saved.")
    other.sends(roles=["leader"], status=409).sees(f"{CHANGED} to “Community liaison, Translator”")


def test_a_name_that_two_changed_is_shown(two: Any, engine: Engine) -> None:
    with write_session(engine) as session:
        session.add(Organisation(name="Library"))
        session.commit()
    one, other = two("administrator", ORGANISATIONS)
    one.sends(button="Rename Library", name="City library").sees("Saved.")
    other.sends(button="Rename Library", name="Branch library", status=409).sees(f"{CHANGED} to “City library”")


def test_a_text_for_families_that_two_changed_is_shown(two: Any, engine: Engine) -> None:
    one, other = two("administrator", NOTICE)
    address = next(
        form.get("action") for form in one.page.all("form") if "/privacy-notice/" in (form.get("action") or "")
    )
    one._goes("POST", address, _statement(one, address, "The first text."), 200)
    other._goes("POST", address, _statement(other, address, "Another text."), 409)
    other.sees(f"{CHANGED} to “The first text.”")
    assert stored(engine, PrivacyStatement).text == "The first text."


def _statement(visitor: StaffMember, address: str, english: str) -> Any:
    data = filled(next(each for each in visitor.page.all("form") if each.get("action") == address))
    data["en"] = english
    return data


def test_results_are_not_published_with_a_promise_that_the_page_did_not_show(two: Any, promise: str) -> None:
    checkpoint, _, _ = promise.partition("/promises/")
    one, other = two("leader", f"{checkpoint}/freeze")
    one.sends(button="Freeze the figures now").sees("The figures are frozen.")
    other.opens(f"{checkpoint}/publish").sees("Two more buses.")
    one.opens(promise).sends(**{"en-we_will": "No buses at all."})
    other.sends(button="Publish now", status=409).sees("The promises have changed", "No buses at all.")
    other.sends(button="Publish now").sees("Families can now read the results.")


def test_a_form_without_its_version_changes_nothing(two: Any, wave: None, engine: Engine) -> None:
    one, _ = two("leader", WAVE)
    one.sends(closes="2026-11-06", version=None, status=409).sees(f"{CHANGED} to “October 31, 2026”")
    assert stored(engine, Wave).closes == date(2026, 10, 31)
