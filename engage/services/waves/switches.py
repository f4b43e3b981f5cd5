"""Features that are off until an administrator switches them on."""

from datetime import date

from sqlalchemy.orm import Session

from engage.storage.models.switches import FeatureSwitch


def is_switched_on(session: Session, name: str) -> bool:
    """Whether a feature is on."""
    switch = session.get(FeatureSwitch, name)
    return switch is not None and switch.is_on


def find_switch(session: Session, name: str) -> FeatureSwitch | None:
    """The switch of a feature; None if nobody has changed it yet."""
    return session.get(FeatureSwitch, name)


def set_switch(session: Session, name: str, is_on: bool, staff_id: int | None, today: date) -> None:
    """Switch a feature on or off. Never commits."""
    session.merge(FeatureSwitch(name=name, is_on=is_on, changed_by=staff_id, changed_on=today))
    session.flush()
