"""The roster: what is known of the schools, and bringing in files. First one sees what would change."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, session, url_for
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as Answer

from engage.base.exports.csv import csv_bytes
from engage.base.languages import catalogue
from engage.domain.roster.diff import KINDS, build_preview
from engage.domain.roster.files import open_roster
from engage.domain.roster.importer import (
    HOME_KEY,
    ImportOptions,
    RosterChanged,
    prepare_import,
    seal_names,
    store_roster,
)
from engage.domain.roster.oneroster import LANGUAGES_FILE
from engage.domain.roster.opt_outs import OPT_OUT_KEY
from engage.domain.roster.remark_grouping import group_remarks
from engage.domain.roster.remarks import RosterRefused, reason_text, refusal_text
from engage.domain.roster.staging_db import (
    FILE,
    StagingDb,
    delete_folder,
    delete_stale_folders,
    find_folder,
    new_folder,
)
from engage.domain.security.encryption import SealBroken
from engage.sites.administration.blueprint import blueprint
from engage.sites.administration.roster_findings import KindLine, LanguageLine, kind_lines, language_lines, loss_lines
from engage.storage.engine import read_session, write_session
from engage.storage.models.roster import Guardian, OptOut, RosterImport, Student
from engage.storage.models.schools import Household, School
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.page_language import gettext, language
from engage.web.permissions import enters, is_allowed, person

ADDRESS = "/staff/administration/roster"
MOST_BYTES = 200_000_000  # of an upload; 120,000 students with enrollments are 15 MB packed
IMPORTS = 10  # imports shown
CLAIM_FILE = "claimed"  # a file in a roster's folder while it is stored, so that two clicks are one import


@dataclass(frozen=True, slots=True)
class SchoolLine:
    """What is known of a school."""

    school: School
    students: int
    learners: int
    households: int


@blueprint.url_value_preprocessor
def _allow_large_upload(endpoint: str | None, _values: Any) -> None:
    """Before anything looks at the form: this one may be large, if somebody is signed in."""
    if endpoint == "administration.bring_roster" and "_user_id" in session:
        request.max_content_length = MOST_BYTES


@blueprint.get("/roster")
@enters("see the roster")
def roster() -> str:
    """Schools with their numbers, past imports, and the form."""
    return _render_page()


@blueprint.post("/roster")
@enters("import rosters")
def bring_roster() -> Answer | tuple[str, int]:
    """Take files in and work out what they would change."""
    delete_stale_folders(runtime().settings.data_dir, runtime().now())
    given = request.files.get("roster")
    if given is None or not given.filename:
        # translators: staff form: a file to hand in
        return _render_page(gettext("Choose a ZIP file first.")), 422
    folder = new_folder(runtime().settings.data_dir)
    try:
        _stage_upload(folder, given, request.files.get("languages"))
    except RosterRefused as refused:
        delete_folder(folder)
        return _render_page(refusal_text(refused, catalogue(language().tag)), kind_lines(refused.remarks)), 422
    except SealBroken:
        delete_folder(folder)
        # translators: on a staff page: names are stored in a form that only a key opens, and the key is not there
        return _render_page(
            gettext("The stored names cannot be decrypted because an older sealing key is missing.")
        ), 409
    except BaseException:
        delete_folder(folder)
        raise
    return redirect(url_for("administration.roster_preview", token=folder.name))


@blueprint.get("/roster/<token>")
@enters("import rosters")
def roster_preview(token: str) -> str:
    """What would change, and which rows are not used."""
    return _render_preview(_require_own_folder(token))


@blueprint.get("/roster/<token>/refused.csv")
@enters("import rosters")
def roster_refused(token: str) -> Response:
    """Every remark."""
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
    """Do it."""
    folder = _require_own_folder(token)
    try:
        (folder / CLAIM_FILE).touch(exist_ok=False)
    except FileExistsError:
        abort(409)
    try:
        problem = _store_roster(folder, request.form.get("sure") == "yes")
    finally:
        (folder / CLAIM_FILE).unlink(missing_ok=True)
    if problem:
        return _render_preview(folder, problem), 409
    delete_folder(folder)
    # translators: shown to staff
    flash(gettext("The roster was imported."))
    return redirect(url_for("administration.roster"))


@blueprint.post("/roster/<token>/drop")
@enters("import rosters")
def drop_roster(token: str) -> Answer:
    """Leave everything as it is."""
    delete_folder(_require_own_folder(token))
    # translators: shown to staff who looked at what a list of students would change, and did not want it
    flash(gettext("Nothing was changed. The files were deleted."))
    return redirect(url_for("administration.roster"))


def _stage_upload(folder: Path, roster: FileStorage, languages: FileStorage | None) -> None:
    """The stage in `folder` is ready; the files themselves are gone again."""
    upload, beside = folder / "roster.zip", folder / "languages.csv"
    roster.save(upload)
    with open_roster(upload) as given, read_session(runtime().engine) as db:
        files = given
        if languages is not None and languages.filename:
            languages.save(beside)
            files = given.beside(f"{LANGUAGES_FILE}.csv", beside)
        with StagingDb(folder / FILE) as stage:
            prepare_import(db, files, stage, _import_settings())
            stage.keep("by", person().id)
    for each in (upload, beside):
        each.unlink(missing_ok=True)


def _import_settings() -> ImportOptions:
    found = runtime()
    keys = found.secret(HOME_KEY), found.secret(OPT_OUT_KEY)
    return ImportOptions(found.today(), found.settings.keep_names, keys[0], found.sealer, SystemRandom(), keys[1])


def _require_own_folder(token: str) -> Path:
    """The folder of a roster this person brought in; "not found" for any other."""
    folder = find_folder(runtime().settings.data_dir, token) or abort(404)
    with StagingDb(folder / FILE) as stage:
        return folder if stage.stored_value("by") == person().id else abort(404)


def _store_roster(folder: Path, sure: bool) -> str:
    """Import what was prepared; returns what kept it from being imported."""
    with StagingDb(folder / FILE) as stage:
        seen = build_preview(stage)
        if seen.steep and not sure:
            # translators: staff form: many people would be deleted; a box to tick says that this is right
            return gettext("Check how many would be removed, and confirm that this is correct.")
        seal_names(stage, runtime().sealer)
        try:
            with write_session(runtime().engine) as db:
                done = store_roster(db, stage, runtime().today(), person().id, SystemRandom())
                log_event(db, "import roster", done, **seen.audit_counts)
                db.commit()
        except RosterChanged:
            # translators: staff form: two people imported lists of students at the same time
            return gettext("Another roster was imported in the meantime. Upload the files again.")
    return ""


def _render_preview(folder: Path, problem: str = "") -> str:
    named = kind_names()
    with StagingDb(folder / FILE) as stage:
        seen = build_preview(stage)
        remarks = kind_lines(group_remarks(stage))
    return render_template(
        "administration/roster_preview.html",
        token=folder.name,
        seen=seen,
        changes=[(named[kind], seen.changes[kind]) for kind in KINDS],
        losses=loss_lines(seen.losses),
        kept=[(named[kind], number) for kind, number in seen.kept.items()],
        languages=language_lines(seen.languages),
        remarks=remarks,
        problem=problem,
    )


def kind_names() -> dict[str, str]:
    """What the kinds of rows are called."""
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


def _render_page(problem: str = "", remarks: Sequence[KindLine] = ()) -> str:
    with read_session(runtime().engine) as db:
        return render_template(
            "administration/roster.html",
            lines=list(_school_lines(db)),
            guardians=db.scalar(select(func.count()).select_from(Guardian)),
            opted_out=db.scalar(select(func.count()).select_from(OptOut)),
            imports=db.scalars(select(RosterImport).order_by(RosterImport.imported_on.desc()).limit(IMPORTS)).all(),
            keep_names=runtime().settings.keep_names,
            may_import=is_allowed("import rosters"),
            problem=problem,
            remarks=remarks,
            languages=_household_languages(db),
        )


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
