"""A change of how someone signs in: written into the audit log, and to the person, who may not have done it."""

from sqlalchemy.orm import Session

from engage.base.languages import catalogue
from engage.domain.mail.account_messages import changed
from engage.storage.models.staff import Staff
from engage.web.audit import audited_as
from engage.web.context import state
from engage.web.mail import post_letter


def sign_in_changed(session: Session, someone: Staff, **detail: int | str) -> None:
    """Write it down and write the letter, in the caller's transaction."""
    audited_as(session, someone.email, "change sign-in", someone.email, **detail)
    write_letter(session, someone)


def write_letter(session: Session, someone: Staff) -> None:
    """Write the letter only."""
    letter = changed(catalogue(someone.language), someone.email, state().settings.district_name)
    post_letter(session, "sign-in changed", letter.to, letter.subject, letter.text)
