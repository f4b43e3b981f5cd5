"""The last look at all answers, and the one moment in which they are sent."""

from dataclasses import dataclass
from datetime import date
from functools import partial

from flask import Response
from sqlalchemy import Connection

from engage.access.permits import PUBLIC
from engage.conversations.replies import ask
from engage.family import phone
from engage.family.answered import parts
from engage.family.asking import thanks_address
from engage.family.coding import used
from engage.family.desk import RNG
from engage.family.door import blueprint
from engage.family.offers import Offer
from engage.family.pages import answer, go
from engage.family.visits import answering, no_draft, the_draft
from engage.intake import drafts
from engage.intake.accept import AlreadyUsed, NotAccepted, accept
from engage.intake.drafts import Kept
from engage.intake.wishes import Wish, wishes
from engage.web.guards import enters
from engage.web.state import state


@blueprint.get("/<lang:lang>/w/<wave_id>/check")
@enters(PUBLIC)
def check(lang: str, wave_id: str) -> Response:
    """Everything that will be sent, with links to change it."""
    offer, secret = answering(lang, wave_id)
    kept = the_draft(lang, offer, secret)
    shown = parts(offer, lang, kept.raw)
    wrong = [row for part in shown for row in part.rows if row.wrong]
    return answer("check.html", offer=offer, lang=lang, parts=shown, wrong=wrong)


@blueprint.post("/<lang:lang>/w/<wave_id>/check")
@enters(PUBLIC)
def send_in(lang: str, wave_id: str) -> Response:
    """Store the response, open its threads, forget the draft: all or nothing, and once."""
    offer, secret = answering(lang, wave_id)
    kept = the_draft(lang, offer, secret)
    wished = wishes(offer.survey("en"), kept.raw)
    slow = phone.slow_hash(phone.code(secret, offer.id)) if wished else ""
    day = offer.counted_on(state().today())
    try:
        stored = state().writer.run(partial(_store, Sending(offer, lang, secret, kept, wished, slow, day)))
    except Changed:
        return send_in(lang, wave_id)
    except NotAccepted:
        return go(f"/{lang}/w/{wave_id}/check#problems")
    except AlreadyUsed:
        used()
    if not stored:
        no_draft(lang, offer, secret)
    return go(thanks_address(offer, lang, [wish.kind for wish in wished]))


@dataclass(frozen=True, slots=True)
class Sending:
    """One submission on its way. `reply_hash` was made beforehand, since it is slow."""

    offer: Offer
    lang: str
    secret: bytes
    kept: Kept
    wished: list[Wish]
    reply_hash: str
    day: date


class Changed(Exception):
    """Another page of the same phone changed the draft in this moment."""


def _store(sending: Sending, connection: Connection) -> bool:
    """Whether there was a draft to store. Raises NotAccepted, AlreadyUsed, Changed."""
    offer, kept = sending.offer, sending.kept
    key = phone.draft_key(sending.secret, offer.id)
    now = drafts.read(connection, key)
    if now is None:
        return False
    if now.raw != kept.raw:
        raise Changed
    accepted = accept(
        connection,
        offer.survey("en"),
        offer,
        school_id=kept.school_id,
        language=sending.lang,
        mode="web",
        raw=kept.raw,
        submission_key=phone.submission_key(sending.secret, offer.id),
        today=sending.day,
        rng=RNG,
        invitation=kept.invitation,
        draft_key=key,
    )
    if accepted.fresh:
        _open_threads(sending, connection)
    return True


def _open_threads(sending: Sending, connection: Connection) -> None:
    for wish in sending.wished:
        ask(
            connection,
            sending.reply_hash,
            wave_id=sending.offer.id,
            school_id=sending.kept.school_id,
            language=sending.lang,
            kind=wish.kind,
            text=wish.text,
            written_in=wish.language or sending.lang,
            today=sending.day,
            rng=RNG,
        )
