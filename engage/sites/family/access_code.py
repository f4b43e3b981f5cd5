"""Entry with an access code. Opening its page does not use the code; only sending the answers does."""

from dataclasses import dataclass, replace
from typing import NoReturn

from flask import Response, abort, request
from sqlalchemy import bindparam, select

from engage.domain.intake.access_code_use import SPENT_KEY, is_anonymous_code_used, used_code_digest
from engage.domain.intake.draft_encryption import DraftKeys
from engage.domain.security.access_codes import ACCESS_KEY, digest, format_access_code, parse_reply_code
from engage.domain.security.pasted_codes import LONGEST, find_access_code, find_reply_code
from engage.domain.security.permissions import PUBLIC
from engage.sites.family import device_secret
from engage.sites.family.blueprint import blueprint
from engage.sites.family.code_problems import access_code_problem, wait_message
from engage.sites.family.consent import FamilyEntry, begin_or_resume, draft_status, render_consent_page
from engage.sites.family.context import family_memory, open_read_connection, request_network
from engage.sites.family.page_cache import (
    add_retry_header,
    pack_page,
    redirect_with_form,
    redirect_with_get,
    render_page,
    render_response,
    send_page,
)
from engage.sites.family.wave_access import refuse
from engage.sites.family.wave_access import require_web_offer as offer_to_begin
from engage.sites.family.wave_cache import Offer
from engage.storage.models.invitations import Invitation
from engage.web.context import runtime
from engage.web.page_language import gettext
from engage.web.permissions import enters


@dataclass(frozen=True, slots=True)
class CodeInvitation:
    """The invitation behind a code. `spent`: the digest that records the use of the code in an anonymous wave."""

    digest: str
    wave_id: str
    school_id: str
    used: bool
    spent: str | None = None
    shared: DraftKeys | None = None
    code: str = ""

    @property
    def entry(self) -> FamilyEntry:
        return FamilyEntry(self.school_id, self.digest, self.spent, self.shared, self.code)


_invitation_columns = (Invitation.digest, Invitation.wave_id, Invitation.school_id, Invitation.used)
_invitation_query = select(*_invitation_columns).where(Invitation.digest == bindparam("digest"))


@blueprint.get("/<lang:lang>/c")
@enters(PUBLIC)
def code_form(lang: str) -> Response:
    """The form for a code."""
    return send_page(
        family_memory().pages.get(("code", lang), lambda: render_page("access_code.html", path="/c", lang=lang))
    )


@blueprint.post("/<lang:lang>/c")
@enters(PUBLIC)
def code_typed(lang: str) -> Response:
    """Redirect to the page of the code in the typed or pasted text; for a reply code, to the page of replies."""
    typed = request.form.get("code", "")[:LONGEST]
    reply = parse_reply_code(typed)
    code = None if reply else find_access_code(typed)
    if code is not None:
        return redirect_with_get(f"/{lang}/c/{format_access_code(code)}")
    return (
        redirect_with_form(f"/{lang}/reply")
        if reply or find_reply_code(typed)
        else _render_code_problem(lang, typed, 422)
    )


@blueprint.get("/<lang:lang>/c/<typed>")
@enters(PUBLIC)
def personal(lang: str, typed: str) -> Response:
    """The first page of a personal link."""
    code = find_access_code(typed)
    if code is None:
        return _render_code_problem(lang, typed, 404)
    offer, invited = _require_invitation(lang, code)
    status = draft_status(offer, invited.entry)
    return send_page(pack_page(render_consent_page(offer, lang, status, format_access_code(code))))


@blueprint.post("/<lang:lang>/c/<typed>")
@enters(PUBLIC)
def begin_personal(lang: str, typed: str) -> Response:
    """Begin or resume the draft of this code."""
    code = find_access_code(typed)
    if code is None:
        return _render_code_problem(lang, typed, 404)
    offer, invited = _require_invitation(lang, code)
    return begin_or_resume(offer, lang, invited.entry)


def _render_code_problem(lang: str, typed: str, status: int) -> Response:
    problem = access_code_problem(typed)
    return render_response("access_code.html", status, path="/c", lang=lang, typed=typed, problem=problem)


def _require_invitation(lang: str, code: str) -> tuple[Offer, CodeInvitation]:
    """The wave and invitation of an unused code; otherwise aborts with a page that gives the reason."""
    if family_memory().codes.refuses(request_network()):
        values = {"path": "/c", "lang": lang, "typed": format_access_code(code), "wait": wait_message()}
        abort(add_retry_header(render_response("access_code.html", 429, **values)))
    code_digest = digest(code, runtime().secret(ACCESS_KEY))
    with open_read_connection() as connection:
        row = connection.execute(_invitation_query, {"digest": code_digest}).one_or_none()
    if row is None:
        family_memory().codes.count(request_network(), code_digest)
        # translators: the code is well formed, but it is not one of ours
        problem = gettext("We cannot find this code. Please check it and try again.")
        abort(
            render_response(
                "access_code.html", 404, path="/c", lang=lang, typed=format_access_code(code), problem=problem
            )
        )
    offer, invited = offer_to_begin(lang, row.wave_id), CodeInvitation(*row, code=format_access_code(code))
    if offer.unlinked:
        return offer, replace(invited, spent=_require_unused_code(offer, code_digest, code))
    if invited.used:
        _count_and_refuse(offer)
    if offer.resumes_by_code:
        return offer, replace(invited, shared=device_secret.household_pocket(code, offer.id))
    return offer, invited


def _require_unused_code(offer: Offer, code_digest: str, code: str) -> str:
    """The digest that would record the use of a code of an anonymous wave; aborts with a page if the code was used."""
    if offer.burn_salt is None:  # deleted long after the wave: which codes were used is no longer known
        refuse_used_code(offer)
    spent = used_code_digest(runtime().secret(SPENT_KEY), offer.burn_salt, code)
    with open_read_connection() as connection:
        if is_anonymous_code_used(connection, code_digest, spent):
            _count_and_refuse(offer)
    return spent


def _count_and_refuse(offer: Offer) -> NoReturn:
    # Counted like a wrong code: otherwise anyone with the list could keep checking who has answered.
    family_memory().codes.count(request_network())
    refuse_used_code(offer)


def refuse_used_code(offer: Offer) -> NoReturn:
    """Abort with a page that says that the code has been used."""
    # translators: heading of a page: an access code can be used once
    heading = gettext("This code has been used")
    if offer.by_slip:
        # translators: for educators and students, who have the code from a slip of paper; simple words
        advice = gettext("We already have the answers for this code. If you did not send them, tell your school.")
        refuse(heading, advice, 410, offer=offer)
    # translators: the answers of this household have arrived; someone else at home may have sent them
    advice = gettext("We already have the answers for this code. If nobody at home sent them, please tell your school.")
    refuse(heading, advice, 410, offer=offer)


def render_replaced_code(lang: str) -> Response:
    """A page for a replaced code, with a field for the new one; the answers stay on the phone."""
    # translators: privacy: a family sends its answers, but its school has given it another code in the meantime
    problem = gettext("This code does not work anymore. If you have a new code, type it here. Your answers are kept.")
    return render_response("access_code.html", 410, path="/c", lang=lang, problem=problem)
