"""Changing a staff member's roles and scope. The change applies from the next sign-in, so their sessions end."""

from flask import flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.domain.security.accounts import (
    ADMINISTRATOR,
    assign_roles,
    compare_access,
    describe_access,
    is_last_administrator,
    new_uniquifier,
)
from engage.sites.administration.blueprint import blueprint
from engage.sites.administration.staff import require_staff_member
from engage.sites.administration.staff_member import PersonForm, apply_form, prefill_form
from engage.storage.engine import read_session, write_session
from engage.storage.models.staff import Staff
from engage.web.audit import log_event
from engage.web.auth.sessions import end_sessions
from engage.web.context import runtime
from engage.web.page_language import gettext
from engage.web.permissions import enters, person


@blueprint.get("/staff/<int:staff_id>")
@enters("manage staff")
def someone(staff_id: int) -> str:
    """The form of one person."""
    with read_session(runtime().engine) as session:
        who = require_staff_member(session, staff_id)
        return _render_page(who, prefill_form(session, who))


@blueprint.post("/staff/<int:staff_id>")
@enters("manage staff")
def change_someone(staff_id: int) -> Response | tuple[str, int]:
    """Store the change, and end the person's sessions."""
    with write_session(runtime().engine) as session:
        who = require_staff_member(session, staff_id)
        if who.id == person().id:
            # translators: an administrator tried to change what the own account may do
            flash(gettext("You cannot do this to your own account."), "error")
            return redirect(url_for("administration.staff"))
        form = prefill_form(session, who)
        if not _is_valid(session, who, form):
            return _render_page(who, form), form.refusal_status
        _save_change(session, who, form)
        session.commit()
    # translators: shown to the administrator; email is a person's address
    flash(gettext("The changes for %(email)s were saved. The person was signed out everywhere.", email=who.email))
    return redirect(url_for("administration.staff"))


def _is_valid(session: Session, who: Staff, form: PersonForm) -> bool:
    if not form.validate():
        return False
    if ADMINISTRATOR in (form.roles.data or []) or not is_last_administrator(session, who):
        return True
    # translators: in a form: somebody must stay an administrator
    form.add_error("roles", gettext("This person is the only administrator. Give someone else that role first."))
    return False


def _save_change(session: Session, who: Staff, form: PersonForm) -> None:
    before = describe_access(who)
    assign_roles(session, who, form.roles.data or [], form.school_ids)
    apply_form(session, who, form)
    who.fs_uniquifier = new_uniquifier()
    end_sessions(session, who.id)
    session.flush()
    log_event(session, "change staff", who.email, **compare_access(before, who))


def _render_page(who: Staff, form: PersonForm) -> str:
    return render_template("administration/staff_member.html", who=who, form=form)
