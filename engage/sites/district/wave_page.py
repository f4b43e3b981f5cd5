"""The page of one survey: its state, responses by day, whose answers are missing, the next action, and its settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import render_template
from sqlalchemy.orm import Session

from engage.base.catalogs import catalogue
from engage.questionnaire.editions import load_edition
from engage.services.waves.daily_progress import ExpectedPace, daily_series, expected_pace
from engage.services.waves.populations import FAMILY, LIAISON, STUDENT
from engage.services.waves.progress import STEP, WaveProgress, count_progress
from engage.services.waves.reminders import BANDS, ReminderGroup, band_names
from engage.services.waves.retention import answers_deleted_on
from engage.services.waves.unit_counts import UnitCounts, count_units
from engage.sites.district.blueprint import blueprint
from engage.sites.district.debrief_wave import render_debrief_wave
from engage.sites.district.reminders import list_school_reminders
from engage.sites.district.respondents import may_look_up
from engage.sites.district.wave_form import (
    choice_hints,
    counting_names,
    entry_names,
    identity_names,
    invited_names,
    population_names,
)
from engage.sites.district.wave_next import NextAction, find_next_action
from engage.sites.district.wave_share import SharePanel, WaveLink, build_share_panel, list_links
from engage.sites.district.wave_targets import count_opted_out
from engage.sites.district.waves import (
    SCHOOLS_SHOWN,
    SOON,
    SchoolSearch,
    mode_names,
    require_wave,
    stage_names,
    wave_stage,
)
from engage.storage.engine import read_session
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave
from engage.web.context import runtime
from engage.web.language_labels import language_name
from engage.web.page_language import language
from engage.web.permissions import enters

WITH_OPT_OUTS = (FAMILY, STUDENT)
GROUPS_SHOWN = 8  # those that have answered least; the page "Reminders" has all


@dataclass(frozen=True, slots=True)
class DayChart:
    """The chart of responses by day, drawn by a template without text. Its lines are SVG points in a square of 100 by
    100, y downward. `top` is the number at the top; `reached` has the days (from 0) on which the running number reached
    more full tens."""

    top: int
    line: str
    pace: str
    reached: list[tuple[int, int]]
    last: int


@dataclass(frozen=True, slots=True)
class MissingGroup:
    """A language group of a school whose answers are missing."""

    school: School
    group: ReminderGroup


@dataclass(frozen=True, slots=True)
class MissingAnswers:
    """The groups that have answered least, by the rules of the page "Reminders". `is_long`: the survey has too many
    schools for this page."""

    groups: list[MissingGroup]
    more: int
    is_long: bool


@dataclass(frozen=True, slots=True)
class WaveSummary:
    """What the page shows about a wave. `units` is None for a closed one; `expected_today` is the number of responses
    that the expected pace would have by now."""

    wave: Wave
    stage: str
    days_left: int
    progress: WaveProgress
    units: UnitCounts | None
    pace: ExpectedPace | None
    expected_today: int
    chart: DayChart | None
    missing: MissingAnswers | None
    next_action: NextAction | None
    opted_out: int
    schools: list[School]
    deleted_on: date
    links: list[WaveLink]
    share: SharePanel | None
    questionnaire: str

    def day(self, number: int) -> date:
        """A day of the survey, counted from 0."""
        return self.wave.opens + timedelta(days=number)

    @property
    def possible(self) -> int:
        """How many responses are possible: one for each unit; of a closed survey, one for each access code."""
        return self.units.total if self.units is not None else self.progress.invited


@blueprint.get("/waves/<wave_id>")
@enters("see waves")
def wave_page(wave_id: str) -> str:
    """One survey."""
    with read_session(runtime().engine) as session:
        wave = require_wave(session, wave_id)
        if wave.population == LIAISON:
            return render_debrief_wave(session, wave)
        summary = _summarize(session, wave)
        return render_template(
            "district/wave_page.html",
            row=summary,
            wave=summary.wave,
            stages=stage_names(),
            modes=mode_names(),
            labels=identity_names() | entry_names() | counting_names() | invited_names(),
            people=population_names()[summary.wave.population],
            hints=choice_hints(),
            bands=band_names(catalogue(language().tag)),
            limits=BANDS,
            step=STEP,
            soon=SOON,
            can_look_up=may_look_up(summary.wave),
            language_name=language_name,
        )


def _summarize(session: Session, wave: Wave) -> WaveSummary:
    today, stage = runtime().today(), wave_stage(wave, runtime().today())
    units = count_units(session, wave) if stage != "closed" else None
    progress = count_progress(session, today, wave.id)[wave.id]
    pace = expected_pace(session, wave, units.total if units else progress.invited, today)
    days, day = (wave.closes - wave.opens).days + 1, (today - wave.opens).days + 1
    series = daily_series(session, wave, today) if stage != "planned" else ()
    links = list_links(wave, edition := load_edition(wave.edition.document))
    return WaveSummary(
        wave=wave,
        stage=stage,
        days_left=(wave.closes - today).days,
        progress=progress,
        units=units,
        pace=pace,
        expected_today=pace.at(day, days) if pace and stage == "open" else 0,
        chart=draw_days(series, pace, days, language().rtl) if series else None,
        missing=_missing_answers(session, wave) if _has_missing_groups(wave, stage) else None,
        next_action=find_next_action(session, wave, stage, units if wave.entry == "code" else None),
        opted_out=count_opted_out(session, wave) if stage != "closed" and wave.population in WITH_OPT_OUTS else 0,
        schools=wave.schools[:SCHOOLS_SHOWN],
        deleted_on=answers_deleted_on(wave, runtime().settings),
        links=links,
        share=build_share_panel(wave, edition, links),
        questionnaire=edition.survey(language().tag).title,
    )


def _has_missing_groups(wave: Wave, stage: str) -> bool:
    """Whether language groups whose answers are missing are shown: of families only."""
    return stage == "open" and not wave.deleted_on and wave.population == FAMILY


def _missing_answers(session: Session, wave: Wave) -> MissingAnswers:
    """Groups of the schools that this person may see. With many schools, only the page "Reminders" counts them."""
    schools = session.scalars(SchoolSearch().select_schools(wave).limit(SCHOOLS_SHOWN + 1)).all()
    if len(schools) > SCHOOLS_SHOWN:
        return MissingAnswers([], 0, is_long=True)
    places = list_school_reminders(session, wave, schools)
    groups = [MissingGroup(place.school, group) for place in places for group in place.groups]
    order = list(BANDS)
    groups.sort(key=lambda each: (order.index(each.group.band), -each.group.expected, each.school.name))
    return MissingAnswers(groups[:GROUPS_SHOWN], len(groups[GROUPS_SHOWN:]), is_long=False)


def draw_days(series: Sequence[int], pace: ExpectedPace | None, days: int, rtl: bool) -> DayChart:
    """Draw the running number by day, in steps, and the expected pace; `days` is the length of the survey."""
    expected = [pace.at(day, days) for day in range(1, days + 1)] if pace else []
    top = max(series[-1], *expected, 1) if expected else max(series[-1], 1)
    reached = [(day, number) for day, number in enumerate(series) if number > (series[day - 1] if day else 0)]
    return DayChart(top, _points(series, days, top, rtl), _points(expected, days, top, rtl), reached, series[-1])


def _points(series: Sequence[int], days: int, top: int, rtl: bool) -> str:
    """Steps: the number of each day reaches from the day's beginning to its end."""
    points = []
    for day, number in enumerate(series):
        y = 100 - 100 * number / top
        points += [(100 * day / days, y), (100 * (day + 1) / days, y)]
    return " ".join(f"{100 - x if rtl else x:.2f},{y:.2f}" for x, y in points)
