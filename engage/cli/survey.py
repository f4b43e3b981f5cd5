"""`engage survey`: check a survey file before it is used."""

from pathlib import Path

import click

from engage.questionnaire.parser import SurveyProblems, read_survey


@click.group()
def survey() -> None:
    """Check survey files."""


@survey.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
def check(files: tuple[Path, ...]) -> None:
    """Check survey FILEs. Exit code 1, with one line for each error, if one is wrong."""
    problems = [problem for file in files for problem in _find_problems(file)]
    for problem in problems:
        click.echo(problem)
    if problems:
        raise SystemExit(1)


def _find_problems(file: Path) -> list[str]:
    try:
        read_survey(file)
    except SurveyProblems as error:
        return [str(problem) for problem in error.problems]
    return []
