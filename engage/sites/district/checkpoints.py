"""The list of checkpoints, and planning a new one."""

from flask import flash, redirect, render_template, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload
from werkzeug.wrappers import Response
from wtforms import SelectMultipleField

from engage.base.catalogs import catalogue
from engage.services.checkpoints.planning import CheckpointRefused, create_checkpoint
from engage.sites.district.blueprint import blueprint
from engage.storage.engine import read_session, write_session
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.waves import Wave
from engage.web.context import runtime
from engage.web.forms import BaseForm, DayField, LineField
from engage.web.page_language import gettext, language, long_date
from engage.web.permissions import enters


class CheckpointForm(BaseForm):
    """A meeting and its waves; validated by services/checkpoints/planning.py."""

    title = LineField()
    meets_on = DayField()
    waves = SelectMultipleField()


@blueprint.get("/checkpoints")
@enters("see summaries")
def checkpoints() -> str:
    """All checkpoints, latest meeting first."""
    with read_session(runtime().engine) as session:
        query = select(Checkpoint).options(selectinload(Checkpoint.waves), selectinload(Checkpoint.commitments))
        rows = list(session.scalars(query.order_by(Checkpoint.meets_on.desc(), Checkpoint.id)))
        return render_template("district/checkpoints.html", rows=rows)


@blueprint.get("/checkpoints/new")
@enters("manage checkpoints")
def new_checkpoint() -> str:
    """The form."""
    with read_session(runtime().engine) as session:
        return _render_page(session, _build_form(session))


@blueprint.post("/checkpoints/new")
@enters("manage checkpoints")
def plan_checkpoint() -> Response | tuple[str, int]:
    """Plan the checkpoint, or show why it cannot be planned."""
    with write_session(runtime().engine) as session:
        form = _build_form(session)
        checkpoint = _plan_from_form(session, form) if form.validate() else None
        if checkpoint is None:
            return _render_page(session, form), 422
        session.commit()
    # translators: shown to staff; a checkpoint is a dated meeting with frozen figures
    flash(gettext("The checkpoint was planned. Its figures are a draft until you freeze them."))
    return redirect(url_for("district.checkpoint", checkpoint_id=checkpoint.id))


def _build_form(session: Session) -> CheckpointForm:
    form = CheckpointForm()
    form.waves.choices = [(wave.id, wave.title) for wave in _list_waves(session)]
    return form


def _plan_from_form(session: Session, form: CheckpointForm) -> Checkpoint | None:
    words = catalogue(language().tag)
    try:
        return create_checkpoint(session, form.title.data or "", form.meets_on.data, form.waves.data or [], words)
    except CheckpointRefused as refused:
        for field, sentence in refused.refusals:
            form.add_error(field, sentence)
        return None


def _list_waves(session: Session) -> list[Wave]:
    """All waves, newest first."""
    return list(session.scalars(select(Wave).order_by(Wave.opens.desc(), Wave.id)))


def _render_page(session: Session, form: CheckpointForm) -> str:
    days = {wave.id: f"{long_date(wave.opens)} – {long_date(wave.closes)}" for wave in _list_waves(session)}
    return render_template("district/new_checkpoint.html", form=form, days=days)
