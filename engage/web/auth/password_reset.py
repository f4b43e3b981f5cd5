"""Emails with a link to choose a password: for someone who was just added, and for someone who forgot it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, lazyload
from werkzeug.wrappers import Response

from engage.base.catalogs import catalogue
from engage.domain.mail.account_messages import password_reset_mail, staff_invitation_mail
from engage.domain.mail.outbox import OutgoingMail
from engage.domain.security import password_links
from engage.domain.security.accounts import new_uniquifier
from engage.domain.security.passwords import LEAST, hash_password
from engage.domain.security.permissions import PUBLIC
from engage.storage.engine import read_session, write_session
from engage.storage.models.staff import Staff
from engage.web.audit import log_event_as
from engage.web.auth.account_forms import AddressForm, NewPasswordForm
from engage.web.auth.notifications import write_change_letter
from engage.web.auth.sessions import end_sessions, naive_utc
from engage.web.context import runtime
from engage.web.mail import post_letter
from engage.web.page_language import gettext
from engage.web.permissions import enters

PAUSE = timedelta(minutes=5)  # between two emails to the same person
NOBODY = 0  # no person has this id
LONGEST_ADDRESS = 255  # characters

blueprint = Blueprint("forgotten", __name__, url_prefix="/staff")


def send_invitation(session: Session, person: Staff) -> None:
    """Send a new colleague an email with a link to choose a password, in the caller's transaction."""
    _post_link(session, person, "invitation", staff_invitation_mail)


def _post_link(session: Session, person: Staff, kind: str, wording: Callable[..., OutgoingMail]) -> None:
    settings, key = runtime().settings, runtime().secret(password_links.LINK_KEY)
    link = password_links.make_link(settings.base_url, key, person, kind, runtime().now())
    letter = wording(catalogue(person.language), person.email, settings.district_name, link)
    post_letter(session, kind, letter.to, letter.subject, letter.text)


@blueprint.get("/forgot")
@enters(PUBLIC)
def forgot_password() -> str:
    """The form to request an email."""
    return render_template("account/password_reset.html", form=AddressForm(formdata=None))


@blueprint.post("/forgot")
@enters(PUBLIC)
def ask() -> str:
    """Send the email if the address is known. The page and the time it takes are the same for every address."""
    email = (AddressForm(formdata=request.form).email.data or "")[:LONGEST_ADDRESS]
    now = naive_utc(runtime().now())
    with write_session(runtime().engine) as session:
        bare = select(Staff).where(func.lower(Staff.email) == email.lower()).options(lazyload("*"))
        person = session.scalar(bare)
        due = person and person.active and (person.forgotten_at is None or now - person.forgotten_at >= PAUSE)
        _write_reset_letter(session, person if person and due else _placeholder_staff(email), now)
        session.commit()
    return render_template("account/password_reset.html", form=None)


def _write_reset_letter(session: Session, person: Staff, now: datetime) -> None:
    """Do the same work whether or not the person exists: an email to nobody is deleted before the commit. It is not
    rolled back, because a rollback writes nothing to disk and takes a third less time."""
    _post_link(session, person, "reset", password_reset_mail)
    letters = list(session.new)
    session.flush()
    session.execute(update(Staff).where(Staff.id == person.id).values(forgotten_at=now))
    for letter in letters if person.id == NOBODY else ():
        session.delete(letter)


def _placeholder_staff(email: str) -> Staff:
    return Staff(id=NOBODY, email=email, fs_uniquifier=new_uniquifier(), password="", language="en")


@blueprint.get("/welcome/<token>")
@enters(PUBLIC)
def welcome(token: str) -> str | tuple[str, int]:
    """The form to choose a password."""
    with read_session(runtime().engine) as session:
        person, kind = _find_link_owner(session, token)
    return _render_page(NewPasswordForm(formdata=None), person, kind) if person else _render_used_link()


@blueprint.post("/welcome/<token>")
@enters(PUBLIC)
def choose(token: str) -> Response | str | tuple[str, int]:
    """Store the password, end every session, and invalidate the link."""
    form = NewPasswordForm(formdata=request.form)
    with write_session(runtime().engine) as session:
        person, kind = _find_link_owner(session, token)
        if person is None:
            return _render_used_link()
        if not form.require_strong_password(person.email):
            return _render_page(form, person, kind), 422
        person.password, person.fs_uniquifier = hash_password(form.new.data or ""), new_uniquifier()
        person.forgotten_at = None
        end_sessions(session, person.id)
        log_event_as(session, person.email, "change sign-in", person.email, what=kind)
        if kind != "invitation":
            write_change_letter(session, person)
        session.commit()
    # translators: shown at the sign-in page after somebody chose a password
    flash(gettext("Your password is set. Sign in with it."))
    return redirect(url_for("sign_in.page"))


def _find_link_owner(session: Session, token: str) -> tuple[Staff | None, str]:
    """The person of a link and its kind; None if the link has expired or was used."""
    id = password_links.read_staff_id(token)
    person = session.scalar(select(Staff).where(Staff.id == id).with_for_update()) if id else None
    kind = (
        password_links.verify_token(runtime().secret(password_links.LINK_KEY), token, person, runtime().now())
        if person
        else None
    )
    return (person, kind) if kind else (None, "")


def _render_page(form: NewPasswordForm, person: Staff, kind: str) -> str:
    form.email.data = person.email
    return render_template("account/choose_password.html", form=form, kind=kind, least=LEAST)


def _render_used_link() -> tuple[str, int]:
    return render_template("account/link_spent.html"), 410
