"""The account page: language of the pages, sessions, and password."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import format_datetime
from sqlalchemy import select
from werkzeug.wrappers import Response

from engage.domain.security import recovery_codes
from engage.domain.security.accounts import new_uniquifier
from engage.domain.security.passwords import hash_password
from engage.storage.engine import read_session, write_session
from engage.storage.models.staff import Staff, StaffSession
from engage.web.audit import log_event
from engage.web.auth.account_forms import ChangePasswordForm, LanguageForm
from engage.web.auth.notifications import write_change_letter
from engage.web.auth.passkeys import keys_of
from engage.web.auth.sessions import current_session_id, end_sessions, is_session_active, renew_session, sign_in_method
from engage.web.auth.totp import has_app
from engage.web.context import runtime
from engage.web.page_language import gettext, set_language
from engage.web.permissions import enters, has_strong_session, person

PERMISSION = "manage yourself"

blueprint = Blueprint("me", __name__, url_prefix="/staff/me")


@blueprint.get("")
@enters(PERMISSION)
def page() -> str:
    """The account page."""
    return _render_page()


@blueprint.post("/language")
@enters(PERMISSION)
def language() -> Response | tuple[str, int]:
    """Set the language of the staff pages."""
    form = LanguageForm(formdata=request.form)
    if not form.validate():
        return _render_page(language_form=form), 422
    _update_account(language=form.language.data)
    set_language(form.language.data)
    # translators: shown after choosing another page language
    flash(gettext("Your pages are now in this language."))
    return redirect(url_for(".page"))


@blueprint.post("/password")
@enters(PERMISSION)
def password() -> Response | tuple[str, int]:
    """Change the password. Ends all other sessions of the person."""
    form = ChangePasswordForm(formdata=request.form)
    if not form.validate():
        return _render_page(password_form=form), 422
    how, sure = sign_in_method(), has_strong_session()
    _update_account(password=hash_password(form.new.data or ""), fs_uniquifier=new_uniquifier())
    renew_session(person(), how, sure, "change sign-in", what="password")
    # translators: shown after choosing another password
    flash(gettext("Your password was changed. Other browsers were signed out."))
    return redirect(url_for(".page"))


@blueprint.post("/sessions/<session_id>/end")
@enters(PERMISSION)
def end(session_id: str) -> Response:
    """End one of the person's sessions."""
    with write_session(runtime().engine) as session:
        row = session.get(StaffSession, session_id) if session_id.isalnum() else None
        if row is None or row.staff_id != person().id:
            abort(404)
        session.delete(row)
        session.commit()
    # translators: shown after a session in another browser was ended
    flash(gettext("That browser was signed out."))
    return redirect(url_for(".page", _anchor="sessions"))


@blueprint.post("/sessions/end-others")
@enters(PERMISSION)
def end_others() -> Response:
    """End all of the person's sessions but this one."""
    with write_session(runtime().engine) as session:
        if session.get(StaffSession, current_session_id()) is None:  # another browser has just ended this one
            return redirect(url_for("sign_in.page"))
        gone = end_sessions(session, person().id, but=current_session_id())
        log_event(session, "sign out everywhere", person().email, sessions=gone)
        session.commit()
    # translators: shown after sessions in other browsers were ended
    flash(gettext("You are signed out everywhere else."))
    return redirect(url_for(".page", _anchor="sessions"))


def _render_page(language_form: LanguageForm | None = None, password_form: ChangePasswordForm | None = None) -> str:
    with read_session(runtime().engine) as session:
        someone = session.get_one(Staff, person().id)
        rows = session.scalars(
            select(StaffSession).where(StaffSession.staff_id == someone.id).order_by(StaffSession.began_at.desc())
        )
        return render_template(
            "me.html",
            person=someone,
            language_form=language_form or LanguageForm(formdata=None, language=someone.language),
            password_form=password_form or ChangePasswordForm(formdata=None),
            app=has_app(someone),
            keys=len(keys_of(session, someone.id)),
            left=recovery_codes.count_unused_codes(someone.mf_recovery_codes),
            sessions=[_session_line(row) for row in rows if is_session_active(row)],
        )


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session as the account page shows it."""

    id: str
    began: str
    seen: str
    how: str
    here: bool


def _session_line(row: StaffSession) -> SessionLine:
    return SessionLine(
        row.id,
        _format_moment(row.began_at),
        _format_moment(row.seen_at),
        _method_name(row.by),
        row.id == current_session_id(),
    )


def _format_moment(naive: datetime) -> str:
    """A moment in the district's time zone, in the format of the page's language."""
    there = runtime().settings.local_time(naive).replace(tzinfo=None)
    return str(format_datetime(there, "medium", rebase=False))


def _method_name(by: str) -> str:
    names = {
        # translators: how somebody signed in
        "password": gettext("Password"),
        # translators: how somebody signed in: a password, then a code from an app
        "code": gettext("Password and code"),
        # translators: how somebody signed in: a password, then one of the codes for a lost phone
        "recovery code": gettext("Password and recovery code"),
        # translators: how somebody signed in
        "passkey": gettext("Passkey"),
    }
    return names.get(by, by)


def _update_account(**values: str) -> None:
    with write_session(runtime().engine) as session:
        staff = session.get_one(Staff, person().id)
        for name, value in values.items():
            setattr(staff, name, value)
        if "password" in values:
            end_sessions(session, staff.id, but=current_session_id())
            write_change_letter(session, staff)
        session.commit()
