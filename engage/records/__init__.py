"""What we keep: all tables, no decisions."""

from engage.records import (
    audit,
    bursts,
    checkpoints,
    mail,
    privacy,
    responses,
    retention,
    roster,
    schools,
    screening,
    sheets,
    staff,
    threads,
)

__all__ = [
    "audit",
    "bursts",
    "checkpoints",
    "mail",
    "privacy",
    "responses",
    "retention",
    "roster",
    "schools",
    "screening",
    "sheets",
    "staff",
    "threads",
]
