"""Downloads for leaders: the meeting packet, and the figures as tables. A file that takes long is made by the worker,
and its page refreshes itself. Each download is recorded in the audit log."""

from flask import Response, abort, flash, make_response, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Answer

from engage.base.languages import LANGUAGES
from engage.questionnaire.text_cleaning import is_possible_id
from engage.services.checkpoints.exports import (
    MIME_TYPES,
    UNFINISHED,
    ExportFile,
    FileOrder,
    choose_file_figures,
    export_path,
    make_file,
    request_export,
)
from engage.services.checkpoints.large_counts import CountIsLarge
from engage.sites.district.blueprint import blueprint
from engage.sites.district.draft_figures import read_draft, require_checkpoint
from engage.sites.district.job_messages import explain_problem
from engage.storage.engine import read_session, write_session
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.jobs import Export
from engage.storage.models.schools import School
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.page_language import gettext, language
from engage.web.permissions import enters, person
from engage.web.waiting import is_worker_running, page_refresh


@blueprint.get("/checkpoints/<checkpoint_id>/packet.pdf")
@enters("export figures")
def packet_pdf(checkpoint_id: str) -> Answer:
    """The packet in the requested language (`?language=`), otherwise in the page's. Of many schools, only the requested
    one (`?school=`) has tables."""
    return _send_or_prepare(checkpoint_id, "pdf")


@blueprint.get("/checkpoints/<checkpoint_id>/figures.csv")
@enters("export figures")
def figures_csv(checkpoint_id: str) -> Answer:
    """The flat table."""
    return _send_or_prepare(checkpoint_id, "csv")


@blueprint.get("/checkpoints/<checkpoint_id>/figures.xlsx")
@enters("export figures")
def figures_xlsx(checkpoint_id: str) -> Answer:
    """The flat table, coverage, and metadata as a workbook."""
    return _send_or_prepare(checkpoint_id, "xlsx")


@blueprint.get("/exports/<export_id>")
@enters("export figures")
def export(export_id: str) -> Answer:
    """The page of a file that the worker makes. It refreshes itself until the file is ready."""
    refresh = page_refresh("district.export", export_id=export_id)
    with read_session(runtime().engine) as session:
        row = _require_export(session, export_id)
        page = render_template(
            "district/export.html",
            export=row,
            checkpoint=session.get_one(Checkpoint, row.checkpoint_id),
            download_again=_order_address(row),
            moving=row.state in UNFINISHED,
            problem=explain_problem(row.problem),
            refresh=refresh,
            worker=is_worker_running(session, runtime().settings.data_dir),
        )
    answer = make_response(page)
    return refresh.apply(answer) if row.state in UNFINISHED else answer


@blueprint.get("/exports/<export_id>/file")
@enters("export figures")
def export_file(export_id: str) -> Answer:
    """Download the file, with an entry in the audit log."""
    with read_session(runtime().engine) as session:
        row = _require_export(session, export_id)
    try:
        path = export_path(runtime().settings, row).resolve()
        answer = send_file(path, MIME_TYPES[row.kind], as_attachment=True, download_name=row.file_name)
    except OSError:
        # translators: shown to staff who want to download a file that is no longer there
        flash(gettext("The file is no longer available. You can create it again."), "error")
        return redirect(url_for("district.checkpoint", checkpoint_id=row.checkpoint_id), 303)
    _record_download(FileOrder(row.checkpoint_id, row.kind, row.language), row.frozen)
    answer.headers["Cache-Control"] = "no-store"  # shared computers must not store the file
    return answer


def _send_or_prepare(checkpoint_id: str, kind: str) -> Answer:
    """The file; if it takes long, the page of the file that the worker makes."""
    order = _read_order(checkpoint_id, kind)
    file = _make_if_quick(order)
    if file is None:
        with write_session(runtime().engine) as session:
            row = request_export(session, order, person().id, runtime().now())
            session.commit()
        return redirect(url_for("district.export", export_id=row.id), 303)
    _record_download(order, file.figures)  # no file is sent without an audit entry
    disposition = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.body, mimetype=MIME_TYPES[kind], headers=disposition)


def _read_order(checkpoint_id: str, kind: str) -> FileOrder:
    """The file that the address asks for, or "not found"."""
    tag = request.args.get("language", language().tag)
    if tag not in LANGUAGES:
        abort(404)
    with read_session(runtime().engine) as session:
        require_checkpoint(session, checkpoint_id)
        school = request.args.get("school", "") if kind == "pdf" else ""
        is_known = is_possible_id(school) and session.get(School, school) is not None
    return FileOrder(checkpoint_id, kind, tag, school if is_known else "")


def _make_if_quick(order: FileOrder) -> ExportFile | None:
    """The file; None if it takes too long for a request."""
    try:
        draft = read_draft(order.checkpoint_id)
    except CountIsLarge:
        return None
    with read_session(runtime().engine) as session:
        chosen = choose_file_figures(require_checkpoint(session, order.checkpoint_id), draft, order)
        return None if chosen.is_large(order.kind) else make_file(session, runtime().settings, order, chosen)


def _record_download(order: FileOrder, frozen: str | None) -> None:
    detail = {"format": order.kind, "language": order.language, "figures": frozen[:12] if frozen else "draft"}
    with write_session(runtime().engine) as session:
        log_event(session, "export figures", order.checkpoint_id, **detail)
        session.commit()


def _require_export(session: Session, export_id: str) -> Export:
    """The export of this address; "not found" for another person's."""
    row = session.get(Export, export_id) if export_id.isalnum() and export_id.isascii() else None
    if row is None or row.asked_by != person().id:
        abort(404)
    return row


def _order_address(row: Export) -> str:
    """The address that asks for the same file."""
    endpoints = {"pdf": "district.packet_pdf", "csv": "district.figures_csv", "xlsx": "district.figures_xlsx"}
    return url_for(endpoints[row.kind], checkpoint_id=row.checkpoint_id, language=row.language, school=row.school_id)
