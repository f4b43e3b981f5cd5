"""The list of surveys: one line for each, open ones first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import abort, render_template, url_for
from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from engage.questionnaire.text_cleaning import is_possible_id
from engage.services.waves.populations import LIAISON
from engage.services.waves.progress import STEP, WaveProgress, count_progress
from engage.services.waves.unit_counts import count_units
from engage.sites.district.blueprint import blueprint
from engage.sites.district.wave_drafts import list_draft_rows
from engage.sites.district.wave_form import entry_names, identity_names, population_names
from engage.storage.engine import read_session
from engage.storage.models.checkpoints import Checkpoint, CheckpointWave
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave, WaveSchool
from engage.web.context import runtime
from engage.web.forms import LineField, QueryForm
from engage.web.page_language import gettext, pgettext
from engage.web.paging import read_page, requested_page
from engage.web.permissions import enters, is_allowed, permitted_schools

WAVES_SHOWN = 20  # waves on a page
SCHOOLS_SHOWN = 20  # names of schools beside a wave; with more, its households are counted on other pages only
SOON = 7  # days before the last day from which on it is pointed out


class SchoolSearch(QueryForm):
    """Part of a school's name, to find it in a long list."""

    school = LineField()

    def select_schools(self, wave: Wave) -> Select[School]:
        """The matching schools of a wave that this person may see, by name."""
        query = select(School).join(WaveSchool, WaveSchool.school_id == School.id).where(WaveSchool.wave_id == wave.id)
        query = query.where(School.name.icontains(self.school.data or "", autoescape=True))
        schools = permitted_schools()
        query = query if schools is None else query.where(School.id.in_(schools))
        return query.order_by(School.name, School.id)


@dataclass(frozen=True, slots=True)
class WaveRow:
    """One wave in the list. `possible` is the number of access codes, or of households of an open survey; 0 if it is
    not counted here. `checkpoint` is the last one that it belongs to."""

    wave: Wave
    stage: str
    days_left: int
    progress: WaveProgress
    possible: int
    schools: int
    checkpoint: Checkpoint | None
    deed: tuple[str, str] | None
    """The label and the address of its button."""


@blueprint.get("/waves")
@enters("see waves")
def waves() -> str:
    """The drafts of this person, and the waves of the schools that they may see."""
    with read_session(runtime().engine) as session:
        page = read_page(session, select_waves(runtime().today()), requested_page(), WAVES_SHOWN)
        return render_template(
            "district/waves.html",
            page=page,
            rows=_wave_rows(session, page.rows),
            drafts=list_draft_rows(session),
            stages=stage_names(),
            labels=identity_names() | entry_names() | population_names(),
            step=STEP,
            soon=SOON,
        )


def select_waves(today: date) -> Select[Wave]:
    """The waves this person may see: those that are open, then planned ones, then closed ones, each newest first."""
    stage = case((Wave.closes < today, 2), (Wave.opens > today, 1), else_=0)
    query, schools = select(Wave).order_by(stage, Wave.opens.desc(), Wave.id), permitted_schools()
    if schools is not None:
        query = query.where(Wave.id.in_(select(WaveSchool.wave_id).where(WaveSchool.school_id.in_(schools))))
    return query


def require_wave(session: Session, wave_id: str) -> Wave:
    """The wave, or "not found" for one this person may not see."""
    if not is_possible_id(wave_id):
        abort(404)
    wave = session.get(Wave, wave_id)
    return wave if wave is not None and _is_visible(session, wave) else abort(404)


def require_family_wave(session: Session, wave_id: str) -> Wave:
    """The wave, or "not found" for one that families do not answer, or that this person may not see."""
    wave = require_wave(session, wave_id)
    return wave if wave.is_for_families else abort(404)


def _is_visible(session: Session, wave: Wave) -> bool:
    schools = permitted_schools()
    here = select(WaveSchool.wave_id).where(WaveSchool.wave_id == wave.id)
    return schools is None or bool(session.scalar(select(here.where(WaveSchool.school_id.in_(schools)).exists())))


def wave_stage(wave: Wave, today: date) -> str:
    """Whether a wave is planned, open, or closed."""
    return "open" if wave.is_open(today) else "planned" if today < wave.opens else "closed"


def stage_names() -> dict[str, str]:
    """Labels of a wave's stages."""
    return {
        # translators: state of a wave: families cannot answer yet
        "planned": gettext("not open yet"),
        # translators: state of a wave: families can answer now
        "open": pgettext("wave", "open"),
        # translators: state of a wave: families can no longer answer
        "closed": pgettext("wave", "closed"),
    }


def mode_names() -> dict[str, str]:
    """Labels of the response modes."""
    return {
        # translators: a way to answer a survey
        "web": gettext("on a phone or computer"),
        # translators: a way to answer a survey
        "paper": gettext("on paper"),
        # translators: a way to answer a survey: somebody asks and writes down the answers
        "interview": gettext("in an interview"),
    }


def _wave_rows(session: Session, waves: Sequence[Wave]) -> list[WaveRow]:
    """The lines of some waves; what all have is counted in a few statements."""
    ids, today = [wave.id for wave in waves], runtime().today()
    progress = count_progress(session, today, *ids) if ids else {}
    counted = select(WaveSchool.wave_id, func.count()).where(WaveSchool.wave_id.in_(ids)).group_by(WaveSchool.wave_id)
    schools = {row[0]: row[1] for row in session.execute(counted)}
    checkpoints = _checkpoints_of(session, ids)
    return [
        _wave_row(session, wave, progress[wave.id], schools.get(wave.id, 0), checkpoints.get(wave.id)) for wave in waves
    ]


def _wave_row(
    session: Session, wave: Wave, progress: WaveProgress, schools: int, checkpoint: Checkpoint | None
) -> WaveRow:
    today = runtime().today()
    stage, possible = wave_stage(wave, today), progress.invited
    if stage == "open" and not possible and schools <= SCHOOLS_SHOWN:
        possible = count_units(session, wave).total
    deed = _find_deed(wave, stage, checkpoint)
    return WaveRow(wave, stage, (wave.closes - today).days, progress, possible, schools, checkpoint, deed)


def _checkpoints_of(session: Session, wave_ids: list[str]) -> dict[str, Checkpoint]:
    """The last checkpoint of each wave, for people who see checkpoints."""
    if not is_allowed("see summaries"):
        return {}
    query = select(CheckpointWave.wave_id, Checkpoint).join(Checkpoint, Checkpoint.id == CheckpointWave.checkpoint_id)
    query = query.where(CheckpointWave.wave_id.in_(wave_ids)).order_by(Checkpoint.meets_on, Checkpoint.id)
    return {row[0]: row[1] for row in session.execute(query)}


def _find_deed(wave: Wave, stage: str, checkpoint: Checkpoint | None) -> tuple[str, str] | None:
    if wave.population == LIAISON and is_allowed("read debriefs"):
        # translators: link to a page with what community liaisons wrote after events
        return gettext("Debriefs"), url_for("liaison.debriefs", wave=wave.id)
    if wave.is_for_families and wave.deleted_on is None and stage == "open":
        # translators: link to a page that shows which groups of families have answered little so far
        return gettext("Reminders"), url_for("district.reminders", wave_id=wave.id)
    if stage == "planned" and is_allowed("open waves"):
        return gettext("Change dates"), url_for("district.wave_days", wave_id=wave.id)
    if stage == "closed" and checkpoint is not None:
        # translators: link to the figures of a survey
        return gettext("Results"), url_for("district.checkpoint", checkpoint_id=checkpoint.id)
    return None
