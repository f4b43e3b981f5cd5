"""Before the first question: who asks, who will see the answers, how long it takes. Then the draft begins."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from flask import Response, request

from engage.domain.intake import drafts
from engage.domain.intake.access_code_use import is_gone
from engage.domain.intake.draft_authors import has_answered
from engage.domain.intake.draft_encryption import Kept, Pocket
from engage.domain.security.permissions import PUBLIC
from engage.sites.family import device_secret
from engage.sites.family.blueprint import blueprint
from engage.sites.family.context import desk, looking
from engage.sites.family.draft_limit import require_room
from engage.sites.family.draft_view import DraftView, draft_view
from engage.sites.family.form_fields import form_names
from engage.sites.family.gatekeeping import BEGUN, chosen_school, has_sent
from engage.sites.family.gatekeeping import beginning as offer_to_begin
from engage.sites.family.page_cache import answer, draw, finished, go, send
from engage.sites.family.wave_cache import Offer
from engage.web.context import state
from engage.web.page_language import gettext
from engage.web.permissions import enters

NEW, BEGUN_BEFORE, SENT = "new", "begun", "sent"
GO_ON, FRESH, KEEP = "go", "fresh", "keep"  # in the form: buttons, and whether the phone keeps its secret for days


@blueprint.get("/<lang:lang>/w/<wave_id>")
@enters(PUBLIC)
def consent(lang: str, wave_id: str) -> Response:
    """The first page of an open link."""
    offer = offer_to_begin(lang, wave_id)
    if offer.entry == "code":
        return go(f"/{lang}/c")
    came, keeps = how_it_stands(offer, None), device_secret.held_until(wave_id) is not None
    return send(desk().pages.get(("consent", lang, offer, came, keeps), lambda: consent_page(offer, lang, came)))


@blueprint.post("/<lang:lang>/w/<wave_id>")
@enters(PUBLIC)
def begin(lang: str, wave_id: str) -> Response:
    """Begin, or go on with, a draft of an open wave."""
    offer = offer_to_begin(lang, wave_id)
    if offer.entry == "code":
        return go(f"/{lang}/c")
    came, school = how_it_stands(offer, None), _school(offer)
    if school is None:
        # translators: shown beside the list of schools when none was chosen
        problem = gettext("Please choose your school.")
        return answer("consent.html", 422, **_values(offer, lang, came), problem=problem)
    return begun(offer, lang, Came(school))


def consent_page(offer: Offer, lang: str, came: str, code: str = "") -> str:
    """The page itself; with an access code the school is known."""
    values = _values(offer, lang, came) | ({"path": f"/c/{code}"} if code else {})
    return draw("consent.html", **values, code=code)


def _values(offer: Offer, lang: str, came: str) -> dict[str, object]:
    values = {"offer": offer, "survey": offer.survey(lang), "lang": lang, "came": came, "path": f"/w/{offer.id}"}
    days = 0 if device_secret.held_until(offer.id) else state().settings.keep_drafts_days
    return values | {"keep_days": 0 if offer.resumes_by_code else days}


@dataclass(frozen=True, slots=True)
class Came:
    """How a family comes in: `school_id` it is asked at, and digests of its access code, where it has one: the
    invitation's, and what the code leaves behind in an anonymous wave. `shared`: where its household's draft lies, in
    a wave in which phones share one."""

    school_id: str
    invitation: str | None = None
    spent: str | None = None
    shared: Pocket | None = None
    code: str = ""
    """As it is shown."""


def how_it_stands(offer: Offer, came: Came | None) -> str:
    """Whether this phone comes anew, has begun, or has sent its answers. Another household's code comes anew."""
    if came is not None and came.shared is not None and _has_answers(drafts.look(state().engine, came.shared)):
        return BEGUN_BEFORE
    secret = device_secret.held(offer.id)
    if secret is None:
        return NEW
    if _has_answers(_answers(offer, secret, came)):
        return BEGUN_BEFORE
    return SENT if came is None and has_sent(offer, secret) else NEW


