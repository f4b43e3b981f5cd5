"""Preparing a survey in the browser, step by step; what was typed is stored with every step."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.base.catalogs import catalogue, translation_gaps
from engage.questionnaire.editions import Edition
from engage.services.waves.opening import NewWave, OpeningConditions, Refusal, fit_population, list_refusals
from engage.services.waves.populations import FAMILY
from engage.services.waves.screening import NONE, find_unscreened_questions, load_decisions, screening_items
from engage.services.waves.student_surveys import are_student_surveys_allowed
from engage.services.waves.wave_drafts import (
    DRAFT_DAYS,
    STEPS,
    DraftFields,
    HouseholdLanguages,
    add_draft,
    chosen_schools,
    count_household_languages,
    count_missing_translations,
    find_draft,
    list_drafts,
    preselect,
)
from engage.sites.district.blueprint import blueprint
from engage.sites.district.screening import editions
from engage.sites.district.wave_form import (
    FORMS,
    DraftOptions,
    StepForm,
    choice_hints,
    questionnaire_title,
    step_names,
)
from engage.storage.engine import read_session, write_session
from engage.storage.models.schools import School
from engage.storage.models.wave_drafts import WaveDraft
from engage.web.context import runtime
from engage.web.language_labels import language_name
from engage.web.page_language import gettext, language, ltr
from engage.web.permissions import enters, is_allowed, person

FIRST = "questionnaire"
OTHERS_SHOWN = 10  # languages that are not offered
STEP = "/waves/drafts/<draft_id>/<any(questionnaire,schools,dates,answering):step>"


@dataclass(frozen=True, slots=True)
class DraftState:
    """A draft, or a new one that is not stored yet. `shown` are its fields with what is chosen beforehand; `edition` is
    its questionnaire, None if that no longer exists."""

    draft: WaveDraft | None
    fields: DraftFields
    shown: DraftFields
    edition: Edition | None
    titles: Mapping[str, str]
    """The titles of all questionnaires by slug, in the language of the page."""

    @property
    def population(self) -> str:
        """Who answers the questionnaire."""
        return FAMILY if self.edition is None else self.edition.survey("en").population


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft in the list. `deleted_on` is the day on which it will be deleted; `is_complete`: it has a title and
    days."""

    id: str
    title: str
    changed_on: date
    deleted_on: date
    is_complete: bool


@blueprint.get("/waves/new")
@enters("open waves")
def new_wave() -> str:
    """The first step of a new draft; nothing is stored yet."""
    with read_session(runtime().engine) as session:
        state = load_state(session, None)
        return _render_step(session, state, FIRST, _build_form(session, state, FIRST))


@blueprint.post("/waves/new")
@enters("open waves")
def begin_wave_draft() -> Response | tuple[str, int]:
    """Store a new draft with the first step."""
    with write_session(runtime().engine) as session:
        state = load_state(session, None)
        form = _build_form(session, state, FIRST)
        if not form.validate():
            return _render_step(session, state, FIRST, form), 422
        draft = add_draft(session, person().id, form.apply_to(state.fields), runtime().today())
        session.commit()
        return redirect(_next_address(session, draft, FIRST, form))


@blueprint.get(STEP)
@enters("open waves")
def wave_draft(draft_id: str, step: str) -> str:
    """One step of a draft; with `?check=1` after "Continue", the reasons why it does not go on."""
    with read_session(runtime().engine) as session:
        state = load_state(session, require_draft(session, draft_id))
        form = _build_form(session, state, step)
        if "check" in request.args:
            for each in _step_refusals(session, state, step):
                form.add_error(each.field if each.field in form else "title", each.sentence)
        return _render_step(session, state, step, form)


@blueprint.post(STEP)
@enters("open waves")
def save_wave_draft(draft_id: str, step: str) -> Response | tuple[str, int]:
    """Store a step, and show the page that its button leads to. What can be read is stored, even if the survey could
    not be opened with it; then "Continue" stays on the step and says why."""
    with write_session(runtime().engine) as session:
        state = load_state(session, draft := require_draft(session, draft_id))
        form = _build_form(session, state, step)
        if not form.validate():
            return _render_step(session, state, step, form), form.refusal_status
        draft.fields, draft.changed_on = form.apply_to(state.fields).to_json(), runtime().today()
        session.commit()
        return redirect(_next_address(session, draft, step, form))


@blueprint.post("/waves/drafts/<draft_id>/delete")
@enters("open waves")
def delete_wave_draft(draft_id: str) -> Response:
    """Delete a draft."""
    with write_session(runtime().engine) as session:
        session.delete(require_draft(session, draft_id))
        session.commit()
    # translators: shown to staff after they deleted a survey that was not opened yet
    flash(gettext("The draft was deleted."))
    return redirect(url_for("district.waves"))


def require_draft(session: Session, draft_id: str) -> WaveDraft:
    """A draft of the signed-in person; "not found" for any other."""
    return find_draft(session, person().id, draft_id) or abort(404)


