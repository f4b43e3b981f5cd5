"""Writing a debrief after an event: one text for each question of a wave that liaisons answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import SystemRandom
from secrets import token_hex
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import Field, HiddenField, SelectField
from wtforms.validators import ValidationError

from engage.questionnaire.editions import load_edition
from engage.questionnaire.model import Question, Survey
from engage.questionnaire.question_types import RefusedAnswer, read_answer
from engage.questionnaire.text_cleaning import is_possible_id
from engage.services.waves import debriefs
from engage.services.waves.debriefs import NewDebrief, find_open_debrief_waves, list_debrief_questions
from engage.sites.liaison.blueprint import blueprint
from engage.sites.liaison.scope import own_schools_of, school_choices
from engage.storage.engine import read_session, write_session
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.forms import LONGEST, BaseForm, TextField
from engage.web.page_language import gettext, language, long_date, ngettext
from engage.web.permissions import enters, permitted_schools

LINE = "line-"  # followed by the id of a question: the name of a field
TOKEN = re.compile(r"[0-9a-f]{32}\Z")


class LineOfDebrief(TextField):
    """The text for one question. It may be empty, and is refused by the rule of the question."""

    def __init__(self, question: Question, **options: Any) -> None:
        self.question = question
        super().__init__(most=LONGEST, **options)

    def pre_validate(self, _form: Any) -> None:
        """The text must fit the question. Raises ValidationError."""
        value = read_answer(self.question, [self.data or ""])
        if isinstance(value, RefusedAnswer):
            over = int(value.params["length"]) - int(value.params["most"])
            raise ValidationError(
                # translators: error beside a text that is too long. A character is a letter, digit, sign or space
                ngettext(
                    "This text is %(num)s character too long. Please make it shorter.",
                    "This text is %(num)s characters too long. Please make it shorter.",
                    over,
                )
            )


class DebriefForm(BaseForm):
    """A debrief. `token` marks the page that was filled in. A subclass made by `debrief_form_class` has one more field
    for each question."""

    school = SelectField(choices=[])
    token = HiddenField()

    def offer(self, schools: Sequence[School]) -> None:
        """Set the schools to choose from; a single one is chosen."""
        # translators: staff form: first line of a list of schools, before one is chosen
        unchosen = [("", gettext("Choose a school"))] if len(schools) != 1 else []
        self.school.choices = [*unchosen, *school_choices(schools)]
        if not TOKEN.match(self.token.data or ""):
            self.token.data = token_hex(16)

    @property
    def lines(self) -> list[LineOfDebrief]:
        """The fields for the questions."""
        return [field for field in self if isinstance(field, LineOfDebrief)]

    def validate_school(self, field: Field) -> None:
        """A school must be chosen. Raises ValidationError."""
        if not field.data and not field.errors:
            # translators: staff form: somebody writes about an event, and did not say at which school it was
            raise ValidationError(gettext("Choose the school."))

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the fields; at least one line must be filled in."""
        is_valid = super().validate(extra_validators)
        if any(line.data or line.errors for line in self.lines):
            return bool(is_valid)
        # translators: staff form: somebody writes about an event, and left every box empty
        self.add_error(self.lines[0].name, gettext("Write at least one line."))
        return False


def debrief_form_class(survey: Survey) -> type[DebriefForm]:
    """The form class for the questions of a survey."""
    fields = {LINE + question.id: LineOfDebrief(question) for question in list_debrief_questions(survey)}
    return type("DebriefFormOfWave", (DebriefForm,), fields)


@dataclass(frozen=True, slots=True)
class DebriefPlace:
    """The wave of a form, and its survey in the language of the page, or else the wave's first. `problem` is why
    nothing can be written today, empty if something can."""

    wave: Wave
    survey: Survey
    language: str
    problem: str


@blueprint.get("/debriefs/new")
@enters("write debriefs")
def debrief_form() -> str:
    """The form for the wave in the address, or the open one; or what was said after saving."""
    with read_session(runtime().engine) as session:
        place = _find_place(session)
        return _render_page(place, _bind_form(session, place) if place else None)


@blueprint.post("/debriefs/new")
@enters("write debriefs")
def save_debrief() -> ResponseReturnValue:
    """Store a debrief."""
    with write_session(runtime().engine) as session:
        place = _find_place(session)
        form = _bind_form(session, place) if place else None
        if place is None or form is None or place.problem:
            return _render_page(place, form), 409
        if not form.validate():
            return _render_page(place, form), 422
        if debriefs.save_debrief(session, _to_debrief(place, form), runtime().today(), SystemRandom()):
            log_event(session, "write debrief", about=place.wave.id)
        session.commit()
        return redirect(url_for("liaison.debrief_form", wave=place.wave.id, saved="yes"), 303)


def _find_place(session: Session) -> DebriefPlace | None:
    """The wave in the query of the address, or "not found" for one of other schools or other people; without one in the
    query, the open one of this person, if there is any."""
    wave_id, schools = request.args.get("wave", ""), permitted_schools()
    if not wave_id:
        running = find_open_debrief_waves(session, schools, runtime().today())
        return _place(running[0]) if running else None
    query = debriefs.select_debrief_waves(schools).where(Wave.id == wave_id)
    wave = session.scalar(query) if is_possible_id(wave_id) else None
    return _place(wave) if wave is not None else abort(404)


def _place(wave: Wave) -> DebriefPlace:
    tag = language().tag if language().tag in wave.offered else wave.offered[0]
    return DebriefPlace(wave, load_edition(wave.edition.document).survey(tag), tag, _problem(wave))


def _problem(wave: Wave) -> str:
    if wave.is_open(runtime().today()):
        return ""
    if runtime().today() < wave.opens:
        # translators: staff page: nobody can write yet about events; %(day)s is a date
        return gettext("You can write debriefs from %(day)s.", day=long_date(wave.opens))
    # translators: staff page: nobody can write about events any more; %(day)s is a date
    return gettext("Debriefs could be written until %(day)s. Nothing is saved now.", day=long_date(wave.closes))


def _bind_form(session: Session, place: DebriefPlace) -> DebriefForm:
    form = debrief_form_class(place.survey)()
    form.offer(own_schools_of(session, [place.wave]))
    return form


def _to_debrief(place: DebriefPlace, form: DebriefForm) -> NewDebrief:
    lines = {line.question.id: line.data or "" for line in form.lines}
    return NewDebrief(place.wave, form.school.data, place.language, lines, form.token.data or "")


def _render_page(place: DebriefPlace | None, form: DebriefForm | None) -> str:
    is_saved = bool(request.args.get("saved")) and request.method == "GET"
    return render_template("liaison/debrief_writing.html", place=place, form=form, is_saved=is_saved)
