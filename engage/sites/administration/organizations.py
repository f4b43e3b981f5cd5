"""Partner organizations, which work with families beside the schools."""

from flask import abort, flash, redirect, render_template, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import ValidationError

from engage.sites.administration.blueprint import blueprint
from engage.storage.engine import read_session, write_session
from engage.storage.models.staff import Organisation, Staff
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.edit_forms import EditForm
from engage.web.forms import LineField
from engage.web.page_language import gettext
from engage.web.permissions import enters

NAME_MOST = 200  # characters


class OrganisationForm(EditForm):
    """The name of an organization."""

    name = LineField(most=NAME_MOST)

    def validate_name(self, field: LineField) -> None:
        """Refuse an empty name."""
        if not field.data:
            # translators: in a form: the name of an organisation
            raise ValidationError(gettext("Enter a name of 1 to %(most)s characters.", most=NAME_MOST))


@blueprint.get("/organisations")
@enters("manage organisations")
def organisations() -> str:
    """Every organization with the number of its people, and the form to add one."""
    with read_session(runtime().engine) as session:
        return _render_page(session)


@blueprint.post("/organisations")
@enters("manage organisations")
def add_organisation() -> Response | tuple[str, int]:
    """Add an organization."""
    return _save_organisation(None)


@blueprint.post("/organisations/<int:organisation_id>")
@enters("manage organisations")
def rename_organisation(organisation_id: int) -> Response | tuple[str, int]:
    """Rename an organization."""
    return _save_organisation(organisation_id)


def _save_organisation(organisation_id: int | None) -> Response | tuple[str, int]:
    with write_session(runtime().engine) as session:
        one = _require_organisation(session, organisation_id) if organisation_id is not None else Organisation()
        form = OrganisationForm(obj=one)
        if not form.validate() or not _is_new_name(session, one, form):
            return _render_page(session, form, organisation_id), form.refusal_status
        before, one.name = one.name or "", form.name.data or ""
        session.add(one)
        session.flush()
        log_event(session, "change staff", one.name, what="organisation", before=before)
        session.commit()
    # translators: shown after an organisation was added or got another name
    flash(gettext("Saved."))
    return redirect(url_for("administration.organisations"))


def _require_organisation(session: Session, organisation_id: int) -> Organisation:
    one = session.get(Organisation, organisation_id) if organisation_id < 2**31 else None
    return one or abort(404)


def _is_new_name(session: Session, one: Organisation, form: OrganisationForm) -> bool:
    same = select(Organisation.id).where(func.lower(Organisation.name) == (form.name.data or "").lower())
    if session.scalar(same) in (None, one.id):
        return True
    # translators: in a form: the name of an organisation
    form.add_error("name", gettext("There is already an organization with this name."))
    return False


def _render_page(session: Session, form: OrganisationForm | None = None, wrong: int | None = None) -> str:
    """The page; `form` is one with errors, of the organization with the id `wrong`, or of a new one."""
    count = select(Staff.organisation_id, func.count()).group_by(Staff.organisation_id)
    people: dict[int | None, int] = {row[0]: row[1] for row in session.execute(count)}
    empty = OrganisationForm(formdata=None)
    rows = [
        (one, people.get(one.id, 0), _row_form(one, form if form and wrong == one.id else None))
        for one in session.scalars(select(Organisation).order_by(Organisation.name))
    ]
    new = form if form and wrong is None else empty
    return render_template("administration/organizations.html", rows=rows, new=new)


def _row_form(one: Organisation, form: OrganisationForm | None) -> OrganisationForm:
    """The form of an organization in the list: the one with errors, or one with its current name."""
    return (form or OrganisationForm(formdata=None, obj=one)).prefix_ids(f"organisation-{one.id}")
