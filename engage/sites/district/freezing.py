"""Freezing the figures of a checkpoint, at once or by the worker: from then on, they never change."""

from flask import flash, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.domain.intake.group_encryption import GROUP_KEY
from engage.services.checkpoints.count_requests import FREEZE, UNFINISHED, find_count, request_freezing
from engage.services.checkpoints.counting import count_and_freeze, open_sealed_groups
from engage.services.checkpoints.freezing import AlreadyFrozen, require_answers
from engage.services.checkpoints.large_counts import is_freezing_large
from engage.sites.district.blueprint import blueprint
from engage.sites.district.draft_figures import require_checkpoint
from engage.sites.district.job_messages import explain_problem
from engage.storage.engine import read_session, write_session
from engage.storage.models.checkpoints import Checkpoint
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.page_language import gettext
from engage.web.permissions import enters, person
from engage.web.waiting import is_worker_running, page_refresh


@blueprint.get("/checkpoints/<checkpoint_id>/freeze")
@enters("manage checkpoints")
def confirm_freeze(checkpoint_id: str) -> Response:
    """Confirmation of freezing: frozen figures never change. While the worker counts them, the page shows the progress
    and refreshes itself."""
    with read_session(runtime().engine) as session:
        row = require_checkpoint(session, checkpoint_id)
        count = find_count(session, checkpoint_id, FREEZE)
    if row.frozen_on is not None and count is not None and "look" in request.args:
        return _redirect_to_frozen(checkpoint_id)
    answer = make_response(_render_freeze_page(checkpoint_id))
    if count is None or count.state not in UNFINISHED:
        return answer
    return page_refresh("district.confirm_freeze", checkpoint_id=checkpoint_id).apply(answer)


@blueprint.post("/checkpoints/<checkpoint_id>/freeze")
@enters("manage checkpoints")
def freeze_figures(checkpoint_id: str) -> Response | tuple[str, int]:
    """Count the figures and freeze them, or let the worker do it."""
    with read_session(runtime().engine) as session:
        row = require_checkpoint(session, checkpoint_id)
    if row.frozen_on is not None:
        return _render_freeze_page(checkpoint_id), 409
    if is_freezing_large(runtime(), checkpoint_id):
        with write_session(runtime().engine) as session:
            request_freezing(session, checkpoint_id, runtime().now(), person().id)
            session.commit()
        return redirect(url_for("district.confirm_freeze", checkpoint_id=checkpoint_id), 303)
    try:
        _freeze_now(checkpoint_id)
    except AlreadyFrozen:
        return _render_freeze_page(checkpoint_id), 409
    return _redirect_to_frozen(checkpoint_id)


def _freeze_now(checkpoint_id: str) -> None:
    """Count and freeze. Raises AlreadyFrozen."""
    open_sealed_groups(runtime().engine, checkpoint_id, runtime().secret(GROUP_KEY), runtime().today())
    count_and_freeze(runtime().engine, checkpoint_id, runtime().settings.site_dir, runtime().today(), _audit_freeze)


def _audit_freeze(session: Session, checkpoint: Checkpoint) -> None:
    log_event(session, "freeze checkpoint", checkpoint.id, figures=(checkpoint.digest or "")[:12])


def _redirect_to_frozen(checkpoint_id: str) -> Response:
    # translators: shown to staff after the figures of a checkpoint were frozen
    flash(gettext("The figures are frozen. Everyone now sees the same numbers."))
    return redirect(url_for("district.checkpoint", checkpoint_id=checkpoint_id))


def _render_freeze_page(checkpoint_id: str) -> str:
    with read_session(runtime().engine) as session:
        row = require_checkpoint(session, checkpoint_id)
        require_answers(row)
        count = find_count(session, checkpoint_id, FREEZE)
        return render_template(
            "district/freeze.html",
            checkpoint=row,
            still_open=[wave for wave in row.waves if wave.closes >= runtime().today()],
            count=count,
            counting=count is not None and count.state in UNFINISHED,
            problem=explain_problem(count.problem) if count is not None else "",
            refresh=page_refresh("district.confirm_freeze", checkpoint_id=checkpoint_id),
            worker=is_worker_running(session, runtime().settings.data_dir),
        )
