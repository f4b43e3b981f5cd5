"""Reading a whole survey without answering it, before it is asked too: each question and choice, when it is asked, and
what was decided about it (20 U.S.C. 1232h(c)(1)(A))."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Response
from sqlalchemy import select

from engage.base.languages import catalogue
from engage.domain.security.permissions import PUBLIC
from engage.questionnaire.model import Question, Section, Survey
from engage.questionnaire.numbering import numbers
from engage.questionnaire.skip_instructions import direction
from engage.services.waves.screening import item, sentence
from engage.sites.family.blueprint import blueprint
from engage.sites.family.context import desk, looking
from engage.sites.family.gatekeeping import the_offer
from engage.sites.family.page_cache import draw, send
from engage.sites.family.printable_form import form
from engage.sites.family.wave_cache import Offer
from engage.storage.models.screening import Screening
from engage.web.context import state
from engage.web.page_language import language
from engage.web.permissions import enters


@dataclass(frozen=True, slots=True)
class Shown:
    """One question: its number (None for a note), when it is asked (empty: always), and what was decided about it."""

    question: Question
    number: int | None
    directions: tuple[str, ...]
    decision: str


@dataclass(frozen=True, slots=True)
class Part:
    """One section of the survey."""

    section: Section
    questions: tuple[Shown, ...]


@blueprint.get("/<lang:lang>/w/<wave_id>/read")
@enters(PUBLIC)
def inspect(lang: str, wave_id: str) -> Response:
    """The whole survey, in the language of the address, whether or not the wave is open."""
    offer = the_offer(lang, wave_id)
    areas, paper = _areas(offer), _paper(offer, lang)
    key = ("read", lang, offer, frozenset(areas.items()), paper)
    return send(desk().pages.get(key, lambda: _drawn(offer, lang, areas, paper)))


def _paper(offer: Offer, lang: str) -> int | None:
    """How many kB the paper form has; 0 where it is not known; None where the survey is not asked on paper today."""
    if not (offer.on_paper and offer.begins(state().today())):
        return None
    made = form(offer, lang)
    return 0 if not made else max(1, round(len(made) / 1000))


def _areas(offer: Offer) -> dict[str, str]:
    """What was decided, by question id; questions nobody has decided about are not in it."""
    asked = {item(question): question.id for _, question in offer.survey("en").questions()}
    with looking() as connection:
        wanted = select(Screening.item, Screening.area).where(Screening.item.in_(asked))
        return {asked[digest]: area for digest, area in connection.execute(wanted)}


def _drawn(offer: Offer, lang: str, areas: dict[str, str], paper: int | None) -> str:
    survey = offer.survey(lang)
    return draw(
        "inspect.html",
        offer=offer,
        lang=lang,
        survey=survey,
        parts=list(_parts(survey, areas)),
        paper=paper,
        path=f"/w/{offer.id}/read",
    )


def _parts(survey: Survey, areas: dict[str, str]) -> Iterator[Part]:
    words, numbered = catalogue(language().tag), numbers(survey)
    for section in survey.sections:
        shown = [
            Shown(
                question,
                numbered.get(question.id),
                _directions(question, survey),
                "" if question.kind == "note" else sentence(areas.get(question.id), words),
            )
            for question in section.questions
        ]
        yield Part(section, tuple(shown))


def _directions(question: Question, survey: Survey) -> tuple[str, ...]:
    if question.shown_when is None:
        return ()
    return tuple(direction(question.shown_when, survey, catalogue(language().tag), keys=False).split("\n"))
