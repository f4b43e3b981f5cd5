"""The consent page: who asks, who will see the answers, and how long it takes; then the draft begins."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from flask import Response, request

from engage.domain.intake import drafts
from engage.domain.intake.access_code_use import is_code_replaced
from engage.domain.intake.draft_authors import has_answered
from engage.domain.intake.draft_encryption import DraftContent, DraftKeys
from engage.domain.security.permissions import PUBLIC
from engage.sites.family import device_secret
from engage.sites.family.blueprint import blueprint
from engage.sites.family.context import family_memory, open_read_connection
from engage.sites.family.draft_limit import require_draft_space
from engage.sites.family.draft_view import DraftView, draft_view
from engage.sites.family.form_fields import form_names
from engage.sites.family.page_cache import pack_page, redirect_with_get, render_page, render_response, send_page
from engage.sites.family.wave_access import JUST_BEGUN, chosen_school, has_sent
from engage.sites.family.wave_access import require_web_offer as offer_to_begin
from engage.sites.family.wave_cache import Offer
from engage.web.context import runtime
from engage.web.page_language import gettext
from engage.web.permissions import enters

NEW, BEGUN_BEFORE, SENT = "new", "begun", "sent"
GO_ON, FRESH, KEEP = "go", "fresh", "keep"  # form fields: two buttons, and whether the phone stores its secret


@blueprint.get("/<lang:lang>/w/<wave_id>")
@enters(PUBLIC)
def consent(lang: str, wave_id: str) -> Response:
    """The first page of an open link."""
    offer = offer_to_begin(lang, wave_id)
    if offer.entry == "code":
        return redirect_with_get(f"/{lang}/c")
    status, keeps = draft_status(offer, None), device_secret.read_secret_expiry(wave_id) is not None
    return send_page(
        family_memory().pages.get(
            ("consent", lang, offer, status, keeps), lambda: render_consent_page(offer, lang, status)
        )
    )


@blueprint.post("/<lang:lang>/w/<wave_id>")
@enters(PUBLIC)
def begin(lang: str, wave_id: str) -> Response:
    """Begin or resume a draft of an open wave."""
    offer = offer_to_begin(lang, wave_id)
    if offer.entry == "code":
        return redirect_with_get(f"/{lang}/c")
    status, school = draft_status(offer, None), _resolve_school(offer)
    if school is None:
        # translators: shown beside the list of schools when none was chosen
        problem = gettext("Please choose your school.")
        return render_response("consent.html", 422, **_page_values(offer, lang, status), problem=problem)
    return begin_or_resume(offer, lang, FamilyEntry(school))


def render_consent_page(offer: Offer, lang: str, status: str, code: str = "") -> str:
    """Render the consent page; with an access code the school is already determined."""
    values = _page_values(offer, lang, status) | ({"path": f"/c/{code}"} if code else {})
    return render_page("consent.html", **values, code=code)


def _page_values(offer: Offer, lang: str, status: str) -> dict[str, object]:
    values = {"offer": offer, "survey": offer.survey(lang), "lang": lang, "draft": status, "path": f"/w/{offer.id}"}
    days = 0 if device_secret.read_secret_expiry(offer.id) else runtime().settings.keep_drafts_days
    return values | {"keep_days": days if offer.can_keep_secret else 0}


@dataclass(frozen=True, slots=True)
class FamilyEntry:
    """How a family entered: the school of `school_id`, and digests of its access code, if any: the invitation's, and
    the one that records the code's use in an anonymous wave. `shared`: the keys of the household's draft, in a wave in
    which phones share one."""

    school_id: str
    invitation: str | None = None
    spent: str | None = None
    shared: DraftKeys | None = None
    code: str = ""
    """The access code as displayed."""


def draft_status(offer: Offer, entry: FamilyEntry | None) -> str:
    """Whether this phone is new, has begun, or has sent its answers. With another household's code it is new."""
    if (
        entry is not None
        and entry.shared is not None
        and _has_answers(drafts.peek_draft(runtime().engine, entry.shared))
    ):
        return BEGUN_BEFORE
    secret = device_secret.read_secret(offer.id)
    if secret is None:
        return NEW
    if _has_answers(_resumable_draft(offer, secret, entry)):
        return BEGUN_BEFORE
    return SENT if entry is None and has_sent(offer, secret) else NEW


