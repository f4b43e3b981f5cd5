"""Decides whether a person identified by a provider may sign in: only people in the staff table, with accounts of the
district."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.domain.security.accounts import AccountProblem, find_staff, normalize_email
from engage.domain.security.sso_providers import Provider
from engage.storage.models.staff import Staff, StaffIdentity


class NotAdmitted(Exception):
    """Someone who may not sign in; the message is for the log and names nobody."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """A person who may sign in. `fresh`: this account is new and will be linked."""

    person: Staff
    fresh: bool


def admit_person(session: Session, provider: Provider, claims: Mapping[str, Any]) -> Entrant:
    """The person, by the provider's subject, or the first time by the email address. Raises NotAdmitted."""
    _require_own_district(provider, claims)
    identity = session.get(StaffIdentity, (provider.key, claims["sub"]))
    if identity is not None:
        return Entrant(_require_active(session.get(Staff, identity.staff_id)), fresh=False)
    person = _require_active(find_staff(session, _verified_address(provider, claims)))
    taken = select(StaffIdentity).where(StaffIdentity.provider == provider.key, StaffIdentity.staff_id == person.id)
    if session.scalar(taken) is not None:
        raise NotAdmitted("the person with this address is linked to another account of this provider")
    session.add(StaffIdentity(provider=provider.key, subject=claims["sub"], staff_id=person.id))
    return Entrant(person, fresh=True)


def _require_own_district(provider: Provider, claims: Mapping[str, Any]) -> None:
    if provider.hosted and provider.domain and str(claims.get("hd", "")).lower() != provider.domain:
        raise NotAdmitted("an account of another domain")
    if provider.tenant is not None:
        claim, value = provider.tenant
        if str(claims.get(claim, "")).lower() != value.lower():
            raise NotAdmitted(f"another {claim}")
    if provider.edov and str(claims.get("acct", "0")) != "0":
        raise NotAdmitted("a guest of the directory")
    if str(claims.get("user_type", "")) in provider.students:
        raise NotAdmitted("an account of a student or a family")


def _verified_address(provider: Provider, claims: Mapping[str, Any]) -> str:
    """The email address verified by the provider or by the district's directory."""
    if provider.tenant is None and claims.get("email_verified") not in (True, "true"):
        raise NotAdmitted("an address that is not verified")
    for claim in provider.address_claims:
        if claim == "email" and provider.edov and str(claims.get("xms_edov")).lower() not in ("1", "true"):
            continue
        if isinstance(claims.get(claim), str) and "@" in claims[claim]:
            return _require_domain(provider, claims[claim])
    raise NotAdmitted("no e-mail address")


def _require_domain(provider: Provider, domain: str) -> str:
    try:
        email = normalize_email(domain)
    except AccountProblem:
        raise NotAdmitted("an address that is none") from None
    if provider.domain and email.rpartition("@")[2] != provider.domain:
        raise NotAdmitted("an address of another domain")
    return email


def _require_active(person: Staff | None) -> Staff:
    if person is None:
        raise NotAdmitted("not in the staff table")
    if not person.active:
        raise NotAdmitted("switched off")
    return person
