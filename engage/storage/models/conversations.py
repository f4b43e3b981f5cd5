"""A family's question and its replies."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engage.storage.models.base import DIGEST, RANDOM_ID, WITHOUT_ROWID, Base


class Thread(Base):
    """Opened by a family. Only a slow hash of its reply code is kept; nothing points to the response."""

    __tablename__ = "threads"
    __table_args__ = (CheckConstraint("kind in ('question', 'help')", "kind"), WITHOUT_ROWID)

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    reply_hash: Mapped[str | None] = mapped_column(String(DIGEST), unique=True)
    """None where the question came on paper that had no code to tear off: the liaison carries the answer by hand."""
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"))
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    language: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(10))
    opened_on: Mapped[date]
    """In an anonymous wave the first day (Monday) of the week."""
    serial: Mapped[str | None] = mapped_column(ForeignKey("sheets.serial"))
    """The paper sheet it came on, until the answer is handed over, at most 90 days
    (domain/conversations/paper_threads.py)."""

    messages: Mapped[list["Message"]] = relationship(order_by="Message.position", back_populates="thread")

    @property
    def waits(self) -> bool:
        """Whether the family spoke last."""
        return bool(self.messages) and self.messages[-1].author == "family"


class Message(Base):
    __tablename__ = "messages"
    __table_args__ = (CheckConstraint("author in ('family', 'staff')", "author"), WITHOUT_ROWID)

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    thread_id: Mapped[str] = mapped_column(ForeignKey("threads.id"), index=True)
    position: Mapped[int]
    author: Mapped[str] = mapped_column(String(10))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    text: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(20))
    written_on: Mapped[date]
    """Of what a family of an anonymous wave wrote, the first day (Monday) of the week."""

    thread: Mapped[Thread] = relationship(back_populates="messages")