def begin_or_resume(offer: Offer, lang: str, entry: FamilyEntry) -> Response:
    """Begin a draft, or resume the phone's or household's if the family chooses so; then redirect to the first page not
    yet sent. Without that choice, answers that somebody else may have begun are never resumed."""
    pressed = form_names()
    going_on = GO_ON in pressed
    if not going_on and FRESH not in pressed:
        stands = draft_status(offer, entry if entry.invitation else None)
        if stands == BEGUN_BEFORE:
            return send_page(pack_page(render_consent_page(offer, lang, stands, entry.code)))
    if not going_on:
        require_draft_space(offer)
    secret, until = _draft_secret(offer, entry), None
    today = runtime().today()
    draft = _begin_draft(offer, secret, entry, today)
    if family_memory().swept_on != today:
        family_memory().swept_on = today
        kept_for = timedelta(days=runtime().settings.keep_drafts_days)
        runtime().writer.run(partial(drafts.delete_stale_drafts, before=today - kept_for))
    if KEEP in pressed and offer.can_keep_secret:
        until = device_secret.draft_expiry_day()
    elif going_on:
        until = device_secret.read_secret_expiry(offer.id)
    view = draft_view(offer, secret, draft)  # starting over does not delete answers from other phones
    to = next_page_address(offer, lang, view, from_start=FRESH in pressed)
    return device_secret.set_secret_cookie(redirect_with_get(f"{to}?{JUST_BEGUN}"), offer.id, secret, until)


def _begin_draft(offer: Offer, secret: bytes, entry: FamilyEntry, today: date) -> DraftContent:
    pocket, before = device_secret.draft_pocket(secret, offer.id), device_secret.read_secret(offer.id)
    if before not in (None, secret):
        old = device_secret.draft_pocket(before, offer.id)
        if not _has_answers(
            drafts.peek_answer_draft(runtime().engine, old)
        ):  # begun by pressing Start, without any answers
            runtime().writer.run(partial(drafts.close_phone_draft, pocket=old))
    if entry.shared is not None:
        new = DraftContent(entry.school_id, entry.invitation, None, {}, shared=entry.shared)
        return runtime().writer.run(
            partial(drafts.begin_shared_draft, pocket=pocket, new=new, wave_id=offer.id, today=today)
        )
    return runtime().writer.run(
        partial(
            drafts.begin_draft,
            pocket=pocket,
            new=DraftContent(entry.school_id, entry.invitation, entry.spent, {}),
            wave_id=offer.id,
            today=today,
        )
    )


def next_page_address(offer: Offer, lang: str, view: DraftView, from_start: bool = False) -> str:
    """The address of the first page not yet sent; of the review page if all were sent."""
    for step in view.steps:
        if from_start or step.page.number not in view.kept.seen:
            return f"/{lang}/w/{offer.id}/{step.page.number}"
    return f"/{lang}/w/{offer.id}/check"


def _draft_secret(offer: Offer, entry: FamilyEntry) -> bytes:
    """The phone's secret if the family resumes a draft of this phone; otherwise a new one. A secret without answers of
    this family is never used again: somebody else may have put it on the phone."""
    secret = device_secret.read_secret(offer.id)
    pressed = form_names()
    going_on = GO_ON in pressed or (entry.shared is not None and FRESH in pressed)
    if secret is None or not going_on:
        return device_secret.make_secret()
    draft = _resumable_draft(offer, secret, entry if entry.invitation else None)
    if draft is None or not _has_answers(draft):
        return device_secret.make_secret()
    shared = entry.shared is not None and not has_answered(draft, device_secret.phone_reply_code(secret, offer.id))
    return device_secret.make_secret() if shared else secret


def _resumable_draft(offer: Offer, secret: bytes, entry: FamilyEntry | None) -> DraftContent | None:
    """The draft that this phone can resume, if it belongs to this family."""
    pocket = device_secret.draft_pocket(secret, offer.id)
    draft = drafts.peek_draft(runtime().engine, pocket)
    if draft is None or not _is_own_draft(offer, draft, entry):
        return None
    return drafts.peek_answer_draft(runtime().engine, pocket)


def _has_answers(draft: DraftContent | None) -> bool:
    """Whether a page of a draft was sent or saved unfinished."""
    return draft is not None and bool(draft.raw)


def _is_own_draft(offer: Offer, draft: DraftContent, entry: FamilyEntry | None) -> bool:
    """Whether the draft belongs to the family: it has the same code, or it has another code of the same school that was
    since replaced."""
    if entry is None or entry.invitation is None or draft.invitation is None:
        return draft.invitation == (entry.invitation if entry else None)
    if draft.invitation == entry.invitation or offer.on_shared_device:  # the next student has another code
        return draft.invitation == entry.invitation
    with open_read_connection() as connection:
        return draft.school_id == entry.school_id and is_code_replaced(connection, offer, draft.invitation)


def _resolve_school(offer: Offer) -> str | None:
    """The chosen school; the only one; or, for a resumed draft, the one chosen before."""
    chosen = chosen_school(offer)
    if chosen is None and not request.form.get("school") and GO_ON in form_names():
        secret = device_secret.read_secret(offer.id)
        draft = _resumable_draft(offer, secret, None) if secret else None
        return draft.school_id if draft and draft.school_id in {school for school, _ in offer.schools} else None
    return chosen
