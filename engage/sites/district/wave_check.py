"""The last step of preparing a survey: a summary of everything, what to know, and the button that opens it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.base.catalogs import catalogue
from engage.base.languages import LANGUAGES
from engage.domain.roster.import_state import RosterIncomplete
from engage.services.waves.opening import WaveRefused, open_wave
from engage.services.waves.populations import FAMILY
from engage.services.waves.retention import fix_deletion_date, last_deletion_date
from engage.services.waves.wave_drafts import (
    chosen_schools,
    count_asked,
    count_household_languages,
    group_by_step,
)
from engage.sites.district.blueprint import blueprint
from engage.sites.district.wave_drafts import (
    DraftState,
    draft_conditions,
    draft_wave,
    list_draft_refusals,
    load_state,
    require_draft,
    unscreened_slug,
)
from engage.sites.district.wave_form import (
    CheckForm,
    choice_hints,
    counting_names,
    entry_names,
    form_mode_names,
    funds_names,
    identity_names,
    invited_names,
    population_names,
    step_names,
)
from engage.sites.district.wave_targets import store_named_languages
from engage.storage.engine import read_session, write_session
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.edit_forms import roster_wait_text
from engage.web.language_labels import language_name
from engage.web.page_language import gettext, language
from engage.web.permissions import enters

SCHOOLS_NAMED = 10  # in the summary


@dataclass(frozen=True, slots=True)
class DraftTranslation:
    """A chosen language that nobody has reviewed, by name, and the number of households that read it."""

    language: str
    households: int


@blueprint.get("/waves/drafts/<draft_id>/check")
@enters("open waves")
def check_wave_draft(draft_id: str) -> str:
    """The summary, with every reason against opening beside the step that mends it."""
    with read_session(runtime().engine) as session:
        state = load_state(session, require_draft(session, draft_id))
        return _render_check(session, state, _build_form(state))


@blueprint.post("/waves/drafts/<draft_id>/check")
@enters("open waves")
def open_new_wave(draft_id: str) -> Response | tuple[str, int]:
    """Open the survey and delete the draft, or show why it cannot be opened."""
    with write_session(runtime().engine) as session:
        state = load_state(session, draft := require_draft(session, draft_id))
        form = _build_form(state)
        wave = _open_draft(session, state, form) if form.validate() else None
        if wave is None:
            return _render_check(session, state, form), form.refusal_status
        session.delete(draft)
        log_event(
            session,
            "open wave",
            about=wave.id,
            schools=len(wave.schools),
            identity=wave.identity,
            entry=wave.entry,
            opens=wave.opens.isoformat(),
            closes=wave.closes.isoformat(),
        )
        session.commit()
    # translators: shown to staff after a wave was opened
    flash(gettext("The survey was saved. It opens on its first day."))
    return redirect(url_for("district.wave_page", wave_id=wave.id))


def _build_form(state: DraftState) -> CheckForm:
    """The form; what is beside it are the fields that the summary shows."""
    return CheckForm(beside=state.shown.to_json())


def _open_draft(session: Session, state: DraftState, form: CheckForm) -> Wave | None:
    """The wave; None if it is refused. The page shows the reasons; those that are not of a step are in the form."""
    if state.edition is None:
        return None
    new, words = draft_wave(session, state), catalogue(language().tag)
    try:
        conditions = draft_conditions(session, state.edition, new)
        wave = open_wave(session, state.edition, new, runtime().today(), conditions, words)
    except WaveRefused:
        return None
    try:
        store_named_languages(session, wave)
    except RosterIncomplete:
        session.rollback()
        form.add_error("summary", roster_wait_text())
        return None
    fix_deletion_date(wave, runtime().settings)
    return wave


def _render_check(session: Session, state: DraftState, form: CheckForm) -> str:
    fields, schools = state.shown, chosen_schools(session, state.shown)
    refusals = group_by_step(list_draft_refusals(session, state))
    return render_template(
        "district/wave_check.html",
        state=state,
        form=form,
        steps=step_names(),
        refusals=refusals,
        can_open=not any(refusals.values()),
        hints=choice_hints(),
        funds=funds_names(),
        people=population_names()[state.population],
        labels=identity_names() | entry_names() | form_mode_names() | counting_names() | invited_names(),
        schools=schools,
        named=schools[:SCHOOLS_NAMED],
        asked=count_asked(session, fields, schools, state.population),
        draft_translations=_draft_translations(session, state, schools),
        first_language=next((tag for tag in LANGUAGES if tag in (fields.languages or ())), ""),
        deleted_on=_deletion_date(state),
        unscreened=unscreened_slug(session, state.edition),
    )


def _draft_translations(session: Session, state: DraftState, schools: Sequence[School]) -> list[DraftTranslation]:
    """The chosen languages whose texts are drafts, each with its households at the chosen schools; none for surveys of
    educators, students, and liaisons, whose languages the roster does not have."""
    if state.population != FAMILY:
        return []
    counted = count_household_languages(session, [school.id for school in schools]).offered
    chosen = [LANGUAGES[tag] for tag in LANGUAGES if tag in (state.shown.languages or ())]
    drafts = [each for each in chosen if each.is_draft("family") or each.is_draft("surveys")]
    return [DraftTranslation(language_name(each.tag), counted.get(each.tag, 0)) for each in drafts]


def _deletion_date(state: DraftState) -> date | None:
    """The day on which the answers will be deleted; None while the last day or the questionnaire is not chosen."""
    closes = state.shown.closes
    if closes is None or state.edition is None:
        return None
    return last_deletion_date(closes, state.edition.survey("en"), runtime().settings)
