"""The last look at all answers, and the one moment in which they are sent."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial

from flask import Response
from markupsafe import Markup
from sqlalchemy import Connection

from engage.domain.conversations.reply_codes import ask
from engage.domain.intake import drafts
from engage.domain.intake.accept import AlreadyUsed, NotAccepted, Replaced, accept
from engage.domain.intake.access_code_use import Chance
from engage.domain.intake.burst_marks import count_marked
from engage.domain.intake.draft_encryption import Kept, Pocket
from engage.domain.intake.follow_up_requests import Wish, wishes
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.domain.security.permissions import PUBLIC
from engage.sites.family import device_secret
from engage.sites.family.access_code import replaced, used
from engage.sites.family.answer_review import Part, parts
from engage.sites.family.blueprint import blueprint
from engage.sites.family.context import RNG, desk, households, is_announced, network
from engage.sites.family.draft_view import DraftView
from engage.sites.family.gatekeeping import answering, no_draft, the_draft
from engage.sites.family.page_cache import draw, filled, finished, go, send
from engage.sites.family.thanks import thanks_address
from engage.sites.family.wave_cache import Offer
from engage.web.context import state
from engage.web.permissions import enters

PLACE = Markup("\0")  # stands in no text: a place for one answer


@blueprint.get("/<lang:lang>/w/<wave_id>/check")
@enters(PUBLIC)
def check(lang: str, wave_id: str) -> Response:
    """Everything that will be sent, with links to change it."""
    offer, secret = answering(lang, wave_id)
    found = parts(offer, lang, the_draft(lang, offer, secret))
    if any(row.wrong for part in found for row in part.rows):
        return send(finished(_drawn(offer, lang, found)))
    key = ("check", lang, offer, tuple(part.drawing for part in found))
    pieces = desk().pages.get(key, lambda: _drawn(offer, lang, _open(found))).plain.split(PLACE.encode())
    return send(filled(_woven(pieces, [row.said.encode() for part in found for row in part.rows])))


def _drawn(offer: Offer, lang: str, found: list[Part]) -> str:
    wrong = [row for part in found for row in part.rows if row.wrong]
    return draw("check.html", path=f"/w/{offer.id}/check", offer=offer, lang=lang, parts=found, wrong=wrong)


def _open(found: list[Part]) -> list[Part]:
    """The same page with a place for each answer: drawn once, it serves every family that meets these questions."""
    return [replace(part, rows=tuple(replace(row, said=PLACE) for row in part.rows)) for part in found]


def _woven(pieces: list[bytes], answers: list[bytes]) -> bytes:
    return b"".join(part for pair in zip(pieces, [*answers, b""], strict=True) for part in pair)


@blueprint.post("/<lang:lang>/w/<wave_id>/check")
@enters(PUBLIC)
def send_in(lang: str, wave_id: str) -> Response:
    """Store the response, open its threads, forget the draft: all or nothing, and once."""
    offer, secret = answering(lang, wave_id)
    view = the_draft(lang, offer, secret)
    own = device_secret.code(secret, offer.id)
    wished = wishes(offer.survey("en"), view.kept.raw)
    askers = [_asker(view, wish, own) for wish in wished]
    slow = {code: device_secret.slow_hash(code) for code in set(askers)}
    sending = Sending(
        offer=offer,
        lang=lang,
        pocket=device_secret.pocket(secret, offer.id),
        submission=device_secret.submission_key(secret, offer.id),
        kept=view.kept,
        chance=_chance(offer, view.kept),
        wished=[(wish, slow[asker]) for wish, asker in zip(wished, askers, strict=True)],
        today=state().today(),
        group_key=state().secret(GROUP_KEY),
        is_burst=_is_burst(offer, view.kept.school_id),
    )
    try:
        stored = state().writer.run(partial(_store, sending))
    except Changed:
        return send_in(lang, wave_id)
    except NotAccepted:
        return go(f"/{lang}/w/{wave_id}/check#problems")
    except Replaced:
        return replaced(lang)
    except AlreadyUsed:
        used()
    if not stored:
        no_draft(lang, offer, secret)
    answered_here = [wish.kind for wish, asker in zip(wished, askers, strict=True) if asker == own]
    return go(thanks_address(offer, lang, answered_here))


def _asker(view: DraftView, wish: Wish, own: str) -> str:
    """The reply code under which a wish is answered: of the phone it was made on, which alone may read the answer."""
    return view.kept.authors.get(wish.question, [own])[0]


@dataclass(frozen=True, slots=True)
class Sending:
    """One submission on its way: everything is made beforehand that is slow or asks the site."""

    offer: Offer
    lang: str
    pocket: Pocket
    submission: str
    kept: Kept
    chance: Chance | None
    wished: list[tuple[Wish, str]]
    """With the hash of the reply code that each is answered under."""
    today: date
    group_key: bytes
    is_burst: bool


def _chance(offer: Offer, kept: Kept) -> Chance | None:
    """The access code the draft was begun with, as the gate uses it up."""
    if kept.invitation is None:
        return None
    if offer.unlinked:
        return Chance(kept.invitation, spent=kept.spent)
    return Chance(kept.invitation, forget_on=offer.closes + timedelta(days=state().settings.keep_links_days))


def _is_burst(offer: Offer, school_id: str) -> bool:
    """Whether these answers come in a burst; those of an announced event do not, nor those by access code."""
    if offer.entry != "open" or is_announced(offer.id, school_id, state().today()):
        return False
    return desk().bursts.count(offer.id, school_id, network(), households(school_id))


class Changed(Exception):
    """Another page of the same phone changed the draft in this moment."""


def _store(sending: Sending, connection: Connection) -> bool:
    """Whether there was a draft to store. Raises NotAccepted, AlreadyUsed, Replaced, Changed."""
    offer, kept = sending.offer, sending.kept
    found = drafts.read_through(connection, sending.pocket)
    if found is None:
        return False
    place, now = found
    if now != kept:
        raise Changed
    if place != sending.pocket:
        drafts.close(connection, sending.pocket)
    accepted = accept(
        connection,
        offer.survey("en"),
        offer,
        school_id=kept.school_id,
        language=sending.lang,
        mode="web",
        raw=kept.raw,
        submission_key=sending.submission,
        today=sending.today,
        rng=RNG,
        chance=sending.chance,
        draft_key=place.key,
        group_key=sending.group_key,
        is_burst=sending.is_burst,
    )
    if accepted.fresh and sending.is_burst:
        count_marked(connection, offer.id, sending.today)
    if accepted.fresh:
        _open_threads(sending, connection)
    return True


def _open_threads(sending: Sending, connection: Connection) -> None:
    for wish, reply_hash in sending.wished:
        ask(
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
