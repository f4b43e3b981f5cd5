"""Saving and stopping: until when a draft is stored, how to resume it, and how to close or clear a shared phone."""

from datetime import date
from functools import partial

from flask import Response

from engage.domain.intake import drafts
from engage.domain.security.permissions import PUBLIC
from engage.sites.family import device_secret
from engage.sites.family.blueprint import blueprint
from engage.sites.family.consent import next_page_address
from engage.sites.family.page_cache import redirect_with_get, render_response
from engage.sites.family.wave_access import require_draft, require_offer_and_secret
from engage.sites.family.wave_cache import Offer
from engage.web.context import runtime
from engage.web.page_language import gettext
from engage.web.permissions import enters


@blueprint.get("/<lang:lang>/w/<wave_id>/saved")
@enters(PUBLIC)
def saved_draft(lang: str, wave_id: str) -> Response:
    """Until when the answers are stored, and how to resume them."""
    offer, secret = require_offer_and_secret(lang, wave_id)
    view = require_draft(lang, offer, secret)
    if offer.on_shared_device:
        return redirect_with_get(f"/{lang}/w/{wave_id}/clear")
    days = runtime().settings.keep_drafts_days
    on, path = next_page_address(offer, lang, view), f"/w/{wave_id}/saved"
    return render_response(
        "save_and_stop.html", offer=offer, lang=lang, until=_resumable_until(offer), days=days, next=on, path=path
    )


@blueprint.post("/<lang:lang>/w/<wave_id>/saved")
@enters(PUBLIC)
def keep_on_phone(lang: str, wave_id: str) -> Response:
    """Let this phone store its secret for some days, after the browser is closed."""
    offer, secret = require_offer_and_secret(lang, wave_id)
    require_draft(lang, offer, secret)
    page = redirect_with_get(f"/{lang}/w/{wave_id}/saved")
    if not offer.can_keep_secret:
        return page
    return device_secret.set_secret_cookie(page, wave_id, secret, device_secret.draft_expiry_day())


def _resumable_until(offer: Offer) -> date | None:
    """The last day on which the family can resume; None if that ends with the browser."""
    held = device_secret.draft_expiry_day() if offer.resumes_by_code else device_secret.read_secret_expiry(offer.id)
    return held and min(held, device_secret.draft_expiry_day(), offer.closes)


@blueprint.post("/<lang:lang>/w/<wave_id>/close")
@enters(PUBLIC)
def close(lang: str, wave_id: str) -> Response:
    """Remove a shared phone's access to its household's answers. They stay stored, and can be resumed with the code."""
    offer, secret = require_offer_and_secret(lang, wave_id)
    if not offer.resumes_by_code:
        return redirect_with_get(f"/{lang}/w/{wave_id}/clear")
    runtime().writer.run(partial(drafts.close_phone_draft, pocket=device_secret.draft_pocket(secret, wave_id)))
    # translators: privacy: heading: nobody can open the answers on this phone any more; they are kept elsewhere
    heading = gettext("Your answers are closed on this phone")
    # translators: privacy: below that heading
    advice = gettext("We keep them. To go on, type the code from your letter, on any phone.")
    return device_secret.clear_secret_cookies(
        render_response("message.html", heading=heading, advice=advice, path="/"), wave_id
    )


@blueprint.get("/<lang:lang>/w/<wave_id>/clear")
@enters(PUBLIC)
def ask_to_clear(lang: str, wave_id: str) -> Response:
    """Ask for confirmation before answers are deleted."""
    offer, secret = require_offer_and_secret(lang, wave_id)
    view = require_draft(lang, offer, secret)
    back, path = next_page_address(offer, lang, view), f"/w/{wave_id}/clear"
    return render_response("clear_answers.html", offer=offer, lang=lang, back=back, path=path)


@blueprint.post("/<lang:lang>/w/<wave_id>/clear")
@enters(PUBLIC)
def clear(lang: str, wave_id: str) -> Response:
    """Delete the answers given on this phone, and its cookie."""
    offer, secret = require_offer_and_secret(lang, wave_id)
    phone_code, today = device_secret.phone_reply_code(secret, wave_id), runtime().today()
    runtime().writer.run(
        partial(
            drafts.destroy_phone_answers,
            pocket=device_secret.draft_pocket(secret, wave_id),
            phone=phone_code,
            today=today,
        )
    )
    # translators: privacy: heading of a page
    heading = gettext("Your answers are cleared")
    # translators: below that heading: the answers that were not sent yet are erased
    advice = gettext("None of them were sent to the school.")
    path = "/c" if offer.by_slip else "/"
    page = render_response("message.html", heading=heading, advice=advice, path=path, offer=offer)
    return device_secret.clear_secret_cookies(page, wave_id)
