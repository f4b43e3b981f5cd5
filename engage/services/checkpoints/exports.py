"""Files of a checkpoint to download: the meeting packet, and the figures as tables. A file that takes long is made by
the worker, for the person who asked for it.

The rule is an estimate of CPU seconds by the number of figures: 0.02 ms for a row of the CSV, 0.09 ms for a row of the
workbook, 0.5 ms for a number in the packet. More than `REQUEST_SECONDS` is left to the worker, and so is a file whose
figures have to be counted first, if that takes long.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from engage.base.catalogs import catalogue
from engage.base.clock import stored_utc
from engage.base.config import Settings
from engage.base.files import modification_time
from engage.services.checkpoints import large_counts
from engage.services.checkpoints.counting import choose_figures
from engage.services.checkpoints.figure_rows import figure_rows
from engage.services.checkpoints.freezing import CheckpointFigures
from engage.services.checkpoints.group_choice import limit_schools
from engage.services.checkpoints.outputs import render_csv, render_pdf, render_xlsx
from engage.services.checkpoints.report import Report, build_report
from engage.services.checkpoints.wording import FigureWording
from engage.storage.models.base import RANDOM_ID
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.jobs import Export

FOLDER = "exports"  # a folder in the site's directory
KEEP = timedelta(days=1)  # after it was asked for
AUDIENCE = "leaders"
UNFINISHED = ("waiting", "making")
ROW_SECONDS = {"csv": 0.00002, "xlsx": 0.00009, "pdf": 0.0005}  # of CPU, for each figure
MIME_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


@dataclass(frozen=True, slots=True)
class FileOrder:
    """What is asked for: `kind` is one of `MIME_TYPES`. Of many schools, only `school` has tables in the packet; empty
    for none."""

    checkpoint_id: str
    kind: str
    language: str
    school: str = ""


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file to download. `figures` is the digest of the frozen figures; None for a draft."""

    name: str
    body: bytes
    figures: str | None


@dataclass(frozen=True, slots=True)
class ChosenFigures:
    """The figures that go into a file, and the number of schools without tables."""

    document: CheckpointFigures
    schools_left_out: int

    def is_large(self, kind: str) -> bool:
        """Whether making the file takes too long for a request."""
        rows = sum(1 for _ in figure_rows(self.document, AUDIENCE))
        return rows * ROW_SECONDS[kind] > large_counts.REQUEST_SECONDS


def choose_file_figures(checkpoint: Checkpoint, draft: CheckpointFigures | None, order: FileOrder) -> ChosenFigures:
    """The figures for a file. `draft` is None if they are frozen."""
    figures = choose_figures(checkpoint, draft)
    if order.kind != "pdf":
        return ChosenFigures(figures, 0)
    return ChosenFigures(*limit_schools(figures, AUDIENCE, order.school))


def make_file(session: Session, settings: Settings, order: FileOrder, chosen: ChosenFigures) -> ExportFile:
    """Make the file. Raises MissingFont."""
    checkpoint = session.get_one(Checkpoint, order.checkpoint_id)
    report = build_report(session, checkpoint, chosen.document, AUDIENCE, order.language)
    report = replace(report, schools_left_out=chosen.schools_left_out)
    name = f"{report.id}-{report.audience}-{report.language}.{order.kind}"
    return ExportFile(name, _render(report, order, settings), report.digest)


def _render(report: Report, order: FileOrder, settings: Settings) -> bytes:
    wording = FigureWording(order.language, catalogue(order.language))
    if order.kind == "csv":
        return render_csv(report, wording)
    if order.kind == "xlsx":
        return render_xlsx(report, wording)
    return render_pdf(report, wording, settings.district_name, Path(settings.font_dir) if settings.font_dir else None)


def request_export(session: Session, order: FileOrder, staff_id: int, now: datetime) -> Export:
    """The person's export of this file that is in progress or still current, or a new one. Never commits."""
    frozen = session.scalars(select(Checkpoint.digest).where(Checkpoint.id == order.checkpoint_id)).one()
    for export in session.scalars(select(Export).where(*_is_same(order, staff_id)).order_by(Export.asked_at.desc())):
        if _is_current(export, frozen, now):
            return export
    export = Export(
        id=secrets.token_hex(RANDOM_ID // 2),
        kind=order.kind,
        checkpoint_id=order.checkpoint_id,
        language=order.language,
        school_id=order.school or None,
        frozen=frozen,
        asked_by=staff_id,
        asked_at=stored_utc(now),
        state="waiting",
    )
    session.add(export)
    session.flush()
    return export


def _is_same(order: FileOrder, staff_id: int) -> Iterator[ColumnElement[bool]]:
    yield Export.asked_by == staff_id
    yield Export.kind == order.kind
    yield Export.checkpoint_id == order.checkpoint_id
    yield Export.language == order.language
    yield Export.school_id == order.school if order.school else Export.school_id.is_(None)


def _is_current(export: Export, frozen: str | None, now: datetime) -> bool:
    """Whether an export still answers the request. Of a draft, newer figures may exist after a while."""
    if export.state in UNFINISHED or (export.state == "ready" and frozen is not None):
        return export.frozen == frozen
    return export.state == "ready" and export.frozen is None and export.asked_at > stored_utc(now) - large_counts.FRESH


def file_order(export: Export) -> FileOrder:
    """The order of an export."""
    return FileOrder(export.checkpoint_id, export.kind, export.language, export.school_id or "")


def export_path(settings: Settings, export: Export) -> Path:
    """The path of an export's file, once it is ready."""
    return settings.site_dir / FOLDER / f"{export.id}.{export.kind}"


def is_export_expired(now: datetime) -> ColumnElement[bool]:
    """Condition for exports that are deleted."""
    return Export.asked_at < stored_utc(now) - KEEP


def find_expired_exports(session: Session, settings: Settings, now: datetime) -> list[Path]:
    """Files that are due: those older than `KEEP`, and those whose export is deleted. A file that is being written has
    no export of its name, and is due once it is old."""
    ids = set(session.scalars(select(Export.id)))
    times = {path: modification_time(path) for path in (settings.site_dir / FOLDER).glob("*")}
    return [
        path
        for path, at in times.items()
        if at is not None and (at < now - KEEP or not (path.name.startswith(".") or path.stem in ids))
    ]
