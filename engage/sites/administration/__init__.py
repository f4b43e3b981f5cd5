"""Pages for administrators and translators, and the home page of all staff."""

from engage.sites.administration import (
    audit,
    home,
    mail_queue,
    organizations,
    privacy_notice,
    roster,
    staff,
    staff_changes,
    translations,
)
from engage.sites.administration.blueprint import blueprint

TEXT_DOMAIN = "staff"

__all__ = [
    "audit",
    "blueprint",
    "home",
    "mail_queue",
    "organizations",
    "privacy_notice",
    "roster",
    "staff",
    "staff_changes",
    "translations",
]
