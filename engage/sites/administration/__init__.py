"""Pages for administrators and translators, and the home page of all staff."""

from engage.sites.administration import (
    audit,
    interrupted_roster,
    mail_queue,
    organizations,
    privacy_notice,
    roster,
    roster_preview,
    roster_updates,
    staff,
    staff_changes,
    staff_home,
    student_surveys,
    translations,
)
from engage.sites.administration.blueprint import blueprint

TEXT_DOMAIN = "staff"

__all__ = [
    "audit",
    "blueprint",
    "interrupted_roster",
    "mail_queue",
    "organizations",
    "privacy_notice",
    "roster",
    "roster_preview",
    "roster_updates",
    "staff",
    "staff_changes",
    "staff_home",
    "student_surveys",
    "translations",
]
