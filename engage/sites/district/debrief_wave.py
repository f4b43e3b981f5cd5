"""The page of a survey that community liaisons answer: how many debriefs there are, and its settings."""

from dataclasses import dataclass
from datetime import date

from flask import render_template, url_for
from sqlalchemy.orm import Session

from engage.questionnaire.editions import load_edition
from engage.services.waves.debriefs import count_debriefs
from engage.services.waves.retention import answers_deleted_on
from engage.sites.district.wave_next import NextAction
from engage.sites.district.waves import SCHOOLS_SHOWN, SOON, stage_names, wave_stage
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave
from engage.web.context import runtime
from engage.web.page_language import gettext, language, long_date, ngettext
from engage.web.permissions import is_allowed, permitted_schools


@dataclass(frozen=True, slots=True)
class DebriefWaveSummary:
    """What the page shows. `number` is how many debriefs there are at the schools that this person may see; `is_part`:
    these are not all schools."""

    wave: Wave
    stage: str
    days_left: int
    number: int
    is_part: bool
    next_action: NextAction | None
    schools: list[School]
    deleted_on: date
    questionnaire: str


def render_debrief_wave(session: Session, wave: Wave) -> str:
    """The page of a survey that community liaisons answer."""
    today = runtime().today()
    stage, number = wave_stage(wave, today), count_debriefs(session, permitted_schools(), wave.id)
    summary = DebriefWaveSummary(
        wave=wave,
        stage=stage,
        days_left=(wave.closes - today).days,
        number=number,
        is_part=permitted_schools() is not None,
        next_action=_find_next_action(wave, stage, number),
        schools=wave.schools[:SCHOOLS_SHOWN],
        deleted_on=answers_deleted_on(wave, runtime().settings),
        questionnaire=load_edition(wave.edition.document).survey(language().tag).title,
    )
    return render_template("district/debrief_wave.html", row=summary, wave=wave, stages=stage_names(), soon=SOON)


def _find_next_action(wave: Wave, stage: str, number: int) -> NextAction | None:
    if wave.deleted_on or not is_allowed("read debriefs"):
        return None
    if stage == "planned":
        # translators: staff page: a debrief is what a community liaison writes after an event; %(day)s is a date
        sentence = gettext("Community liaisons can write debriefs from %(day)s. Nothing to do until then.")
        return NextAction(sentence % {"day": long_date(wave.opens)})
    if not number:
        # translators: staff page: a debrief is what a community liaison writes after an event. “After an event” is a
        # heading there
        return NextAction(gettext("There are no debriefs yet. Liaisons find “After an event” on their home page."))
    # translators: staff page: a debrief is what a community liaison wrote after an event
    sentence = ngettext("%(num)s debrief was written.", "%(num)s debriefs were written.", number)
    # translators: link to what community liaisons wrote after events
    return NextAction(sentence, gettext("Read the debriefs"), url_for("liaison.debriefs", wave=wave.id))
