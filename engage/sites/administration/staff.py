"""Staff accounts: inviting people, deactivating them, and ending their sessions."""

from dataclasses import dataclass
from secrets import choice
from typing import Self

from flask import abort, flash, redirect, render_template, url_for
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.domain.security.access_codes import ALPHABET
from engage.domain.security.accounts import (
    NewStaff,
    create_staff,
    is_last_administrator,
    new_uniquifier,
    remove_second_factors,
)
from engage.domain.security.passwords import hash_password, password_weakness
from engage.domain.security.permissions import is_limited_to_schools, sort_roles
from engage.sites.administration.blueprint import blueprint
from engage.sites.administration.staff_member import StaffForm, apply_form
from engage.storage.engine import read_session, write_session
from engage.storage.models.schools import School
from engage.storage.models.staff import Staff
from engage.web.audit import log_event
from engage.web.auth.password_reset import send_invitation
from engage.web.auth.sessions import end_sessions
from engage.web.context import runtime
from engage.web.forms import LineField, QueryForm
from engage.web.page_language import gettext
from engage.web.paging import read_page, requested_page
from engage.web.permissions import enters, person
from engage.web.role_labels import role_labels

GROUPS, GROUP = 4, 4  # an initial password: 16 symbols of 23, 72 random bits
ACCOUNT_ACTIONS = ("off", "on", "out", "password", "letter", "steps")
NOT_ON_OWN_ACCOUNT = ("off", "password", "steps")  # actions that people cannot apply to their own account here


class StaffSearch(QueryForm):
    """Part of a person's name or email address."""

    person = LineField()


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A row of the list: the person, the labels of their roles, and their schools (none: all)."""

    person: Staff
    roles: list[str]
    schools: list[School]

    @classmethod
    def of(cls, someone: Staff) -> Self:
        """The row of a person."""
        labels, names = role_labels(), [role.name for role in someone.roles]
        schools = someone.schools if is_limited_to_schools(names) else []
        return cls(someone, [labels[name] for name in sort_roles(names)], schools)


@blueprint.get("/staff")
@enters("manage staff")
def staff() -> str:
    """All people who can sign in, and the form to add one."""
    with read_session(runtime().engine) as session:
        return _render_page(session, StaffForm(session))


@blueprint.post("/staff")
@enters("manage staff")
def add_staff() -> Response | tuple[str, int]:
    """Add a person, and send an email with a link to choose a password."""
    with write_session(runtime().engine) as session:
        form = StaffForm(session)
        if not form.validate():
            return _render_page(session, form), 422
        someone = _create_person(session, form)
        session.commit()
    flash(_invitation_message(someone.email))
    return redirect(url_for("administration.staff"))


@blueprint.post("/staff/<int:staff_id>/<deed>")
@enters("manage staff")
def change(staff_id: int, deed: str) -> Response | str:
    """Activate or deactivate a person, end all sessions, send the email again, set a new initial password, or remove
    the second step."""
    if deed not in ACCOUNT_ACTIONS:
        abort(404)
    with write_session(runtime().engine) as session:
        someone = require_staff_member(session, staff_id)
        if someone.id == person().id and deed in NOT_ON_OWN_ACCOUNT:
            # translators: an administrator tried to switch off the own account
            flash(gettext("You cannot do this to your own account."), "error")
            return redirect(url_for("administration.staff"))
        if deed == "off" and is_last_administrator(session, someone):
            # translators: an administrator tried to switch off the account of the only one
            flash(gettext("This person is the only administrator. Give someone else that role first."), "error")
            return redirect(url_for("administration.staff"))
        password = _apply_action(session, someone, deed)
        session.commit()
        if password:
            return _render_page(session, StaffForm(session, formdata=None), new_password=(someone.email, password))
    flash(_action_message(deed, someone.email))
    return redirect(url_for("administration.staff"))


def _create_person(session: Session, form: StaffForm) -> Staff:
    """Create the person of a valid form, with an email and an entry in the audit log."""
    roles = sort_roles(form.roles.data or [])
    new = NewStaff(form.email.data or "", form.name.data or "", roles, form.school_ids)
    someone = create_staff(session, new, runtime().now())
    apply_form(session, someone, form)
    session.flush()
    send_invitation(session, someone)
    log_event(session, "add staff", someone.email, roles=" ".join(roles), schools=len(someone.schools))
    return someone


def require_staff_member(session: Session, staff_id: int) -> Staff:
    """A person of the list; "not found" for any other."""
    someone = session.get(Staff, staff_id) if staff_id < 2**31 else None
    return someone or abort(404)


def initial_password(email: str) -> str:
    """An initial password to be handed over once, in groups of four."""
    while True:
        password = "-".join("".join(choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
        if password_weakness(password, email) is None:
            return password


def _apply_action(session: Session, someone: Staff, deed: str) -> str | None:
    """Change the account; every action but "on" ends its sessions. Returns a new password if one was requested."""
    if deed in ("off", "on"):
        someone.active = deed == "on"
    if deed == "steps":
        remove_second_factors(session, someone)
    ended = 0
    if deed != "on":
        someone.fs_uniquifier = new_uniquifier()
        ended = end_sessions(session, someone.id)
    password = initial_password(someone.email) if deed == "password" else None
    if password:
        someone.password = hash_password(password)
    if deed == "letter":
        send_invitation(session, someone)
    if deed == "out":
        log_event(session, "sign out everywhere", someone.email, sessions=ended)
    else:
        log_event(session, "change staff", someone.email, what=deed)
    return password


def _invitation_message(email: str) -> str:
    # translators: shown to the administrator; email is a person's address
    sent = gettext("The email to %(email)s has a one-time setup link. The link works for 7 days.", email=email)
    if runtime().settings.mail_server:
        return sent
    # translators: follows that a letter was written; letters that wait are a page of the administrator's
    return sent + " " + gettext("No mail server is set up. You can find the email under Outgoing mail.")


def _action_message(deed: str, email: str) -> str:
    if deed == "off":
        # translators: shown to the administrator; email is a person's address
        return gettext("%(email)s can no longer sign in.", email=email)
    if deed == "on":
        # translators: shown to the administrator; email is a person's address
        return gettext("%(email)s can sign in again.", email=email)
    if deed == "letter":
        return _invitation_message(email)
    if deed == "steps":
        # translators: shown to the administrator; email is a person's address
        return gettext("%(email)s now signs in with only a password and can set up a second step again.", email=email)
    # translators: shown to the administrator; email is a person's address
    return gettext("%(email)s was signed out everywhere.", email=email)


def _render_page(session: Session, form: StaffForm, new_password: tuple[str, str] | None = None) -> str:
    """The page; `new_password` is an email address and that person's new password."""
    search = StaffSearch()
    page = read_page(session, _select_staff(search.person.data or ""), requested_page())
    return render_template(
        "administration/staff.html",
        form=form,
        new_password=new_password,
        search=search,
        page=page,
        rows=[StaffRow.of(someone) for someone in page.rows],
        me=person().id,
    )


def _select_staff(text: str) -> Select[Staff]:
    """The people whose name or email address contains a text, by address."""
    parts = (column.icontains(text, autoescape=True) for column in (Staff.email, Staff.name))
    return select(Staff).where(or_(*parts)).order_by(Staff.email)
