"""Making of files that staff asked for: each is made once, by its own workflow. An interrupted one makes it again."""

import hashlib
import logging

from dbos import DBOS
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from engage.base.files import replace_file
from engage.domain.intake.burst_marks import BurstsUndecided
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.domain.paper.typesetting.fonts import MissingFont
from engage.domain.roster.import_state import RosterIncomplete, require_complete_roster
from engage.services.checkpoints.counting import CountProgress, count_draft, open_sealed_groups
from engage.services.checkpoints.exports import (
    UNFINISHED,
    ExportFile,
    choose_file_figures,
    export_path,
    file_order,
    is_export_expired,
    make_file,
)
from engage.services.checkpoints.freezing import AnswersDeleted
from engage.services.printing.rendering import FULL
from engage.services.tasks.context import (
    DONE,
    FAILED,
    LATER,
    PASSED,
    JobStopped,
    WorkerContext,
    run_with_low_priority,
)
from engage.storage.engine import read_session, write_session
from engage.storage.leases import hold_lease
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.jobs import Export

QUEUE = "exports"
MAKERS = 1  # files made at a time: making one keeps one core busy
PROBLEMS: dict[type[Exception], str] = {AnswersDeleted: "deleted", BurstsUndecided: "bursts", MissingFont: "font"}

log = logging.getLogger("engage.worker")


class ExportQueue:
    """Queues the files that are requested."""

    def __init__(self, context: WorkerContext) -> None:
        self.context = context

    def poll(self) -> int:
        """Queue the waiting files. Returns how many wait."""
        current = Export.state.in_(UNFINISHED), ~is_export_expired(self.context.runtime.now())
        with read_session(self.context.runtime.engine) as session:
            waiting = session.scalars(select(Export.id).where(*current).order_by(Export.asked_at)).all()
        for id in waiting:
            self.context.queue_job(QUEUE, _workflow_id(id), id)
        return len(waiting)


def register_workflow(context: WorkerContext) -> None:
    """Register the workflow of a file: one idempotent step."""

    @DBOS.step(name="make file")
    def make(id: str) -> str:
        return _make(context, id)

    @DBOS.workflow(name=QUEUE, max_recovery_attempts=None)
    def export(id: str) -> str:
        return make(id)


def _make(context: WorkerContext, id: str) -> str:
    """Make a file, unless it is made; a failure is recorded in its row."""
    try:
        with hold_lease(context.runtime.engine, _workflow_id(id)):
            export = _begin(context, id)
            if export is None:
                return PASSED
            file = run_with_low_priority(lambda: _render(context, export))
            return _store(context, export, file)
    except JobStopped:
        return LATER  # the next worker makes it
    except RosterIncomplete:
        return LATER  # until the roster is complete
    except DBAPIError as problem:
        log.error("file %s waits: the database did not answer: %s", id, problem)
        return LATER
    except OSError as problem:
        log.error("file %s could not be saved: %s", id, problem)
        return _fail(context, id, "disk" if problem.errno in FULL else "file")
    except tuple(PROBLEMS) as problem:
        return _fail(context, id, PROBLEMS[type(problem)])
    except Exception:
        log.exception("file %s could not be made", id)
        return _fail(context, id, "unexpected")


def _begin(context: WorkerContext, id: str) -> Export | None:
    """The export, marked as in progress; None if it is not wanted any more. Raises RosterIncomplete."""
    with write_session(context.runtime.engine) as session:
        require_complete_roster(session)
        export = session.get(Export, id, with_for_update=True)
        if export is None or export.state not in UNFINISHED:
            return None
        export.state = "making"
        session.commit()
        return export


def _render(context: WorkerContext, export: Export) -> ExportFile:
    """The file, with the figures counted first if necessary."""
    runtime, order = context.runtime, file_order(export)

    def check_stop(_progress: CountProgress) -> None:
        if context.stopping():
            raise JobStopped

    today, site_dir = runtime.today(), runtime.settings.site_dir
    open_sealed_groups(runtime.engine, order.checkpoint_id, runtime.secret(GROUP_KEY), today)
    draft = count_draft(runtime.engine, order.checkpoint_id, site_dir, today, check_stop)
    with read_session(runtime.engine) as session:
        checkpoint = session.get_one(Checkpoint, order.checkpoint_id)
        return make_file(session, runtime.settings, order, choose_file_figures(checkpoint, draft, order))


def _store(context: WorkerContext, export: Export, file: ExportFile) -> str:
    """Write the file, then record it. Raises OSError."""
    path = export_path(context.runtime.settings, export)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_file(path, file.body)
    with write_session(context.runtime.engine) as session:
        row = session.get(Export, export.id, with_for_update=True)
        if row is None or row.state != "making":
            if row is None:
                path.unlink(missing_ok=True)
            return PASSED
        row.state, row.frozen, row.file_name = "ready", file.figures, file.name
        row.size, row.digest = len(file.body), hashlib.sha256(file.body).hexdigest()
        session.commit()
    return DONE


def _fail(context: WorkerContext, id: str, problem: str) -> str:
    with write_session(context.runtime.engine) as session:
        making = update(Export).where(Export.id == id, Export.state.in_(UNFINISHED))
        session.execute(making.values(state="failed", problem=problem))
        session.commit()
    return FAILED


def _workflow_id(id: str) -> str:
    return f"export-{id}"
