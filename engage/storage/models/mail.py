"""The outbox of email. Each message is written in the same transaction as the event it reports."""

from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from engage.storage.models.base import RANDOM_ID, Base


class Mail(Base):
    __tablename__ = "mails"
    __table_args__ = (CheckConstraint("state in ('waiting', 'sent', 'failed')", "state"),)

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    """Random. Also the Message-ID, so that a receiver recognizes a message sent twice."""
    kind: Mapped[str] = mapped_column(String(40))
    """The kind of message, such as invitation or reset."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Encrypted JSON: {"to", "subject", "text"}. Emptied after sending."""
    state: Mapped[str] = mapped_column(String(10), default="waiting", index=True)
    written_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str] = mapped_column(String(200), default="")
    """The last error from the mail server."""
