"""The preview of a roster import: view, download, import, or discard it."""

from pathlib import Path

from flask import Response, abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as Answer
from wtforms import BooleanField

from engage.base.catalogs import catalogue
from engage.base.exports.csv import csv_bytes
from engage.domain.roster.diff import KINDS, build_preview, group_remarks
from engage.domain.roster.import_state import unfinished_folder
from engage.domain.roster.importer import FullRosterNeeded, OptOutsChanged, RosterChanged
from engage.domain.roster.remarks import reason_text
from engage.domain.roster.staging_db import FILE, StagingDb, claim_folder, delete_folder, find_folder
from engage.domain.roster.update_messages import update_sentence
from engage.domain.roster.updates import discard_update, is_waiting_folder, update_status
from engage.services.tasks.store_roster import ImportSite, store_roster
from engage.sites.administration.blueprint import blueprint
from engage.sites.administration.interrupted_roster import imported_text
from engage.sites.administration.roster_findings import kind_lines, language_lines, loss_lines
from engage.sites.administration.roster_updates import describe_reason
from engage.storage.engine import read_session, write_session
from engage.web.context import runtime
from engage.web.forms import BaseForm
from engage.web.page_language import gettext, language
from engage.web.permissions import enters, person


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
    with claim_folder(folder) as is_mine:
        if not is_mine:
            abort(409)
        is_stored = _store_roster(folder, form)
    if not is_stored and find_folder(runtime().settings.site_dir, token) is None:
        flash(update_sentence("newer", "", catalogue(language().tag)), "error")
        return redirect(url_for("administration.roster"))
    if not is_stored:
        return _render_preview(folder, form), 409
    flash(imported_text())
    return redirect(url_for("administration.roster"))


@blueprint.post("/roster/<token>/drop")
@enters("import rosters")
def drop_roster(token: str) -> Answer:
    """Discard the upload without any change, unless it is being stored already."""
    folder = _require_own_folder(token)
    with claim_folder(folder) as is_mine, write_session(runtime().engine) as db:
        if not is_mine or unfinished_folder(db) == folder.name:
            abort(409)
        discard_update(db, folder.name, runtime().now())
        db.commit()
    delete_folder(folder)
    # translators: shown to staff who looked at what a list of students would change, and did not want it
    flash(gettext("Nothing was changed. The files were deleted."))
    return redirect(url_for("administration.roster"))


def _require_own_folder(token: str) -> Path:
    """The folder of a roster that this person uploaded, or of an automatic update that waits for anybody who may
    import; "not found" for any other."""
    folder = find_folder(runtime().settings.site_dir, token) or abort(404)
    with read_session(runtime().engine) as db, StagingDb(folder / FILE) as stage:
        is_own = stage.stored_value("by") == person().id
        return folder if is_own or is_waiting_folder(db, token) else abort(404)


def _store_roster(folder: Path, form: ImportForm) -> bool:
    """Import a prepared roster. If that is not possible, adds an error to the form and changes nothing."""
    with StagingDb(folder / FILE) as stage:
        preview = build_preview(stage)
    if preview.steep and not form.require_confirmation():
        return False
    try:
        store_roster(ImportSite(runtime().engine, runtime().settings, runtime().now()), folder, person().id)
    except RosterChanged:
        # translators: staff form: two people imported lists of students at the same time
        form.form_errors.append(gettext("Another roster was imported in the meantime. Upload the files again."))
    except OptOutsChanged:
        # translators: staff form: others changed at the same moment which families are not asked
        form.form_errors.append(gettext("The opt-outs were just changed. Try again."))
    except FullRosterNeeded:
        # translators: staff form: bringing in a list of students stopped in the middle, and cannot go on
        full = gettext("An earlier import was interrupted. Upload the complete roster, not a list of changes.")
        form.form_errors.append(full)
    return not form.form_errors


def _render_preview(folder: Path, form: ImportForm) -> str:
    named = kind_names()
    with StagingDb(folder / FILE) as stage:
        seen = build_preview(stage)
        remarks = kind_lines(group_remarks(stage))
    with read_session(runtime().engine) as db:
        waiting = update_status(db).waiting
    return render_template(
        "administration/roster_preview.html",
        folder=folder.name,
        seen=seen,
        changes=[(named[kind], seen.changes[kind]) for kind in KINDS],
        losses=loss_lines(seen.losses),
        kept=[(named[kind], number) for kind, number in seen.kept.items()],
        languages=language_lines(seen.languages),
        remarks=remarks,
        review=describe_reason(waiting) if waiting and waiting.folder == folder.name else "",
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
