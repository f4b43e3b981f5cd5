"""The forms of the steps that prepare a survey, and labels of their choices."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from wtforms import BooleanField, HiddenField, RadioField, SelectField, SelectMultipleField, StringField

from engage.base.languages import LANGUAGES
from engage.questionnaire.model import Survey, Words
from engage.services.waves.wave_drafts import DraftFields
from engage.web.edit_forms import EditForm
from engage.web.forms import DayField, LineField
from engage.web.page_language import gettext

FAMILY_COUNTINGS = ("family", "family_school", "student")
LONG_LIST = 20  # schools; a longer list has a box above it that chooses all


@dataclass(frozen=True, slots=True)
class DraftOptions:
    """What can be chosen: questionnaires by slug, and schools by id, with their titles and names."""

    surveys: Mapping[str, str]
    schools: Mapping[str, str]
    population: str = "family"
    """Who answers the questionnaire."""


ANSWERING_FIELDS: Mapping[str, tuple[str, ...]] = {
    "family": ("identity", "entry", "modes", "counting", "asked"),
    "educator": (),
    "student": ("federal_funds",),
    "liaison": (),
}
"""What can be chosen about how people answer; the rest follows from who they are."""


class StepForm(EditForm):
    """One step. Its fields have the names of DraftFields; combinations of fields are validated by
    services/waves/opening.py."""

    then = StringField()
    """The page that the button leads to: next, leave, check, or back."""

    def __init__(self, options: DraftOptions, **values: Any) -> None:
        super().__init__(data=values)
        self.options = options
        self.offer()

    def offer(self) -> None:
        """Set the choices of the fields."""

    def apply_to(self, fields: DraftFields) -> DraftFields:
        """The fields of the draft with those of this step."""
        names = [field.name for field in self if field.name not in ("then", "version", "csrf_token")]
        return replace(fields, **{name: _stored(self[name].data) for name in names})


class QuestionnaireForm(StepForm):
    """The questionnaire, and the title for staff."""

    survey = SelectField()
    title = LineField()

    def offer(self) -> None:
        """Set the choices of the fields."""
        self.survey.choices = list(self.options.surveys.items())


class SchoolsForm(StepForm):
    """Schools and languages."""

    schools = SelectMultipleField()
    all_schools = BooleanField()
    languages = SelectMultipleField()

    def __init__(self, options: DraftOptions, **values: Any) -> None:
        is_long = len(options.schools) > LONG_LIST
        if values["all_schools"] and not is_long:
            values |= {"schools": list(options.schools), "all_schools": False}
        super().__init__(options, **values)
        self.has_long_list = is_long

    def offer(self) -> None:
        """Set the choices of the fields."""
        self.schools.choices = list(self.options.schools.items())
        self.languages.choices = [(each.tag, each.name) for each in LANGUAGES.values()]


class DatesForm(StepForm):
    """The first and the last day, and the day of the results."""

    opens = DayField()
    closes = DayField()
    results_on = DayField()


class AnsweringForm(StepForm):
    """How families answer."""

    identity = RadioField()
    entry = RadioField()
    modes = SelectMultipleField()
    counting = RadioField()
    asked = RadioField()
    federal_funds = RadioField()

    def offer(self) -> None:
        """Set the choices of the fields, and remove those that cannot be chosen for the people who answer."""
        for name in ANSWERING_FIELDS["family"] + ANSWERING_FIELDS["student"]:
            if name not in ANSWERING_FIELDS[self.options.population]:
                delattr(self, name)
        if self.options.population == "student":
            self.federal_funds.choices = list(funds_names().items())
        elif self.options.population == "family":
            self._offer_designs()

    def _offer_designs(self) -> None:
        self.identity.choices = list(identity_names().items())
        self.entry.choices = list(entry_names().items())
        self.modes.choices = list(form_mode_names().items())
        self.counting.choices = [each for each in counting_names().items() if each[0] in FAMILY_COUNTINGS]
        self.asked.choices = list(invited_names().items())


class CheckForm(EditForm):
    """The box of a person who has read the questions, and the button that opens the survey. It is refused once if the
    draft has changed since the summary was shown; what was read may have changed too, so the box is empty again."""

    summary = HiddenField()
    has_read = BooleanField()
    beside_field = "summary"

    def validate(self, extra_validators: Any = None) -> bool:
        """Whether the questions were read, and the summary is still the one that was shown."""
        is_valid = super().validate(extra_validators)
        if self.is_refused:
            self.has_read.data = False
        elif not self.has_read.data:
            # translators: staff form: a person wants to open a survey, but did not mark "I have read the questions as
            # people see them."
            sentence = gettext("Read the questions as people see them. Then mark this box, and open the survey.")
            self.add_error("has_read", sentence)
            return False
        return is_valid

    def beside_sentence(self) -> str:
        """What to say where the draft has changed."""
        # translators: staff form: the same person changed the draft of a survey in another window of the browser
        return gettext("This draft was changed in another window. Check the summary again before you open the survey.")


FORMS: Mapping[str, type[StepForm]] = {
    "questionnaire": QuestionnaireForm,
    "schools": SchoolsForm,
    "dates": DatesForm,
    "answering": AnsweringForm,
}


def _stored(value: Any) -> Any:
    """A field's value as DraftFields has it."""
    return tuple(value) if isinstance(value, list) else value


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
        # translators: staff form: who is asked once
        "educator": gettext("Each educator"),
        # translators: staff form: each debrief that a liaison writes after an event
        "event": gettext("Each event"),
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


