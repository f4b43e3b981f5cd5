"""Who comes by the leader's door, and what stands behind it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from engage.records.session import writing
from tests.makers import PASSWORD, a_school, staff
from tests.people import Leader, StaffMember

Sign = Callable[..., StaffMember]


@pytest.fixture
def signs_in(site: Any, engine: Engine) -> Sign:
    """Someone with a role, signed in: `signs_in("leader", language="ar")`."""

    def sign(role: str, schools: tuple[str, ...] = (), language: str = "en") -> StaffMember:
        with writing(engine) as session:
            own = [a_school(session, each, each.title()) for each in schools]
            email = staff(session, role, own, language=language).email
            session.commit()
        visitor = Leader(site) if role == "leader" else StaffMember(site)
        visitor.opens("/staff/login?next=/staff/me").sends(email=email, password=PASSWORD)
        return visitor

    return sign


@pytest.fixture
def leader(signs_in: Sign) -> StaffMember:
    """A leader, signed in."""
    return signs_in("leader")
