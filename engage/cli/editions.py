"""The edition of a shipped survey, for the commands that print it."""

import click

from engage.base.catalogs import survey_catalogues
from engage.questionnaire.editions import Edition, build_edition
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.parser import SurveyProblems


def shipped_edition(slug: str) -> Edition:
    """The survey in all its languages. Raises ClickException."""
    try:
        return build_edition(shipped_survey(slug), survey_catalogues())
    except (KeyError, SurveyProblems) as problem:
        raise click.ClickException(str(problem.args[0] if isinstance(problem, KeyError) else problem)) from problem
