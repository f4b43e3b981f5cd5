"""The preview of a roster import: view, download, import, or discard it."""

from pathlib import Path
from random import SystemRandom

from flask import Response, abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as Answer
from wtforms import BooleanField

from engage.base.catalogs import catalogue
from engage.base.exports.csv import csv_bytes
from engage.domain.roster.diff import KINDS, Preview, build_preview, group_remarks
from engage.domain.roster.importer import RosterChanged, seal_names, store_roster
from engage.domain.roster.remarks import reason_text
from engage.domain.roster.staging_db import FILE, StagingDb, delete_folder, find_folder
from engage.sites.administration.blueprint import blueprint
from engage.sites.administration.roster_findings import kind_lines, language_lines, loss_lines
from engage.storage.engine import write_session
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.forms import BaseForm
from engage.web.page_language import gettext, language
from engage.web.permissions import enters, person

CLAIM_FILE = "claimed"  # a file in a roster's folder while it is imported, so that two clicks start one import


class ImportForm(BaseForm):
    """Confirmation that many rows will be deleted."""

    sure = BooleanField()

    def require_confirmation(self) -> bool:
        """Whether the box is checked; otherwise adds an error to the form."""
        if not self.sure.data:
            # translators: staff form: many people would be deleted; a box to tick says that this is right
            self.add_error("sure", gettext("Check how many would be removed, and confirm that this is correct."))
        return bool(self.sure.data)


@blueprint.get("/roster/<token>")
@enters("import rosters")
def roster_preview(token: str) -> str:
    """What the import would change, and which rows are not used."""
    return _render_preview(_require_own_folder(token), ImportForm(formdata=None))


@blueprint.get("/roster/<token>/refused.csv")
@enters("import rosters")
def roster_refused(token: str) -> Response:
    """A download of every remark."""
    words = catalogue(language().tag)
    headings = [
        # translators: heading of a table column: the name of a file
        gettext("File"),
        # translators: heading of a table column: the number of a line in a file
        gettext("Line"),
        # translators: heading of a table column: the id of a student or guardian in the district's own system
        gettext("ID"),
        # translators: heading of a table column: the reason
        gettext("Reason"),
    ]
    with StagingDb(_require_own_folder(token) / FILE) as stage:
        rows = ((each.file, each.line, each.id, reason_text(each, words)) for each in stage.problems())
        body = b"".join(csv_bytes(headings, rows))
    return Response(
        body, mimetype="text/csv", headers={"Content-Disposition": 'attachment; filename="roster-remarks.csv"'}
    )


@blueprint.post("/roster/<token>/import")
@enters("import rosters")
def import_roster(token: str) -> Answer | tuple[str, int]:
    """Import the roster."""
    folder, form = _require_own_folder(token), ImportForm()
    try:
        (folder / CLAIM_FILE).touch(exist_ok=False)
    except FileExistsError:
        abort(409)
    try:
        is_stored = _store_roster(folder, form)
    finally:
        (folder / CLAIM_FILE).unlink(missing_ok=True)
    if not is_stored:
        return _render_preview(folder, form), 409
    delete_folder(folder)
    # translators: shown to staff
    flash(gettext("The roster was imported."))
    return redirect(url_for("administration.roster"))


@blueprint.post("/roster/<token>/drop")
@enters("import rosters")
def drop_roster(token: str) -> Answer:
    """Discard the upload without any change."""
    delete_folder(_require_own_folder(token))
    # translators: shown to staff who looked at what a list of students would change, and did not want it
    flash(gettext("Nothing was changed. The files were deleted."))
    return redirect(url_for("administration.roster"))


def _require_own_folder(token: str) -> Path:
    """The folder of a roster that this person uploaded; "not found" for any other."""
    folder = find_folder(runtime().settings.site_dir, token) or abort(404)
    with StagingDb(folder / FILE) as stage:
        return folder if stage.stored_value("by") == person().id else abort(404)


def _store_roster(folder: Path, form: ImportForm) -> bool:
    """Import a prepared roster. If that is not possible, adds an error to the form and changes nothing."""
    with StagingDb(folder / FILE) as stage:
        preview = build_preview(stage)
        if preview.steep and not form.require_confirmation():
            return False
        seal_names(stage, runtime().sealer)
        try:
            _write_roster(stage, preview)
        except RosterChanged:
            # translators: staff form: two people imported lists of students at the same time
            form.form_errors.append(gettext("Another roster was imported in the meantime. Upload the files again."))
            return False
    return True


def _write_roster(stage: StagingDb, preview: Preview) -> None:
    """Import a roster, with an entry in the audit log. Raises RosterChanged."""
    with write_session(runtime().engine) as db:
        done = store_roster(db, stage, runtime().today(), person().id, SystemRandom())
        log_event(db, "import roster", done, **preview.audit_counts)
        db.commit()


def _render_preview(folder: Path, form: ImportForm) -> str:
    named = kind_names()
    with StagingDb(folder / FILE) as stage:
        seen = build_preview(stage)
        remarks = kind_lines(group_remarks(stage))
    return render_template(
        "administration/roster_preview.html",
        folder=folder.name,
        seen=seen,
        changes=[(named[kind], seen.changes[kind]) for kind in KINDS],
        losses=loss_lines(seen.losses),
        kept=[(named[kind], number) for kind, number in seen.kept.items()],
        languages=language_lines(seen.languages),
        remarks=remarks,
        form=form,
    )


def kind_names() -> dict[str, str]:
    """Labels of the kinds of rows."""
    return {
        # translators: heading of a table row
        "schools": gettext("Schools"),
        # translators: heading of a table row
        "students": gettext("Students"),
        # translators: heading of a table row: parents and others who look after a student
        "guardians": gettext("Guardians"),
        # translators: heading of a table row: people who live together
        "households": gettext("Households"),
    }
