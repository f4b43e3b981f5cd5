"""Writing a letter by mail from a page: it leaves when the page's transaction has committed, by way of the worker."""

from sqlalchemy.orm import Session

from engage.domain.mail.outbox import OutgoingMail, queue_mail
from engage.web.context import runtime


def post_letter(session: Session, kind: str, to: str, subject: str, text: str) -> None:
    """Put a letter in the outbox, sealed, in the caller's transaction. `kind` is a word for the list: invitation …"""
    queue_mail(session, kind, OutgoingMail(to, subject, text), runtime().sealer.seal, runtime().now())
