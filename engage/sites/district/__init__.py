"""Pages for district leaders: waves, checkpoints, promises, and results for families."""

from engage.sites.district import (
    access_codes,
    bursts,
    checkpoint,
    checkpoints,
    code_slips,
    code_withdrawal,
    commitments,
    downloads,
    draft_figures,
    freezing,
    household_codes,
    opt_outs,
    reminders,
    respondents,
    screening,
    slip_notice,
    wave_check,
    wave_days,
    wave_drafts,
    wave_page,
    waves,
)
from engage.sites.district.blueprint import blueprint

TEXT_DOMAIN = "staff"

__all__ = [
    "access_codes",
    "blueprint",
    "bursts",
    "checkpoint",
    "checkpoints",
    "code_slips",
    "code_withdrawal",
    "commitments",
    "downloads",
    "draft_figures",
    "freezing",
    "household_codes",
    "opt_outs",
    "reminders",
    "respondents",
    "screening",
    "slip_notice",
    "wave_check",
    "wave_days",
    "wave_drafts",
    "wave_page",
    "waves",
]
