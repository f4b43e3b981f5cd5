"""The notice to families before a survey of students, as a page and as a file to print (20 U.S.C. 1232h(c)(2))."""

import logging
from dataclasses import dataclass
from pathlib import Path

from flask import Response, abort
from sqlalchemy import select

from engage.base.catalogs import catalogue
from engage.domain.paper.typesetting.fonts import MissingFont
from engage.domain.security.permissions import PUBLIC
from engage.services.printing.family_notice_pdf import render_family_notice_pdf
from engage.services.waves.family_notice import FamilyNotice, NoticeFacts, build_family_notice
from engage.services.waves.populations import say_no_by
from engage.sites.family.blueprint import blueprint
from engage.sites.family.context import family_memory, open_read_connection
from engage.sites.family.page_cache import render_page, send_page
from engage.sites.family.printable_form import cached_file, send_pdf
from engage.sites.family.read_only import decided_areas
from engage.sites.family.wave_access import reading_address, refuse, require_offer
from engage.sites.family.wave_cache import Offer
from engage.sites.family.wave_notice import isolate_markup
from engage.storage.models.schools import School
from engage.web.context import runtime
from engage.web.page_language import gettext
from engage.web.permissions import enters

log = logging.getLogger("engage")


@dataclass(frozen=True, slots=True)
class NoticeRequest:
    """What a notice depends on: a wave, a language, screening decisions by question id, and the names of schools (none
    for all of the district)."""

    offer: Offer
    lang: str
    areas: frozenset[tuple[str, str]]
    schools: tuple[str, ...]


@blueprint.get("/<lang:lang>/w/<wave_id>/notice")
@enters(PUBLIC)
def family_notice(lang: str, wave_id: str) -> Response:
    """The notice in the language of the address, whether or not the wave is open."""
    request = _require_notice(lang, wave_id)
    pdf = _cached_pdf(request)
    size = max(1, round(len(pdf) / 1000)) if pdf else 0
    return send_page(family_memory().pages.get(("notice", request, size), lambda: _render_notice(request, size)))


@blueprint.get("/<lang:lang>/w/<wave_id>/notice.pdf")
@enters(PUBLIC)
def family_notice_pdf(lang: str, wave_id: str) -> Response:
    """The notice as a file to print."""
    request = _require_notice(lang, wave_id)
    pdf = _cached_pdf(request)
    if pdf is None:
        abort(429)
    if not pdf:
        # translators: heading of a page: the notice about a survey cannot be printed
        heading = gettext("We cannot make this file")
        # translators: said to a family that wants to print a notice; below is a link to all questions
        advice = gettext("Please ask your school for the notice on paper.")
        refuse(heading, advice, 404, read=reading_address(lang, request.offer))
    return send_pdf(pdf, f"{request.offer.id}-notice-{lang}.pdf")


def _require_notice(lang: str, wave_id: str) -> NoticeRequest:
    """The notice of this address; otherwise aborts with a page that gives the reason."""
    offer = require_offer(lang, wave_id)
    if not offer.has_family_notice:
        abort(404)
    return NoticeRequest(offer, lang, frozenset(decided_areas(offer).items()), _school_names(offer))


def _school_names(offer: Offer) -> tuple[str, ...]:
    """The names of the wave's schools; none if it has several and they are all of the district."""
    with open_read_connection() as connection:
        district = set(connection.scalars(select(School.id).where(School.active)))
    if len(offer.schools) > 1 and district <= {school for school, _ in offer.schools}:
        return ()
    return tuple(name for _, name in offer.schools)


def _cached_pdf(request: NoticeRequest) -> bytes | None:
    """The file, empty if it cannot be printed; None while too many are being rendered."""
    return cached_file(("notice", request), lambda: _draw_pdf(request))


def _draw_pdf(request: NoticeRequest) -> bytes:
    settings = runtime().settings
    fonts = Path(settings.font_dir) if settings.font_dir else None
    try:
        return render_family_notice_pdf(_build_notice(request), request.lang, settings.district_name, fonts)
    except MissingFont as problem:
        log.error("no printed notice of %s in %s: %s", request.offer.id, request.lang, problem)
        return b""


def _build_notice(request: NoticeRequest) -> FamilyNotice:
    offer, lang, settings = request.offer, request.lang, runtime().settings
    facts = NoticeFacts(
        district=settings.district_name,
        phone=settings.district_phone,
        schools=request.schools,
        opens=offer.opens,
        closes=offer.closes,
        say_no_by=say_no_by(offer.opens),
        reading_address=settings.base_url + reading_address(lang, offer),
        english_title=offer.survey("en").title,
        areas=dict(request.areas),
    )
    return build_family_notice(offer.survey(lang), facts, catalogue(lang), lang)


def _render_notice(request: NoticeRequest, size: int) -> str:
    return render_page(
        "student_survey_notice.html",
        offer=request.offer,
        lang=request.lang,
        notice=_build_notice(request),
        isolated=isolate_markup,
        size=size,
        path=f"/w/{request.offer.id}/notice",
    )
