"""Debriefs: what community liaisons write after an event, stored as responses of a wave that liaisons answer.

A response says at which school, on which day, and in which language a debrief was written; nothing says by whom.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import SystemRandom

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from engage.domain.intake.submission import AnswersRejected, Submission, accept_response
from engage.questionnaire.answers import assemble_answers
from engage.questionnaire.editions import load_edition
from engage.questionnaire.model import Question, Survey
from engage.questionnaire.question_types import canonical_answers
from engage.services.waves.populations import LIAISON
from engage.storage.models.responses import Response
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave, WaveSchool

URGENT = "urgent_questions"  # id of the question about what must be answered soon (surveys/broker-debrief.toml)
DUE = timedelta(days=7)  # after the day of a debrief
MODE = "interview"  # staff write down what others said

Schools = Collection[str] | None
"""The ids of the schools that a person may see; None means all."""


@dataclass(frozen=True, slots=True)
class NewDebrief:
    """A debrief as typed. `lines` are raw texts by question id; `token` is random, from the page that was filled in, so
    that a form sent twice is stored once."""

    wave: Wave
    school_id: str
    language: str
    lines: Mapping[str, str]
    token: str


@dataclass(frozen=True, slots=True)
class DebriefLine:
    """A question, and what was written; empty if nothing was."""

    question: Question
    text: str


@dataclass(frozen=True, slots=True)
class Debrief:
    """A stored debrief. `language` is the one of the form, probably that of the text."""

    day: date
    school: School | None
    language: str
    lines: tuple[DebriefLine, ...]

    @property
    def due(self) -> date:
        """The last day to answer what it says must be answered within a week."""
        return self.day + DUE

    @property
    def urgent(self) -> str:
        """What must be answered within a week; empty if nothing."""
        return next((line.text for line in self.lines if line.question.id == URGENT), "")


def select_debrief_waves(schools: Schools) -> Select[Wave]:
    """The waves that liaisons answer in any of these schools, the newest first."""
    query = select(Wave).where(Wave.population == LIAISON).order_by(Wave.opens.desc(), Wave.id)
    if schools is None:
        return query
    return query.where(Wave.id.in_(select(WaveSchool.wave_id).where(WaveSchool.school_id.in_(schools))))


def find_open_debrief_waves(session: Session, schools: Schools, today: date) -> Sequence[Wave]:
    """Those in which a debrief can be written today."""
    return session.scalars(select_debrief_waves(schools).where(Wave.opens <= today, Wave.closes >= today)).all()


def list_debrief_questions(survey: Survey) -> list[Question]:
    """The questions of a debrief, in order, without notes."""
    return [question for _, question in survey.questions() if question.kind != "note"]


def save_debrief(session: Session, new: NewDebrief, today: date, rng: SystemRandom) -> bool:
    """Store a debrief, by the rules for what is typed on a phone or computer. Returns False if the same form had been
    stored before; one that was changed since is another debrief. Raises AnswersRejected. Never commits."""
    survey = load_edition(new.wave.edition.document).survey(new.language)
    raw = {name: [text] for name, text in new.lines.items()}
    answers, problems = assemble_answers(survey, raw)
    if problems:
        raise AnswersRejected(problems)
    document = canonical_answers(answers).decode()
    submission = Submission(
        survey,
        new.wave,
        school_id=new.school_id,
        language=new.language,
        mode=MODE,
        raw=raw,
        document=document,
        submission_key=_submission_key(new, document),
    )
    return accept_response(session.connection(), submission, today=today, rng=rng).fresh


def _submission_key(new: NewDebrief, document: str) -> str:
    return hashlib.sha256(json.dumps(["debrief", new.wave.id, new.school_id, new.token, document]).encode()).hexdigest()


def select_debriefs(schools: Schools, wave_id: str = "") -> Select[Response]:
    """The debriefs of these schools, of one wave or of all, the newest first."""
    query = select(Response).join(Wave, Wave.id == Response.wave_id).where(Wave.population == LIAISON)
    query = query.where(Response.wave_id == wave_id) if wave_id else query
    query = query if schools is None else query.where(Response.school_id.in_(schools))
    return query.order_by(Response.day.desc(), Response.id)


def count_debriefs(session: Session, schools: Schools, wave_id: str) -> int:
    """The number of debriefs of a wave at these schools."""
    counted = select_debriefs(schools, wave_id).order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(counted)) or 0


def read_debriefs(session: Session, responses: Sequence[Response], language: str) -> list[Debrief]:
    """Debriefs with their questions in a language."""
    waves = session.scalars(select(Wave).where(Wave.id.in_({each.wave_id for each in responses})))
    surveys = {wave.id: load_edition(wave.edition.document).survey(language) for wave in waves}
    places = session.scalars(select(School).where(School.id.in_({each.school_id for each in responses})))
    schools = {school.id: school for school in places}
    return [
        Debrief(
            each.day,
            schools.get(each.school_id or ""),
            each.answered_in or each.language,
            tuple(_lines(surveys[each.wave_id], each.answers)),
        )
        for each in responses
    ]


def _lines(survey: Survey, document: str) -> Iterator[DebriefLine]:
    answers = json.loads(document)
    for question in list_debrief_questions(survey):
        text = answers.get(question.id)
        yield DebriefLine(question, text if isinstance(text, str) else "")


def list_urgent_debriefs(
    session: Session, schools: Schools, language: str, today: date, wave_id: str = ""
) -> list[Debrief]:
    """Debriefs of the last week that name what must be answered within a week, those due first at the top."""
    recent = select_debriefs(schools, wave_id).where(Response.day >= today - DUE)
    oldest_first = recent.order_by(None).order_by(Response.day, Response.id)
    debriefs = read_debriefs(session, session.scalars(oldest_first).all(), language)
    return [debrief for debrief in debriefs if debrief.urgent]
