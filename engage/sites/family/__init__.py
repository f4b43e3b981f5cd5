"""Pages for families: choose a language, answer, ask the school, read the results."""

from engage.sites.family import (
    access_code,
    address_correction,
    consent,
    home,
    printable_form,
    read_only,
    reply_code,
    results,
    review,
    save_and_stop,
    sections,
    student_survey_notice,
    thanks,
)
from engage.sites.family.blueprint import blueprint

TEXT_DOMAIN = "family"

__all__ = [
    "access_code",
    "address_correction",
    "blueprint",
    "consent",
    "home",
    "printable_form",
    "read_only",
    "reply_code",
    "results",
    "review",
    "save_and_stop",
    "sections",
    "student_survey_notice",
    "thanks",
]
