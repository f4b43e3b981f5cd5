"""Screening in the browser: for each question of a survey, whether it asks about something that the law protects."""

from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.base.catalogs import catalogue, survey_catalogues
from engage.questionnaire.editions import Edition, build_edition
from engage.questionnaire.library import shipped_surveys
from engage.questionnaire.model import Question, Survey
from engage.services.waves.screening import (
    AREAS,
    NONE,
    NOTE_MOST,
    Decision,
    load_decisions,
    screening_items,
    store_decisions,
)
from engage.sites.district.blueprint import blueprint
from engage.storage.engine import read_session, write_session
from engage.storage.models.screening import Screening
from engage.storage.models.staff import Staff
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.forms import LONGEST
from engage.web.page_language import gettext, language
from engage.web.permissions import enters, person


@dataclass(frozen=True, slots=True)
class SurveyRow:
    """A survey in the list: how many of its questions wait, and how many stand in a protected area."""

    survey: Survey
    waiting: int
    protected: int


@dataclass(frozen=True, slots=True)
class ScreeningItem:
    """One question to decide about. `question` is in the page's language, `english` is what is decided about."""

    digest: str
    question: Question
    english: Question
    kept: Screening | None
    by: str


@blueprint.get("/screening")
@enters("screen questions")
def screenings() -> str:
    """Every survey there is."""
    with read_session(runtime().engine) as session:
        rows = [_survey_row(session, edition) for edition in editions().values()]
    return render_template("district/screenings.html", rows=rows)


@blueprint.get("/screening/<slug>")
@enters("screen questions")
def screening(slug: str) -> str:
    """The questions of a survey, each with the decision about it."""
    edition = _require_edition(slug)
    with read_session(runtime().engine) as session:
        return _render_page(session, edition)


@blueprint.post("/screening/<slug>")
@enters("screen questions")
def screen(slug: str) -> Response | tuple[str, int]:
    """Keep what was decided; questions without a choice stay undecided."""
    edition = _require_edition(slug)
    survey = edition.survey("en")
    made = {digest: _read_decision(digest) for digest in screening_items(survey)}
    if any(each.area and each.area != NONE and each.area not in AREAS for each in made.values()):
        abort(400)
    too_long = {digest for digest, each in made.items() if len(each.note) > NOTE_MOST}
    with write_session(runtime().engine) as session:
        if too_long:
            return _render_page(session, edition, made, too_long), 422
        chosen = {digest: each for digest, each in made.items() if each.area}
        changed = store_decisions(session, chosen, person().id, runtime().today())
        if changed:
            protected = sum(each.area != NONE for each in chosen.values())
            log_event(session, "screen questions", about=slug, changed=changed, protected=protected)
        session.commit()
    # translators: shown to staff after they decided about the questions of a survey
    flash(gettext("Your decisions were saved."))
    return redirect(url_for("district.screening", slug=slug))


def editions() -> dict[str, Edition]:
    """The surveys as a wave would ask them today, by slug."""
    return {survey.slug: build_edition(survey, survey_catalogues()) for survey in shipped_surveys()}


def _require_edition(slug: str) -> Edition:
    found = editions().get(slug)
    if found is None:
        abort(404)
    return found


def _read_decision(digest: str) -> Decision:
    area = request.form.get(f"area-{digest}", "")[:LONGEST]
    return Decision(area, request.form.get(f"note-{digest}", "")[:LONGEST].strip())


def _survey_row(session: Session, edition: Edition) -> SurveyRow:
    asked = screening_items(edition.survey("en"))
    kept = load_decisions(session, asked)
    protected = sum(each.area != NONE for each in kept.values())
    return SurveyRow(edition.survey(language().tag), len(asked) - len(kept), protected)


def _render_page(
    session: Session,
    edition: Edition,
    made: dict[str, Decision] | None = None,
    too_long: set[str] | frozenset[str] = frozenset(),
) -> str:
    survey = edition.survey(language().tag)
    asked = screening_items(edition.survey("en"))
    kept = load_decisions(session, asked)
    people = {each.decided_by for each in kept.values()}
    names = {number: session.get_one(Staff, number).name for number in people if number is not None}
    rows = [
        ScreeningItem(
            digest, survey.question(english.id), english, kept.get(digest), _decider_name(kept.get(digest), names)
        )
        for digest, english in asked.items()
    ]
    words = catalogue(language().tag)
    areas = {area: words.gettext(said) for area, said in AREAS.items()}
    return render_template(
        "district/screening.html",
        survey=survey,
        rows=rows,
        areas=areas,
        made=made or {},
        too_long=too_long,
        most=NOTE_MOST,
    )


def _decider_name(kept: Screening | None, names: dict[int, str]) -> str:
    return names.get(kept.decided_by, "") if kept is not None and kept.decided_by is not None else ""
