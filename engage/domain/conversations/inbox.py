"""Which families wait for an answer, and since when."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import aliased

from engage.storage.models.conversations import Message, Thread


def find_waiting_threads(
    connection: Connection, schools: Collection[str] | None, languages: Collection[str] | None = None
) -> dict[str, date]:
    """Thread id to the day of the first thing the family said that nobody has answered. None means every school, and
    every language of the family."""
    answer = aliased(Message)
    answered = select(func.max(answer.position)).where(answer.thread_id == Message.thread_id, answer.author == "staff")
    since = (
        select(Message.thread_id, func.min(Message.written_on).label("since"))
        .join(Thread, Thread.id == Message.thread_id)
        .where(Message.author == "family", Message.position > func.coalesce(answered.scalar_subquery(), 0))
        .group_by(Message.thread_id)
    )
    query = since if schools is None else since.where(Thread.school_id.in_(schools))
    query = query if languages is None else query.where(Thread.language.in_(languages))
    return {row.thread_id: row.since for row in connection.execute(query)}
