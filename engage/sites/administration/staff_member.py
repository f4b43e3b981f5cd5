"""Forms for a staff member's roles, schools, languages, and organization."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import SelectField, SelectMultipleField, ValidationError
from wtforms.validators import Email

from engage.base.languages import LANGUAGES
from engage.domain.security.accounts import AccountProblem, find_staff, normalize_email
from engage.domain.security.permissions import is_limited_to_schools
from engage.storage.models.schools import School
from engage.storage.models.staff import Organisation, Staff
from engage.web.edit_forms import EditForm
from engage.web.forms import BaseForm, LineField
from engage.web.page_language import gettext
from engage.web.role_labels import role_labels

NAME_MOST = 200  # characters
EMAIL_MOST = 254  # characters (RFC 5321)
LANGUAGE_CHOICES = [(tag, each.name) for tag, each in LANGUAGES.items()]


class InvitationForm(BaseForm):
    """The address for the invitation email, and its language."""

    email = LineField(validators=[Email()], most=EMAIL_MOST)
    language = SelectField(default="en")


class PersonForm(EditForm):
    """A person who can sign in."""

    name = LineField(most=NAME_MOST)
    roles = SelectMultipleField()
    schools = SelectMultipleField()
    languages = SelectMultipleField()
    organisation = SelectField(default="")

    def __init__(self, session: Session, **options: Any) -> None:
        super().__init__(**options)
        self.session = session
        self.roles.choices = list(role_labels().items())
        self.schools.choices = [(school.id, school.name) for school in session.scalars(_by_name(School))]
        self.languages.choices = LANGUAGE_CHOICES
        # translators: in a list of organisations: the school district itself
        district = ("", gettext("The school district"))
        organisations = [(str(each.id), each.name) for each in session.scalars(_by_name(Organisation))]
        self.organisation.choices = [district, *organisations]

    @property
    def is_limited(self) -> bool:
        """Whether the person is limited to certain schools and languages."""
        return is_limited_to_schools(self.roles.data or [])

    @property
    def school_ids(self) -> list[str]:
        """The schools of a person who is only a liaison; none for others, who see all schools."""
        return list(self.schools.data or []) if self.is_limited else []

    def validate_roles(self, field: SelectMultipleField) -> None:
        """Refuse a person without a role."""
        if not field.data:
            # translators: in a form: what a person may do
            raise ValidationError(gettext("Choose at least one role."))

    def validate_schools(self, field: SelectMultipleField) -> None:
        """Refuse a liaison without a school."""
        if self.is_limited and not field.data:
            # translators: in a form: a liaison works with certain schools
            raise ValidationError(gettext("Choose at least one school."))


class StaffForm(PersonForm, InvitationForm):
    """A new person. Fields are in the order in which their classes are defined."""

    def __init__(self, session: Session, **options: Any) -> None:
        super().__init__(session, **options)
        self.language.choices = LANGUAGE_CHOICES

    def validate_email(self, field: LineField) -> None:
        """Refuse the address of an existing person."""
        try:
            existing = find_staff(self.session, normalize_email(field.data or ""))
        except AccountProblem:  # the Email() validator has reported it
            return
        if existing:
            # translators: in a form: this e-mail address belongs to somebody who is in the list already
            raise ValidationError(gettext("This person can already sign in."))


def prefill_form(session: Session, someone: Staff) -> PersonForm:
    """The form with the person's current data, or with the submitted data."""
    return PersonForm(
        session,
        data={
            "name": someone.name,
            "roles": [role.name for role in someone.roles],
            "schools": [school.id for school in someone.schools],
            "languages": someone.languages.split(),
            "organisation": str(someone.organisation_id or ""),
        },
    )


def apply_form(session: Session, someone: Staff, form: PersonForm) -> None:
    """Store the form's values on the person, except roles and schools. Only a person limited to certain schools has
    languages."""
    someone.name = form.name.data or ""
    chosen = [tag for tag in LANGUAGES if tag in (form.languages.data or [])] if form.is_limited else []
    someone.languages = "" if len(chosen) == len(LANGUAGES) else " ".join(chosen)
    organisation = form.organisation.data
    someone.organisation = session.get(Organisation, int(organisation)) if organisation else None
    if isinstance(form, StaffForm):
        someone.language = form.language.data


def _by_name(table: type[Any]) -> Any:
    return select(table).order_by(table.name)
