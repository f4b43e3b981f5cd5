"""Surveys of every population with stored responses, for tests of figures.

All answer the same questions, whose texts name nobody: what an output calls those who answered is its own wording.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from engage.questionnaire.library import shipped_survey
from engage.questionnaire.model import Survey
from engage.questionnaire.parser import parse_survey
from engage.services.waves.populations import DESIGNS
from engage.storage.models.responses import PendingResponse, Response
from engage.storage.models.roster import Student
from engage.storage.models.schools import Household
from engage.storage.models.waves import Wave
from tests.makers import a_school, a_wave

POPULATIONS = ("family", "educator", "student", "liaison")
SCHOOLS = {"cedar": "Cedar Hill", "lincoln": "Lincoln Elementary", "oak": "Oak Grove", "pine": "Pine Street"}
ANSWERED = {"cedar": 14, "lincoln": 23, "oak": 12, "pine": 6}
ROSTER = {"cedar": 40, "lincoln": 30, "oak": 11, "pine": 8}  # more people answered at Oak Grove than it lists
OPENS, CLOSES = date(2026, 9, 1), date(2026, 9, 30)

DOCUMENT = b"""
slug = "at-school"
title = "Our days at school"
purpose = "We ask a little of everything."
minutes = 2

[[sections]]
id = "days"
title = "Days"

[[sections.questions]]
id = "heard"
kind = "scale"
dont_know = true
text = "How well does the school listen?"
choices = [
  { code = "badly", text = "Badly" },
  { code = "fairly", text = "Fairly well" },
  { code = "well", text = "Well" },
]

[[sections.questions]]
id = "change"
kind = "one"
text = "Should something change?"
choices = [{ code = "yes", text = "Yes" }, { code = "no", text = "No" }]

[[sections.questions]]
id = "soon"
kind = "one"
shown_when = "change is yes"
text = "Should it change soon?"
choices = [{ code = "yes", text = "Yes, soon" }, { code = "no", text = "No, later" }]

[[sections.questions]]
id = "what"
kind = "long_words"
text = "What should change?"
"""


@dataclass(frozen=True)
class Answer:
    """One stored response, as a test recounts it."""

    school: str
    language: str
    mode: str
    answers: dict[str, Any]


def a_survey_of(population: str) -> Survey:
    """Return the survey for a population; liaisons have the shipped debrief, which has text questions only."""
    if population == "liaison":
        return shipped_survey("broker-debrief")
    return replace(parse_survey(DOCUMENT, "at-school.toml"), population=population, slug=f"at-school-{population}")


def draw_answers(population: str, sizes: dict[str, int] | None = None) -> list[Answer]:
    """Return the answers of a population: as many in each school as `sizes` says, the same in each run."""
    rng = Random(f"answers of {population}")
    return [
        Answer(school, rng.choice(["en", "es"]), rng.choice(_modes(population)), dict(_draw(population, rng)))
        for school, size in (sizes or ANSWERED).items()
        for _ in range(size)
    ]


def _modes(population: str) -> tuple[str, ...]:
    return ("web", "paper") if population == "family" else DESIGNS[population].modes


def _draw(population: str, rng: Random) -> Iterator[tuple[str, Any]]:
    if population == "liaison":
        yield "reach", "Many people at the market."
        return
    yield "heard", rng.choices(["badly", "fairly", "well"], [30, 50, 20])[0]
    change = rng.choice(["yes", "no"])
    yield "change", change
    if change == "yes":
        yield "soon", rng.choice(["yes", "no"])
        yield "what", "The bells."


def a_wave_of(session: Session, population: str, answers: list[Answer] | None = None) -> Wave:
    """Add a closed wave of a population with the answers, whose groups are assigned, and its roster."""
    schools = [a_school(session, *each) for each in SCHOOLS.items()]
    wave = a_wave(session, population, schools, a_survey_of(population), opens=OPENS, closes=CLOSES, entry="code")
    wave.population = population
    design = DESIGNS.get(population)
    if design:
        wave.identity, wave.entry, wave.counting = design.identity, design.entry, design.counting
        wave.modes = " ".join(design.modes)
    for number, each in enumerate(draw_answers(population) if answers is None else answers):
        store_answer(session, wave, each, f"{Random(f'{population} {number}').getrandbits(128):032x}")
    {"family": _list_households, "educator": _list_teachers, "student": _list_students}.get(population, _list_nobody)(
        session
    )
    session.flush()
    return wave


def store_answer(session: Session, wave: Wave, answer: Answer, id: str) -> None:
    """Store a response, as after its groups were assigned."""
    session.add(
        Response(
            id=id,
            wave_id=wave.id,
            school_id=answer.school,
            language=answer.language,
            mode=answer.mode,
            answered_in=answer.language,
            day=wave.opens,
            answers=json.dumps(answer.answers),
            submission=id * 2,
        )
    )
    session.flush()
    session.add(PendingResponse(response_id=id, wave_id=wave.id))


def _list_households(session: Session) -> None:
    for school, number in ROSTER.items():
        session.add_all(
            Household(id=f"{Random(f'{school} {each}').getrandbits(128):032x}", school_id=school, language="en")
            for each in range(number)
        )


def _list_teachers(session: Session) -> None:
    for school, number in ROSTER.items():
        a_school(session, school).teachers = number


def _list_students(session: Session) -> None:
    """Those in grade 2 are not asked."""
    for school, number in ROSTER.items():
        session.add_all(
            Student(id=f"{school}-{each}", school_id=school, grade="04" if each < number else "02")
            for each in range(number + 5)
        )


def _list_nobody(_session: Session) -> None:
    """Nobody knows how many events there are."""


def recount(answers: list[Answer], question: str, dimension: str, group: str | None) -> Counter[str]:
    """Return how many gave each answer in a group, counted one by one."""
    inside = (each for each in answers if group is None or getattr(each, dimension) == group)
    return Counter(each.answers[question] for each in inside if question in each.answers)
