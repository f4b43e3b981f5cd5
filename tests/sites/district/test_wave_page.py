"""The page of one survey: how many answered, by day if that is stored, whose answers are missing, what is next."""

from datetime import date, timedelta
from gettext import NullTranslations

import pytest

from engage.services.checkpoints.planning import create_checkpoint
from engage.storage.engine import write_session
from engage.storage.models.bursts import BurstDay
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.invitations import Invitation
from engage.storage.models.paper import PrintRun
from engage.storage.models.waves import Wave
from tests.makers import a_school, a_wave, printed_sheets, staff
from tests.people import rows
from tests.services.waves.test_daily_progress import answer
from tests.sites.district.homes import a_home

pytestmark = pytest.mark.slow

LIST = "/staff/district/waves"
FALL = f"{LIST}/fall"
OPENS = date(2026, 10, 1)


@pytest.fixture
def homes(engine):
    """40 English, 20 Spanish, and 9 Somali households on the roster of Lincoln."""
    with write_session(engine) as session:
        for number, language in enumerate(["en"] * 40 + ["es"] * 20 + ["so"] * 9, 1):
            a_home(session, number, (f"s{number}", "lincoln"), language=language)
        a_school(session, "lincoln")
        session.commit()


def arranged(engine, identity="confidential", answers=((0, 12), (3, 14)), **wave) -> None:
    with write_session(engine) as session:
        row = a_wave(session, "fall", [a_school(session, "lincoln")], identity=identity, **wave)
        for day, count in answers:
            answer(session, row, row.opens + timedelta(days=day), count)
        session.commit()


def drawn(page) -> dict[str, str]:
    """The points of the lines of the chart by their class."""
    return {each.get("class"): each.get("points") for each in page.all("polyline")}


def test_a_confidential_survey_is_drawn_by_day_in_tens(leader, homes, engine):
    arranged(engine)
    leader.opens(LIST).follows("The fall wave")
    leader.sees("20 to 29 of 69", "At an even pace to all 69, there would be about 31 today.")
    assert set(drawn(leader.page)) == {"line", "pace"}
    assert "26" not in [each.text for each in leader.page.all("b", "td", "p", "span")]
    assert rows(next(leader.page.all("table"))) == {"October 1, 2026": ["10"], "October 4, 2026": ["20"]}
    leader.sees("Solid: this survey, in full tens. Dashed: an even pace to 69.")


def test_an_anonymous_survey_is_not_drawn_by_day(leader, homes, engine):
    arranged(engine, "anonymous")
    leader.opens(FALL).sees("20 to 29 of 69", "stored without a day, so there is no chart by day.")
    assert (drawn(leader.page), "Responses by day" in leader.page.text) == ({}, False)


def test_fewer_than_ten_are_not_drawn(leader, homes, engine):
    arranged(engine, answers=((0, 9),))
    leader.opens(FALL).sees("fewer than 10 of 69")
    assert drawn(leader.page) == {}


def test_the_last_survey_of_the_same_questionnaire_is_the_expected_pace(leader, homes, engine):
    with write_session(engine) as session:
        days = {"opens": date(2026, 5, 1), "closes": date(2026, 5, 20)}
        spring = a_wave(session, "spring", [a_school(session, "lincoln")], identity="confidential", **days)
        answer(session, spring, spring.opens, 33)
        session.commit()
    arranged(engine)
    leader.opens(FALL).sees("On the same day, “The spring wave” had 30 or more.")
    leader.sees("Dashed: “The spring wave”, counted from its first day.")


def test_in_arabic_the_days_run_from_right_to_left(signs_in, homes, engine):
    arranged(engine)
    left = drawn(signs_in("leader").opens(FALL).page)["line"]
    right = drawn(signs_in("leader", language="ar").opens(FALL).page)["line"]
    mirrored = [f"{100 - float(x):.2f},{y}" for x, y in (point.split(",") for point in left.split())]
    assert (right.split()[0][:6], right.split()) == ("100.00", mirrored)


def test_the_groups_are_those_of_the_page_reminders_and_no_smaller_ones(leader, homes, engine):
    arranged(engine, "anonymous", answers=((0, 25),), languages=("en", "es", "so"))
    leader.opens(FALL)
    table = rows(next(leader.page.all("table")))
    assert table == {
        "Español": ["Lincoln", "20", "fewer than a quarter"],
        "English": ["Lincoln", "40", "about half or more"],
    }
    leader.sees_no("Soomaali Lincoln").follows("All groups, by school").sees("Languages with fewer than 10 households")


def test_a_survey_with_more_than_20_schools_leaves_the_groups_to_the_page_reminders(leader, engine):
    with write_session(engine) as session:
        schools = [a_school(session, f"school-{number}", f"School {number:02}") for number in range(21)]
        a_wave(session, "fall", schools)
        session.commit()
    leader.opens(FALL).sees("This survey has many schools.", "and 1 more school")
    leader.opens(LIST).sees("21 schools")


