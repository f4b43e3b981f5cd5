"""What we keep: all tables, no decisions."""

from engage.records import (
    audit,
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
