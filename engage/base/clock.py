"""Moments and days in a time zone, such as the district's, and as the database stores them.

A zone is a name from the time zone database, such as "America/Chicago". Stored moments are in UTC, without a zone.
"""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    """Return the current time of this machine in UTC, with its zone."""
    return datetime.now(UTC)


def local_time(moment: datetime, zone: str) -> datetime:
    """Convert a moment to a time zone. A moment without a zone is UTC."""
    return with_zone(moment).astimezone(ZoneInfo(zone))


def local_day(moment: datetime, zone: str) -> date:
    """Return the date of a moment in a time zone."""
    return local_time(moment, zone).date()


def midnight(day: date, zone: str) -> datetime:
    """Return the moment, in UTC, at which a day begins in a time zone."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def with_zone(moment: datetime) -> datetime:
    """Return a moment with its zone. One without a zone is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def stored_utc(moment: datetime) -> datetime:
    """Return a moment as the database stores it: in UTC, without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def stored_utc_second(moment: datetime) -> datetime:
    """Return a moment as `stored_utc` does, truncated to the second."""
    return stored_utc(moment).replace(microsecond=0)
