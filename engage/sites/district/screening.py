"""The screening pages: for each question of a survey, whether it asks about a protected area."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import FormField, SelectField

from engage.base.catalogs import catalogue, survey_catalogues
from engage.questionnaire.editions import Edition, build_edition
from engage.questionnaire.library import shipped_surveys
from engage.questionnaire.model import Question, Survey
from engage.services.waves.screening import (
    AREAS,
    NONE,
    NOTE_MOST,
    STATUTE,
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
from engage.web.edit_forms import EditForm
from engage.web.forms import BaseForm, EnclosedForm, LineField
from engage.web.page_language import gettext, language
from engage.web.permissions import enters, person


@dataclass(frozen=True, slots=True)
class SurveyRow:
    """A survey in the list: how many of its questions are undecided, and how many are in a protected area."""

    survey: Survey
    waiting: int
    protected: int


@dataclass(frozen=True, slots=True)
class ScreeningItem:
    """One question to decide about, in the page's language. `decision` is the stored one."""

    question: Question
    decision: Screening | None
    by: str
    form: "DecisionItemForm"


class DecisionItemForm(EnclosedForm):
    """The decision about one question."""

    area = SelectField()
    note = LineField(most=NOTE_MOST)

    def offer(self, areas: Mapping[str, str], is_decided: bool) -> None:
        """Offer an area, none, or, if there is no decision yet, to decide later."""
        # translators: staff form: nobody has decided yet
        waiting = [] if is_decided else [("", gettext("Not decided yet"))]
        # translators: staff form: the question is about nothing that the law protects
        self.area.choices = [*waiting, (NONE, gettext("No, none of them")), *areas.items()]


@blueprint.get("/screening")
@enters("screen questions")
def screenings() -> str:
    """All surveys."""
    with read_session(runtime().engine) as session:
        rows = [_survey_row(session, edition) for edition in editions().values()]
    return render_template("district/screening_index.html", rows=rows)


@blueprint.get("/screening/<slug>")
@enters("screen questions")
def screening(slug: str) -> str:
    """The questions of a survey, each with its decision."""
    edition = require_edition(slug)
    with read_session(runtime().engine) as session:
        return _render_page(session, edition, _build_form(session, edition))


@blueprint.post("/screening/<slug>")
@enters("screen questions")
def screen(slug: str) -> Response | tuple[str, int]:
    """Store decisions; questions without a choice stay undecided."""
    edition = require_edition(slug)
    with write_session(runtime().engine) as session:
        form = _build_form(session, edition)
        if not form.validate():
            return _render_page(session, edition, form), form.refusal_status
        items = {digest: _item_form(form, digest) for digest in screening_items(edition.survey("en"))}
        chosen = {
            digest: Decision(item.area.data, item.note.data or "") for digest, item in items.items() if item.area.data
        }
        changed = store_decisions(session, chosen, person().id, runtime().today())
        if changed:
            protected = sum(each.area != NONE for each in chosen.values())
            log_event(session, "screen questions", about=slug, changed=changed, protected=protected)
        session.commit()
    # translators: shown to staff after they decided about the questions of a survey
    flash(gettext("Your decisions were saved."))
    return redirect(url_for("district.screening", slug=slug))


def editions() -> dict[str, Edition]:
    """The surveys as a wave would use them today, by slug."""
    return {survey.slug: build_edition(survey, survey_catalogues()) for survey in shipped_surveys()}


def require_edition(slug: str) -> Edition:
    """The survey with this slug as a wave would use it today; "not found" if there is none."""
    edition = editions().get(slug)
    if edition is None:
        abort(404)
    return edition


def _survey_row(session: Session, edition: Edition) -> SurveyRow:
    items = screening_items(edition.survey("en"))
    decisions = load_decisions(session, items)
    protected = sum(each.area != NONE for each in decisions.values())
    return SurveyRow(edition.survey(language().tag), len(items) - len(decisions), protected)


def _area_names() -> dict[str, str]:
    """The names of the areas in plain language, in the page's language."""
    words = catalogue(language().tag)
    return {area: words.gettext(gloss) for area, gloss in AREAS.items()}


def _build_form(session: Session, edition: Edition) -> EditForm:
    """A form with an enclosed form for each question, filled with the stored decisions."""
    items = screening_items(edition.survey("en"))
    fields = {_field_name(digest): FormField(DecisionItemForm, name=_field_name(digest)) for digest in items}
    decisions = load_decisions(session, items)
    stored = {_field_name(digest): {"area": each.area, "note": each.note} for digest, each in decisions.items()}
    waiting = {name: {"area": ""} for name in fields}
    form: EditForm = type("ScreeningForm", (EditForm,), fields)(data=waiting | stored)
    areas = _area_names()
    for digest in items:
        _item_form(form, digest).offer(areas, digest in decisions)
    return form


def _field_name(digest: str) -> str:
    return f"item-{digest}"


def _item_form(form: BaseForm, digest: str) -> DecisionItemForm:
    item: DecisionItemForm = form[_field_name(digest)].form
    return item


def _render_page(session: Session, edition: Edition, form: BaseForm) -> str:
    survey = edition.survey(language().tag)
    items = screening_items(edition.survey("en"))
    decisions = load_decisions(session, items)
    people = {each.decided_by for each in decisions.values()}
    staff = [session.get_one(Staff, number) for number in people if number is not None]
    names = {each.id: each.name or each.email for each in staff}
    rows = [
        ScreeningItem(
            survey.question(english.id),
            decisions.get(digest),
            _decider_name(decisions.get(digest), names),
            _item_form(form, digest),
        )
        for digest, english in items.items()
    ]
    areas = [(_area_names()[area], STATUTE[area]) for area in AREAS]
    return render_template("district/screening.html", survey=survey, form=form, rows=rows, areas=areas)


def _decider_name(decision: Screening | None, names: dict[int, str]) -> str:
    return names.get(decision.decided_by, "") if decision and decision.decided_by is not None else ""
