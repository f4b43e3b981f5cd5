"""Responses of a wave by day, compared with the pace that was expected, in tens.

Responses of an anonymous wave have no day, so there is no series; nothing else is stored to make one. In a confidential
wave there is one until the first link to a household is deleted, since that also removes days. The running number is
rounded down to full tens, so a day never shows more than the total on the list of waves showed on that day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from engage.services.waves.progress import STEP, count_progress
from engage.storage.models.bursts import is_counted
from engage.storage.models.invitations import Invitation
from engage.storage.models.responses import Response
from engage.storage.models.waves import StoredEdition, Wave, WaveSchool

CANDIDATES = 5  # earlier waves that are compared


@dataclass(frozen=True, slots=True)
class ExpectedPace:
    """What to compare a wave with: the earlier wave of the same questionnaire, if there is one, and the number of
    responses that the line ends at. `series` is that wave's own, by day from its start; empty if its days are not
    stored, and then the line is straight."""

    earlier: Wave | None
    number: int
    series: tuple[int, ...] = ()

    def at(self, day: int, days: int) -> int:
        """The number after `day` of `days` days, counted from 1."""
        if self.series:
            return self.series[min(day, len(self.series)) - 1]
        return self.number * min(day, days) // days


def daily_series(session: Session, wave: Wave, today: date) -> tuple[int, ...]:
    """The running number of responses on each day of the wave until today, in full tens; empty if the days are not
    stored, or if there are fewer than ten responses."""
    if not _has_days(session, wave):
        return ()
    query = select(Response.day, func.count()).where(Response.wave_id == wave.id, is_counted())
    counted = {row[0]: row[1] for row in session.execute(query.group_by(Response.day))}
    days = (min(today, wave.closes) - wave.opens).days + 1
    running, series = sum(number for day, number in counted.items() if day < wave.opens), []
    for number in range(days):
        running += counted.get(wave.opens + timedelta(days=number), 0)
        series.append(running - running % STEP)
    return tuple(series) if series and series[-1] else ()


def expected_pace(session: Session, wave: Wave, possible: int, today: date) -> ExpectedPace | None:
    """The pace of the last wave of the same questionnaire at the same schools; else a steady one to all
    `possible` responses. None if neither is known."""
    earlier = _find_earlier(session, wave)
    if earlier is not None:
        number = count_progress(session, today, earlier.id)[earlier.id].responses or 0
        if number >= STEP:
            return ExpectedPace(earlier, number, daily_series(session, earlier, today))
    return ExpectedPace(None, possible) if possible >= STEP else None


def _has_days(session: Session, wave: Wave) -> bool:
    """Whether every response still has its own day."""
    if wave.identity != "confidential" or wave.deleted_on:
        return False
    unlinked = exists().where(Invitation.wave_id == wave.id, Invitation.used, Invitation.used_on.is_(None))
    return not session.scalar(select(unlinked))


def _find_earlier(session: Session, wave: Wave) -> Wave | None:
    """The last closed wave with the same questionnaire, schools, and way of counting."""
    query = select(Wave).join(StoredEdition, StoredEdition.digest == Wave.edition_digest)
    query = query.where(StoredEdition.slug == wave.edition.slug, Wave.closes < wave.opens, Wave.deleted_on.is_(None))
    query = query.where(Wave.counting == wave.counting, Wave.asked == wave.asked)
    schools = _school_ids(session, wave.id)
    candidates = session.scalars(query.order_by(Wave.closes.desc(), Wave.id).limit(CANDIDATES))
    return next((each for each in candidates if _school_ids(session, each.id) == schools), None)


def _school_ids(session: Session, wave_id: str) -> Sequence[str]:
    return session.scalars(
        select(WaveSchool.school_id).where(WaveSchool.wave_id == wave_id).order_by(WaveSchool.school_id)
    ).all()
