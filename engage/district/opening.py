"""Opening a wave in the browser."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import Form, RadioField, SelectField, SelectMultipleField

from engage.district.door import blueprint
from engage.district.fields import Day, Line, given
from engage.languages import LANGUAGES, catalogue, survey_catalogues
from engage.questionnaire.library import shipped_surveys
from engage.questionnaire.wording import Edition, edition_of
from engage.records.schools import School
from engage.records.session import reading, writing
from engage.waves.open import NewWave, WaveRefused, open_wave
from engage.waves.readiness import gaps
from engage.web.guards import enters
from engage.web.locale import gettext, language, ngettext
from engage.web.state import state


class WaveForm(Form):  # type: ignore[misc]  # wtforms has no types
    """What a person decides about a wave. What fits together is judged by waves/open.py, for the command line too."""

    survey = SelectField(validate_choice=False)
    title = Line()
    schools = SelectMultipleField(validate_choice=False)
    languages = SelectMultipleField(validate_choice=False)
    opens = Day()
    closes = Day()
    results_on = Day()
    identity = RadioField(validate_choice=False, default="anonymous")
    entry = RadioField(validate_choice=False, default="open")

    def wanted(self) -> NewWave:
        """The wave this form describes, languages in the order they are offered."""
        return NewWave(
            title=self.title.data or "",
            schools=tuple(self.schools.data or ()),
            languages=tuple(sorted(self.languages.data or (), key=[*LANGUAGES, *(self.languages.data or ())].index)),
            opens=self.opens.data,
            closes=self.closes.data,
            results_on=self.results_on.data,
            identity=self.identity.data or "",
            entry=self.entry.data or "",
        )


@blueprint.get("/waves/new")
@enters("open waves")
def new_wave() -> str:
    """The form."""
    with reading(state().engine) as session:
        return _page(session, WaveForm(languages=["en"]))


@blueprint.post("/waves/new")
@enters("open waves")
def open_new_wave() -> Response | tuple[str, int]:
    """Open the wave, or say what keeps it from opening."""
    form = WaveForm(request.form)
    with writing(state().engine) as session:
        if not form.validate() or not _opened(session, form):
            return _page(session, form), 422
        session.commit()
    # translators: shown to staff after a wave was opened
    flash(gettext("The wave is stored. Families can answer from its first day on."))
    return redirect(url_for("district.waves"))


def _opened(session: Session, form: WaveForm) -> bool:
    """Whether the wave is stored; if not, the form says why."""
    edition = _editions().get(form.survey.data or "")
    if edition is None:
        # translators: staff form
        given(form, "survey", gettext("Choose a survey from the list."))
        return False
    new = form.wanted()
    try:
        open_wave(session, edition, new, state().today(), gaps(new.languages), catalogue(language().tag))
    except WaveRefused as refused:
        for each in refused.refusals:
            given(form, each.field if each.field in form else "title", each.sentence)
        return False
    return True


def _editions() -> dict[str, Edition]:
    return {survey.slug: edition_of(survey, survey_catalogues()) for survey in shipped_surveys()}


def _page(session: Session, form: WaveForm) -> str:
    waiting = gaps(LANGUAGES)
    choices: dict[str, Any] = {
        "surveys": [(slug, edition.survey(language().tag).title) for slug, edition in _editions().items()],
        "schools": [(school.id, school.name, "") for school in session.scalars(select(School).order_by(School.name))],
        "tongues": [(tag, each.name, _waits(len(waiting.get(tag, [])))) for tag, each in LANGUAGES.items()],
    }
    return render_template("district/new_wave.html", form=form, **choices)


def _waits(number: int) -> str:
    if not number:
        return ""
    # translators: beside a language in a list: why it cannot be chosen yet
    return ngettext("%(num)s text is not translated yet", "%(num)s texts are not translated yet", number)
