"""Whether slips with access codes may be printed for a survey of educators or students, and how many."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engage.services.waves.populations import (
    EDUCATOR,
    NOTICE_DAYS,
    STUDENT,
    ClassPile,
    count_people,
    count_slips,
    earliest_first_day,
    list_class_piles,
    say_no_by,
)
from engage.services.waves.student_surveys import are_student_surveys_allowed
from engage.storage.models.invitations import Invitation
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave


class SlipObstacle(StrEnum):
    """Why no slips are printed."""

    NONE = ""
    CLOSED = "closed"
    SWITCHED_OFF = "switched_off"
    NO_NOTICE = "no_notice"
    FAMILIES_DECIDE = "families_decide"
    """Families can still say no."""


@dataclass(frozen=True, slots=True)
class SchoolSlips:
    """One school of a survey: how many codes it has, and how many people the roster lists who get one (0 if
    unknown). `classes` are those of students."""

    school: School
    codes: int
    people: int
    classes: tuple[ClassPile, ...] = ()


def find_obstacle(session: Session, wave: Wave, today: date) -> SlipObstacle:
    """The first reason why no slips may be printed today."""
    if today > wave.closes:
        return SlipObstacle.CLOSED
    if wave.population != STUDENT:
        return SlipObstacle.NONE
    if not are_student_surveys_allowed(session):
        return SlipObstacle.SWITCHED_OFF
    if wave.notice_on is None:
        return SlipObstacle.NO_NOTICE
    return SlipObstacle.FAMILIES_DECIDE if today <= say_no_by(wave.opens) else SlipObstacle.NONE


def is_notice_in_time(wave: Wave, notice_on: date) -> bool:
    """Whether families have had a notice for long enough on the first day."""
    return earliest_first_day(notice_on) <= wave.opens


def notice_deadline(wave: Wave) -> date:
    """The last day on which families can be given the notice of a survey of students."""
    return wave.opens - timedelta(days=NOTICE_DAYS)


def list_school_slips(session: Session, wave: Wave) -> list[SchoolSlips]:
    """The schools of a survey, by name."""
    codes = _count_codes(session, wave.id)
    if wave.population == EDUCATOR:
        people = count_people(session, wave)
        return [SchoolSlips(each, codes.get(each.id, 0), people.get(each.id, 0)) for each in wave.schools]
    piles = list_class_piles(session, [school.id for school in wave.schools])
    return [_student_slips(each, codes.get(each.id, 0), piles) for each in wave.schools]


def _student_slips(school: School, codes: int, piles: Iterable[ClassPile]) -> SchoolSlips:
    here = tuple(pile for pile in piles if pile.school_id == school.id)
    return SchoolSlips(school, codes, count_slips(here), here)


def _count_codes(session: Session, wave_id: str) -> Mapping[str, int]:
    counted = select(Invitation.school_id, func.count()).where(Invitation.wave_id == wave_id)
    return dict(session.execute(counted.group_by(Invitation.school_id)).all())
