"""Which breakdowns a page shows. A page with all of them would be too long in a large district: there, the reader
chooses a school, which is shown for every question, or a question, which is shown with all its breakdowns.

What is shown is always a part of the released figures, unchanged.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from engage.domain.summaries.published_figures import GROUP_DIMENSIONS, AudienceFigures, GroupFigures, QuestionFigures
from engage.services.checkpoints.freezing import CheckpointFigures, WaveFigures
from engage.services.checkpoints.report import Report

CELLS_MOST = 2_500  # numbers in the breakdowns of a page; 65 bytes each on the leaders' page
SCHOOLS_MOST = 20  # schools side by side in a document that has no choice of a school
SCHOOL = "school"


@dataclass(frozen=True, slots=True)
class GroupChoice:
    """What a reader chose: a school's id, and a question as `question_key` names it; empty if nothing."""

    school: str = ""
    question: str = ""


@dataclass(frozen=True, slots=True)
class ChosenGroups:
    """The figures to show. `schools` and `questions` are the ids and keys that can be chosen, and are empty if
    everything is shown; `choice` is the valid part of the choice."""

    document: CheckpointFigures
    schools: frozenset[str]
    questions: frozenset[str]
    choice: GroupChoice


def question_key(wave_id: str, question_id: str) -> str:
    """The name of a question in a choice."""
    return f"{wave_id}.{question_id}"


def choose_groups(
    document: CheckpointFigures,
    audience: str,
    choice: GroupChoice,
    dimensions: Collection[str] = GROUP_DIMENSIONS,
    most: int = CELLS_MOST,
) -> ChosenGroups:
    """The figures of one audience with the chosen breakdowns, of these dimensions only; with all of them if they have
    at most `most` numbers."""
    every = [(wave, each) for wave in document["waves"] for each in wave["audiences"][audience]["questions"]]
    if sum(_count_cells(question, dimensions) for _, question in every) <= most:
        return ChosenGroups(document, frozenset(), frozenset(), GroupChoice())
    schools = frozenset(code for _, question in every for code in _school_codes(question))
    keys = {question_key(wave["id"], each["question"]) for wave, each in every if _has_numbers(each, dimensions)}
    school = choice.school if choice.school in schools and SCHOOL in dimensions else ""
    valid = GroupChoice(school, choice.question if choice.question in keys else "")
    return ChosenGroups(_select(document, audience, valid), schools, frozenset(keys), valid)


def limit_schools(document: CheckpointFigures, audience: str, school: str) -> tuple[CheckpointFigures, int]:
    """The figures for a printed document: of more than `SCHOOLS_MOST` schools, only the chosen one has tables. Also the
    number of schools without tables."""
    questions = [each for wave in document["waves"] for each in wave["audiences"][audience]["questions"]]
    schools = {code for question in questions for code in _school_codes(question)}
    if len(schools) <= SCHOOLS_MOST:
        return document, 0
    return _replace_questions(document, audience, lambda _, question: _with_school(question, school)), len(
        schools - {school}
    )


def _select(document: CheckpointFigures, audience: str, choice: GroupChoice) -> CheckpointFigures:
    def reduce(wave: WaveFigures, question: QuestionFigures) -> QuestionFigures:
        if question_key(wave["id"], question["question"]) == choice.question:
            return question
        only = _with_school(question, choice.school)
        whole = {name: each for name, each in only["breakdowns"].items() if name in ("all", SCHOOL)}
        return {**question, "breakdowns": whole}

    return _replace_questions(document, audience, reduce)


def _replace_questions(
    document: CheckpointFigures, audience: str, replace: Callable[[WaveFigures, QuestionFigures], QuestionFigures]
) -> CheckpointFigures:
    """The document with other questions for the audience; the document itself is not changed."""
    waves: list[WaveFigures] = []
    for wave in document["waves"]:
        figures = wave["audiences"][audience]
        questions = [replace(wave, question) for question in figures["questions"]]
        reduced: AudienceFigures = {**figures, "questions": questions}
        waves.append({**wave, "audiences": {**wave["audiences"], audience: reduced}})
    return {**document, "waves": waves}


def _with_school(question: QuestionFigures, school: str) -> QuestionFigures:
    """The question with only this school in its breakdown by school; without the breakdown if it is not in it."""
    breakdowns = dict(question["breakdowns"])
    groups = [group for group in breakdowns.pop(SCHOOL, []) if group["group"] == school]
    return {**question, "breakdowns": {**breakdowns, SCHOOL: groups} if groups else breakdowns}


def _has_numbers(question: QuestionFigures, dimensions: Collection[str]) -> bool:
    """Whether it is known for any group how many answered: there is nothing to choose where everything is hidden."""
    groups = (group for name in dimensions for group in question["breakdowns"].get(name, []))
    return any(group["answered"] is not None for group in groups)


def _count_cells(question: QuestionFigures, dimensions: Collection[str]) -> int:
    groups = (group for name in dimensions for group in question["breakdowns"].get(name, []))
    return sum(len(group["cells"]) + len(group["apart"]) + 1 for group in groups)


def _school_codes(question: QuestionFigures) -> Iterator[str]:
    groups: list[GroupFigures] = question["breakdowns"].get(SCHOOL, [])
    yield from (group["group"] for group in groups if group["group"] is not None)


def list_school_names(chosen: ChosenGroups, report: Report) -> list[tuple[str, str]]:
    """The schools that can be chosen: id and name, by name. A code without a school is several schools, merged."""
    names = ((report.schools[school], school) for school in chosen.schools if school in report.schools)
    return [(school, name) for name, school in sorted(names)]
