"""The list of waves: surveys, schools and days, links, and the number of responses."""

from dataclasses import dataclass
from datetime import date

from flask import abort, render_template
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from engage.base.languages import LANGUAGES, Language
from engage.questionnaire.editions import load_edition
from engage.questionnaire.text_cleaning import is_possible_id
from engage.services.waves.progress import WaveProgress, count_progress
from engage.services.waves.retention import answers_deleted_on
from engage.sites.district.blueprint import blueprint
from engage.sites.district.wave_targets import count_opted_out
from engage.storage.engine import read_session
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave, WaveSchool
from engage.web.context import runtime
from engage.web.forms import LineField, QueryForm
from engage.web.page_language import gettext, pgettext
from engage.web.paging import read_page, requested_page
from engage.web.permissions import assigned_languages, enters, permitted_schools

WAVES_SHOWN = 20  # waves on a page
SCHOOLS_SHOWN = 20  # names of schools beside each wave


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
class WaveLink:
    """The open link of a wave in one language. `english` is the number of the survey's texts that are shown in English
    there."""

    language: Language
    address: str
    english: int


@dataclass(frozen=True, slots=True)
class WaveRow:
    """One wave in the list."""

    wave: Wave
    stage: str
    progress: WaveProgress
    opted_out: int
    schools: list[School]
    """At most SCHOOLS_SHOWN of the wave's schools."""
    deleted_on: date
    """The day on which its answers will be deleted."""
    links: list[WaveLink]


@blueprint.get("/waves")
@enters("see waves")
def waves() -> str:
    """The waves of the schools this person may see, newest first."""
    with read_session(runtime().engine) as session:
        come = count_progress(session, runtime().today())
        page = read_page(session, select_waves(), requested_page(), WAVES_SHOWN)
        rows = [_wave_row(session, wave, come[wave.id]) for wave in page.rows]
        return render_template("district/waves.html", page=page, rows=rows, stages=stage_names(), modes=mode_names())


def select_waves() -> Select[Wave]:
    """The waves this person may see, newest first."""
    newest = select(Wave).options(selectinload(Wave.schools), selectinload(Wave.edition))
    newest, schools = newest.order_by(Wave.opens.desc(), Wave.id), permitted_schools()
    if schools is not None:
        newest = newest.where(Wave.id.in_(select(WaveSchool.wave_id).where(WaveSchool.school_id.in_(schools))))
    return newest


def require_wave(session: Session, wave_id: str) -> Wave:
    """The wave, or "not found" for one this person may not see."""
    if not is_possible_id(wave_id):
        abort(404)
    wave = session.get(Wave, wave_id)
    return wave if wave is not None and _is_visible(session, wave) else abort(404)


def _is_visible(session: Session, wave: Wave) -> bool:
    schools = permitted_schools()
    here = select(WaveSchool.wave_id).where(WaveSchool.wave_id == wave.id)
    return schools is None or bool(session.scalar(select(here.where(WaveSchool.school_id.in_(schools)).exists())))


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


def _wave_row(session: Session, wave: Wave, come: WaveProgress) -> WaveRow:
    today = runtime().today()
    stage = "open" if wave.is_open(today) else "planned" if today < wave.opens else "closed"
    edition, assigned = load_edition(wave.edition.document), assigned_languages()
    links = [
        WaveLink(LANGUAGES[tag], f"{runtime().settings.base_url}/{tag}/w/{wave.id}", len(edition.missing(tag)))
        for tag in wave.offered
        if tag in LANGUAGES and (assigned is None or tag in assigned)
    ]
    return WaveRow(
        wave,
        stage,
        come,
        count_opted_out(session, wave),
        wave.schools[:SCHOOLS_SHOWN],
        answers_deleted_on(wave, runtime().settings),
        links,
    )