def load_state(session: Session, draft: WaveDraft | None) -> DraftState:
    """A draft with its questionnaire; a new one has the first questionnaire and the district's way of counting."""
    available = editions()
    first = next((slug for slug, each in available.items() if each.survey("en").population == FAMILY), "")
    new = DraftFields(survey=first, counting=runtime().settings.counting)
    fields = new if draft is None else DraftFields.from_json(draft.fields)
    edition = available.get(fields.survey)
    titles = {slug: questionnaire_title(each.survey(language().tag)) for slug, each in available.items()}
    return DraftState(draft, fields, preselect(session, fields, edition), edition, titles)


def draft_conditions(session: Session, edition: Edition, new: NewWave) -> OpeningConditions:
    """What decides, beside the draft itself, whether a survey can be opened."""
    screened = load_decisions(session, screening_items(edition.survey("en")))
    return OpeningConditions(
        translation_gaps(new.languages),
        screened,
        {item for item, decision in screened.items() if decision.area != NONE},
        are_student_surveys_allowed(session),
        runtime().today(),
    )


def list_draft_refusals(session: Session, state: DraftState) -> list[Refusal]:
    """All reasons why the survey cannot be opened as it is."""
    if state.edition is None:
        # translators: staff form: the questionnaire that was chosen earlier was deleted since
        return [Refusal("survey", gettext("This questionnaire no longer exists. Choose another one."))]
    new = draft_wave(session, state)
    words = catalogue(language().tag)
    return list_refusals(session, state.edition, new, draft_conditions(session, state.edition, new), words)


def draft_wave(session: Session, state: DraftState) -> NewWave:
    """The survey as it would be opened now."""
    fields = state.shown
    schools = [school.id for school in chosen_schools(session, fields)] if fields.all_schools else fields.schools
    new = fields.to_new_wave(schools or ())
    return new if state.edition is None else fit_population(new, state.edition.survey("en"))


def unscreened_slug(session: Session, edition: Edition | None) -> str:
    """The slug of a questionnaire that has questions without a screening decision; else empty."""
    if edition is None:
        return ""
    survey = edition.survey("en")
    waiting = find_unscreened_questions(survey, load_decisions(session, screening_items(survey)))
    return survey.slug if waiting else ""


def list_draft_rows(session: Session) -> list[DraftRow]:
    """The drafts of the signed-in person; none for somebody who may not open surveys."""
    rows = []
    for draft in list_drafts(session, person().id) if is_allowed("open waves") else ():
        fields = DraftFields.from_json(draft.fields)
        last, is_complete = draft.changed_on + timedelta(days=DRAFT_DAYS + 1), bool(fields.title and fields.closes)
        rows.append(DraftRow(draft.id, fields.title, draft.changed_on, last, is_complete))
    return rows


def _step_refusals(session: Session, state: DraftState, step: str) -> list[Refusal]:
    """Those that this step mends. Questions that nobody has screened are named on the page and refused by the check: a
    survey can be prepared while somebody else screens them."""
    refusals = [each for each in list_draft_refusals(session, state) if each.field in STEPS[step]]
    return refusals if state.edition is None else [each for each in refusals if each.field != "survey"]


def _build_form(session: Session, state: DraftState, step: str) -> StepForm:
    """The form of a step with the values of the draft."""
    schools = session.execute(select(School.id, School.name).where(School.active).order_by(School.name, School.id))
    options = DraftOptions(state.titles, {school.id: school.name for school in schools}, state.population)
    values = {name: value for name, value in asdict(state.shown).items() if name in STEPS[step]}
    return FORMS[step](options, **values)


def _next_address(session: Session, draft: WaveDraft, step: str, form: StepForm) -> str:
    """The page that the button of a step leads to."""
    then, order = form.then.data, [*STEPS]
    if then == "leave":
        # translators: shown to staff after they stopped preparing a survey; it is on the list of surveys
        flash(gettext("The draft was saved. You find it on this page."))
        return url_for("district.waves")
    if then == "back" and step != FIRST:
        return url_for("district.wave_draft", draft_id=draft.id, step=order[order.index(step) - 1])
    if then != "check" and _step_refusals(session, load_state(session, draft), step):
        return url_for("district.wave_draft", draft_id=draft.id, step=step, check=1)
    if then == "check" or step == order[-1]:
        return url_for("district.check_wave_draft", draft_id=draft.id)
    return url_for("district.wave_draft", draft_id=draft.id, step=order[order.index(step) + 1])


def _render_step(session: Session, state: DraftState, step: str, form: StepForm) -> str:
    pages, questions = count_missing_translations(session, state.edition)
    return render_template(
        "district/wave_draft.html",
        state=state,
        step=step,
        steps=step_names(),
        form=form,
        hints=choice_hints(),
        pages=pages,
        questions=questions,
        households=_household_languages(session, step),
        language_name=language_name,
        schools=chosen_schools(session, state.shown),
        zone=ltr(runtime().settings.timezone),
        unscreened=unscreened_slug(session, state.edition),
    )


def _household_languages(session: Session, step: str) -> HouseholdLanguages | None:
    """The languages of the roster; of those that are not offered, the ones that most households read."""
    if step != "schools":
        return None
    counted = count_household_languages(session)
    return HouseholdLanguages(counted.offered, dict(list(counted.others.items())[:OTHERS_SHOWN]))
