"""The second step of signing in: a code from an app, a recovery code, or a passkey; and sign-in with a passkey
alone."""

from datetime import timedelta

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.domain.security import recovery_codes
from engage.domain.security.permissions import PUBLIC
from engage.storage.engine import read_session, write_session
from engage.storage.models.staff import Passkey, Staff, StaffIdentity
from engage.web.auth import passkeys, totp
from engage.web.auth.account_forms import CodeForm, PasskeyForm
from engage.web.auth.notifications import record_copied_passkey, record_sign_in_change
from engage.web.auth.sessions import begin_session
from engage.web.context import runtime
from engage.web.page_language import gettext
from engage.web.permissions import enters, safe_next_url

HALF = "half"  # in the cookie of someone who has entered the right password
PATIENCE = timedelta(minutes=10)  # for a person to find the phone

blueprint = Blueprint("second", __name__, url_prefix="/staff/login")


def has_second_step(person: Staff) -> bool:
    """Whether this person needs a second step after the password."""
    return totp.has_app(person) or bool(passkeys.person_keys(person))


def start_second_step(person: Staff, wanted: str, link: tuple[str, str] | None = None) -> Response:
    """Remember who has entered the right password, and redirect to the second step. `link`: a provider and its subject,
    to be linked to this person after the second step."""
    session.clear()
    g.pop("csrf_token", None)
    until = int((runtime().now() + PATIENCE).timestamp())
    session[HALF] = {"who": person.fs_uniquifier, "until": until, "wanted": wanted, "link": link}
    return redirect(url_for("second.step"))


def pending_handle() -> str:
    """The handle of someone who has entered the right password and not yet taken the second step; otherwise empty."""
    half = session.get(HALF) or {}
    return str(half.get("who", "")) if half.get("until", 0) >= runtime().now().timestamp() else ""


@blueprint.get("/second")
@enters(PUBLIC)
def step() -> Response | str:
    """The form for the code."""
    return _render_page(CodeForm(formdata=None)) if _has_pending_person() else redirect(url_for("sign_in.page"))


@blueprint.post("/second")
@enters(PUBLIC)
def step_taken() -> Response | str | tuple[str, int]:
    """Sign in a person with the right code."""
    form, who = CodeForm(formdata=request.form), pending_handle()
    with write_session(runtime().engine) as rows:
        person = _find_person(rows, who)
        if person is None:
            return redirect(url_for("sign_in.page"))
        how = _redeem_code(person, form.code.data or "")
        if how is not None:
            _link_identity(rows, person)
        rows.commit()
    if how is None:
        # translators: after a wrong code in the second step of signing in
        form.add_error("code", gettext("This code is not correct, or it was already used. Try again."))
        return _render_page(form), 422
    wanted = safe_next_url(session[HALF]["wanted"])
    begin_session(person, how, strong=True)
    return redirect(wanted)


@blueprint.post("/passkey")
@enters(PUBLIC)
def passkey() -> Response | tuple[str, int]:
    """Sign in a person with a passkey, without a password."""
    form = PasskeyForm(formdata=request.form)
    wanted = safe_next_url((session.get(HALF) or {}).get("wanted") or form.next.data)
    try:
        with write_session(runtime().engine) as rows:
            person = passkeys.authenticate_person(rows, form.token.data or "", form.credential.data or "")
            _link_identity(rows, person)
            rows.commit()
    except passkeys.PasskeyExpired:
        return _render_passkey_page(passkeys.expiry_message(), wanted), 422
    except passkeys.PasskeyRefused as refused:
        if isinstance(refused, passkeys.PasskeyCopied):
            record_copied_passkey(refused.person_id, refused.name)
        # translators: signing in with a passkey did not work
        problem = gettext("This passkey does not open an account here. Try again, or use your password.")
        return _render_passkey_page(problem), 422
    begin_session(person, "passkey", strong=True)
    return redirect(wanted)


def _has_pending_person() -> bool:
    with read_session(runtime().engine) as rows:
        return _find_person(rows, pending_handle()) is not None


def _find_person(rows: Session, who: str) -> Staff | None:
    query = select(Staff).where(Staff.fs_uniquifier == who, Staff.active).with_for_update()
    return rows.scalar(query) if who else None


def _link_identity(rows: Session, person: Staff) -> None:
    """Link the provider's account that this person signed in with, after the second step has confirmed the person."""
    link = (session.get(HALF) or {}).get("link")
    if not link or pending_handle() != person.fs_uniquifier:
        return
    provider, subject = link
    taken = (
        select(StaffIdentity)
        .where(StaffIdentity.provider == provider)
        .where(or_(StaffIdentity.subject == subject, StaffIdentity.staff_id == person.id))
    )
    if rows.scalar(taken.limit(1)) is None:
        rows.add(StaffIdentity(provider=provider, subject=subject, staff_id=person.id))
        record_sign_in_change(rows, person, linked=provider)


def _redeem_code(person: Staff, typed: str) -> str | None:
    """The kind of this code, None if it is not valid. A valid code becomes used: commit afterwards."""
    if totp.verify_code(person, typed):
        return "code"
    left = recovery_codes.use_recovery_code(
        person.mf_recovery_codes or "", typed, runtime().secret(recovery_codes.RECOVERY_KEY), person.id
    )
    if left is None:
        return None
    person.mf_recovery_codes = left
    return "recovery code"


def _render_page(form: CodeForm) -> str:
    with read_session(runtime().engine) as rows:
        person = _find_person(rows, pending_handle())
        keys = rows.scalar(select(Passkey.id).where(Passkey.user_id == person.id).limit(1)) if person else None
        app = person is not None and totp.has_app(person)
    passkey_request = passkeys.request_authentication() if keys and passkeys.can_use_passkeys() else None
    return render_template("account/second_step.html", form=form, app=app, asked=passkey_request)


def _render_passkey_page(problem: str, retry: str = "") -> str:
    """The page of a passkey that was refused. `retry`: the page to go to after another try, which starts here."""
    passkey_request = passkeys.request_authentication() if retry else None
    return render_template("account/passkey_refused.html", problem=problem, asked=passkey_request, wanted=retry)