def begun(offer: Offer, lang: str, came: Came) -> Response:
    """Begin a draft, or go on with the phone's own or its household's where the family says so; then on to the first
    page that was not sent. Without a word nobody goes on with answers that somebody else may have begun."""
    pressed = form_names()
    going_on = GO_ON in pressed
    if not going_on and FRESH not in pressed:
        stands = how_it_stands(offer, came if came.invitation else None)
        if stands == BEGUN_BEFORE:
            return send(finished(consent_page(offer, lang, stands, came.code)))
    if not going_on:
        require_room()
    secret, until = _secret(offer, came), None
    today = state().today()
    kept = _begin_draft(offer, secret, came, today)
    if desk().swept_on != today:
        desk().swept_on = today
        kept_for = timedelta(days=state().settings.keep_drafts_days)
        state().writer.run(partial(drafts.sweep, before=today - kept_for))
    if KEEP in pressed and not offer.resumes_by_code:
        until = device_secret.keeping_day()
    elif going_on:
        until = device_secret.held_until(offer.id)
    view = draft_view(offer, secret, kept)  # starting again throws nothing away that other phones answered
    to = next_page(offer, lang, view, again=FRESH in pressed)
    return device_secret.hand_over(go(f"{to}?{BEGUN}"), offer.id, secret, until)


def _begin_draft(offer: Offer, secret: bytes, came: Came, today: date) -> Kept:
    pocket, before = device_secret.pocket(secret, offer.id), device_secret.held(offer.id)
    if before not in (None, secret):
        old = device_secret.pocket(before, offer.id)
        if not _has_answers(drafts.look_through(state().engine, old)):  # begun by a tap on Start, and nothing more
            state().writer.run(partial(drafts.close, pocket=old))
    if came.shared is not None:
        new = Kept(came.school_id, came.invitation, None, {}, shared=came.shared)
        return state().writer.run(partial(drafts.begin_shared, pocket=pocket, new=new, wave_id=offer.id, today=today))
    return state().writer.run(
        partial(
            drafts.begin,
            pocket=pocket,
            wave_id=offer.id,
            school_id=came.school_id,
            invitation=came.invitation,
            spent=came.spent,
            today=today,
        )
    )


def next_page(offer: Offer, lang: str, view: DraftView, again: bool = False) -> str:
    """The address of the first page that was not sent yet; of the last look where all were. `again`: of the first."""
    for step in view.steps:
        if again or step.page.number not in view.kept.seen:
            return f"/{lang}/w/{offer.id}/{step.page.number}"
    return f"/{lang}/w/{offer.id}/check"


def _secret(offer: Offer, came: Came) -> bytes:
    """The phone's secret where the family goes on with a draft of this phone; else a new one. A secret that no answers
    of this family hang on is never used again: somebody else may have put it there."""
    secret = device_secret.held(offer.id)
    pressed = form_names()
    going_on = GO_ON in pressed or (came.shared is not None and FRESH in pressed)
    if secret is None or not going_on:
        return device_secret.new()
    kept = _answers(offer, secret, came if came.invitation else None)
    if kept is None or not _has_answers(kept):
        return device_secret.new()
    shared = came.shared is not None and not has_answered(kept, device_secret.code(secret, offer.id))
    return device_secret.new() if shared else secret


def _answers(offer: Offer, secret: bytes, came: Came | None) -> Kept | None:
    """The draft that this phone can go on with, if it is this family's."""
    pocket = device_secret.pocket(secret, offer.id)
    kept = drafts.look(state().engine, pocket)
    if kept is None or not _is_own(offer, kept, came):
        return None
    return drafts.look_through(state().engine, pocket)


def _has_answers(kept: Kept | None) -> bool:
    """Whether a page of a draft was sent, or kept unfinished."""
    return kept is not None and bool(kept.raw)


def _is_own(offer: Offer, kept: Kept, came: Came | None) -> bool:
    """Whether the family goes on with this draft: it has the same code, or a new one of its school, and the code it
    began with is gone."""
    if came is None or came.invitation is None or kept.invitation is None:
        return kept.invitation == (came.invitation if came else None)
    if kept.invitation == came.invitation:
        return True
    with looking() as connection:
        return kept.school_id == came.school_id and is_gone(connection, offer, kept.invitation)


def _school(offer: Offer) -> str | None:
    """The school chosen; the only one; or, for a family that goes on, the one it chose before."""
    chosen = chosen_school(offer)
    if chosen is None and not request.form.get("school") and GO_ON in form_names():
        secret = device_secret.held(offer.id)
        kept = _answers(offer, secret, None) if secret else None
        return kept.school_id if kept and kept.school_id in {school for school, _ in offer.schools} else None
    return chosen