def population_names() -> dict[str, str]:
    """Labels of who answers."""
    return {
        # translators: staff page: who answers a survey
        "family": gettext("Families"),
        # translators: staff page: who answers a survey: teachers, aides, and others who teach
        "educator": gettext("Educators"),
        # translators: staff page: who answers a survey
        "student": gettext("Students"),
        # translators: staff page: who answers a survey: staff who work between families and the school
        "liaison": gettext("Community liaisons"),
    }


def questionnaire_title(survey: Survey) -> Words:
    """The title of a questionnaire with who answers it, unless that is families."""
    if survey.population == "family":
        return survey.title
    # translators: staff form: a questionnaire and who answers it, like "What school is like for you (Students)"
    template = gettext("%(title)s (%(people)s)")
    text = template % {"title": survey.title, "people": population_names()[survey.population]}
    return Words(text, survey.title.language)


def funds_names() -> dict[str, str]:
    """Labels of whether federal education funds pay for a survey of students."""
    return {
        # translators: staff form: answer to "Do federal education funds pay for any part of this survey?"
        "no": gettext("No"),
        # translators: staff form: answer to "Do federal education funds pay for any part of this survey?"
        "yes": gettext("Yes"),
        # translators: staff form: answer to "Do federal education funds pay for any part of this survey?"
        "": gettext("Not known yet"),
    }


def step_names() -> dict[str, str]:
    """The names of the steps."""
    return {
        # translators: a step of opening a survey: which questionnaire, and its title
        "questionnaire": gettext("What to ask"),
        # translators: a step of opening a survey: schools and languages
        "schools": gettext("Schools and languages"),
        # translators: a step of opening a survey: its days
        "dates": gettext("Dates"),
        # translators: a step of opening a survey: anonymous or not, open link or codes
        "answering": gettext("How people answer"),
        # translators: a step of opening a survey: read everything once more, then open it
        "check": gettext("Check and open"),
    }


def choice_hints() -> dict[str, str]:
    """What a choice means for families and staff, by its value."""
    return {
        # translators: staff form: what an anonymous survey is
        "anonymous": gettext(
            "No one can look up which family gave an answer: not the school, and not the district. Choose this to "
            "hear what people think."
        ),
        # translators: staff form: what a confidential survey is
        "confidential": gettext(
            "A few people can look up which household gave an answer, so that they can help. Each view is logged, "
            "and the link is deleted later. Choose this when families tell you what they need."
        ),
        # translators: staff form: what an open link is
        "open": gettext(
            "Everyone uses the same link. It can be printed on a poster. It counts phones, not households: one "
            "person can answer twice."
        ),
        # translators: staff form: what an access code is
        "code": gettext("Each household gets a code that works once."),
        # translators: staff form: what an answer in a talk is
        "interview": gettext("A person at the school asks the questions and writes down what the family says."),
        # translators: staff form: what counting by families means
        "family": gettext("Once, no matter how many children it has."),
        # translators: staff form: what counting by family and school means
        "family_school": gettext("A family with children at two schools is asked twice."),
        # translators: staff form: what counting by student means
        "student": gettext("A family is asked once for each child."),
    }
