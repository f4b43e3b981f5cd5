"""Add someone who may sign in, with a role and, for liaisons, their schools."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from engage.domain.security.passwords import LEAST, LEAST_DIFFERENT, MOST, hash_password, password_weakness
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


class AccountProblem(Exception):
    """Someone who cannot be added: the message says what is wrong and what to do. English, for operators."""


def new_uniquifier() -> str:
    """A new handle for someone's sessions; giving a person a new one signs them out everywhere."""
    return secrets.token_hex(32)


def normalize_email(email: str) -> str:
    """An e-mail address as it is kept and compared: lower case. Raises AccountProblem."""
    try:
        return validate_email(email, check_deliverability=False).normalized.lower()
    except EmailNotValidError as problem:
        raise AccountProblem(f"{email!r} is not an e-mail address: {problem}") from problem


def find_staff(session: Session, email: str) -> Staff | None:
    """The person with this address, however it is capitalised."""
    return session.scalar(select(Staff).where(func.lower(Staff.email) == email.lower()))


@dataclass(frozen=True, slots=True)
class NewStaff:
    """A person who may sign in from now on. `role` is one of permissions.ROLES, `schools` are school ids; without a
    password nobody signs in until one is chosen by a link."""

    email: str
    name: str
    role: str
    schools: Iterable[str] = ()
    password: str | None = None


def create_staff(session: Session, new: NewStaff, now: datetime) -> Staff:
    """A new person in the session. Raises AccountProblem."""
    password, email = new.password, normalize_email(new.email)
    if find_staff(session, email):
        raise AccountProblem(f"{email} may already sign in")
    if password is not None and (weak := password_weakness(password, email)):
        raise AccountProblem(WEAK[weak])
    person = Staff(
        email=email,
        name=new.name,
        password=hash_password(password or secrets.token_urlsafe(UNKNOWN)),
        fs_uniquifier=new_uniquifier(),
        create_datetime=now.replace(tzinfo=None),
        roles=[_find_role(session, new.role)],
        schools=_find_schools(session, new.role, list(new.schools)),
    )
    session.add(person)
    return person


def assign_role(session: Session, person: Staff, role: str, schools: Iterable[str]) -> None:
    """Give a person another role or other schools. Raises AccountProblem."""
    person.schools = _find_schools(session, role, list(schools))
    if [each.name for each in person.roles] != [role]:
        person.roles = [_find_role(session, role)]


def remove_second_factors(session: Session, person: Staff) -> None:
    """Forget the person's app, recovery codes and passkeys: a password alone lets them in again."""
    person.tf_primary_method = person.tf_totp_secret = person.mf_recovery_codes = None
    session.execute(delete(Passkey).where(Passkey.user_id == person.id))


def _find_role(session: Session, name: str) -> Role:
    if name not in ROLES:
        raise AccountProblem(f"{name!r} is not a role; known: {', '.join(sorted(ROLES))}")
    return session.scalar(select(Role).where(Role.name == name)) or Role(name=name)


def _find_schools(session: Session, role: str, ids: list[str]) -> list[School]:
    if role not in DISTRICT_WIDE and not ids:
        raise AccountProblem(f"a {role} works with certain schools; name at least one with --school")
    schools = list(session.scalars(select(School).where(School.id.in_(ids))))
    if missing := sorted(set(ids) - {school.id for school in schools}):
        school_ids = ", ".join(session.scalars(select(School.id).order_by(School.id))) or "none yet"
        raise AccountProblem(f"no school {', '.join(missing)}; known: {school_ids}")
    return schools
