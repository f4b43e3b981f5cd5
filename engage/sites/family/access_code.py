"""The way in with an access code. Looking at the page uses nothing up; only sending the answers does."""

from dataclasses import dataclass, replace
from typing import NoReturn

from flask import Response, abort, request
from sqlalchemy import bindparam, select

from engage.domain.intake.access_code_use import SPENT_KEY, is_spent, spent_digest
from engage.domain.intake.draft_encryption import Pocket
from engage.domain.security.access_codes import ACCESS_KEY, digest, read_reply, show
from engage.domain.security.pasted_codes import LONGEST, find_access_code, find_reply_code
from engage.domain.security.permissions import PUBLIC
from engage.sites.family import device_secret
from engage.sites.family.blueprint import blueprint
from engage.sites.family.code_problems import access_code_problem
from engage.sites.family.consent import Came, begun, consent_page, how_it_stands
from engage.sites.family.context import desk, looking, network
from engage.sites.family.gatekeeping import beginning as offer_to_begin
from engage.sites.family.gatekeeping import refuse
from engage.sites.family.page_cache import answer, busy, draw, finished, go, pass_on, send
from engage.sites.family.wave_cache import Offer
from engage.storage.models.responses import Invitation
from engage.web.context import state
from engage.web.page_language import gettext
from engage.web.permissions import enters


@dataclass(frozen=True, slots=True)
class Invited:
    """The household's chance behind a code. `spent`: what the code leaves behind in an anonymous wave."""

    digest: str
    wave_id: str
    school_id: str
    used: bool
    spent: str | None = None
    shared: Pocket | None = None
    code: str = ""

    @property
    def came(self) -> Came:
        return Came(self.school_id, self.digest, self.spent, self.shared, self.code)


_columns = (Invitation.digest, Invitation.wave_id, Invitation.school_id, Invitation.used)
_read = select(*_columns).where(Invitation.digest == bindparam("digest"))


@blueprint.get("/<lang:lang>/c")
@enters(PUBLIC)
def code_form(lang: str) -> Response:
    """Where a code is typed in."""
    return send(desk().pages.get(("code", lang), lambda: draw("code.html", path="/c", lang=lang)))


@blueprint.post("/<lang:lang>/c")
@enters(PUBLIC)
def code_typed(lang: str) -> Response:
    """On to the page of the code that is in what was typed or pasted; with a reply code to the page of replies."""
    typed = request.form.get("code", "")[:LONGEST]
    reply = read_reply(typed)
    code = None if reply else find_access_code(typed)
    if code is not None:
        return go(f"/{lang}/c/{show(code)}")
    return pass_on(f"/{lang}/reply") if reply or find_reply_code(typed) else _slip(lang, typed, 422)


@blueprint.get("/<lang:lang>/c/<typed>")
@enters(PUBLIC)
def personal(lang: str, typed: str) -> Response:
    """The first page of a personal link."""
    code = find_access_code(typed)
    if code is None:
        return _slip(lang, typed, 404)
    offer, invited = _invited(lang, code)
    came = how_it_stands(offer, invited.came)
    return send(finished(consent_page(offer, lang, came, show(code))))


@blueprint.post("/<lang:lang>/c/<typed>")
@enters(PUBLIC)
def begin_personal(lang: str, typed: str) -> Response:
    """Begin, or go on with, the draft of this code."""
    code = find_access_code(typed)
    if code is None:
        return _slip(lang, typed, 404)
    offer, invited = _invited(lang, code)
    return begun(offer, lang, invited.came)


def _slip(lang: str, typed: str, status: int) -> Response:
    problem = access_code_problem(typed)
    return answer("code.html", status, path="/c", lang=lang, typed=typed, problem=problem)


def _invited(lang: str, code: str) -> tuple[Offer, Invited]:
    """The wave and the chance behind a code that has not been used; else the answer is a page that says why not."""
    if desk().codes.refuses(network()):
        # translators: somebody in the same school or phone network typed many codes that are nobody's
        wait = gettext("Too many wrong codes came from this network. Wait one minute, then try again. Nothing is lost.")
        abort(busy(answer("code.html", 429, path="/c", lang=lang, typed=show(code), wait=wait)))
    own = digest(code, state().secret(ACCESS_KEY))
    with looking() as connection:
        row = connection.execute(_read, {"digest": own}).one_or_none()
    if row is None:
        desk().codes.count(network(), own)
        # translators: the code is well formed, but it is not one of ours
        problem = gettext("We do not know this code. Please compare it with your letter once more.")
        abort(answer("code.html", 404, path="/c", lang=lang, typed=show(code), problem=problem))
    offer, invited = offer_to_begin(lang, row.wave_id), Invited(*row, code=show(code))
    if offer.unlinked:
        return offer, replace(invited, spent=_unspent(offer, own, code))
    if invited.used:
        _looked_at_used()
    if offer.resumes_by_code:
        return offer, replace(invited, shared=device_secret.household_pocket(code, offer.id))
    return offer, invited


def _unspent(offer: Offer, own: str, code: str) -> str:
    """What a code of an anonymous wave will leave behind; the page that says so where it has done its work."""
    if offer.burn_salt is None:  # destroyed, long after the wave: nobody can tell any more which codes were used
        used()
    spent = spent_digest(state().secret(SPENT_KEY), offer.burn_salt, code)
    with looking() as connection:
        if is_spent(connection, own, spent):
            _looked_at_used()
    return spent


def _looked_at_used() -> NoReturn:
    # Counted like a wrong code: else whoever holds the list could ask all day long who has answered by now.
    desk().codes.count(network())
    used()


def used() -> NoReturn:
    """Say that the code has done its work."""
    # translators: heading of a page: the household's access code can be used once
    heading = gettext("This code has been used")
    # translators: the answers of this household have arrived; someone else at home may have sent them
    advice = gettext("The answers for this code have arrived. If nobody at home sent them, please tell your school.")
    refuse(heading, advice, 410)


def replaced(lang: str) -> Response:
    """Say that the code is worthless, where the new one can be typed; the answers stay with the phone."""
    # translators: privacy: a family sends its answers, but its school has given it another code in the meantime
    problem = gettext("This code does not work any more. If you have a new code, type it here. Your answers are kept.")
    return answer("code.html", 410, path="/c", lang=lang, problem=problem)
