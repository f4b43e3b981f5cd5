"""Downloads for leaders: the meeting packet, and the figures as tables. Each download is recorded in the audit log."""

from dataclasses import replace
from pathlib import Path

from flask import Response, abort, request

from engage.base.catalogs import catalogue
from engage.base.languages import LANGUAGES
from engage.services.checkpoints.counting import choose_figures
from engage.services.checkpoints.group_choice import limit_schools
from engage.services.checkpoints.outputs import render_csv, render_pdf, render_xlsx
from engage.services.checkpoints.report import Report, build_report
from engage.services.checkpoints.wording import FigureWording
from engage.sites.district.blueprint import blueprint
from engage.sites.district.checkpoint import AUDIENCE, read_draft, require_checkpoint
from engage.storage.engine import read_session, write_session
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.page_language import language
from engage.web.permissions import enters

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/checkpoints/<checkpoint_id>/packet.pdf")
@enters("export figures")
def packet_pdf(checkpoint_id: str) -> Response:
    """The packet in the requested language (`?language=`), otherwise in the page's. Of many schools, only the requested
    one (`?school=`) has tables."""
    report, wording = _load_report(checkpoint_id, with_schools=False)
    settings = runtime().settings
    fonts = Path(settings.font_dir) if settings.font_dir else None
    return _record_and_send(
        report, render_pdf(report, wording, settings.district_name, fonts), "application/pdf", "pdf"
    )


@blueprint.get("/checkpoints/<checkpoint_id>/figures.csv")
@enters("export figures")
def figures_csv(checkpoint_id: str) -> Response:
    """The flat table."""
    report, wording = _load_report(checkpoint_id)
    return _record_and_send(report, render_csv(report, wording), "text/csv", "csv")


@blueprint.get("/checkpoints/<checkpoint_id>/figures.xlsx")
@enters("export figures")
def figures_xlsx(checkpoint_id: str) -> Response:
    """The flat table, coverage, and metadata as a workbook."""
    report, wording = _load_report(checkpoint_id)
    return _record_and_send(report, render_xlsx(report, wording), XLSX, "xlsx")


def _load_report(checkpoint_id: str, with_schools: bool = True) -> tuple[Report, FigureWording]:
    """The report; `with_schools`: with the tables of all schools, however many they are."""
    tag = request.args.get("language", language().tag)
    if tag not in LANGUAGES:
        abort(404)
    draft = read_draft(checkpoint_id)
    with read_session(runtime().engine) as session:
        row = require_checkpoint(session, checkpoint_id)
        figures, left_out = choose_figures(row, draft), 0
        if not with_schools:
            figures, left_out = limit_schools(figures, AUDIENCE, request.args.get("school", ""))
        report = replace(build_report(session, row, figures, AUDIENCE, tag), schools_left_out=left_out)
    return report, FigureWording(tag, catalogue(tag))


def _record_and_send(report: Report, body: bytes, kind: str, ending: str) -> Response:
    with write_session(runtime().engine) as session:  # no file is sent without an audit entry
        figures = report.digest[:12] if report.digest else "draft"
        log_event(session, "export figures", report.id, format=ending, language=report.language, figures=figures)
        session.commit()
    name = f"{report.id}-{report.audience}-{report.language}.{ending}"
    return Response(body, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
