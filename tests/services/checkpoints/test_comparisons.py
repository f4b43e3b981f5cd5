"""Populations side by side, and a survey compared with an earlier one: recounted from the answers, with statsmodels."""

from dataclasses import replace
from datetime import date

import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from engage.base.catalogs import catalogue
from engage.questionnaire.model import Words
from engage.services.checkpoints.comparison_wording import comparison_blocks
from engage.services.checkpoints.freezing import freeze, load_frozen_figures, publish
from engage.services.checkpoints.meeting_packet import packet_blocks
from engage.services.checkpoints.outputs import count_figures
from engage.services.checkpoints.planning import create_checkpoint
from engage.services.checkpoints.report import build_report
from engage.services.checkpoints.wording import FigureWording
from engage.storage.engine import write_session
from engage.storage.models.checkpoints import Checkpoint
from tests.answering import Answer, a_survey_of, store_answer
from tests.makers import a_school, a_wave

pytestmark = pytest.mark.slow

SAID = FigureWording("en", catalogue("en"))
SPRING, FALL = (date(2026, 3, 1), date(2026, 3, 31)), (date(2026, 9, 1), date(2026, 9, 30))
BEFORE = {"badly": 60, "fairly": 80, "well": 40}
AFTER = {"badly": 30, "fairly": 75, "well": 75}


def survey(population="family", reworded=False, mirrors=None):
    """The survey of tests/answering.py; its questions about a change can be worded in another way."""
    made = replace(a_survey_of(population), slug="at-school" if population == "family" else f"at-school-{population}")
    [section] = made.sections
    heard, change, *others = section.questions
    heard = replace(heard, mirrors=mirrors)
    change = replace(change, text=Words("Must something change?")) if reworded else change
    return replace(made, sections=(replace(section, questions=(heard, change, *others)),))


def store_wave(session, id, days, asked, heard, schools=("cedar", "lincoln")):
    places = [a_school(session, each, each.title()) for each in schools]
    wave = a_wave(session, id, places, asked, opens=days[0], closes=days[1])
    codes = [code for code, number in heard.items() for _ in range(number)]
    for number, code in enumerate(codes):
        answer = Answer(schools[number % len(schools)], "en", "web", {"heard": code, "change": "yes"})
        store_answer(session, wave, answer, f"{id:x<8}{number:024}")
    session.flush()
    return wave


def frozen(session, site_dir, title, day, *waves):
    checkpoint = create_checkpoint(session, title, day, [wave.id for wave in waves], catalogue("en"))
    freeze(checkpoint, count_figures(session, checkpoint, site_dir, day), day)
    session.flush()
    return checkpoint


def report(session, checkpoint, audience="leaders", language="en"):
    return build_report(session, checkpoint, load_frozen_figures(checkpoint), audience, language)


@pytest.fixture
def two_seasons(engine, settings):
    """Spring's survey in a frozen checkpoint, fall's in another; one question was reworded."""
    with write_session(engine) as session:
        spring = store_wave(session, "spring", SPRING, survey(), BEFORE)
        fall = store_wave(session, "fall", FALL, survey(reworded=True), AFTER)
        ids = [
            frozen(session, settings.site_dir, *about).id
            for about in (("Spring", date(2026, 4, 10), spring), ("Fall", date(2026, 10, 10), fall))
        ]
        session.commit()
    return ids


def test_a_trend_is_the_recount_and_newcombes_interval(engine, two_seasons):
    with write_session(engine) as session:
        [trend] = report(session, session.get(Checkpoint, two_seasons[1])).trends
    assert (trend.earlier.wave, trend.reworded, trend.compared) == ("spring", 1, 3)
    [comparison] = trend.comparisons
    assert comparison.second.question.id == "heard"
    then, now = sum(BEFORE.values()), sum(AFTER.values())
    for line in comparison.lines:
        code = line.second.row.answer
        assert line.difference == pytest.approx(AFTER[code] / now - BEFORE[code] / then)
        interval = confint_proportions_2indep(AFTER[code], now, BEFORE[code], then, method="newcomb", compare="diff")
        assert (line.low, line.high) == pytest.approx(interval, abs=1e-9)
    assert [line.is_clear for line in comparison.lines] == [True, False, True]


