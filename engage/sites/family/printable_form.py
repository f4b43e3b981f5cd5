"""The same survey on paper, to print at home or at a library; the page with all questions stands beside it."""

import logging
from io import BytesIO
from pathlib import Path

from flask import Response, abort

from engage.base.languages import catalogue
from engage.domain.paper.form.blank import blank
from engage.domain.paper.form.cover import Cover
from engage.domain.paper.form.questions import TooTall
from engage.domain.paper.typesetting.fonts import MissingFont
from engage.domain.paper.typesetting.shaping import MissingGlyph
from engage.domain.security.permissions import PUBLIC
from engage.services.waves.privacy_notice import notice
from engage.sites.family.blueprint import blueprint
from engage.sites.family.context import desk, network
from engage.sites.family.gatekeeping import opened, reading_address, refuse
from engage.sites.family.page_cache import whole
from engage.sites.family.wave_cache import Offer
from engage.web.context import state
from engage.web.page_language import gettext
from engage.web.permissions import enters

PDF = "application/pdf"

log = logging.getLogger("engage")


@blueprint.get("/<lang:lang>/w/<wave_id>/paper.pdf")
@enters(PUBLIC)
def at_home(lang: str, wave_id: str) -> Response:
    """A blank form without a serial, while the wave takes answers and is asked on paper."""
    offer = opened(lang, wave_id)
    made = form(offer, lang) if offer.on_paper else b""
    if made is None:
        abort(429)
    if not made:
        # translators: heading of a page: there is no paper form to print
        heading = gettext("We have no paper form of this survey")
        # translators: said to a family that wants to print a paper form; below is a link to all questions
        advice = gettext("Please ask your school how you can answer.")
        refuse(heading, advice, 404, read=reading_address(lang, offer))
    name = f'attachment; filename="{offer.id}-{lang}.pdf"'
    return whole(made, 200, [("Content-Disposition", name)], PDF)


def form(offer: Offer, lang: str) -> bytes | None:
    """The form, empty where it cannot be printed; None while too many are being drawn."""
    made = desk().shelf.get(offer, lang)
    if made is None and not desk().forms.refuses(network()):
        desk().forms.count(network())
        made = _drawn(offer, lang)
        desk().shelf.put(offer, lang, made)
    return made


def _drawn(offer: Offer, lang: str) -> bytes:
    settings, out = state().settings, BytesIO()
    fonts = Path(settings.font_dir) if settings.font_dir else None
    cover = Cover(
        settings.district_name,
        offer.identity,
        opens=offer.opens,
        closes=offer.closes,
        interpreter=settings.interpreter_phone,
        notice={lang: notice(offer, settings, lang, offer.deleted_on)},
    )
    try:
        blank(out, offer.edition, lang, catalogue(lang), cover, fonts=fonts)
    except (MissingFont, MissingGlyph, TooTall) as problem:
        log.error("no paper form of %s in %s: %s", offer.id, lang, problem)
        return b""
    return out.getvalue()
