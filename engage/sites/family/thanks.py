"""The thanks page after sending: the reply code, the day of the results, and a form to ask the school a question.
Educators and students read there only that they are done."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

from flask import Response, abort, request
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from engage.domain.conversations.threads import InvalidMessage, find_conversations, post_by_reply_code
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.domain.intake.submission import find_response_school
from engage.domain.security.access_codes import format_reply_code
from engage.domain.security.permissions import PUBLIC
from engage.questionnaire.text_cleaning import clean_text
from engage.sites.family import device_secret
from engage.sites.family.blueprint import blueprint
from engage.sites.family.context import RNG, family_memory, open_read_connection
from engage.sites.family.page_cache import pack_bytes, redirect_with_get, render_page, render_response, send_page
from engage.sites.family.wave_access import LOST, chosen_school, require_offer
from engage.sites.family.wave_cache import Offer
from engage.web.context import runtime
from engage.web.page_language import gettext
from engage.web.permissions import enters

PLACE = "0000 0000 0000 0000"  # placeholder in the cached page for the family's code
KINDS = {"q": "question", "h": "help"}  # in the query of the thanks page: what was asked


@dataclass(frozen=True, slots=True)
class SentResponse:
    """The stored response of this phone. `school_id` is empty if its school is no longer stored: then a family that
    asks a question chooses it."""

    offer: Offer
    secret: bytes
    school_id: str

    @property
    def code(self) -> str:
        return device_secret.phone_reply_code(self.secret, self.offer.id)


@blueprint.get("/<lang:lang>/w/<wave_id>/thanks")
@enters(PUBLIC)
def thanks(lang: str, wave_id: str) -> Response:
    """The thanks page, the same on every visit, for this phone only."""
    sent = _require_sent(lang, wave_id)
    if LOST in request.args:
        return redirect_with_get(thanks_address(sent.offer, lang, _find_kinds(sent)))
    kinds = _asked_before()
    if sent.offer.by_slip:
        return _render_and_forget(sent, lang, kinds)
    path = thanks_address(sent.offer, "", kinds)[1:]
    choose = not sent.school_id
    values = {"offer": sent.offer, "lang": lang, "asked": kinds, "code": PLACE, "path": path, "choose": choose}
    page = family_memory().pages.get(
        ("thanks", lang, sent.offer, kinds, choose), lambda: render_page("thanks.html", **values)
    )
    return send_page(pack_bytes(page.plain.replace(PLACE.encode(), format_reply_code(sent.code).encode())))


def _render_and_forget(sent: SentResponse, lang: str, kinds: Collection[str]) -> Response:
    """The thanks page of educators and students, which deletes the secret: the next person may use the same browser. It
    is shown once, so its links to other languages lead to the page for codes."""
    code = format_reply_code(sent.code)
    page = render_response("thanks_by_slip.html", offer=sent.offer, lang=lang, asked=kinds, code=code, path="/c")
    return device_secret.clear_secret_cookies(page, sent.offer.id)


@blueprint.post("/<lang:lang>/w/<wave_id>/thanks")
@enters(PUBLIC)
def ask_now(lang: str, wave_id: str) -> Response:
    """Store a question after the answers were sent."""
    sent = _require_sent(lang, wave_id)
    if sent.offer.by_slip:
        abort(404)
    text = request.form.get("question", "")
    if not clean_text(text):
        # translators: error beside a text field that was left empty
        return _render_problem(sent, lang, text, gettext("Please write your question first."))
    school = sent.school_id or chosen_school(sent.offer)
    if school is None:
        # translators: shown beside the list of schools when none was chosen
        return _render_problem(sent, lang, text, gettext("Please choose your school."), "school")
    work = partial(
        post_by_reply_code,
        reply_hash=device_secret.reply_code_hash(sent.code),
        wave_id=wave_id,
        school_id=school,
        language=lang,
        kind="question",
        text=text,
        today=runtime().today(),
        rng=RNG,
    )
    try:
        _store_question(work)
    except InvalidMessage:
        # translators: error beside a text field
        return _render_problem(sent, lang, text, gettext("Your question is too long. Please make it shorter."))
    return redirect_with_get(thanks_address(sent.offer, lang, {*_asked_before(), "question"}))


def _asked_before() -> tuple[str, ...]:
    """The kinds of questions that this address says were asked."""
    return tuple(kind for letter, kind in KINDS.items() if letter in request.args.get("for", ""))


def _store_question(work: Callable[[Connection], None]) -> None:
    try:
        runtime().writer.run(work)
    except IntegrityError:  # two concurrent requests opened the thread: the second now finds the first
        runtime().writer.run(work)


@blueprint.post("/<lang:lang>/w/<wave_id>/leave")
@enters(PUBLIC)
def leave(lang: str, wave_id: str) -> Response:
    """Delete this family's cookies on a shared phone."""
    return device_secret.clear_secret_cookies(redirect_with_get(f"/{lang}/"))


def thanks_address(offer: Offer, lang: str, kinds: Collection[str]) -> str:
    """The address of the thanks page. It contains what was asked, since no stored data links that to the response."""
    letters = "".join(letter for letter, kind in KINDS.items() if kind in kinds)
    return f"/{lang}/w/{offer.id}/thanks" + (f"?for={letters}" if letters else "")


def _render_problem(sent: SentResponse, lang: str, text: str, problem: str, field: str = "question") -> Response:
    kinds = tuple(kind for kind in _asked_before() if kind != "question")
    values = {"offer": sent.offer, "lang": lang, "asked": kinds, "code": format_reply_code(sent.code), "typed": text}
    return render_response("thanks.html", 422, **values, problem=problem, wrong=field, choose=not sent.school_id)


def _require_sent(lang: str, wave_id: str) -> SentResponse:
    """The response that this phone has sent in the wave; a phone that has sent none is redirected to the first page."""
    offer = require_offer(lang, wave_id)
    secret = device_secret.read_secret(wave_id) or b""
    school = find_response_school(
        runtime().engine, device_secret.submission_key(secret, wave_id), runtime().secret(GROUP_KEY)
    )
    if school is None:
        abort(redirect_with_get(f"/{lang}/w/{wave_id}"))
    return SentResponse(offer, secret, school)


def _find_kinds(sent: SentResponse) -> set[str]:
    """The kinds of questions asked, found by the reply code: for a family whose first thanks page did not arrive."""
    slow = device_secret.reply_code_hash(sent.code)
    with open_read_connection() as connection:
        return {conversation.kind for conversation in find_conversations(connection, slow)}
