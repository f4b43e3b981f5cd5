"""The roster page: statistics of each school, and file upload. Uploaded files are previewed before they are
imported."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import redirect, render_template, request, session, url_for
from flask_wtf.file import FileField
from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as Answer
from wtforms import ValidationError

from engage.base.catalogs import catalogue
from engage.domain.roster.files import open_roster
from engage.domain.roster.import_state import RosterIncomplete
from engage.domain.roster.importer import prepare_import
from engage.domain.roster.oneroster import LANGUAGES_FILE
from engage.domain.roster.remarks import RosterRefused, refusal_text
from engage.domain.roster.staging_db import (
    FILE,
    StagingDb,
    delete_folder,
    delete_stale_folders,
    new_folder,
)
from engage.domain.roster.updates import needed_folders
from engage.domain.security.encryption import SealBroken
from engage.services.tasks.store_roster import build_import_options, require_no_running_import
from engage.sites.administration.blueprint import blueprint
from engage.sites.administration.interrupted_roster import describe_unfinished_import
from engage.sites.administration.roster_findings import KindLine, LanguageLine, kind_lines, language_lines
from engage.sites.administration.roster_updates import describe_updates
from engage.storage.engine import read_session
from engage.storage.models.roster import STORED, Guardian, OptOut, RosterImport, Student
from engage.storage.models.schools import Household, School
from engage.web.context import runtime
from engage.web.edit_forms import roster_wait_text
from engage.web.forms import BaseForm
from engage.web.page_language import gettext, language
from engage.web.permissions import enters, is_allowed, person

ADDRESS = "/staff/administration/roster"
MOST_BYTES = 200_000_000  # of an upload; 120,000 students with enrollments are 15 MB zipped
IMPORTS = 10  # imports shown


class RosterForm(BaseForm):
    """Upload of roster files."""

    roster = FileField()
    languages = FileField()

    def validate_roster(self, field: FileField) -> None:
        """Refuse a form without a file."""
        if not field.data:
            # translators: staff form: a file to hand in
            raise ValidationError(gettext("Choose a ZIP file first."))


@dataclass(frozen=True, slots=True)
class SchoolLine:
    """Statistics of a school in the roster."""

    school: School
    students: int
    learners: int
    households: int


@blueprint.url_value_preprocessor
def _allow_large_upload(endpoint: str | None, _values: Any) -> None:
    """Raise the body limit of this request before its form is parsed, if the person is signed in."""
    if endpoint == "administration.bring_roster" and "_user_id" in session:
        request.max_content_length = MOST_BYTES


@blueprint.get("/roster")
@enters("see the roster")
def roster() -> str:
    """Schools with their statistics, past imports, and the form."""
    return _render_page(RosterForm(formdata=None))


@blueprint.post("/roster")
@enters("import rosters")
def bring_roster() -> Answer | tuple[str, int]:
    """Receive uploaded files and compute a preview."""
    with read_session(runtime().engine) as db:
        delete_stale_folders(runtime().settings.site_dir, runtime().now(), needed_folders(db))
    form = RosterForm()
    if not form.validate():
        return _render_page(form), 422
    try:
        require_no_running_import(runtime().engine, runtime().settings.site_dir)
    except RosterIncomplete:
        form.add_error("roster", roster_wait_text())
        return _render_page(form), 409
    folder = new_folder(runtime().settings.site_dir)
    try:
        _stage_upload(folder, form.roster.data, form.languages.data)
    except RosterRefused as refused:
        delete_folder(folder)
        form.add_error("roster", refusal_text(refused, catalogue(language().tag)))
        return _render_page(form, kind_lines(refused.remarks)), 422
    except SealBroken:
        delete_folder(folder)
        # translators: on a staff page: names are stored in a form that only a key opens, and the key is not there
        problem = gettext("The stored names cannot be decrypted because an older sealing key is missing.")
        form.add_error("roster", problem)
        return _render_page(form), 409
    except BaseException:
        delete_folder(folder)
        raise
    return redirect(url_for("administration.roster_preview", token=folder.name))


def _stage_upload(folder: Path, roster: FileStorage, languages: FileStorage | None) -> None:
    """Build the staging database in `folder`, and delete the uploaded files."""
    upload, beside = folder / "roster.zip", folder / "languages.csv"
    roster.save(upload)
    with open_roster(upload) as unpacked, read_session(runtime().engine) as db:
        files = unpacked
        if languages:
            languages.save(beside)
            files = unpacked.beside(f"{LANGUAGES_FILE}.csv", beside)
        with StagingDb(folder / FILE) as stage:
            prepare_import(db, files, stage, build_import_options(runtime().settings, runtime().now()))
            stage.keep("by", person().id)
    for each in (upload, beside):
        each.unlink(missing_ok=True)


def _render_page(form: RosterForm, remarks: Sequence[KindLine] = ()) -> str:
    with read_session(runtime().engine) as db:
        return render_template(
            "administration/roster.html",
            lines=list(_school_lines(db)),
            guardians=db.scalar(select(func.count()).select_from(Guardian)),
            opted_out=db.scalar(select(func.count()).select_from(OptOut)),
            imports=db.scalars(_stored_imports().limit(IMPORTS)).all(),
            unfinished=describe_unfinished_import(db),
            updates=describe_updates(db),
            keep_names=runtime().settings.keep_names,
            may_import=is_allowed("import rosters"),
            form=form,
            remarks=remarks,
            languages=_household_languages(db),
        )


def _stored_imports() -> Select[RosterImport]:
    return select(RosterImport).where(RosterImport.state == STORED).order_by(RosterImport.imported_on.desc())


def _household_languages(db: Session) -> list[LanguageLine]:
    number = func.count().label("number")
    counted = select(Household.language, number).group_by(Household.language)
    return language_lines([(tag, n) for tag, n in db.execute(counted.order_by(number.desc(), Household.language))])


def _school_lines(db: Session) -> list[SchoolLine]:
    learner = func.sum(case((Student.english_learner.is_(True), 1), else_=0))
    students = {
        school: (number, int(learners))
        for school, number, learners in db.execute(
            select(Student.school_id, func.count(), learner).group_by(Student.school_id)
        )
    }
    counted = db.execute(select(Household.school_id, func.count()).group_by(Household.school_id))
    homes = dict(counted.all())
    schools = db.scalars(select(School).order_by(School.active.desc(), School.name, School.id))
    return [SchoolLine(each, *students.get(each.id, (0, 0)), homes.get(each.id, 0)) for each in schools]
