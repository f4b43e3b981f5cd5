"""The outbox of email: each message is written in the transaction of the event it reports."""

from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import RANDOM_ID, Base


class Mail(Base):
    __tablename__ = "mails"
    __table_args__ = (CheckConstraint("state in ('waiting', 'sent', 'failed')", "state"),)

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    """Random; also the Message-ID, by which a receiver knows a letter sent twice."""
    kind: Mapped[str] = mapped_column(String(40))
    """invitation, reset …"""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed JSON: {"to", "subject", "text"}; emptied when it was sent."""
    state: Mapped[str] = mapped_column(String(10), default="waiting", index=True)
    written_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str] = mapped_column(String(200), default="")
    """What the mail server said last."""
