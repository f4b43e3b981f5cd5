"""How many could have answered, as the wave counts them, so that who is missing is seen before what was said."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Protocol

from sqlalchemy.orm import Session

from engage.storage.language_groups import load_language_groups
from engage.storage.models.schools import Wave

LEAST = 10  # the public minimum: how many learners or students with a disability a small group has is nobody's business


class CoverageUnit(Protocol):
    """One chance to answer, as the roster knows it."""

    @property
    def school_id(self) -> str: ...
    @property
    def language(self) -> str: ...


def count_households(session: Session, wave: Wave, units: Iterable[CoverageUnit]) -> dict[str, Any]:
    """Who could have answered a wave: {"all": n, "school": {id: n}, "language": {tag: n}, "counting", "asked"}; {}
    without a roster.

    `units` are all who stand on the roster by the wave's own rule (`sampling_units.list_sampling_units`), those too
    who do not want to be asked: they could have answered. Each counts under its school and the language it reads, or
    under what these are joined to, as their answers are."""
    groups = load_language_groups(session.connection(), wave.id)
    found: dict[str, Any] = {"all": 0, "school": {}, "language": {}}
    for (school, language), number in Counter((unit.school_id, unit.language) for unit in units).items():
        found["all"] += number
        for name, told in zip(("school", "language"), groups.group(school, language), strict=True):
            found[name][told] = found[name].get(told, 0) + number
    shown = found if wave.asked == "everyone" else _drop_small_breakdowns(found)
    return {**shown, "counting": wave.counting, "asked": wave.asked} if shown.get("all") else {}


def _drop_small_breakdowns(found: dict[str, Any]) -> dict[str, Any]:
    """Breakdowns with a small group are left out whole: the rest would give it away."""
    if found["all"] < LEAST:
        return {}
    small = {name for name in ("school", "language") if any(number < LEAST for number in found[name].values())}
    return {name: {} if name in small else told for name, told in found.items()}
