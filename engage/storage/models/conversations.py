"""Conversations: a family's question and the replies."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engage.storage.models.base import DIGEST, RANDOM_ID, WITHOUT_ROWID, Base

WAITING = "waiting_since is not null"  # few threads do, so they have a partial index


class Thread(Base):
    """A conversation opened by a family. Only a slow hash of its reply code is stored, and nothing links it to the
    response."""

    __tablename__ = "threads"
    __table_args__ = (
        CheckConstraint("kind in ('question', 'help')", "kind"),
        Index(
            "ix_threads_waiting",
            "waiting_since",
            "school_id",
            "language",
            sqlite_where=text(WAITING),
            postgresql_where=text(WAITING),
        ),
        WITHOUT_ROWID,
    )

    id: Mapped[str] = mapped_column(String(RANDOM_ID), primary_key=True)
    reply_hash: Mapped[str | None] = mapped_column(String(DIGEST), unique=True)
    """None if the question came on a paper form without a reply code. The liaison delivers the answer in person."""
    wave_id: Mapped[str] = mapped_column(ForeignKey("waves.id"))
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    language: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(10))
    opened_on: Mapped[date]
    """In an anonymous wave, the first day (Monday) of the week."""
    serial: Mapped[str | None] = mapped_column(ForeignKey("sheets.serial"))
    """The paper sheet it came on, until the answer is delivered, and at most for 90 days
    (domain/conversations/paper_threads.py)."""

    waiting_since: Mapped[date | None]
    """The date of the first family message that has no answer; None if there is none. Follows from the messages."""

    messages: Mapped[list["Message"]] = relationship(order_by="Message.position", back_populates="thread")

    @property
    def waits(self) -> bool:
        """Whether the last message is from the family."""
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
    """For a message from a family of an anonymous wave, the first day (Monday) of the week."""

    thread: Mapped[Thread] = relationship(back_populates="messages")
