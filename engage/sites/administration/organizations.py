"""Partner organisations: those that work with families beside the schools."""

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.questionnaire.text_cleaning import clean_text
from engage.sites.administration.blueprint import blueprint
from engage.storage.engine import read_session, write_session
from engage.storage.models.staff import Organisation, Staff
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.page_language import gettext
from engage.web.permissions import enters

NAME_MOST = 200  # characters


@blueprint.get("/organisations")
@enters("manage organisations")
def organisations() -> str:
    """Every organisation with how many people it sends, and the form to add one."""
    with read_session(runtime().engine) as session:
        return _render_page(session)


@blueprint.post("/organisations")
@enters("manage organisations")
def add_organisation() -> Response | tuple[str, int]:
    """Add an organisation."""
    return _save_organisation(None)


@blueprint.post("/organisations/<int:organisation_id>")
@enters("manage organisations")
def rename_organisation(organisation_id: int) -> Response | tuple[str, int]:
    """Give an organisation another name."""
    return _save_organisation(organisation_id)


def _save_organisation(organisation_id: int | None) -> Response | tuple[str, int]:
    name = clean_text(request.form.get("name", "")[:1000], lines=False)
    with write_session(runtime().engine) as session:
        one = _require_organisation(session, organisation_id) if organisation_id is not None else Organisation()
        if problem := _name_problem(session, one, name):
            return _render_page(session, name, problem, organisation_id), 422
        before, one.name = one.name or "", name
        session.add(one)
        session.flush()
        log_event(session, "change staff", name, what="organisation", before=before)
        session.commit()
    # translators: shown after an organisation was added or got another name
    flash(gettext("Saved."))
    return redirect(url_for("administration.organisations"))


def _require_organisation(session: Session, organisation_id: int) -> Organisation:
    one = session.get(Organisation, organisation_id) if organisation_id < 2**31 else None
    return one or abort(404)


def _name_problem(session: Session, one: Organisation, name: str) -> str:
    if not 1 <= len(name) <= NAME_MOST:
        # translators: in a form: the name of an organisation
        return gettext("Enter a name of 1 to %(most)s characters.", most=NAME_MOST)
    with session.no_autoflush:
        same = session.scalar(select(Organisation.id).where(func.lower(Organisation.name) == name.lower()))
    # translators: in a form: the name of an organisation
    return gettext("There is already an organization with this name.") if same not in (None, one.id) else ""


def _render_page(session: Session, name: str = "", problem: str = "", wrong: int | None = None) -> str:
    count = select(Staff.organisation_id, func.count()).group_by(Staff.organisation_id)
    return render_template(
        "administration/organisations.html",
        rows=session.scalars(select(Organisation).order_by(Organisation.name)).all(),
        people={row[0]: row[1] for row in session.execute(count)},
        name=name,
        problem=problem,
        wrong=wrong,
    )
