"""Signing in with an email address and a password, and signing out."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import update
from werkzeug.wrappers import Response

from engage.domain.security.passwords import hash_password, needs_rehash, verify_password
from engage.domain.security.permissions import PUBLIC
from engage.storage.engine import read_session, write_session
from engage.storage.models.staff import Staff
from engage.web.auth import passkeys, second_step
from engage.web.auth.account_forms import SignInForm
from engage.web.auth.accounts import find_person_by_address
from engage.web.auth.sessions import begin_session, end_current_session
from engage.web.context import runtime
from engage.web.page_language import gettext
from engage.web.permissions import enters, safe_next_url

blueprint = Blueprint("sign_in", __name__, url_prefix="/staff")


@blueprint.get("/login")
@enters(PUBLIC)
def page() -> Response | str:
    """The form."""
    wanted = request.args.get("next", "")
    if current_user.is_authenticated:
        return redirect(safe_next_url(wanted))
    return _render_page(SignInForm(formdata=None, next=wanted))


@blueprint.post("/login")
@enters(PUBLIC)
def enter() -> Response | str:
    """Sign in a person with the right password, or start the second step. All errors have the same message."""
    form = SignInForm(formdata=request.form)
    wanted = safe_next_url(form.next.data)
    if current_user.is_authenticated:
        return redirect(wanted)
    person = _authenticate(form) if form.validate() else None
    if person is None:
        return _render_page(_without_detail(form))
    if second_step.has_second_step(person):
        return second_step.start_second_step(person, wanted)
    begin_session(person, "password", strong=False)
    return redirect(wanted)


@blueprint.post("/logout")
@enters(PUBLIC)
def sign_out() -> Response:
    """End this session, here and in the database."""
    end_current_session()
    return redirect(url_for("sign_in.page"))


def _authenticate(form: SignInForm) -> Staff | None:
    """The person with this address and password. The same work is done for an unknown address."""
    email, password = form.email.data or "", form.password.data or ""
    with read_session(runtime().engine) as rows:
        person = find_person_by_address(rows, email)
    if not verify_password(person.password if person else None, password) or person is None or not person.active:
        return None
    if needs_rehash(person.password):
        _store_new_hash(person, password)
    return person


def _store_new_hash(person: Staff, password: str) -> None:
    """Hash the password with the current method, unless it was changed meanwhile."""
    same = update(Staff).where(Staff.id == person.id, Staff.password == person.password)
    with write_session(runtime().engine) as rows:
        rows.execute(same.values(password=hash_password(password)))
        rows.commit()


def _without_detail(form: SignInForm) -> SignInForm:
    """The form with one message for all errors."""
    form.email.errors = []
    # translators: after a sign-in that did not work; never says which of the two was wrong
    sentence = gettext("The email address or the password is not correct. Try again.")
    form.password.errors = [sentence]
    return form


def _render_page(form: SignInForm) -> str:
    passkey_request = passkeys.request_authentication() if passkeys.can_use_passkeys() else None
    return render_template("login.html", form=form, asked=passkey_request)
