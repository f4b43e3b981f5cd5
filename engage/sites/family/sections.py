"""The pages of questions. Each page is stored before the next one is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from flask import Response, abort, request

from engage.domain.intake import drafts
from engage.domain.intake.form_data import FIELDS_MOST, MARKER, FormTooLarge, parse_form
from engage.domain.security.permissions import PUBLIC
from engage.questionnaire.pages import Plan, Step, SurveyPage, build_plan
from engage.questionnaire.question_types import RefusedAnswer
from engage.sites.family import device_secret
from engage.sites.family.blueprint import blueprint
from engage.sites.family.context import family_memory
from engage.sites.family.draft_view import DraftView, draft_view
from engage.sites.family.form_fields import form_fields
from engage.sites.family.missing_answers import find_missing
from engage.sites.family.page_cache import RenderedPage, pack_page, redirect_with_get, render_page, send_page
from engage.sites.family.question_view import problem_summary, question_views
from engage.sites.family.validation_messages import validate_step
from engage.sites.family.wave_access import redirect_without_draft, require_draft, require_offer_and_secret
from engage.sites.family.wave_cache import Offer
from engage.web.context import runtime
from engage.web.permissions import enters

CHECK = "check"  # query argument: the page was opened from the review page, and leads back there
BLANK = "blank"  # query argument: the family was asked once to fill in blanks, and may continue without
STOP, WITHOUT = "stop", "without"  # buttons: save and stop; continue without these questions


@blueprint.get("/<lang:lang>/w/<wave_id>/<int:number>")
@enters(PUBLIC)
def section(lang: str, wave_id: str, number: int) -> Response:
    """One page of questions, with the answers so far."""
    offer, secret = require_offer_and_secret(lang, wave_id)
    view = require_draft(lang, offer, secret)
    page = _require_page(view.plan, number)
    if view.step(page) is None:
        return redirect_with_get(_next_address(offer, lang, view, page))
    return send_page(_render_section(offer, lang, view, page))


@blueprint.post("/<lang:lang>/w/<wave_id>/<int:number>")
@enters(PUBLIC)
def keep_section(lang: str, wave_id: str, number: int) -> Response:
    """Store the page, valid or not; continue if all answers are valid and no deciding question is blank."""
    offer, secret = require_offer_and_secret(lang, wave_id)
    page = _require_page(build_plan(offer.edition), number)
    fields = form_fields()
    pressed = dict(reversed([(name, value) for name, value in fields if name in ("to", STOP, WITHOUT)]))
    view = _save_page(offer, secret, page, fields, pressed, lang)
    here = f"/w/{wave_id}/{number}"
    to = pressed.get("to", lang)
    if to != lang and to in offer.languages:
        return redirect_with_get(f"/{to}{here}{_query(CHECK, BLANK)}")
    if STOP in pressed:
        return redirect_with_get(f"/{lang}/w/{wave_id}/saved")
    if view.wrong(page):
        return redirect_with_get(f"/{lang}{here}{_query(CHECK)}#problems")
    if BLANK not in request.args and find_missing(view, page):
        return redirect_with_get(f"/{lang}{here}{_query(CHECK, also=BLANK)}#problems")
    return redirect_with_get(_next_address(offer, lang, view, page))


def _query(*names: str, also: str = "") -> str:
    """The query arguments of this address that are passed on, and one more."""
    there = request.args
    marks = [name for name in names if name in there] + ([also] if also else [])
    return f"?{'&'.join(marks)}" if marks else ""


def _require_page(plan: Plan, number: int) -> SurveyPage:
    page = plan.page(number)
    if page is None:
        abort(404)
    return page


def _save_page(
    offer: Offer, secret: bytes, page: SurveyPage, fields: list[tuple[str, str]], pressed: Mapping[str, str], lang: str
) -> DraftView:
    try:
        sent = parse_form(fields, page.keys)
        without = pressed.get(WITHOUT, "").split()
        sent_page = drafts.SentPage(
            page.number,
            page.keys,
            {name: values for name, values in sent.items() if name not in without},
            finished=STOP not in pressed,
            phone=device_secret.phone_reply_code(secret, offer.id) if offer.resumes_by_code else "",
        )
        pocket = device_secret.draft_pocket(secret, offer.id)
        work = partial(drafts.save_page, pocket=pocket, page=sent_page, today=runtime().today())
        draft = runtime().writer.run(work)
    except FormTooLarge:
        abort(_render_too_long(offer, secret, page, fields, lang))
    if draft is None:
        redirect_without_draft(lang, offer, secret)
    return draft_view(offer, secret, draft)


def _render_too_long(
    offer: Offer, secret: bytes, page: SurveyPage, fields: list[tuple[str, str]], lang: str
) -> Response | int:
    """The submitted page with errors about texts that are too long; a plain 413 if the size has another cause."""
    view = require_draft(lang, offer, secret)
    step, sent = view.step(page), [(name, value) for name, value in fields if name.removesuffix(MARKER) in page.keys]
    typed: dict[str, list[str]] = {}
    for name, value in sent[:FIELDS_MOST]:
        typed.setdefault(name, []).append(value)
    wrong = validate_step(step, {**view.kept.raw, **typed}) if step else {}
    if step is None or not wrong:
        return 413
    typed_view = replace(view, raw={**view.raw, **typed})
    return send_page(pack_page(_render_step(offer, lang, typed_view, step, StepProblems(wrong=wrong))), 413)


def _next_address(offer: Offer, lang: str, view: DraftView, page: SurveyPage) -> str:
    """The address after a page: the next page; from the review page, the next page not seen, or else the review
    page."""
    checking = CHECK in request.args
    for step in view.steps:
        number = step.page.number
        if (checking and number not in view.kept.seen) or (not checking and number > page.number):
            return f"/{lang}/w/{offer.id}/{number}" + (f"?{CHECK}" if checking else "")
    return f"/{lang}/w/{offer.id}/check"


def _render_section(offer: Offer, lang: str, view: DraftView, page: SurveyPage) -> RenderedPage:
    step = view.step(page)
    assert step is not None
    answered = any(name.removesuffix("~") in page.keys for name in view.raw)
    elsewhere = view.is_elsewhere(page)
    wrong = view.wrong(page) if answered or elsewhere else {}
    blank = find_missing(view, page) if BLANK in request.args and not wrong else {}
    ask = partial(_render_step, offer, lang, view, step, StepProblems(elsewhere, wrong, blank))
    if elsewhere or answered or blank:
        return pack_page(ask())
    before, count, most = _previous_number(view, step), _count_pages(view, step), _is_over_maximum(view, step)
    key = (offer.id, offer.edition.digest, offer.languages, lang, page.number, step.place, step.total)
    return family_memory().pages.get((*key, step.rules, before, count, most, CHECK in request.args), ask)


def _previous_number(view: DraftView, step: Step) -> int:
    """The number of the previous page; 0 if there is none."""
    return view.steps[step.place - 2].page.number if step.place > 1 else 0


def _count_pages(view: DraftView, step: Step) -> int:
    """The number of pages of this section."""
    return sum(other.page.section is step.page.section for other in view.steps)


def _is_over_maximum(view: DraftView, step: Step) -> bool:
    """Whether the family gave a larger number than the section's maximum of repetitions."""
    section = step.page.section
    return section.repeat is not None and view.plan.count(section.repeat, view.raw) > section.maximum


