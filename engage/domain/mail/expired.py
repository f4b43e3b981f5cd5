"""Letters that were sent, or given up, stay some days so that staff can see what became of them; then they go."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete
from sqlalchemy.orm import Session

from engage.storage.models.mail import Mail


def is_mail_expired(before: datetime) -> ColumnElement[bool]:
    """What is true of a letter that is kept no longer: it waits for nothing and was written before (UTC, no zone)."""
    return and_(Mail.state.in_(("sent", "failed")), Mail.written_at < before)


def destroy_expired_mail(session: Session, before: datetime) -> None:
    """Destroy them."""
    session.execute(delete(Mail).where(is_mail_expired(before)))
