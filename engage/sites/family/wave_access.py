"""Access checks of the family pages: the wave of an address, whether it is open, and the phone's secret and draft. A
failed check aborts with a page that explains why, or with a redirect."""

from functools import partial
from typing import NoReturn

from flask import Response, abort, request

from engage.base.languages import LANGUAGES
from engage.domain.intake import drafts
from engage.domain.intake.access_code_use import is_confidential_code_used
from engage.domain.intake.submission import is_stored
from engage.domain.security.access_codes import format_reply_code
from engage.sites.family import device_secret
from engage.sites.family.context import cached_offer as find_offer
from engage.sites.family.context import family_memory, open_read_connection, request_network
from engage.sites.family.draft_view import DraftView, draft_view
from engage.sites.family.page_cache import redirect_with_get, render_page, render_response, send_page
from engage.sites.family.wave_cache import Offer
from engage.web.context import runtime
from engage.web.page_language import gettext, long_date

LOST = "sent"  # query argument: the answers were stored before, and the page that said so may not have arrived
JUST_BEGUN = "begun"  # query argument right after beginning: if the cookie is missing then, the phone refuses cookies


def require_offer(lang: str, wave_id: str) -> Offer:
    """The wave of this address, in a language it is offered in; otherwise aborts with a page that gives the reason."""
    offer = find_offer(wave_id)
    if offer is None:
        # translators: heading of a page: the address names a survey we do not have
        heading = gettext("We cannot find this survey")
        # translators: what to do when the address of a survey is wrong
        refuse(heading, gettext("Please check the link, or ask the person who gave it to you."), 404)
    if lang not in offer.languages:
        tongues = [LANGUAGES[tag] for tag in offer.languages if tag in LANGUAGES]
        abort(render_response("language_missing.html", 404, offer=offer, tongues=tongues))
    return offer


def require_open_offer(lang: str, wave_id: str) -> Offer:
    """A wave that accepts answers today, on the phone or on paper."""
    offer = require_offer(lang, wave_id)
    today = runtime().today()
    if today < offer.opens:
        # translators: heading of a page
        heading = gettext("This survey has not started yet")
        # translators: %(day)s is a date
        advice = gettext("It starts on %(day)s. Please come back then.", day=long_date(offer.opens))
        refuse(heading, advice, 403, read=reading_address(lang, offer), offer=offer)
    if not offer.begins(today):
        _refuse_closed(offer)
    return offer


def require_web_offer(lang: str, wave_id: str) -> Offer:
    """A wave that a family can begin on the phone today."""
    offer = require_open_offer(lang, wave_id)
    if not offer.on_the_web:
        # translators: heading of a page: the survey cannot be answered on a phone
        heading = gettext("You can answer this survey only at your school")
        # translators: said to a family that wants to answer on the phone
        advice = gettext("Please ask your school for a paper form, or for someone who can ask you the questions.")
        refuse(heading, advice, 403, read=reading_address(lang, offer), offer=offer)
    return offer


def require_offer_and_secret(lang: str, wave_id: str) -> tuple[Offer, bytes]:
    """A wave that still accepts answers, and the phone's secret. A phone without one is redirected to the first
    page."""
    offer = require_offer(lang, wave_id)
    if not offer.takes(runtime().today()):
        _refuse_closed(offer)
    secret = device_secret.read_secret(wave_id)
    if secret is None:
        if JUST_BEGUN in request.args:
            abort(_render_cookie_problem(lang, offer))
        abort(redirect_with_get(f"/{lang}/w/{wave_id}"))
    if offer.by_slip and JUST_BEGUN in request.args:  # else Back would find that address after the secret is deleted
        abort(redirect_with_get(request.path))
    return offer, secret


def _render_cookie_problem(lang: str, offer: Offer) -> Response:
    draw = partial(render_page, "no_cookie.html", lang=lang, offer=offer, path=f"/w/{offer.id}")
    return send_page(family_memory().pages.get(("no cookie", lang, offer), draw))


def require_draft(lang: str, offer: Offer, secret: bytes) -> DraftView:
    """This phone's view of its draft; without a draft it is redirected to the thanks page or the first page."""
    draft = drafts.peek_answer_draft(runtime().engine, device_secret.draft_pocket(secret, offer.id))
    if draft is None:
        redirect_without_draft(lang, offer, secret)
    return draft_view(offer, secret, draft)


def redirect_without_draft(lang: str, offer: Offer, secret: bytes) -> NoReturn:
    """Redirect a phone that has no draft: its answers are stored already, or it has not begun."""
    if has_sent(offer, secret):
        abort(redirect_with_get(f"/{lang}/w/{offer.id}/thanks?{LOST}"))
    if offer.resumes_by_code and _was_sent_elsewhere(offer, secret):
        abort(
            render_response(
                "sent_elsewhere.html",
                410,
                offer=offer,
                code=format_reply_code(device_secret.phone_reply_code(secret, offer.id)),
            )
        )
    abort(redirect_with_get(f"/{lang}/w/{offer.id}"))


def _was_sent_elsewhere(offer: Offer, secret: bytes) -> bool:
    """Whether another phone has sent the answers of this phone's household."""
    draft = drafts.peek_draft(runtime().engine, device_secret.draft_pocket(secret, offer.id))
    if draft is None or draft.invitation is None:
        return False
    with open_read_connection() as connection:
        used = is_confidential_code_used(connection, draft.invitation)
    if used:
        family_memory().codes.count(request_network())  # as for each check of a used code: sites/family/access_code.py
    return used


def has_sent(offer: Offer, secret: bytes) -> bool:
    """Whether a response of this phone is stored in this wave."""
    return is_stored(runtime().engine, device_secret.submission_key(secret, offer.id))


def chosen_school(offer: Offer) -> str | None:
    """The school in the submitted form, if it is one of the wave's; the only one if there is just one."""
    if len(offer.schools) == 1:
        return offer.schools[0][0]
    chosen = request.form.get("school")
    return chosen if chosen in {school for school, _ in offer.schools} else None


def refuse(heading: str, advice: str, status: int, read: str = "", offer: Offer | None = None) -> NoReturn:
    """Abort with a page that states the problem. `read`: the address where the survey can be read; `offer`: the wave
    that the page is about."""
    about = {} if offer is None else {"offer": offer}
    abort(render_response("message.html", status, heading=heading, advice=advice, read=read, **about))


def reading_address(lang: str, offer: Offer) -> str:
    """The address where the whole survey can be read."""
    return f"/{lang}/w/{offer.id}/read"


def _refuse_closed(offer: Offer) -> NoReturn:
    # translators: heading of a page
    heading = gettext("This survey has ended")
    # translators: %(day)s is a date. Said to a family that comes too late
    ended = gettext("This survey closed on %(day)s. Thank you for your interest.", day=long_date(offer.closes))
    refuse(heading, ended, 410, offer=offer)
