"""Reading a whole survey without answering it, also before it opens: each question and choice, its display rule, and
its screening decision (20 U.S.C. 1232h(c)(1)(A))."""

from flask import Response
from sqlalchemy import select

from engage.base.catalogs import catalogue
from engage.domain.security.permissions import PUBLIC
from engage.questionnaire.reading_copy import reading_copy
from engage.services.waves.screening import describe_decision, item_digest
from engage.sites.family.blueprint import blueprint
from engage.sites.family.context import family_memory, open_read_connection
from engage.sites.family.page_cache import render_page, send_page
from engage.sites.family.printable_form import cached_form
from engage.sites.family.wave_access import require_offer
from engage.sites.family.wave_cache import Offer
from engage.storage.models.screening import Screening
from engage.web.context import runtime
from engage.web.permissions import enters


@blueprint.get("/<lang:lang>/w/<wave_id>/read")
@enters(PUBLIC)
def inspect(lang: str, wave_id: str) -> Response:
    """The whole survey, in the language of the address, whether or not the wave is open."""
    offer = require_offer(lang, wave_id)
    areas, paper = decided_areas(offer), _form_size(offer, lang)
    key = ("read", lang, offer, frozenset(areas.items()), paper)
    return send_page(family_memory().pages.get(key, lambda: _render_survey(offer, lang, areas, paper)))


def _form_size(offer: Offer, lang: str) -> int | None:
    """The size of the paper form in kB; 0 if unknown; None if the survey is not offered on paper today."""
    if not (offer.on_paper and offer.begins(runtime().today())):
        return None
    pdf = cached_form(offer, lang)
    return 0 if not pdf else max(1, round(len(pdf) / 1000))


def decided_areas(offer: Offer) -> dict[str, str]:
    """Screening decisions by question id; undecided questions are left out."""
    items = {item_digest(question): question.id for _, question in offer.survey("en").questions()}
    with open_read_connection() as connection:
        wanted = select(Screening.item, Screening.area).where(Screening.item.in_(items))
        return {items[digest]: area for digest, area in connection.execute(wanted)}


def _render_survey(offer: Offer, lang: str, areas: dict[str, str], paper: int | None) -> str:
    survey, words = offer.survey(lang), catalogue(lang)
    return render_page(
        "read_only.html",
        offer=offer,
        lang=lang,
        survey=survey,
        parts=reading_copy(survey, words),
        decisions={each.id: describe_decision(areas.get(each.id), words) for _, each in survey.questions()},
        paper=paper,
        path=f"/w/{offer.id}/read",
    )
