"""A shipped survey's edition, for the commands that print it."""

import click

from engage.languages import survey_catalogues
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.survey import SurveyProblems
from engage.questionnaire.wording import Edition, edition_of


def shipped_edition(slug: str) -> Edition:
    """The survey in all its languages. Raises ClickException."""
    try:
        return edition_of(shipped_survey(slug), survey_catalogues())
    except (KeyError, SurveyProblems) as problem:
        raise click.ClickException(str(problem.args[0] if isinstance(problem, KeyError) else problem)) from problem
