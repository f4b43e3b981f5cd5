"""Who may sign in: adding people, switching them off, signing them out everywhere."""

from secrets import choice

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import Form, SelectField, SelectMultipleField, StringField

from engage.access.codes import ALPHABET
from engage.access.passwords import hashed, weakness
from engage.access.people import PersonProblem, add, address, find, uniquifier
from engage.access.permits import DISTRICT_WIDE, ROLES
from engage.administration.door import blueprint
from engage.questionnaire.text import clean
from engage.records.schools import School
from engage.records.session import reading, writing
from engage.records.staff import Staff
from engage.web.guards import enters, person
from engage.web.locale import gettext
from engage.web.state import state

NAME_MOST = 200  # characters
GROUPS, GROUP = 4, 4  # an initial password: 16 symbols of 23, 72 random bits


class StaffForm(Form):  # type: ignore[misc]  # wtforms has no types
    """Someone who shall be able to sign in."""

    email = StringField(filters=[lambda text: clean((text or "")[:1000], lines=False)])
    name = StringField(filters=[lambda text: clean((text or "")[:1000], lines=False)])
    role = SelectField(validate_choice=False)
    schools = SelectMultipleField(validate_choice=False)


@blueprint.get("/staff")
@enters("manage staff")
def staff() -> str:
    """Everybody who may sign in, and the form to add someone."""
    with reading(state().engine) as session:
        return _page(session, StaffForm(), {})


@blueprint.post("/staff")
@enters("manage staff")
def add_staff() -> str | tuple[str, int]:
    """Add someone, and show their first password this once."""
    form = StaffForm(request.form)
    with writing(state().engine) as session:
        if problems := _problems(session, form):
            return _page(session, form, problems), 422
        password = initial_password(form.email.data)
        places = [] if form.role.data in DISTRICT_WIDE else form.schools.data
        add(session, form.email.data, form.name.data, form.role.data, places, password, state().now())
        session.commit()
        return _page(session, StaffForm(), {}, shown=(address(form.email.data), password))


@blueprint.post("/staff/<int:staff_id>/<deed>")
@enters("manage staff")
def change(staff_id: int, deed: str) -> Response | str:
    """Switch someone off or on, sign them out everywhere, or give them a new first password."""
    if deed not in ("off", "on", "out", "password") or staff_id > 2**31:
        abort(404)
    with writing(state().engine) as session:
        someone = session.get(Staff, staff_id)
        if someone is None:
            abort(404)
        if someone.id == person().id and deed in ("off", "password"):
            # translators: an administrator tried to switch off the own account
            flash(gettext("You cannot do this to your own account."), "error")
            return redirect(url_for("administration.staff"))
        password = _do(someone, deed)
        session.commit()
        if password:
            return _page(session, StaffForm(), {}, shown=(someone.email, password))
    flash(_done(deed, someone.email))
    return redirect(url_for("administration.staff"))


def initial_password(email: str) -> str:
    """A password to be handed over once, in fours."""
    while True:
        password = "-".join("".join(choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
        if weakness(password, email) is None:
            return password


def role_names() -> dict[str, str]:
    """What each role is called."""
    return {
        # translators: a role: school staff who work with families
        "liaison": gettext("Community liaison"),
        # translators: a role: decides for the school district
        "leader": gettext("District leader"),
        # translators: a role: translates surveys and pages
        "translator": gettext("Translator"),
        # translators: a role: looks after the system
        "administrator": gettext("Administrator"),
    }


def _do(someone: Staff, deed: str) -> str | None:
    """Change the account; every deed but "on" ends its sessions. Returns a new password where one was asked for."""
    if deed in ("off", "on"):
        someone.active = deed == "on"
    if deed != "on":
        someone.fs_uniquifier = uniquifier()
    if deed != "password":
        return None
    password = initial_password(someone.email)
    someone.password = hashed(password)
    return password


def _done(deed: str, email: str) -> str:
    if deed == "off":
        # translators: shown to the administrator; email is a person's address
        return gettext("%(email)s can no longer sign in.", email=email)
    if deed == "on":
        # translators: shown to the administrator; email is a person's address
        return gettext("%(email)s can sign in again.", email=email)
    # translators: shown to the administrator; email is a person's address
    return gettext("%(email)s is signed out everywhere.", email=email)


def _problems(session: Session, form: StaffForm) -> dict[str, str]:
    """What is wrong with the form, by field."""
    problems = {}
    if wrong := _address_problem(session, form.email.data):
        problems["email"] = wrong
    if len(form.name.data) > NAME_MOST:
        # translators: in a form
        problems["name"] = gettext("This is too long. Use at most %(most)s letters.", most=NAME_MOST)
    if form.role.data not in ROLES:
        # translators: in a form
        problems["role"] = gettext("Choose one from the list.")
    elif form.role.data not in DISTRICT_WIDE and not _known(session, form.schools.data or []):
        # translators: in a form: a liaison works with certain schools
        problems["schools"] = gettext("Choose at least one school.")
    return problems


def _address_problem(session: Session, email: str) -> str:
    try:
        known = find(session, address(email))
    except PersonProblem:
        # translators: in a form: the example is an e-mail address
        return gettext("Write an e-mail address, like name@example.org.")
    # translators: in a form: this e-mail address belongs to somebody who is in the list already
    return gettext("This person can sign in already.") if known else ""


def _known(session: Session, ids: list[str]) -> bool:
    known = set(session.scalars(select(School.id)))
    return bool(ids) and known.issuperset(ids)


def _page(
    session: Session, form: StaffForm, problems: dict[str, str], shown: tuple[str, str] | None = None
) -> str:
    return render_template(
        "administration/staff.html",
        form=form,
        problems=problems,
        shown=shown,
        people=session.scalars(select(Staff).order_by(Staff.email)).all(),
        places=session.scalars(select(School).order_by(School.name)).all(),
        role_names=role_names(),
        me=person().id,
    )
