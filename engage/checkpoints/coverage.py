"""How many could have answered: households on the roster, so that who is missing is seen before what was said."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engage.records.schools import Household, Wave
from engage.records.strata import strata_of


def households(session: Session, wave: Wave) -> dict[str, Any]:
    """Households of the wave's schools: {"all": n, "school": {id: n}, "language": {tag: n}}; {} without a roster.

    A household counts under the language its guardian reads. It is asked once, whatever number of children it has;
    a split home is two households (facts of the roster, see README). Where few of a school were invited in a language,
    its households count under "other languages", as their answers do."""
    asked = [school.id for school in wave.schools]
    counted = (
        select(Household.school_id, Household.language, func.count())
        .where(Household.school_id.in_(asked))
        .group_by(Household.school_id, Household.language)
    )
    groups = strata_of(session.connection(), wave.id, wave.identity, wave.entry)
    found: dict[str, Any] = {"all": 0, "school": {}, "language": {}}
    for school, language, number in session.execute(counted):
        found["all"] += number
        found["school"][school] = found["school"].get(school, 0) + number
        told = groups.told(school, language)
        found["language"][told] = found["language"].get(told, 0) + number
    return found if found["all"] else {}
