"""The survey as a paper form, to print at home or at a library."""

import logging
from collections.abc import Callable, Hashable
from io import BytesIO
from pathlib import Path

from flask import Response, abort

from engage.base.catalogs import catalogue
from engage.domain.paper.form.blank import write_sheets
from engage.domain.paper.form.cover import Cover
from engage.domain.paper.form.questions import TooTall
from engage.domain.paper.form.typesetter import SheetFormat, SurveyInLanguage
from engage.domain.paper.typesetting.fonts import MissingFont
from engage.domain.paper.typesetting.shaping import MissingGlyph
from engage.domain.security.permissions import PUBLIC
from engage.services.waves.privacy_notice import render_notice
from engage.sites.family.blueprint import blueprint
from engage.sites.family.context import family_memory, request_network
from engage.sites.family.page_cache import complete_response
from engage.sites.family.wave_access import reading_address, refuse, require_open_offer
from engage.sites.family.wave_cache import Offer
from engage.web.context import runtime
from engage.web.page_language import gettext
from engage.web.permissions import enters

PDF = "application/pdf"

log = logging.getLogger("engage")


@blueprint.get("/<lang:lang>/w/<wave_id>/paper.pdf")
@enters(PUBLIC)
def blank_form_pdf(lang: str, wave_id: str) -> Response:
    """A blank form without a serial, while the wave accepts answers on paper."""
    offer = require_open_offer(lang, wave_id)
    pdf = cached_form(offer, lang) if offer.on_paper else b""
    if pdf is None:
        abort(429)
    if not pdf:
        # translators: heading of a page: there is no paper form to print
        heading = gettext("We have no paper form for this survey")
        # translators: said to a family that wants to print a paper form; below is a link to all questions
        advice = gettext("Please ask your school how you can answer.")
        refuse(heading, advice, 404, read=reading_address(lang, offer), offer=offer)
    return send_pdf(pdf, f"{offer.id}-{lang}.pdf")


def cached_form(offer: Offer, lang: str) -> bytes | None:
    """The form, empty if it cannot be printed; None while too many are being rendered."""
    return cached_file(("form", offer, lang), lambda: _draw_form(offer, lang))


def cached_file(key: Hashable, draw: Callable[[], bytes]) -> bytes | None:
    """The file under a key that contains everything it depends on, rendered if it is missing; empty if it cannot be
    printed. None while too many are being rendered."""
    memory = family_memory()
    pdf = memory.shelf.get(key)
    if pdf is None and not memory.forms.refuses(request_network()):
        memory.forms.count(request_network())
        pdf = draw()
        memory.shelf.put(key, pdf)
    return pdf


def send_pdf(pdf: bytes, name: str) -> Response:
    """Send a file for saving under a name."""
    disposition = ("Content-Disposition", f'attachment; filename="{name}"')
    return complete_response(pdf, 200, [disposition], PDF)


def _draw_form(offer: Offer, lang: str) -> bytes:
    settings, out = runtime().settings, BytesIO()
    fonts = Path(settings.font_dir) if settings.font_dir else None
    cover = Cover(
        settings.district_name,
        offer.identity,
        opens=offer.opens,
        closes=offer.closes,
        interpreter=settings.interpreter_phone,
        notice={lang: render_notice(offer, settings, lang, offer.deleted_on)},
    )
    try:
        first = SurveyInLanguage(lang, offer.edition.survey(lang), catalogue(lang))
        write_sheets(out, offer.edition, first, cover, SheetFormat(fonts=fonts))
    except (MissingFont, MissingGlyph, TooTall) as problem:
        log.error("no paper form of %s in %s: %s", offer.id, lang, problem)
        return b""
    return out.getvalue()