@dataclass(frozen=True, slots=True)
class StepProblems:
    """Why a page is not complete: refused answers, blanks that are asked about once more, and whether another phone has
    sent the page."""

    elsewhere: bool = False
    wrong: Mapping[str, RefusedAnswer] = field(default_factory=dict)
    blank: Mapping[str, RefusedAnswer] = field(default_factory=dict)


def _render_step(  # renders the page of one step, with the answers that this phone may see
    offer: Offer,
    lang: str,
    view: DraftView,
    step: Step,
    problems: StepProblems,
) -> str:
    survey = offer.survey(lang)
    questions = question_views(survey, step, view.raw, problems.wrong or problems.blank)
    before = _previous_number(view, step)
    back = f"/{before}" if before else ""
    if CHECK in request.args:
        back = "/check"
    return render_page(
        "section.html",
        offer=offer,
        lang=lang,
        section=survey.section(step.page.section.id),
        step=step,
        questions=questions,
        problems=problem_summary(questions),
        blank=[one for one in questions if one.key in problems.blank],
        elsewhere=problems.elsewhere,
        too_many=_is_over_maximum(view, step),
        count=_count_pages(view, step),
        back=f"/{lang}/w/{offer.id}{back}",
        path=f"/w/{offer.id}/{step.page.number}{_query(CHECK, BLANK)}",
        saving=True,
    )
