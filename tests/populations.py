"""Waves that educators, students, or liaisons answer, as they are opened (services/waves/populations.py)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from engage.questionnaire.library import shipped_survey
from engage.services.waves.populations import DESIGNS
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave
from tests.makers import a_wave

SURVEYS = {"educator": "educator-beliefs", "student": "student-voice", "liaison": "broker-debrief"}


def a_wave_of(session: Session, population: str, id: str = "", schools: Sequence[School] = (), **options: Any) -> Wave:
    """Add a wave that this population answers. Its id is the name of the population by default."""
    design = DESIGNS[population]
    options.setdefault("languages", ("en", "es"))
    how = {"identity": design.identity, "entry": design.entry}
    wave = a_wave(session, id or population, schools, shipped_survey(SURVEYS[population]), **how, **options)
    wave.population, wave.counting = population, design.counting
    wave.asked, wave.modes = design.asked, " ".join(design.modes)
    session.flush()
    return wave
