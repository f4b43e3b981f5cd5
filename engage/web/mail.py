"""Sending email from a page: the worker sends it after the page's transaction has committed."""

from sqlalchemy.orm import Session

from engage.domain.mail.outbox import OutgoingMail, queue_mail
from engage.web.context import runtime


def post_letter(session: Session, kind: str, to: str, subject: str, text: str) -> None:
    """Put a message in the outbox, sealed, in the caller's transaction. `kind` is its kind in the list: invitation …"""
    queue_mail(session, kind, OutgoingMail(to, subject, text), runtime().sealer.seal, runtime().now())
