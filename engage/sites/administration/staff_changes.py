"""Changing what someone of the staff may do. The change counts from the next sign-in, so their sessions end."""

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.domain.security.accounts import assign, uniquifier
from engage.sites.administration.blueprint import blueprint
from engage.sites.administration.staff import known
from engage.sites.administration.staff_member import Lists, PersonForm, apply, filled, problems
from engage.storage.engine import reading, writing
from engage.storage.models.staff import Staff
from engage.web.audit import audited
from engage.web.auth.sessions import end_sessions
from engage.web.context import state
from engage.web.page_language import gettext
from engage.web.permissions import enters, person


@blueprint.get("/staff/<int:staff_id>")
@enters("manage staff")
def someone(staff_id: int) -> str:
    """What one person may do, as a form."""
    with reading(state().engine) as session:
        who = known(session, staff_id)
        return _page(session, who, filled(who), {})


@blueprint.post("/staff/<int:staff_id>")
@enters("manage staff")
def change_someone(staff_id: int) -> Response | tuple[str, int]:
    """Keep the change, and end the person's sessions."""
    form = PersonForm(request.form)
    with writing(state().engine) as session:
        who = known(session, staff_id)
        if who.id == person().id:
            # translators: an administrator tried to change what the own account may do
            flash(gettext("You cannot do this to your own account."), "error")
            return redirect(url_for("administration.staff"))
        if found := problems(session, form):
            return _page(session, who, form, found), 422
        _keep(session, who, form)
        session.commit()
    # translators: shown to the administrator; email is a person's address
    flash(gettext("%(email)s is changed, and signed out everywhere.", email=who.email))
    return redirect(url_for("administration.staff"))


def _keep(session: Session, who: Staff, form: PersonForm) -> None:
    before = _told(who)
    assign(session, who, form.role.data, form.schools.data if form.local else [])
    apply(session, who, form)
    who.fs_uniquifier = uniquifier()
    end_sessions(session, who.id)
    session.flush()
    changed = {name: f"{before[name]} → {now}" for name, now in _told(who).items() if before[name] != now}
    audited(session, "change staff", who.email, **changed)


def _told(who: Staff) -> dict[str, str]:
    """What the audit log says of a person: never the name."""
    return {
        "role": " ".join(each.name for each in who.roles),
        "schools": " ".join(sorted(each.id for each in who.schools)) or "all",
        "languages": who.languages or "all",
        "organisation": who.organisation.name if who.organisation else "none",
    }


def _page(session: Session, who: Staff, form: PersonForm, found: dict[str, str]) -> str:
    lists = Lists.of(session)
    return render_template("administration/person.html", who=who, form=form, problems=found, lists=lists)
