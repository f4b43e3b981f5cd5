"""Notification of a changed sign-in method, or of a passkey that may be a copy: in the audit log, and by email to the
person, who may not have made the change or the copy."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.base.catalogs import catalogue
from engage.base.clock import stored_utc
from engage.domain.mail.account_messages import passkey_copied_mail, sign_in_changed_mail
from engage.storage.engine import write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.staff import Staff
from engage.web.audit import log_event_as
from engage.web.context import runtime
from engage.web.mail import post_letter

COPIED = "refuse passkey"  # in DEEDS
QUIET = timedelta(hours=1)  # between two messages about copied passkeys of a person


def record_sign_in_change(session: Session, someone: Staff, **detail: int | str) -> None:
    """Record the change and send the email, in the caller's transaction."""
    log_event_as(session, someone.email, "change sign-in", someone.email, **detail)
    write_change_letter(session, someone)


def write_change_letter(session: Session, someone: Staff) -> None:
    """Send the email only."""
    letter = sign_in_changed_mail(catalogue(someone.language), someone.email, runtime().settings.district_name)
    post_letter(session, "sign-in changed", letter.to, letter.subject, letter.text)


def record_copied_passkey(person_id: int, passkey: str) -> None:
    """Record that a passkey was refused because it may be a copy, and tell its owner, once an hour at most."""
    with write_session(runtime().engine) as session:
        someone = session.get_one(Staff, person_id)
        since = stored_utc(runtime().now() - QUIET)
        recent = select(AuditEvent).where(AuditEvent.deed == COPIED, AuditEvent.at > since)
        is_told = session.scalar(select(recent.where(AuditEvent.about == someone.email).exists()))
        log_event_as(session, someone.email, COPIED, someone.email, passkey=passkey)
        if not is_told:
            words, district = catalogue(someone.language), runtime().settings.district_name
            letter = passkey_copied_mail(words, someone.email, district, passkey)
            post_letter(session, "passkey refused", letter.to, letter.subject, letter.text)
        session.commit()
