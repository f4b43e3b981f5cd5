"""What all tables share: named constraints, so that migrations can find them, and column sizes."""

from typing import ClassVar

from sqlalchemy import MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

RANDOM_ID = 32  # hex digits: 128 random bits, so an id reveals neither order nor time (ASVS 11.5.1)
DIGEST = 64  # hex digits of a SHA-256

WITHOUT_ROWID = {"sqlite_with_rowid": False}  # a hidden rowid would reveal the order of arrival


class Base(DeclarativeBase):
    """The base class of all tables."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMES)


class Heartbeat(Base):
    """Rows that /readyz writes, reads, and deletes."""

    __tablename__ = "heartbeats"

    at: Mapped[str] = mapped_column(String(40), primary_key=True)
