"""The queue of unsent email: messages that a mail server refused, and all messages while no server is set up."""

from flask import abort, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.domain.mail import outbox
from engage.domain.security.encryption import SealBroken
from engage.sites.administration.blueprint import blueprint
from engage.storage.engine import read_session, write_session
from engage.storage.models.mail import Mail
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.page_language import gettext, ngettext
from engage.web.permissions import enters

MOST = 200  # messages in the list
LETTERS = "/staff/administration/letters"


@blueprint.get("/letters")
@enters("read waiting letters")
def letters() -> str:
    """Every unsent message: its kind, day, and the reason."""
    with read_session(runtime().engine) as session:
        unsent = outbox.list_unsent_mail(session, MOST)
        waits = outbox.count_stuck_mail(session, sends=False)
    return render_template(
        "administration/mail_queue.html",
        letters=unsent,
        more=waits - len(unsent),
        kinds=letter_kind_names(),
        sends=bool(runtime().settings.mail_server),
    )


@blueprint.get("/letters/<id>")
@enters("read waiting letters")
def letter(id: str) -> str:
    """One message with its full text, including its link. Viewing it is recorded in the audit log."""
    with write_session(runtime().engine) as session:
        mail = require_unsent_letter(session, id)
        try:
            words = outbox.open_mail(mail, runtime().sealer.open)
        except (SealBroken, ValueError):
            words = None
        log_event(session, "read letter", mail.id, kind=mail.kind)
        session.commit()
        return render_template("administration/email.html", mail=mail, words=words, kinds=letter_kind_names())


@blueprint.post("/letters/again")
@enters("read waiting letters")
def retry_all_letters() -> Response:
    """Retry all messages now."""
    with write_session(runtime().engine) as session:
        count = outbox.retry_all_mail(session)
        session.commit()
    # translators: letters by mail that could not be sent are tried once more
    flash(ngettext("%(num)s email will be sent again now.", "%(num)s emails will be sent again now.", count))
    return redirect(url_for("administration.letters"))


@blueprint.post("/letters/<id>/again")
@enters("read waiting letters")
def retry_letter(id: str) -> Response:
    """Retry one message now."""
    with write_session(runtime().engine) as session:
        outbox.retry_mail(session, require_unsent_letter(session, id).id)
        session.commit()
    # translators: a letter by mail that could not be sent is tried once more
    flash(gettext("The email will be sent again now."))
    return redirect(url_for("administration.letters"))


@blueprint.post("/letters/<id>/away")
@enters("read waiting letters")
def discard_letter(id: str) -> Response:
    """Discard a message that was delivered in another way or is not needed any more."""
    with write_session(runtime().engine) as session:
        session.delete(require_unsent_letter(session, id))
        session.commit()
    # translators: a letter by mail that waited was taken out of the list and will not be sent
    flash(gettext("The email was deleted."))
    return redirect(url_for("administration.letters"))


def require_unsent_letter(session: Session, id: str) -> Mail:
    """An unsent message, or "not found"."""
    mail = session.get(Mail, id) if id.isascii() and id.isalnum() else None
    if mail is None or mail.state == "sent":
        abort(404)
    return mail


def letter_kind_names() -> dict[str, str]:
    """The label of each kind of message."""
    return {
        # translators: a kind of letter by mail: somebody is asked to choose a password and sign in
        "invitation": gettext("Invitation to sign in"),
        # translators: a kind of letter by mail: a link to choose a new password
        "reset": gettext("Password reset"),
        # translators: a kind of letter by e-mail, in a list: it tells somebody that their way to sign in was changed
        "sign-in changed": gettext("Sign-in changed"),
        # translators: a kind of letter by e-mail, in a list: it tells somebody that their passkey may have been copied
        "passkey refused": gettext("Passkey refused"),
        # translators: a kind of letter by mail: to families, with the way into a survey
        "survey": gettext("Invitation to a survey"),
        # translators: a kind of letter by mail: the school has answered a family's question
        "reply": gettext("Answer to a question"),
    }


def describe_unsent(session: Session) -> str | None:
    """The sentence about unsent messages for the staff home page; None if none needs attention."""
    count = outbox.count_stuck_mail(session, sends=bool(runtime().settings.mail_server))
    if not count:
        return None
    # translators: first staff page of an administrator: letters by mail that could not be sent
    return ngettext("%(num)s email was not sent.", "%(num)s emails were not sent.", count)
