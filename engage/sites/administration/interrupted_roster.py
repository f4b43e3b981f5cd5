"""A roster import that is being stored or was interrupted: what the roster page says about it, and continuing it."""

from dataclasses import dataclass

from flask import flash, redirect, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.domain.roster.import_parts import PartsChanged
from engage.domain.roster.import_state import unfinished_folder
from engage.domain.roster.importer import RosterChanged
from engage.domain.roster.staging_db import claim_folder, find_folder
from engage.services.tasks.store_roster import ImportSite, continue_roster
from engage.sites.administration.blueprint import blueprint
from engage.storage.engine import read_session
from engage.web.context import runtime
from engage.web.edit_forms import roster_wait_text
from engage.web.page_language import gettext
from engage.web.permissions import enters


@dataclass(frozen=True, slots=True)
class UnfinishedImport:
    """What to say about an import that is not complete, and whether it can be continued here."""

    sentence: str
    can_continue: bool


def describe_unfinished_import(session: Session) -> UnfinishedImport | None:
    """What to say; None if the roster is complete."""
    name = unfinished_folder(session)
    if name is None:
        return None
    folder = find_folder(runtime().settings.site_dir, name)
    if folder is None:
        return UnfinishedImport(_lost_text(), False)
    with claim_folder(folder) as is_idle:
        if not is_idle:
            # translators: shown to staff on a page with numbers of students while a new list of them is brought in
            running = gettext("A roster is being imported. The numbers on this page may change until it is complete.")
            return UnfinishedImport(running, False)
    # translators: shown to staff: bringing in a list of students stopped in the middle; a button below continues it
    stopped = gettext("A roster import was interrupted. Until it is complete, no codes or packets can be created.")
    return UnfinishedImport(stopped, True)


@blueprint.post("/roster/continue")
@enters("import rosters")
def continue_import() -> Response:
    """Continue an interrupted import, which anybody who may import can do."""
    with read_session(runtime().engine) as db:
        name = unfinished_folder(db)
    folder = find_folder(runtime().settings.site_dir, name) if name else None
    if folder is not None:
        with claim_folder(folder) as is_mine:
            if not is_mine:
                flash(roster_wait_text(), "error")
                return redirect(url_for("administration.roster"))
            try:
                continue_roster(ImportSite(runtime().engine, runtime().settings, runtime().now()), folder)
                flash(imported_text())
            except PartsChanged:
                flash(_lost_text(), "error")
            except RosterChanged:  # it was completed or replaced; the page shows which
                pass
    return redirect(url_for("administration.roster"))


def _lost_text() -> str:
    # translators: shown to staff: bringing in a list of students stopped in the middle, and its files cannot be used
    return gettext("A roster import was interrupted and cannot be continued. Import the complete roster again.")


def imported_text() -> str:
    """The sentence for a complete import."""
    # translators: shown to staff
    return gettext("The roster was imported.")
