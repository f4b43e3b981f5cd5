"""Add someone who may sign in, with a role and, for liaisons, their schools."""

import secrets
from collections.abc import Iterable
from datetime import datetime

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from engage.domain.security.passwords import LEAST, LEAST_DIFFERENT, MOST, hashed, weakness
from engage.domain.security.permissions import DISTRICT_WIDE, ROLES
from engage.storage.models.schools import School
from engage.storage.models.staff import Passkey, Role, Staff

WEAK = {
    "short": f"the password is too short; use at least {LEAST} characters",
    "long": f"the password is too long; use at most {MOST} characters",
    "simple": f"the password is too simple; use at least {LEAST_DIFFERENT} different characters",
    "own": "the password holds the name of the address; use other words",
}


UNKNOWN = 32  # random bytes of a password that nobody knows


class PersonProblem(Exception):
    """Someone who cannot be added: the message says what is wrong and what to do. English, for operators."""


def uniquifier() -> str:
    """A new handle for someone's sessions; giving a person a new one signs them out everywhere."""
    return secrets.token_hex(32)


def address(email: str) -> str:
    """An e-mail address as it is kept and compared: lower case. Raises PersonProblem."""
    try:
        return validate_email(email, check_deliverability=False).normalized.lower()
    except EmailNotValidError as problem:
        raise PersonProblem(f"{email!r} is not an e-mail address: {problem}") from problem


def find(session: Session, email: str) -> Staff | None:
    """The person with this address, however it is capitalised."""
    return session.scalar(select(Staff).where(func.lower(Staff.email) == email.lower()))


def add(
    session: Session, email: str, name: str, role: str, schools: Iterable[str], password: str | None, now: datetime
) -> Staff:
    """A new person in the session. `role` is one of permits.ROLES, `schools` are school ids; without a password nobody
    signs in until one is chosen by a link. Raises PersonProblem."""
    kept = address(email)
    if find(session, kept):
        raise PersonProblem(f"{kept} may already sign in")
    if password is not None and (weak := weakness(password, kept)):
        raise PersonProblem(WEAK[weak])
    person = Staff(
        email=kept,
        name=name,
        password=hashed(password or secrets.token_urlsafe(UNKNOWN)),
        fs_uniquifier=uniquifier(),
        create_datetime=now.replace(tzinfo=None),
        roles=[_role(session, role)],
        schools=_schools(session, role, list(schools)),
    )
    session.add(person)
    return person


def assign(session: Session, person: Staff, role: str, schools: Iterable[str]) -> None:
    """Give a person another role or other schools. Raises PersonProblem."""
    person.schools = _schools(session, role, list(schools))
    if [each.name for each in person.roles] != [role]:
        person.roles = [_role(session, role)]


def take_steps_away(session: Session, person: Staff) -> None:
    """Forget the person's app, recovery codes and passkeys: a password alone lets them in again."""
    person.tf_primary_method = person.tf_totp_secret = person.mf_recovery_codes = None
    session.execute(delete(Passkey).where(Passkey.user_id == person.id))


def _role(session: Session, name: str) -> Role:
    if name not in ROLES:
        raise PersonProblem(f"{name!r} is not a role; known: {', '.join(sorted(ROLES))}")
    return session.scalar(select(Role).where(Role.name == name)) or Role(name=name)


def _schools(session: Session, role: str, ids: list[str]) -> list[School]:
    if role not in DISTRICT_WIDE and not ids:
        raise PersonProblem(f"a {role} works with certain schools; name at least one with --school")
    found = list(session.scalars(select(School).where(School.id.in_(ids))))
    if missing := sorted(set(ids) - {school.id for school in found}):
        known = ", ".join(session.scalars(select(School.id).order_by(School.id))) or "none yet"
        raise PersonProblem(f"no school {', '.join(missing)}; known: {known}")
    return found
