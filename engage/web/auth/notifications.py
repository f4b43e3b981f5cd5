"""Notification of a changed sign-in method: in the audit log, and by email to the person, who may not have made the
change."""

from sqlalchemy.orm import Session

from engage.base.catalogs import catalogue
from engage.domain.mail.account_messages import sign_in_changed_mail
from engage.storage.models.staff import Staff
from engage.web.audit import log_event_as
from engage.web.context import runtime
from engage.web.mail import post_letter


def record_sign_in_change(session: Session, someone: Staff, **detail: int | str) -> None:
    """Record the change and send the email, in the caller's transaction."""
    log_event_as(session, someone.email, "change sign-in", someone.email, **detail)
    write_change_letter(session, someone)


def write_change_letter(session: Session, someone: Staff) -> None:
    """Send the email only."""
    letter = sign_in_changed_mail(catalogue(someone.language), someone.email, runtime().settings.district_name)
    post_letter(session, "sign-in changed", letter.to, letter.subject, letter.text)
