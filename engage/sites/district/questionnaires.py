"""Every questionnaire to read, in every language, as people see it: before a survey is opened with it."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import render_template, request

from engage.base.catalogs import catalogue
from engage.base.languages import LANGUAGES
from engage.questionnaire.editions import Edition
from engage.questionnaire.model import Survey
from engage.questionnaire.numbering import question_numbers
from engage.questionnaire.reading_copy import reading_copy
from engage.services.waves.wave_drafts import find_draft
from engage.sites.district.blueprint import blueprint
from engage.sites.district.screening import editions, require_edition
from engage.sites.district.wave_form import population_names
from engage.storage.engine import read_session
from engage.web.context import runtime
from engage.web.page_language import language
from engage.web.permissions import enters, is_allowed, person


@dataclass(frozen=True, slots=True)
class QuestionnaireRow:
    """A questionnaire in the language of the page, how many numbered questions it has, and how many of its texts have
    no translation, by language."""

    survey: Survey
    questions: int
    missing: Mapping[str, int]


@blueprint.get("/questionnaires")
@enters("see waves")
def questionnaires() -> str:
    """All questionnaires."""
    rows = [_questionnaire_row(edition) for edition in editions().values()]
    return render_template("district/questionnaires.html", rows=rows, people=population_names())


@blueprint.get("/questionnaires/<slug>/<lang:tag>")
@enters("see waves")
def questionnaire(slug: str, tag: str) -> str:
    """A whole questionnaire in a language. With `?draft=`, it leads back to the check of that draft of a survey."""
    edition = require_edition(slug)
    survey = edition.survey(tag)
    return render_template(
        "district/questionnaire.html",
        survey=survey,
        parts=reading_copy(survey, catalogue(tag)),
        tongue=LANGUAGES[tag],
        row=_questionnaire_row(edition),
        people=population_names(),
        draft_id=_own_draft_id(request.args.get("draft", "")),
    )


def _questionnaire_row(edition: Edition) -> QuestionnaireRow:
    survey = edition.survey(language().tag)
    missing = {tag: len(edition.missing(tag)) for tag in LANGUAGES}
    return QuestionnaireRow(survey, max(question_numbers(survey).values(), default=0), missing)


def _own_draft_id(draft_id: str) -> str | None:
    """The id, if it is that of a draft of the signed-in person."""
    if not draft_id or not is_allowed("open waves"):
        return None
    with read_session(runtime().engine) as session:
        draft = find_draft(session, person().id, draft_id)
        return None if draft is None else draft.id
