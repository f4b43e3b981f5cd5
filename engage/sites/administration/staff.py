"""Who may sign in: inviting people, switching them off, signing them out everywhere."""

from secrets import choice

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.domain.security.access_codes import ALPHABET
from engage.domain.security.accounts import add, take_steps_away, uniquifier
from engage.domain.security.passwords import hashed, weakness
from engage.sites.administration.blueprint import blueprint
from engage.sites.administration.staff_member import Lists, PersonForm, StaffForm, apply, problems
from engage.storage.engine import reading, writing
from engage.storage.models.staff import Staff
from engage.web.audit import audited
from engage.web.auth.password_reset import invite
from engage.web.auth.sessions import end_sessions
from engage.web.context import state
from engage.web.page_language import gettext
from engage.web.permissions import enters, person

GROUPS, GROUP = 4, 4  # an initial password: 16 symbols of 23, 72 random bits
DEEDS = ("off", "on", "out", "password", "letter", "steps")
OWN = ("off", "password", "steps")  # what nobody does to the own account here


@blueprint.get("/staff")
@enters("manage staff")
def staff() -> str:
    """Everybody who may sign in, and the form to add someone."""
    with reading(state().engine) as session:
        return _page(session, StaffForm(), {})


@blueprint.post("/staff")
@enters("manage staff")
def add_staff() -> Response | tuple[str, int]:
    """Add someone, and write them a letter with a link to choose a password."""
    form = StaffForm(request.form)
    with writing(state().engine) as session:
        if found := problems(session, form):
            return _page(session, form, found), 422
        places = form.schools.data if form.local else []
        someone = add(session, form.email.data, form.name.data, form.role.data, places, None, state().now())
        apply(session, someone, form)
        session.flush()
        invite(session, someone)
        audited(session, "add staff", someone.email, role=form.role.data, schools=len(places))
        session.commit()
    flash(_invited(someone.email))
    return redirect(url_for("administration.staff"))


@blueprint.post("/staff/<int:staff_id>/<deed>")
@enters("manage staff")
def change(staff_id: int, deed: str) -> Response | str:
    """Switch someone off or on, sign them out everywhere, write them a letter again, give them a new first password,
    or take their second step away."""
    if deed not in DEEDS:
        abort(404)
    with writing(state().engine) as session:
        someone = known(session, staff_id)
        if someone.id == person().id and deed in OWN:
            # translators: an administrator tried to switch off the own account
            flash(gettext("You cannot do this to your own account."), "error")
            return redirect(url_for("administration.staff"))
        password = _do(session, someone, deed)
        session.commit()
        if password:
            return _page(session, StaffForm(), {}, shown=(someone.email, password))
    flash(_done(deed, someone.email))
    return redirect(url_for("administration.staff"))


def known(session: Session, staff_id: int) -> Staff:
    """Someone who is in the list; "not found" for anybody else."""
    someone = session.get(Staff, staff_id) if staff_id < 2**31 else None
    return someone or abort(404)


def initial_password(email: str) -> str:
    """A password to be handed over once, in fours."""
    while True:
        password = "-".join("".join(choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
        if weakness(password, email) is None:
            return password


def _do(session: Session, someone: Staff, deed: str) -> str | None:
    """Change the account; every deed but "on" ends its sessions. Returns a new password where one was asked for."""
    if deed in ("off", "on"):
        someone.active = deed == "on"
    if deed == "steps":
        take_steps_away(session, someone)
    ended = 0
    if deed != "on":
        someone.fs_uniquifier = uniquifier()
        ended = end_sessions(session, someone.id)
    password = initial_password(someone.email) if deed == "password" else None
    if password:
        someone.password = hashed(password)
    if deed == "letter":
        invite(session, someone)
    if deed == "out":
        audited(session, "sign out everywhere", someone.email, sessions=ended)
    else:
        audited(session, "change staff", someone.email, what=deed)
    return password


def _invited(email: str) -> str:
    # translators: shown to the administrator; email is a person's address
    sent = gettext("A letter to %(email)s has a link to choose a password. The link works for 7 days.", email=email)
    if state().settings.mail_server:
        return sent
    # translators: follows that a letter was written; letters that wait are a page of the administrator's
    return sent + " " + gettext("No mail server is set up: you find the letter among those that wait.")


def _done(deed: str, email: str) -> str:
    if deed == "off":
        # translators: shown to the administrator; email is a person's address
        return gettext("%(email)s can no longer sign in.", email=email)
    if deed == "on":
        # translators: shown to the administrator; email is a person's address
        return gettext("%(email)s can sign in again.", email=email)
    if deed == "letter":
        return _invited(email)
    if deed == "steps":
        # translators: shown to the administrator; email is a person's address
        return gettext("%(email)s now signs in with a password only, and can set up a second step again.", email=email)
    # translators: shown to the administrator; email is a person's address
    return gettext("%(email)s is signed out everywhere.", email=email)


def _page(session: Session, form: PersonForm, found: dict[str, str], shown: tuple[str, str] | None = None) -> str:
    return render_template(
        "administration/staff.html",
        form=form,
        problems=found,
        shown=shown,
        people=session.scalars(select(Staff).order_by(Staff.email)).all(),
        lists=Lists.of(session),
        me=person().id,
    )
