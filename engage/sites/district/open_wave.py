"""Opening a wave in the browser."""

from flask import flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.base.catalogs import catalogue, translation_gaps
from engage.base.languages import LANGUAGES
from engage.domain.roster.import_state import RosterIncomplete
from engage.services.waves import privacy_notice
from engage.services.waves.opening import OpeningConditions, WaveRefused, open_wave
from engage.services.waves.retention import fix_deletion_date
from engage.services.waves.screening import find_unscreened_questions, load_decisions, screening_items
from engage.sites.district.blueprint import blueprint
from engage.sites.district.screening import family_editions
from engage.sites.district.wave_form import WaveForm
from engage.sites.district.wave_targets import store_named_languages
from engage.storage.engine import read_session, write_session
from engage.storage.models.responses import MODES
from engage.storage.models.waves import Wave
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.edit_forms import roster_wait_text
from engage.web.page_language import gettext, language, ltr, ngettext
from engage.web.permissions import enters


@blueprint.get("/waves/new")
@enters("open waves")
def new_wave() -> str:
    """The form."""
    with read_session(runtime().engine) as session:
        values = {"languages": ["en"], "modes": list(MODES), "counting": runtime().settings.counting}
        return _render_page(session, WaveForm(session, family_editions(), **values))


@blueprint.post("/waves/new")
@enters("open waves")
def open_new_wave() -> Response | tuple[str, int]:
    """Open the wave, or show why it cannot be opened."""
    with write_session(runtime().engine) as session:
        form = WaveForm(session, family_editions())
        wave = _open_from_form(session, form) if form.validate() else None
        if wave is None:
            return _render_page(session, form), 422
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
    flash(gettext("The survey was saved. Families can answer starting on its first day."))
    return redirect(url_for("district.waves"))


def _open_from_form(session: Session, form: WaveForm) -> Wave | None:
    """The wave; None if it is refused, with errors in the form."""
    edition = family_editions()[form.survey.data]
    new, words = form.wanted(), catalogue(language().tag)
    screened = load_decisions(session, screening_items(edition.survey("en")))
    try:
        conditions = OpeningConditions(translation_gaps(new.languages), screened)
        wave = open_wave(session, edition, new, runtime().today(), conditions, words)
    except WaveRefused as refused:
        for each in refused.refusals:
            form.add_error(each.field if each.field in form else "title", each.sentence)
        return None
    try:
        store_named_languages(session, wave)
    except RosterIncomplete:
        session.rollback()
        form.add_error("title", roster_wait_text())
        return None
    fix_deletion_date(wave, runtime().settings)
    return wave


def _render_page(session: Session, form: WaveForm) -> str:
    texts, notices = translation_gaps(LANGUAGES), privacy_notice.find_untranslated_texts(session, LANGUAGES)
    missing = {tag: len([*texts.get(tag, []), *notices.get(tag, [])]) for tag in LANGUAGES}
    return render_template(
        "district/open_wave.html",
        form=form,
        untranslated={tag: _untranslated_note(number) for tag, number in missing.items()},
        zone=ltr(runtime().settings.timezone),
        unscreened=_unscreened_slug(session, form.survey.data or ""),
    )


def _unscreened_slug(session: Session, slug: str) -> str:
    """The slug, if this survey has questions without a screening decision; else empty."""
    edition = family_editions().get(slug)
    if edition is None:
        return ""
    survey = edition.survey("en")
    return slug if find_unscreened_questions(survey, load_decisions(session, screening_items(survey))) else ""


def _untranslated_note(number: int) -> str:
    if not number:
        return ""
    # translators: beside a language in a list: why it cannot be chosen yet
    return ngettext("%(num)s translation is missing", "%(num)s translations are missing", number)
