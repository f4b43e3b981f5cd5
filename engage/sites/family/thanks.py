"""After sending: the reply code, the day results come, and a last chance to ask the school something."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

from flask import Response, abort, request
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from engage.domain.conversations.reply_codes import ask, behind
from engage.domain.conversations.threads import Unwritten
from engage.domain.intake.accept import stored_school
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.domain.security.access_codes import show_reply
from engage.domain.security.permissions import PUBLIC
from engage.questionnaire.text_cleaning import clean
from engage.sites.family import device_secret
from engage.sites.family.blueprint import blueprint
from engage.sites.family.context import RNG, desk, looking
from engage.sites.family.gatekeeping import LOST, chosen_school, the_offer
from engage.sites.family.page_cache import answer, draw, filled, go, send
from engage.sites.family.wave_cache import Offer
from engage.web.context import state
from engage.web.page_language import gettext
from engage.web.permissions import enters

PLACE = "0000 0000 0000 0000"  # in the kept page; each family's own code is put there
KINDS = {"q": "question", "h": "help"}  # in the address of the thanks page: what was asked for


@dataclass(frozen=True, slots=True)
class Sent:
    """A response of this phone that is stored. `school_id` is empty where its school is not stored any more: then the
    family that asks names it."""

    offer: Offer
    secret: bytes
    school_id: str

    @property
    def code(self) -> str:
        return device_secret.code(self.secret, self.offer.id)


@blueprint.get("/<lang:lang>/w/<wave_id>/thanks")
@enters(PUBLIC)
def thanks(lang: str, wave_id: str) -> Response:
    """The same page however often it is opened, for this phone only."""
    sent = _sent(lang, wave_id)
    if LOST in request.args:
        return go(thanks_address(sent.offer, lang, _kinds(sent)))
    asked = tuple(kind for letter, kind in KINDS.items() if letter in request.args.get("for", ""))
    path = thanks_address(sent.offer, "", asked)[1:]
    choose = not sent.school_id
    values = {"offer": sent.offer, "lang": lang, "asked": asked, "code": PLACE, "path": path, "choose": choose}
    page = desk().pages.get(("thanks", lang, sent.offer, asked, choose), lambda: draw("thanks.html", **values))
    return send(filled(page.plain.replace(PLACE.encode(), show_reply(sent.code).encode())))


@blueprint.post("/<lang:lang>/w/<wave_id>/thanks")
@enters(PUBLIC)
def ask_now(lang: str, wave_id: str) -> Response:
    """Take a question after the answers were sent."""
    sent = _sent(lang, wave_id)
    text = request.form.get("question", "")
    if not clean(text):
        # translators: error beside a text field that was left empty
        return _again(sent, lang, text, gettext("Please write your question first."))
    school = sent.school_id or chosen_school(sent.offer)
    if school is None:
        # translators: shown beside the list of schools when none was chosen
        return _again(sent, lang, text, gettext("Please choose your school."), "school")
    work = partial(
        ask,
        reply_hash=device_secret.slow_hash(sent.code),
        wave_id=wave_id,
        school_id=school,
        language=lang,
        kind="question",
        text=text,
        today=state().today(),
        rng=RNG,
    )
    try:
        _kept(work)
    except Unwritten:
        # translators: error beside a text field
        return _again(sent, lang, text, gettext("Your question is too long. Please make it shorter."))
    before = [kind for letter, kind in KINDS.items() if letter in request.args.get("for", "")]
    return go(thanks_address(sent.offer, lang, {*before, "question"}))


def _kept(work: Callable[[Connection], None]) -> None:
    try:
        state().writer.run(work)
    except IntegrityError:  # two taps at the same moment opened the thread twice: the second now finds the first
        state().writer.run(work)


@blueprint.post("/<lang:lang>/w/<wave_id>/leave")
@enters(PUBLIC)
def leave(lang: str, wave_id: str) -> Response:
    """Make a shared phone forget this family."""
    return device_secret.take_back(go(f"/{lang}/"))


def thanks_address(offer: Offer, lang: str, asked: Collection[str]) -> str:
    """The address of the thanks page; it says what was asked for, since nothing stored ties that to the response."""
    letters = "".join(letter for letter, kind in KINDS.items() if kind in asked)
    return f"/{lang}/w/{offer.id}/thanks" + (f"?for={letters}" if letters else "")


def _again(sent: Sent, lang: str, text: str, problem: str, field: str = "question") -> Response:
    values = {"offer": sent.offer, "lang": lang, "asked": (), "code": show_reply(sent.code), "typed": text}
    return answer("thanks.html", 422, **values, problem=problem, wrong=field, choose=not sent.school_id)


def _sent(lang: str, wave_id: str) -> Sent:
    """What this phone has sent in the wave; a phone that has sent nothing goes to the first page."""
    offer = the_offer(lang, wave_id)
    secret = device_secret.held(wave_id) or b""
    school = stored_school(state().engine, device_secret.submission_key(secret, wave_id), state().secret(GROUP_KEY))
    if school is None:
        abort(go(f"/{lang}/w/{wave_id}"))
    return Sent(offer, secret, school)


def _kinds(sent: Sent) -> set[str]:
    """What was asked for, found by the reply code: for a family whose first thanks page was lost on the way."""
    slow = device_secret.slow_hash(sent.code)
    with looking() as connection:
        return {conversation.kind for conversation in behind(connection, slow)}
