"""What a person of the staff may do, for which schools and languages, and for whom they work."""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import Form, SelectField, SelectMultipleField, StringField

from engage.base.languages import LANGUAGES
from engage.domain.security.accounts import AccountProblem, find_staff, normalize_email
from engage.domain.security.permissions import DISTRICT_WIDE, ROLES
from engage.questionnaire.text_cleaning import clean_text
from engage.storage.models.schools import School
from engage.storage.models.staff import Organisation, Staff
from engage.web.page_language import gettext
from engage.web.role_labels import role_labels

NAME_MOST = 200  # characters


class PersonForm(Form):  # type: ignore[misc]  # wtforms has no types
    """Someone who can sign in."""

    name = StringField(filters=[lambda text: clean_text((text or "")[:1000], lines=False)])
    role = SelectField(validate_choice=False)
    schools = SelectMultipleField(validate_choice=False)
    languages = SelectMultipleField(validate_choice=False)
    organisation = StringField()

    @property
    def local(self) -> bool:
        """Whether the role works with certain schools."""
        return self.role.data not in DISTRICT_WIDE


class StaffForm(PersonForm):
    """Someone who shall be able to sign in."""

    email = StringField(filters=[lambda text: clean_text((text or "")[:1000], lines=False)])
    language = SelectField(validate_choice=False, default="en")


@dataclass(frozen=True, slots=True)
class FormChoices:
    """What there is to choose from."""

    schools: list[School]
    organisations: list[Organisation]
    roles: dict[str, str]

    @classmethod
    def of(cls, session: Session) -> Self:
        """As it stands now."""
        schools = list(session.scalars(select(School).order_by(School.name)))
        organisations = list(session.scalars(select(Organisation).order_by(Organisation.name)))
        return cls(schools, organisations, role_labels())


def prefill_form(someone: Staff) -> PersonForm:
    """The form as the person stands now."""
    return PersonForm(
        data={
            "name": someone.name,
            "role": someone.roles[0].name if someone.roles else "",
            "schools": [school.id for school in someone.schools],
            "languages": someone.languages.split(),
            "organisation": str(someone.organisation_id or ""),
        }
    )


def find_problems(session: Session, form: PersonForm) -> dict[str, str]:
    """What is wrong with the form, by field."""
    found = {}
    if isinstance(form, StaffForm) and (wrong := _address_problem(session, form.email.data)):
        found["email"] = wrong
    if len(form.name.data) > NAME_MOST:
        # translators: in a form
        found["name"] = gettext("This is too long. Use at most %(most)s characters.", most=NAME_MOST)
    # translators: in a form
    from_list = gettext("Choose an option from the list.")
    if form.role.data not in ROLES:
        found["role"] = from_list
    elif form.local and not _has_known_schools(session, form.schools.data or []):
        # translators: in a form: a liaison works with certain schools
        found["schools"] = gettext("Choose at least one school.")
    if not set(form.languages.data or []) <= LANGUAGES.keys():
        found["languages"] = from_list
    if form.organisation.data and _find_organisation(session, form.organisation.data) is None:
        found["organisation"] = from_list
    if isinstance(form, StaffForm) and form.language.data not in LANGUAGES:
        found["language"] = from_list
    return found


def apply_form(session: Session, someone: Staff, form: PersonForm) -> None:
    """Put what the form says on the person, but for the role and the schools. A liaison alone has languages."""
    someone.name = form.name.data
    chosen = [tag for tag in LANGUAGES if tag in (form.languages.data or [])] if form.local else []
    someone.languages = "" if len(chosen) == len(LANGUAGES) else " ".join(chosen)
    someone.organisation = _find_organisation(session, form.organisation.data)
    if isinstance(form, StaffForm):
        someone.language = form.language.data


def _find_organisation(session: Session, given: str | None) -> Organisation | None:
    number = int(given) if given and given.isascii() and given.isdecimal() and len(given) < 10 else 0
    return session.get(Organisation, number) if number else None


def _address_problem(session: Session, email: str) -> str:
    try:
        known = find_staff(session, normalize_email(email))
    except AccountProblem:
        # translators: in a form: the example is an e-mail address
        return gettext("Enter an email address, like name@example.org.")
    # translators: in a form: this e-mail address belongs to somebody who is in the list already
    return gettext("This person can already sign in.") if known else ""


def _has_known_schools(session: Session, ids: list[str]) -> bool:
    known = set(session.scalars(select(School.id)))
    return bool(ids) and known.issuperset(ids)
