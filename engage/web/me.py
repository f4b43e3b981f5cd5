"""The page of one's own account: the language of the pages, and the password."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_security import current_user
from werkzeug.wrappers import Response

from engage.access.passwords import LEAST, LEAST_DIFFERENT, MOST, hashed, matches, weakness
from engage.access.people import uniquifier
from engage.languages import LANGUAGES
from engage.records.session import writing
from engage.records.staff import Staff
from engage.web.guards import enters, person
from engage.web.locale import gettext, speak
from engage.web.sessions import end_sessions, own_session, renew_session, strong
from engage.web.state import state

MINE = "manage yourself"
PASSWORD_VIEW = "me.password"  # noqa: S105  a view's name

blueprint = Blueprint("me", __name__, url_prefix="/staff/me")


@blueprint.get("")
@enters(MINE)
def page() -> str:
    """One's own account."""
    return render_template("me.html", person=person(), problems={})


@blueprint.post("/language")
@enters(MINE)
def language() -> Response | tuple[str, int]:
    """Choose the language of the staff pages."""
    tag = request.form.get("language", "")
    if tag not in LANGUAGES:
        # translators: shown when a form named a language that is not in the list
        problem = gettext("Please choose a language from the list.")
        return render_template("me.html", person=person(), problems={"language": problem}), 422
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
        return render_template("me.html", person=person(), problems=problems), 422
    how = strong()
    _change(password=hashed(new), fs_uniquifier=uniquifier())
    renew_session(person(), "password", how, "change sign-in", what="password")
    # translators: shown after choosing another password
    flash(gettext("Your password is changed. Other browsers are signed out."))
    return redirect(url_for(".page"))


def _problems(old: str, new: str) -> dict[str, str]:
    if not matches(person().password, old):
        # translators: next to the box for the present password
        return {"old": gettext("This is not your password. Please try again.")}
    weak = weakness(new, person().email)
    return {"new": _advice(weak)} if weak else {}


def _advice(weak: str) -> str:
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
        session.commit()
