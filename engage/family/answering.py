"""The questions, page by page. Every Continue is kept before the next page is shown."""

from functools import partial
from urllib.parse import parse_qsl

from flask import Response, abort, request

from engage.access.permits import PUBLIC
from engage.family import phone
from engage.family.desk import desk
from engage.family.door import blueprint
from engage.family.offers import Offer
from engage.family.pages import Finished, draw, finished, go, send
from engage.family.plan import Page, Plan, Step, plan_of
from engage.family.questions import asked, summary
from engage.family.visits import answering, no_draft, the_draft
from engage.family.wrong import troubles
from engage.intake import drafts
from engage.intake.sealed import Kept
from engage.intake.submission import FIELDS_MOST, TooMuch, from_form
from engage.web.guards import enters
from engage.web.state import state

FORM = "application/x-www-form-urlencoded"
CHECK = "check"  # in the query: the page was opened from the last look, and leads back there


@blueprint.get("/<lang:lang>/w/<wave_id>/<int:number>")
@enters(PUBLIC)
def section(lang: str, wave_id: str, number: int) -> Response:
    """One page of questions, with what was answered before."""
    offer, secret = answering(lang, wave_id)
    kept = the_draft(lang, offer, secret)
    plan = plan_of(offer.edition)
    page = _page(plan, number)
    steps = plan.steps(kept.raw)
    step = next((step for step in steps if step.page is page), None)
    if step is None:
        return go(_after(offer, lang, steps, page, kept, checking=CHECK in request.args))
    return send(_drawn(offer, lang, steps, step, kept))


@blueprint.post("/<lang:lang>/w/<wave_id>/<int:number>")
@enters(PUBLIC)
def keep_section(lang: str, wave_id: str, number: int) -> Response:
    """Keep the page, right or wrong; go on where all of it can be taken."""
    offer, secret = answering(lang, wave_id)
    plan = plan_of(offer.edition)
    page = _page(plan, number)
    fields = _fields()
    kept = _save(offer, secret, page, fields, lang)
    here = f"/w/{wave_id}/{number}" + (f"?{CHECK}" if CHECK in request.args else "")
    to = next((value for name, value in fields if name == "to"), lang)
    if to != lang and to in offer.languages:
        return go(f"/{to}{here}")
    steps = plan.steps(kept.raw)
    step = next((step for step in steps if step.page is page), None)
    if step is not None and troubles(step, kept.raw):
        return go(f"/{lang}{here}#problems")
    return go(_after(offer, lang, steps, page, kept, checking=CHECK in request.args))


def _page(plan: Plan, number: int) -> Page:
    page = plan.page(number)
    if page is None:
        abort(404)
    return page


def _fields() -> list[tuple[str, str]]:
    """The form's fields; our own forms are read without Flask's parser, which takes 50 us longer."""
    if request.content_type != FORM:
        return list(request.form.items(multi=True))
    try:
        return parse_qsl(request.get_data().decode(errors="replace"), max_num_fields=FIELDS_MOST, errors="replace")
    except ValueError:
        abort(413)


def _save(offer: Offer, secret: bytes, page: Page, fields: list[tuple[str, str]], lang: str) -> Kept:
    try:
        sent = from_form(fields, page.keys)
        work = partial(
            drafts.save,
            pocket=phone.pocket(secret, offer.id),
            page=page.number,
            keys=page.keys,
            sent=sent,
            today=state().today(),
        )
        kept = state().writer.run(work)
    except TooMuch:
        abort(413)
    if kept is None:
        no_draft(lang, offer, secret)
    return kept


def _after(offer: Offer, lang: str, steps: tuple[Step, ...], page: Page, kept: Kept, checking: bool) -> str:
    """Where to go from a page: the next one; from the last look the next unseen one, else back to it."""
    for step in steps:
        number = step.page.number
        if (checking and number not in kept.seen) or (not checking and number > page.number):
            return f"/{lang}/w/{offer.id}/{number}" + (f"?{CHECK}" if checking else "")
    return f"/{lang}/w/{offer.id}/check"


def _drawn(offer: Offer, lang: str, steps: tuple[Step, ...], step: Step, kept: Kept) -> Finished:
    page, checking = step.page, CHECK in request.args
    before = steps[step.place - 2].page.number if step.place > 1 else 0
    count = sum(other.page.section is page.section for other in steps)
    ask = partial(_draw, offer, lang, step, before=before, count=count, checking=checking)
    if any(name.removesuffix("~") in page.keys for name in kept.raw):
        return finished(ask(kept.raw))
    key = (offer.id, offer.edition.digest, offer.languages, lang, page.number, step.place, step.total)
    return desk().pages.get((*key, step.rules, before, count, checking), lambda: ask({}))


def _draw(  # the page of one step, with these raw answers
    offer: Offer, lang: str, step: Step, raw: dict[str, list[str]], *, before: int, count: int, checking: bool
) -> str:
    survey = offer.survey(lang)
    section = survey.section(step.page.section.id)
    questions = asked(survey, step, raw)
    back = f"/{before}" if before else ""
    if checking:
        back = "/check"
    return draw(
        "section.html",
        offer=offer,
        lang=lang,
        section=section,
        step=step,
        questions=questions,
        problems=summary(questions),
        count=count,
        back=f"/{lang}/w/{offer.id}{back}",
        path=f"/w/{offer.id}/{step.page.number}" + (f"?{CHECK}" if checking else ""),
        saving=True,
    )
