"""The database's clock: the one clock that workers on several machines share."""

from datetime import UTC, datetime

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session


def database_now(session: Session) -> datetime:
    """The moment by the database's clock, with its zone. SQLite: the clock of this machine."""
    if session.get_bind().dialect.name == "sqlite":
        text = session.scalar(select(func.strftime("%Y-%m-%dT%H:%M:%f", "now")))
        return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
    now = session.scalar(select(literal_column("clock_timestamp()")))
    assert isinstance(now, datetime)
    return now.astimezone(UTC)
