"""The figures of a checkpoint for its pages: counted at once, or by the worker while a page shows the progress."""

from flask import abort, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.questionnaire.text_cleaning import is_possible_id
from engage.services.checkpoints.count_requests import UNFINISHED, request_draft
from engage.services.checkpoints.freezing import CheckpointFigures
from engage.services.checkpoints.large_counts import count_small_draft
from engage.sites.district.blueprint import blueprint
from engage.sites.district.job_messages import explain_problem
from engage.storage.engine import read_session, write_session
from engage.storage.models.checkpoints import Checkpoint
from engage.web.context import runtime
from engage.web.permissions import enters
from engage.web.waiting import is_worker_running, page_refresh


def require_checkpoint(session: Session, checkpoint_id: str, locked: bool = False) -> Checkpoint:
    """The checkpoint, or "not found"; `locked` until the transaction ends, so that two leaders cannot change it at
    once."""
    if not is_possible_id(checkpoint_id):
        abort(404)
    return session.get(Checkpoint, checkpoint_id, with_for_update=locked or None) or abort(404)


def read_draft(checkpoint_id: str) -> CheckpointFigures | None:
    """The draft of a checkpoint's figures that may be shown today, None if they are frozen; or "not found". Raises
    CountIsLarge."""
    with read_session(runtime().engine) as session:
        require_checkpoint(session, checkpoint_id)
    return count_small_draft(runtime(), checkpoint_id)


def render_count_page(checkpoint_id: str) -> Response:
    """The page that waits for the worker to count a draft, which is requested if it is not yet. It refreshes itself."""
    choice = {name: request.args[name] for name in ("school", "question") if name in request.args}
    refresh = page_refresh("district.checkpoint", checkpoint_id=checkpoint_id, **choice)
    with write_session(runtime().engine) as session:
        count = request_draft(session, checkpoint_id, runtime().now())
        session.commit()
    with read_session(runtime().engine) as session:
        page = render_template(
            "district/figure_count.html",
            checkpoint=session.get_one(Checkpoint, checkpoint_id),
            count=count,
            problem=explain_problem(count.problem),
            refresh=refresh,
            worker=is_worker_running(session, runtime().settings.data_dir),
        )
    answer = make_response(page)
    return refresh.apply(answer) if count.state in UNFINISHED else answer


@blueprint.post("/checkpoints/<checkpoint_id>/count")
@enters("see summaries")
def count_again(checkpoint_id: str) -> Response:
    """Ask for a count that failed once more."""
    with write_session(runtime().engine) as session:
        require_checkpoint(session, checkpoint_id)
        request_draft(session, checkpoint_id, runtime().now(), retry=True)
        session.commit()
    return redirect(url_for("district.checkpoint", checkpoint_id=checkpoint_id), 303)
