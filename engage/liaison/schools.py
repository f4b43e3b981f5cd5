"""What of the district this person works with: schools, and the waves asked in them."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from engage.records.schools import School, Wave
from engage.web.guards import schools


def is_own(school_id: str) -> bool:
    """Whether this person works with the school."""
    own = schools()
    return own is None or school_id in own


def own_schools(session: Session) -> list[School]:
    """The schools of this person, by name."""
    return [school for school in session.scalars(select(School).order_by(School.name)) if is_own(school.id)]


def own_waves(session: Session) -> Sequence[Wave]:
    """The waves asked in the schools of this person, the newest first."""
    newest = select(Wave).options(selectinload(Wave.schools)).order_by(Wave.opens.desc(), Wave.id)
    return [wave for wave in session.scalars(newest) if any(is_own(school.id) for school in wave.schools)]


def places(waves: Iterable[Wave]) -> list[tuple[str, str]]:
    """Every wave with each of this person's schools in it, to choose from: "wave school" and both names."""
    return [
        (f"{wave.id} {school.id}", f"{wave.title} – {school.name}")
        for wave in waves
        for school in wave.schools
        if is_own(school.id)
    ]
