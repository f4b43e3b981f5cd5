"""All tables. Every module is imported here, so that `Base.metadata` includes its tables."""

from engage.storage.models import (
    audit,
    bursts,
    checkpoints,
    conversations,
    invitations,
    jobs,
    mail,
    paper,
    privacy,
    responses,
    retention,
    roster,
    schools,
    screening,
    staff,
    waves,
)

__all__ = [
    "audit",
    "bursts",
    "checkpoints",
    "conversations",
    "invitations",
    "jobs",
    "mail",
    "paper",
    "privacy",
    "responses",
    "retention",
    "roster",
    "schools",
    "screening",
    "staff",
    "waves",
]