def test_a_liaison_sees_the_groups_of_their_own_schools(signs_in, homes, engine):
    with write_session(engine) as session:
        a_wave(session, "fall", [a_school(session, "lincoln"), a_school(session, "cedar", "Cedar Hill")])
        session.commit()
    liaison = signs_in("liaison", ("cedar",)).opens(FALL).sees("No group of families is large enough to be shown.")
    liaison.sees_no("Change dates", "School events", "Response bursts", "Create access codes")
    signs_in("liaison", ("lincoln",)).opens(FALL).sees("fewer than a quarter")


def test_a_survey_of_other_schools_is_not_found(signs_in, engine):
    arranged(engine, answers=())
    signs_in("liaison", ("cedar",)).opens(FALL, status=404)
    signs_in("leader").opens(f"{LIST}/none", status=404).opens(f"{LIST}/%00", status=404)


@pytest.mark.parametrize(
    ("role", "wave", "extra", "sentence", "button"),
    [
        ("leader", {"entry": "code"}, None, "69 access codes are missing", "Create access codes"),
        ("leader", {}, None, "no forms have been printed yet", "Print forms"),
        ("leader", {}, "printed", "Remind the groups of families", "Reminders"),
        ("leader", {"opens": date(2026, 10, 20)}, "printed", "The survey opens on October 20, 2026.", ""),
        ("leader", {}, "burst", "Some responses came in bursts.", "Decide"),
        ("liaison", {}, "burst", "no forms have been printed yet", "Print forms"),
        ("leader", {"closes": date(2026, 10, 10)}, None, "belongs to no checkpoint yet", "Plan a checkpoint"),
        ("leader", {"closes": date(2026, 10, 10)}, "planned", "The figures of Fall", "Freeze the figures…"),
        ("administrator", {"closes": date(2026, 10, 10)}, "planned", "is part of Fall", "See the results"),
        ("leader", {"closes": date(2026, 10, 10)}, "published", "The results are published: Fall.", "See the results"),
    ],
)
def test_the_next_action_is_one_sentence_and_a_button(signs_in, homes, engine, role, wave, extra, sentence, button):
    arranged(engine, answers=(), **wave)
    with write_session(engine) as session:
        _arrange(session, extra)
        session.commit()
    someone = signs_in(role, ("lincoln",) if role == "liaison" else ()).opens(FALL)
    [card] = [each for each in someone.page.all("section") if each.get("aria-labelledby") == "next"]
    assert sentence in card.text
    assert [link.text for link in card.all("a")] == ([button] if button else [])
    for link in card.all("a") if extra != "published" else ():  # those figures are not real
        someone.opens(link.get("href"))


def _arrange(session, extra) -> None:
    if extra == "printed":
        printed_sheets(session, session.get_one(Wave, "fall"), staff(session, "liaison"))
        assert session.query(PrintRun).count() == 1
    elif extra == "burst":
        session.add(BurstDay(wave_id="fall", day=OPENS, marked=30))
    elif extra in ("planned", "published"):
        checkpoint = create_checkpoint(session, "Fall", date(2026, 11, 1), ["fall"], NullTranslations())
        if extra == "published":
            session.flush()
            row = session.get_one(Checkpoint, checkpoint.id)
            row.figures, row.digest, row.frozen_on, row.published_on = "{}", "d" * 64, OPENS, OPENS


def test_the_settings_are_on_the_page(leader, homes, engine):
    arranged(engine, entry="code", answers=())
    with write_session(engine) as session:
        row = {"wave_id": "fall", "identity": "confidential", "school_id": "lincoln", "language": "en"}
        session.add(Invitation(digest="a" * 64, **row))
        session.commit()
    leader.opens(FALL).sees("1 access code created", "One access code for each household", "All households at these")
    leader.sees("http://127.0.0.1:8000/es/c", "November 20, 2026").follows("Who answered")


def test_the_list_has_open_surveys_first_and_folds_closed_ones(leader, homes, engine):
    with write_session(engine) as session:
        school = [a_school(session, "lincoln")]
        a_wave(session, "past", school, opens=date(2026, 9, 1), closes=date(2026, 9, 30))
        a_wave(session, "later", school, opens=date(2026, 11, 1), closes=date(2026, 11, 30), results_on=None)
        a_wave(session, "now", school, opens=OPENS, closes=date(2026, 10, 16))
        session.commit()
    leader.opens(LIST).sees("closes in 2 days", "not open yet", "1 closed survey", "fewer than 10 of 69")
    names = [each.text for each in leader.page.all("a") if each.text.endswith(" wave") and each.within("th")]
    assert names == ["The now wave", "The later wave", "The past wave"]
    [folded] = [each for each in leader.page.all("details") if each.get("class") != "account"]
    assert ("open" in folded.attributes, "The past wave" in folded.text) == (False, True)
    leader.sees("Anonymous · One open link · 1 school · 3 languages").follows("Change dates The later wave")
