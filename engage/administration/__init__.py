"""The administrator's and the translator's door: staff and words; and the first page, which is everybody's."""

from engage.administration import (
    audit,
    changing,
    home,
    letters,
    organisations,
    privacy_notice,
    roster,
    staff,
    translations,
)
from engage.administration.door import blueprint

__all__ = [
    "audit",
    "blueprint",
    "changing",
    "home",
    "letters",
    "organisations",
    "privacy_notice",
    "roster",
    "staff",
    "translations",
]