def test_a_trend_says_up_down_and_no_clear_change(engine, two_seasons):
    with write_session(engine) as session:
        made = report(session, session.get(Checkpoint, two_seasons[1]))
    (heading, note, question, table, chance) = comparison_blocks(made, SAID)
    assert heading[2] == "Our days at school: what changed"
    assert "September 30, 2026 with the one that ended on March 31, 2026" in note[1]
    assert "1 question was worded in another way then and is not compared." in note[1]
    assert question[2] == "How well does the school listen?"
    assert table[1] == ["Answer", "March 31, 2026", "September 30, 2026", "Difference"]
    texts = {row[0]: row[3].translate({0x2066: None, 0x2069: None}) for row in table[2]}
    assert texts["Fairly well"] == "no clear change"
    assert texts["Well"].startswith("up: +19 points (+10 to +")
    assert texts["Badly"].startswith("down: −17 points (")
    assert "3 answers were compared" in chance[1]
    assert table in list(packet_blocks(made, SAID))


def test_the_public_compares_with_published_results_only(engine, two_seasons):
    with write_session(engine) as session:
        spring, fall = (session.get(Checkpoint, id) for id in two_seasons)
        assert report(session, fall, "public").trends == ()
        publish(spring, date(2026, 4, 20), without_promise=True)
        assert len(report(session, fall, "public").trends) == 1
        assert report(session, spring).trends == (), "nothing came before it"
        session.rollback()


@pytest.mark.parametrize("change", ["schools", "asked", "open"])
def test_other_people_are_no_trend(engine, settings, change):
    with write_session(engine) as session:
        spring = store_wave(session, "spring", SPRING, survey(), BEFORE)
        days = FALL if change != "open" else (date(2026, 3, 20), FALL[1])  # before spring's last day
        schools = ("cedar", "lincoln", "oak") if change == "schools" else ("cedar", "lincoln")
        fall = store_wave(session, "fall", days, survey(), AFTER, schools)
        if change == "asked":
            spring.asked = "disabilities"
        frozen(session, settings.site_dir, "Spring", date(2026, 4, 10), spring)
        later = frozen(session, settings.site_dir, "Fall", date(2026, 10, 10), fall)
        assert report(session, later).trends == ()
        session.rollback()


EDUCATORS = {"badly": 3, "fairly": 15, "well": 30}


@pytest.fixture
def both(engine, settings):
    """Families and educators in one checkpoint."""
    with write_session(engine) as session:
        families = store_wave(session, "families", FALL, survey(), BEFORE)
        educators = store_wave(session, "staff", FALL, survey("educator", mirrors="at-school/heard"), EDUCATORS)
        checkpoint = frozen(session, settings.site_dir, "Fall", date(2026, 10, 10), families, educators).id
        session.commit()
    return checkpoint


def test_families_and_educators_stand_side_by_side(engine, both):
    with write_session(engine) as session:
        made = report(session, session.get(Checkpoint, both))
    [item] = made.mirrored
    assert (item.first_part.wave, item.second_part.wave) == ("families", "staff")
    shown = {line.second.row.answer: line for line in item.lines if line.difference is not None}
    assert "badly" not in shown, "three educators are not shown"
    for code, line in shown.items():
        assert line.difference == pytest.approx(EDUCATORS[code] / 48 - BEFORE[code] / 180)
    heading, _, _, table, _ = comparison_blocks(made, SAID)
    assert heading[2] == "Families and educators side by side"
    assert table[1] == ["Answer", "Families", "Educators", "Difference"]
    [hidden] = [row for row in table[2] if row[0] == "Badly"]
    assert hidden[2:] == ["hidden", "–"]


def test_a_mirror_with_other_answers_is_not_compared(engine, settings):
    with write_session(engine) as session:
        families = store_wave(session, "families", FALL, survey(), BEFORE)
        asked = survey("educator", mirrors="at-school/heard")
        [section] = asked.sections
        heard, *others = section.questions
        choices = (replace(heard.choices[0], text=Words("Very badly")), *heard.choices[1:])
        asked = replace(asked, sections=(replace(section, questions=(replace(heard, choices=choices), *others)),))
        educators = store_wave(session, "staff", FALL, asked, EDUCATORS)
        checkpoint = frozen(session, settings.site_dir, "Fall", date(2026, 10, 10), families, educators)
        assert report(session, checkpoint).mirrored == ()
        session.rollback()
