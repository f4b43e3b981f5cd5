"""Staff accounts: who may sign in, with which roles and, for liaisons, for which schools and languages."""

import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from engage.domain.security.passwords import LEAST, LEAST_DIFFERENT, MOST, hash_password, password_weakness
from engage.domain.security.permissions import ROLES, is_limited_to_schools, sort_roles
from engage.storage.models.schools import School
from engage.storage.models.staff import Passkey, Role, Staff

WEAK = {
    "short": f"the password is too short; use at least {LEAST} characters",
    "long": f"the password is too long; use at most {MOST} characters",
    "simple": f"the password is too simple; use at least {LEAST_DIFFERENT} different characters",
    "own": "the password holds the name of the address; use other words",
}


ADMINISTRATOR = "administrator"  # the role that manages accounts; at least one person must have it
UNKNOWN = 32  # bytes of a random password that nobody knows


class AccountProblem(Exception):
    """A person who cannot be added or changed. The message, in English for operators, says why and what to do."""


def new_uniquifier() -> str:
    """Return a new session id for a person. Assigning it signs the person out everywhere."""
    return secrets.token_hex(32)


def normalize_email(email: str) -> str:
    """Return an email address in the form in which it is stored and compared: lowercase. Raises AccountProblem."""
    try:
        return validate_email(email, check_deliverability=False).normalized.lower()
    except EmailNotValidError as problem:
        raise AccountProblem(f"{email!r} is not an e-mail address: {problem}") from problem


def find_staff(session: Session, email: str) -> Staff | None:
    """Return the person with this address in any case, or None."""
    return session.scalar(select(Staff).where(func.lower(Staff.email) == email.lower()))


@dataclass(frozen=True, slots=True)
class NewStaff:
    """A person to add. `roles` has at least one of permissions.ROLES; `schools` are school ids. Without a password, the
    person cannot sign in until one is chosen through a link."""

    email: str
    name: str
    roles: Collection[str]
    schools: Iterable[str] = ()
    password: str | None = None


def create_staff(session: Session, new: NewStaff, now: datetime) -> Staff:
    """Add a person to the session. Raises AccountProblem."""
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
        roles=_find_roles(session, new.roles),
        schools=_find_schools(session, new.roles, list(new.schools)),
    )
    session.add(person)
    return person


def assign_roles(session: Session, person: Staff, roles: Collection[str], schools: Iterable[str]) -> None:
    """Change a person's roles or schools. Raises AccountProblem."""
    new_roles, new_schools = _find_roles(session, roles), _find_schools(session, roles, list(schools))
    if ADMINISTRATOR not in roles and is_last_administrator(session, person):
        raise AccountProblem(f"{person.email} is the only administrator; give somebody else that role first")
    person.schools = new_schools
    if {each.name for each in person.roles} != set(roles):
        person.roles = new_roles
    if not is_limited_to_schools(roles):
        person.languages = ""


def is_last_administrator(session: Session, person: Staff) -> bool:
    """Whether this is the only active administrator. Concurrent calls wait for each other."""
    administrators = (
        select(Staff.id)
        .join(Staff.roles)
        .where(Staff.active, Role.name == ADMINISTRATOR)
        .order_by(Staff.id)
        .with_for_update()
    )
    return list(session.scalars(administrators)) == [person.id]


def describe_access(person: Staff) -> dict[str, str]:
    """Return a person's access for the audit log: roles, school ids, language tags, and organization, without the
    name."""
    return {
        "roles": " ".join(sort_roles(role.name for role in person.roles)),
        "schools": " ".join(sorted(school.id for school in person.schools)) or "all",
        "languages": person.languages or "all",
        "organisation": person.organisation.name if person.organisation else "none",
    }


def compare_access(before: Mapping[str, str], person: Staff) -> dict[str, str]:
    """Return the values of `before` (from `describe_access`) that have changed, as "old → new"."""
    after = describe_access(person)
    return {name: f"{before[name]} → {value}" for name, value in after.items() if before[name] != value}


def remove_second_factors(session: Session, person: Staff) -> None:
    """Remove a person's authenticator app, recovery codes, and passkeys. Afterwards the password alone is enough to
    sign in."""
    person.tf_primary_method = person.tf_totp_secret = person.mf_recovery_codes = None
    session.execute(delete(Passkey).where(Passkey.user_id == person.id))


def _find_roles(session: Session, names: Collection[str]) -> list[Role]:
    if not names:
        raise AccountProblem(f"name at least one role; known: {', '.join(sorted(ROLES))}")
    for name in names:
        if name not in ROLES:
            raise AccountProblem(f"{name!r} is not a role; known: {', '.join(sorted(ROLES))}")
    stored = {role.name: role for role in session.scalars(select(Role).where(Role.name.in_(names)))}
    return [stored.get(name) or Role(name=name) for name in sort_roles(names)]


def _find_schools(session: Session, roles: Collection[str], ids: list[str]) -> list[School]:
    """Return the schools with these ids; none for roles that see the whole district. Raises AccountProblem."""
    if is_limited_to_schools(roles) and not ids:
        raise AccountProblem("a liaison works with certain schools; name at least one with --school")
    schools = list(session.scalars(select(School).where(School.id.in_(ids))))
    if missing := sorted(set(ids) - {school.id for school in schools}):
        school_ids = ", ".join(session.scalars(select(School.id).order_by(School.id))) or "none yet"
        raise AccountProblem(f"no school {', '.join(missing)}; known: {school_ids}")
    return schools if is_limited_to_schools(roles) else []
