"""The page of one's own account: the language of the pages, where it is signed in, and the password."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import format_datetime
from flask_security import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

from engage.base.languages import LANGUAGES
from engage.domain.security import recovery_codes
from engage.domain.security.accounts import uniquifier
from engage.domain.security.passwords import LEAST, LEAST_DIFFERENT, MOST, hashed, matches, weakness
from engage.storage.engine import reading, writing
from engage.storage.models.staff import Staff, StaffSession
from engage.web.audit import audited
from engage.web.auth.notifications import write_letter
from engage.web.auth.passkeys import keys_of
from engage.web.auth.sessions import by, end_sessions, own_session, renew_session, standing
from engage.web.auth.totp import has_app
from engage.web.context import state
from engage.web.page_language import gettext, speak
from engage.web.permissions import enters, person, strong

MINE = "manage yourself"

blueprint = Blueprint("me", __name__, url_prefix="/staff/me")


@blueprint.get("")
@enters(MINE)
def page() -> str:
    """One's own account."""
    return _page({})


@blueprint.post("/language")
@enters(MINE)
def language() -> Response | tuple[str, int]:
    """Choose the language of the staff pages."""
    tag = request.form.get("language", "")
    if tag not in LANGUAGES:
        # translators: shown when a form named a language that is not in the list
        problem = gettext("Please choose a language from the list.")
        return _page({"language": problem}), 422
    _change(language=tag)
    speak(tag)
    # translators: shown after choosing another page language
    flash(gettext("Your pages are now in this language."))
    return redirect(url_for(".page"))


@blueprint.post("/password")
@enters(MINE)
def password() -> Response | tuple[str, int]:
    """Choose another password. Everyone signed in with the old one is signed out, but for this browser."""
    old, new = request.form.get("old", ""), request.form.get("new", "")
    problems = _problems(old, new)
    if problems:
        return _page(problems), 422
    how, sure = by(), strong()
    _change(password=hashed(new), fs_uniquifier=uniquifier())
    renew_session(person(), how, sure, "change sign-in", what="password")
    # translators: shown after choosing another password
    flash(gettext("Your password is changed. Other browsers are signed out."))
    return redirect(url_for(".page"))


@blueprint.post("/sessions/<session_id>/end")
@enters(MINE)
def end(session_id: str) -> Response:
    """End one of the person's own sessions."""
    with writing(state().engine) as session:
        row = session.get(StaffSession, session_id) if session_id.isalnum() else None
        if row is None or row.staff_id != person().id:
            abort(404)
        session.delete(row)
        session.commit()
    # translators: shown after a session in another browser was ended
    flash(gettext("That browser is signed out."))
    return redirect(url_for(".page", _anchor="sessions"))


@blueprint.post("/sessions/end-others")
@enters(MINE)
def end_others() -> Response:
    """End all of the person's sessions but this one."""
    with writing(state().engine) as session:
        gone = end_sessions(session, person().id, but=own_session())
        audited(session, "sign out everywhere", person().email, sessions=gone)
        session.commit()
    # translators: shown after sessions in other browsers were ended
    flash(gettext("You are signed out everywhere else."))
    return redirect(url_for(".page", _anchor="sessions"))


def _page(problems: dict[str, str]) -> str:
    with reading(state().engine) as session:
        someone = session.get_one(Staff, person().id)
        rows = session.scalars(
            select(StaffSession).where(StaffSession.staff_id == someone.id).order_by(StaffSession.began_at.desc())
        )
        return render_template(
            "me.html",
            person=someone,
            problems=problems,
            app=has_app(someone),
            keys=len(keys_of(session, someone.id)),
            left=recovery_codes.left(someone.mf_recovery_codes),
            sessions=[_shown(row) for row in rows if standing(row)],
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """A session as its owner sees it."""

    id: str
    began: str
    seen: str
    how: str
    here: bool


def _shown(row: StaffSession) -> Shown:
    return Shown(row.id, _moment(row.began_at), _moment(row.seen_at), _how(row.by), row.id == own_session())


def _moment(naive: datetime) -> str:
    """A moment in the district's time, as the page's language writes it."""
    there = state().settings.local_time(naive).replace(tzinfo=None)
    return str(format_datetime(there, "medium", rebase=False))


def _how(by: str) -> str:
    known = {
        # translators: how somebody signed in
        "password": gettext("Password"),
        # translators: how somebody signed in: a password, then a code from an app
        "code": gettext("Password and code"),
        # translators: how somebody signed in: a password, then one of the codes for a lost phone
        "recovery code": gettext("Password and recovery code"),
        # translators: how somebody signed in
        "passkey": gettext("Passkey"),
    }
    return known.get(by, by)


def _problems(old: str, new: str) -> dict[str, str]:
    if not matches(person().password, old):
        # translators: next to the box for the present password
        return {"old": gettext("This is not your password. Please try again.")}
    weak = weakness(new, person().email)
    return {"new": advice(weak)} if weak else {}


def advice(weak: str) -> str:
    if weak == "short":
        # translators: next to the box for a new password
        return gettext("Please use at least %(number)s characters.", number=LEAST)
    if weak == "long":
        # translators: next to the box for a new password
        return gettext("Please use at most %(number)s characters.", number=MOST)
    if weak == "simple":
        # translators: next to the box for a new password
        return gettext("Please use at least %(number)s different characters.", number=LEAST_DIFFERENT)
    # translators: next to the box for a new password
    return gettext("Please do not use your e-mail name in it.")


def _change(**values: str) -> None:
    with writing(state().engine) as session:
        staff = session.get_one(Staff, current_user.id)
        for name, value in values.items():
            setattr(staff, name, value)
        if "password" in values:
            end_sessions(session, staff.id, but=own_session())
            write_letter(session, staff)
        session.commit()
