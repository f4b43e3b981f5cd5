"""Moments and days: in a time zone, such as the district's, and as databases store them.

A zone is a name of the time zone database, such as "America/Chicago". Stored moments are in UTC, without a zone.
"""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    """The moment by the clock of this machine, with its zone."""
    return datetime.now(UTC)


def local_time(moment: datetime, zone: str) -> datetime:
    """A moment in a time zone; a stored one, without a zone, is UTC."""
    return with_zone(moment).astimezone(ZoneInfo(zone))


def local_day(moment: datetime, zone: str) -> date:
    """The day of a moment in a time zone."""
    return local_time(moment, zone).date()


def midnight(day: date, zone: str) -> datetime:
    """The moment, in UTC, at which a day begins in a time zone."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def with_zone(moment: datetime) -> datetime:
    """A moment with its zone; one without is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def stored_utc(moment: datetime) -> datetime:
    """A moment as databases store it: in UTC, without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def stored_utc_second(moment: datetime) -> datetime:
    """The same, to the second."""
    return stored_utc(moment).replace(microsecond=0)
