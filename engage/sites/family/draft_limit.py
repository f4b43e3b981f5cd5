"""The limit on the total size of drafts: a share of the disk, so that nobody can fill it with drafts."""

import shutil
import time
from functools import partial

from engage.domain.intake import drafts
from engage.sites.family.context import ROOM_FRESH, family_memory
from engage.sites.family.wave_access import refuse
from engage.sites.family.wave_cache import Offer
from engage.web.context import runtime
from engage.web.page_language import gettext

SHARE = 0.1  # of the disk of the data directory
POSTGRES_MOST = 2_000_000_000  # bytes: that disk is on another machine


def require_draft_space(offer: Offer) -> None:
    """Abort with a page if there is no space for a new draft. Existing drafts can continue."""
    now = time.monotonic()
    if now - family_memory().room_at >= ROOM_FRESH:
        family_memory().room_at = now
        family_memory().has_room = runtime().writer.run(partial(drafts.evict_empty_drafts, most=max_draft_bytes()))
    if not family_memory().has_room:
        # translators: heading of a page: so many families have begun to answer that nobody else can begin
        heading = gettext("Too many people are answering right now")
        # translators: below that heading
        advice = gettext("Nobody's answers are lost. Please come back tomorrow.")
        if offer.on_paper:
            # translators: below that heading
            advice = gettext("Nobody's answers are lost. Please come back tomorrow, or ask for a paper form.")
        refuse(heading, advice, 503, offer=offer)


def max_draft_bytes() -> int:
    """The maximum total size of all drafts, in bytes."""
    if runtime().engine.dialect.name != "sqlite":
        return POSTGRES_MOST
    return int(shutil.disk_usage(runtime().settings.data_dir).total * SHARE)
