"""Changing what someone of the staff may do. The change counts from the next sign-in, so their sessions end."""

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.domain.security.accounts import assign_role, new_uniquifier
from engage.sites.administration.blueprint import blueprint
from engage.sites.administration.staff import require_staff_member
from engage.sites.administration.staff_member import FormChoices, PersonForm, apply_form, find_problems, prefill_form
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
    """What one person may do, as a form."""
    with read_session(runtime().engine) as session:
        who = require_staff_member(session, staff_id)
        return _render_page(session, who, prefill_form(who), {})


@blueprint.post("/staff/<int:staff_id>")
@enters("manage staff")
def change_someone(staff_id: int) -> Response | tuple[str, int]:
    """Keep the change, and end the person's sessions."""
    form = PersonForm(request.form)
    with write_session(runtime().engine) as session:
        who = require_staff_member(session, staff_id)
        if who.id == person().id:
            # translators: an administrator tried to change what the own account may do
            flash(gettext("You cannot do this to your own account."), "error")
            return redirect(url_for("administration.staff"))
        if found := find_problems(session, form):
            return _render_page(session, who, form, found), 422
        _save_change(session, who, form)
        session.commit()
    # translators: shown to the administrator; email is a person's address
    flash(gettext("The changes for %(email)s were saved. The person was signed out everywhere.", email=who.email))
    return redirect(url_for("administration.staff"))


def _save_change(session: Session, who: Staff, form: PersonForm) -> None:
    before = _audit_details(who)
    assign_role(session, who, form.role.data, form.schools.data if form.local else [])
    apply_form(session, who, form)
    who.fs_uniquifier = new_uniquifier()
    end_sessions(session, who.id)
    session.flush()
    changed = {name: f"{before[name]} → {now}" for name, now in _audit_details(who).items() if before[name] != now}
    log_event(session, "change staff", who.email, **changed)


def _audit_details(who: Staff) -> dict[str, str]:
    """What the audit log says of a person: never the name."""
    return {
        "role": " ".join(each.name for each in who.roles),
        "schools": " ".join(sorted(each.id for each in who.schools)) or "all",
        "languages": who.languages or "all",
        "organisation": who.organisation.name if who.organisation else "none",
    }


def _render_page(session: Session, who: Staff, form: PersonForm, found: dict[str, str]) -> str:
    lists = FormChoices.of(session)
    return render_template("administration/person.html", who=who, form=form, problems=found, lists=lists)
