"""The district leader's door: waves, checkpoints, promises and what families see of them."""

from engage.district import (
    bursts,
    checkpoint,
    code_withdrawal,
    codes,
    commitments,
    days,
    downloads,
    links,
    opening,
    optouts,
    planning,
    reminders,
    screening,
    waves,
)
from engage.district.door import blueprint

__all__ = [
    "blueprint",
    "bursts",
    "checkpoint",
    "code_withdrawal",
    "codes",
    "commitments",
    "days",
    "downloads",
    "links",
    "opening",
    "optouts",
    "planning",
    "reminders",
    "screening",
    "waves",
]
