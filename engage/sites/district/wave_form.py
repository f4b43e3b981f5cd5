"""The form that opens a wave: its fields, and labels of their choices."""

from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import BooleanField, RadioField, SelectField, SelectMultipleField

from engage.base.languages import LANGUAGES
from engage.questionnaire.editions import Edition
from engage.services.waves.opening import NewWave
from engage.storage.models.schools import School
from engage.web.forms import BaseForm, DayField, LineField
from engage.web.page_language import gettext, language


class WaveForm(BaseForm):
    """The settings of a wave. Combinations of fields are validated by services/waves/opening.py."""

    survey = SelectField()
    title = LineField()
    schools = SelectMultipleField()
    all_schools = BooleanField()
    languages = SelectMultipleField()
    opens = DayField()
    closes = DayField()
    results_on = DayField()
    identity = RadioField(default="anonymous")
    entry = RadioField(default="open")
    modes = SelectMultipleField()
    counting = RadioField()
    asked = RadioField(default="everyone")

    def __init__(self, session: Session, editions: dict[str, Edition], **values: object) -> None:
        super().__init__(**values)
        tag = language().tag
        schools = session.scalars(select(School).where(School.active).order_by(School.name)).all()
        self.survey.choices = [(slug, edition.survey(tag).title) for slug, edition in editions.items()]
        self.schools.choices = [(school.id, school.name) for school in schools]
        self.every_school = tuple(school.id for school in schools)
        self.languages.choices = [(each.tag, each.name) for each in LANGUAGES.values()]
        self.identity.choices = list(identity_names().items())
        self.entry.choices = list(entry_names().items())
        self.modes.choices = list(form_mode_names().items())
        self.counting.choices = list(counting_names().items())
        self.asked.choices = list(invited_names().items())

    def _chosen_schools(self) -> tuple[str, ...]:
        if self.all_schools.data:
            return self.every_school
        return tuple(self.schools.data or ())

    def wanted(self) -> NewWave:
        """The wave that this form describes, languages in the order they are offered."""
        return NewWave(
            title=self.title.data or "",
            schools=self._chosen_schools(),
            languages=tuple(tag for tag in LANGUAGES if tag in (self.languages.data or ())),
            opens=self.opens.data,
            closes=self.closes.data,
            results_on=self.results_on.data,
            identity=self.identity.data or "",
            entry=self.entry.data or "",
            modes=tuple(self.modes.data or ()),
            counting=self.counting.data or "",
            asked=self.asked.data or "",
        )


def identity_names() -> dict[str, str]:
    """Labels of whether answers can be linked to a family."""
    return {
        # translators: staff form: a kind of survey
        "anonymous": gettext("Anonymous"),
        # translators: staff form: a kind of survey
        "confidential": gettext("Confidential"),
    }


def entry_names() -> dict[str, str]:
    """Labels of how a family enters the survey."""
    return {
        # translators: staff form: one link for all families
        "open": gettext("One open link"),
        # translators: staff form: one code for each household
        "code": gettext("Access codes"),
    }


def form_mode_names() -> dict[str, str]:
    """The response modes, each as the beginning of a line."""
    return {
        # translators: staff form: a way to answer
        "web": gettext("On a phone or computer"),
        # translators: staff form: a way to answer
        "paper": gettext("On paper"),
        # translators: staff form: a way to answer
        "interview": gettext("In an interview"),
    }


def counting_names() -> dict[str, str]:
    """Labels of the sampling unit."""
    return {
        # translators: staff form: who is asked once
        "family": gettext("Each family"),
        # translators: staff form: who is asked once
        "family_school": gettext("Each family at each of its schools"),
        # translators: staff form: who is asked once
        "student": gettext("Each student"),
    }


def invited_names() -> dict[str, str]:
    """Labels of whose households are invited."""
    return {
        # translators: staff form: who is invited to a survey
        "everyone": gettext("All households at these schools"),
        # translators: staff form: who is invited to a survey. An English learner is a student who still learns English
        "english_learners": gettext("Households with an English learner"),
        # translators: staff form: who is invited to a survey
        "disabilities": gettext("Households with a student who has a disability"),
    }
