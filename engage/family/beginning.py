"""Before the first question: who asks, who will see the answers, how long it takes. Then the draft begins."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from flask import Response, request

from engage.access.permits import PUBLIC
from engage.family import phone
from engage.family.desk import desk, looking
from engage.family.door import blueprint
from engage.family.offers import Offer
from engage.family.pages import answer, draw, go, send
from engage.family.plan import plan_of
from engage.family.visits import BEGUN, has_sent
from engage.family.visits import beginning as offer_to_begin
from engage.intake import drafts
from engage.intake.burning import is_gone
from engage.intake.sealed import Kept
from engage.web.guards import enters
from engage.web.locale import gettext
from engage.web.state import state

NEW, BEGUN_BEFORE, SENT = "new", "begun", "sent"


@blueprint.get("/<lang:lang>/w/<wave_id>")
@enters(PUBLIC)
def consent(lang: str, wave_id: str) -> Response:
    """The first page of an open link."""
    offer = offer_to_begin(lang, wave_id)
    if offer.entry == "code":
        return go(f"/{lang}/c")
    came = how_it_stands(offer, None)
    return send(desk().pages.get(("consent", lang, offer, came), lambda: consent_page(offer, lang, came)))


@blueprint.post("/<lang:lang>/w/<wave_id>")
@enters(PUBLIC)
def begin(lang: str, wave_id: str) -> Response:
    """Begin, or go on with, a draft of an open wave."""
    offer = offer_to_begin(lang, wave_id)
    if offer.entry == "code":
        return go(f"/{lang}/c")
    school = _school(offer)
    if school is None:
        # translators: shown beside the list of schools when none was chosen
        problem = gettext("Please choose your school.")
        came = how_it_stands(offer, None)
        return answer("consent.html", 422, **_values(offer, lang, came), problem=problem)
    return begun(offer, lang, Came(school))


def consent_page(offer: Offer, lang: str, came: str, code: str = "") -> str:
    """The page itself; with an access code the school is known."""
    values = _values(offer, lang, came) | ({"path": f"/c/{code}"} if code else {})
    return draw("consent.html", **values, code=code)


def _values(offer: Offer, lang: str, came: str) -> dict[str, object]:
    return {"offer": offer, "survey": offer.survey(lang), "lang": lang, "came": came, "path": f"/w/{offer.id}"}


@dataclass(frozen=True, slots=True)
class Came:
    """How a family comes in: `school_id` it is asked at, and digests of its access code, where it has one: the
    invitation's, and what the code leaves behind in an anonymous wave."""

    school_id: str
    invitation: str | None = None
    spent: str | None = None


def how_it_stands(offer: Offer, came: Came | None) -> str:
    """Whether this phone comes anew, has begun, or has sent its answers. Another household's code comes anew."""
    secret = phone.held()
    if secret is None:
        return NEW
    kept = _draft(offer, secret)
    if kept is not None:
        return BEGUN_BEFORE if _is_own(offer, kept, came) else NEW
    return SENT if came is None and has_sent(offer, secret) else NEW


def begun(offer: Offer, lang: str, came: Came) -> Response:
    """Begin a draft, or go on with the phone's own; then on to the first page it has not sent."""
    secret, kept = _secret(offer, came)
    today = state().today()
    state().writer.run(
        partial(
            drafts.begin,
            pocket=phone.pocket(secret, offer.id),
            wave_id=offer.id,
            school_id=came.school_id,
            invitation=came.invitation,
            spent=came.spent,
            today=today,
        )
    )
    if desk().swept_on != today:
        desk().swept_on = today
        kept_for = timedelta(days=state().settings.keep_drafts_days)
        state().writer.run(partial(drafts.sweep, before=today - kept_for))
    return phone.hand_over(go(f"{next_page(offer, lang, kept)}?{BEGUN}"), secret)


def next_page(offer: Offer, lang: str, kept: Kept | None) -> str:
    """The address of the first page that was not sent yet; of the last look where all were."""
    raw, seen = (kept.raw, kept.seen) if kept else ({}, frozenset[int]())
    for step in plan_of(offer.edition).steps(raw):
        if step.page.number not in seen:
            return f"/{lang}/w/{offer.id}/{step.page.number}"
    return f"/{lang}/w/{offer.id}/check"


def _secret(offer: Offer, came: Came) -> tuple[bytes, Kept | None]:
    """The phone's secret with the draft it goes on with. A new one where the phone holds none, where the family
    starts again, and where what it holds is another household's."""
    secret = phone.held()
    if secret is None or request.form.get("fresh"):
        return phone.new(), None
    kept = _draft(offer, secret)
    if kept is None:
        return (phone.new() if has_sent(offer, secret) else secret), None
    return (secret, kept) if _is_own(offer, kept, came) else (phone.new(), None)


def _is_own(offer: Offer, kept: Kept, came: Came | None) -> bool:
    """Whether the family goes on with this draft: it has the same code, or a new one of its school, and the code it
    began with is gone."""
    if came is None or came.invitation is None or kept.invitation is None:
        return kept.invitation == (came.invitation if came else None)
    if kept.invitation == came.invitation:
        return True
    with looking() as connection:
        return kept.school_id == came.school_id and is_gone(connection, offer, kept.invitation)


def _draft(offer: Offer, secret: bytes) -> Kept | None:
    return drafts.look(state().engine, phone.pocket(secret, offer.id))


def _school(offer: Offer) -> str | None:
    if len(offer.schools) == 1:
        return offer.schools[0][0]
    chosen = request.form.get("school")
    return chosen if chosen in {school for school, _ in offer.schools} else None
