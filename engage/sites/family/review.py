"""The review page with all answers, and sending them."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial

from flask import Response
from markupsafe import Markup
from sqlalchemy import Connection

from engage.domain.conversations.threads import post_by_reply_code
from engage.domain.intake import drafts
from engage.domain.intake.access_code_use import CodeUse
from engage.domain.intake.burst_marks import count_marked
from engage.domain.intake.draft_encryption import DraftContent, DraftKeys
from engage.domain.intake.follow_up_requests import FollowUpRequest, list_follow_ups
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.domain.intake.submission import AnswersRejected, CodeAlreadyUsed, CodeReplaced, Submission, accept_response
from engage.domain.security.permissions import PUBLIC
from engage.sites.family import device_secret
from engage.sites.family.access_code import refuse_used_code, render_replaced_code
from engage.sites.family.answer_review import ReviewPart, review_parts
from engage.sites.family.blueprint import blueprint
from engage.sites.family.context import RNG, count_households, family_memory, is_announced, request_network
from engage.sites.family.draft_view import DraftView
from engage.sites.family.page_cache import pack_bytes, pack_page, redirect_with_get, render_page, send_page
from engage.sites.family.thanks import thanks_address
from engage.sites.family.wave_access import redirect_without_draft, require_draft, require_offer_and_secret
from engage.sites.family.wave_cache import Offer
from engage.web.context import runtime
from engage.web.permissions import enters

PLACE = Markup("\0")  # placeholder of an answer; occurs in no text


@blueprint.get("/<lang:lang>/w/<wave_id>/check")
@enters(PUBLIC)
def check(lang: str, wave_id: str) -> Response:
    """Everything that will be sent, with links to change it."""
    offer, secret = require_offer_and_secret(lang, wave_id)
    parts = review_parts(offer, lang, require_draft(lang, offer, secret))
    if any(row.wrong for part in parts for row in part.rows):
        return send_page(pack_page(_render_check(offer, lang, parts)))
    key = ("check", lang, offer, tuple(part.drawing for part in parts))
    pieces = (
        family_memory()
        .pages.get(key, lambda: _render_check(offer, lang, _with_placeholders(parts)))
        .plain.split(PLACE.encode())
    )
    return send_page(pack_bytes(_fill_placeholders(pieces, [row.said.encode() for part in parts for row in part.rows])))


def _render_check(offer: Offer, lang: str, parts: list[ReviewPart]) -> str:
    wrong = [row for part in parts for row in part.rows if row.wrong]
    return render_page("review.html", path=f"/w/{offer.id}/check", offer=offer, lang=lang, parts=parts, wrong=wrong)


def _with_placeholders(parts: list[ReviewPart]) -> list[ReviewPart]:
    """The parts with a placeholder for each answer, so that one cached page serves every family with these
    questions."""
    return [replace(part, rows=tuple(replace(row, said=PLACE) for row in part.rows)) for part in parts]


def _fill_placeholders(pieces: list[bytes], answers: list[bytes]) -> bytes:
    return b"".join(part for pair in zip(pieces, [*answers, b""], strict=True) for part in pair)


@blueprint.post("/<lang:lang>/w/<wave_id>/check")
@enters(PUBLIC)
def send_in(lang: str, wave_id: str) -> Response:
    """Store the response, open its threads, and delete the draft, in one transaction and only once."""
    offer, secret = require_offer_and_secret(lang, wave_id)
    view = require_draft(lang, offer, secret)
    phone_code = device_secret.phone_reply_code(secret, offer.id)
    wished = list_follow_ups(offer.survey("en"), view.kept.raw)
    askers = [_asker_code(view, wish, phone_code) for wish in wished]
    slow = {code: device_secret.reply_code_hash(code) for code in set(askers)}
    sending = SendingDraft(
        offer=offer,
        lang=lang,
        pocket=device_secret.draft_pocket(secret, offer.id),
        submission=device_secret.submission_key(secret, offer.id),
        kept=view.kept,
        chance=_make_chance(offer, view.kept),
        wished=[(wish, slow[asker]) for wish, asker in zip(wished, askers, strict=True)],
        today=runtime().today(),
        group_key=runtime().secret(GROUP_KEY),
        is_burst=_is_burst(offer, view.kept.school_id),
    )
    try:
        stored = runtime().writer.run(partial(_store_submission, sending))
    except DraftChanged:
        return send_in(lang, wave_id)
    except AnswersRejected:
        return redirect_with_get(f"/{lang}/w/{wave_id}/check#problems")
    except CodeReplaced:
        return render_replaced_code(lang)
    except CodeAlreadyUsed:
        refuse_used_code(offer)
    if not stored:
        redirect_without_draft(lang, offer, secret)
    answered_here = [wish.kind for wish, asker in zip(wished, askers, strict=True) if asker == phone_code]
    return redirect_with_get(thanks_address(offer, lang, answered_here))


def _asker_code(view: DraftView, wish: FollowUpRequest, phone_code: str) -> str:
    """The reply code of a follow-up request: that of the phone it was made on, which alone may read the answer."""
    return view.kept.authors.get(wish.question, [phone_code])[0]


@dataclass(frozen=True, slots=True)
class SendingDraft:
    """A submission before its transaction: everything slow, or that reads site settings, is prepared."""

    offer: Offer
    lang: str
    pocket: DraftKeys
    submission: str
    kept: DraftContent
    chance: CodeUse | None
    wished: list[tuple[FollowUpRequest, str]]
    """Each with the hash of the reply code under which it is answered."""
    today: date
    group_key: bytes
    is_burst: bool


def _make_chance(offer: Offer, draft: DraftContent) -> CodeUse | None:
    """The use of the access code that the draft was begun with."""
    if draft.invitation is None:
        return None
    if offer.unlinked:
        return CodeUse(draft.invitation, spent=draft.spent)
    return CodeUse(draft.invitation, forget_on=offer.closes + timedelta(days=runtime().settings.keep_links_days))


def _is_burst(offer: Offer, school_id: str) -> bool:
    """Whether these answers are part of a burst; answers by access code or at an announced event are not."""
    if offer.entry != "open" or is_announced(offer.id, school_id, runtime().today()):
        return False
    return family_memory().bursts.count(offer.id, school_id, request_network(), count_households(school_id))


class DraftChanged(Exception):
    """Another page of the same phone changed the draft concurrently."""


def _store_submission(sending: SendingDraft, connection: Connection) -> bool:
    """Store a submission. Returns whether there was a draft to store. Raises AnswersRejected, CodeAlreadyUsed,
    CodeReplaced, DraftChanged."""
    offer, draft = sending.offer, sending.kept
    stored = drafts.read_answer_draft(connection, sending.pocket)
    if stored is None:
        return False
    place, now = stored
    if now != draft:
        raise DraftChanged
    if place != sending.pocket:
        drafts.close_phone_draft(connection, sending.pocket)
    submission = Submission(
        offer.survey("en"),
        offer,
        school_id=draft.school_id,
        language=sending.lang,
        mode="web",
        raw=draft.raw,
        submission_key=sending.submission,
        chance=sending.chance,
        draft_key=place.key,
        group_key=sending.group_key,
        is_burst=sending.is_burst,
    )
    accepted = accept_response(connection, submission, today=sending.today, rng=RNG)
    if accepted.fresh and sending.is_burst:
        count_marked(connection, offer.id, sending.today)
    if accepted.fresh:
        _open_threads(sending, connection)
    return True


def _open_threads(sending: SendingDraft, connection: Connection) -> None:
    for wish, reply_hash in sending.wished:
        post_by_reply_code(
            connection,
            reply_hash,
            wave_id=sending.offer.id,
            school_id=sending.kept.school_id,
            language=sending.lang,
            kind=wish.kind,
            text=wish.text,
            written_in=wish.language or sending.lang,
            today=sending.today,
            rng=RNG,
        )
