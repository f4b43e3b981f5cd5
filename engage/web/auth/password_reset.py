"""Letters with a link to choose a password: for someone who was just added, and for someone who forgot it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, lazyload
from werkzeug.wrappers import Response

from engage.base.languages import catalogue
from engage.domain.mail.account_messages import invitation, reset
from engage.domain.mail.outbox import Letter
from engage.domain.security import signed_links
from engage.domain.security.accounts import uniquifier
from engage.domain.security.passwords import LEAST, hashed, weakness
from engage.domain.security.permissions import PUBLIC
from engage.questionnaire.text_cleaning import clean
from engage.storage.engine import reading, writing
from engage.storage.models.staff import Staff
from engage.web.audit import audited_as
from engage.web.auth.notifications import write_letter
from engage.web.auth.profile import advice
from engage.web.auth.sessions import end_sessions, naive
from engage.web.context import state
from engage.web.mail import post_letter
from engage.web.page_language import gettext
from engage.web.permissions import enters

PAUSE = timedelta(minutes=5)  # between two letters to the same person
NOBODY = 0  # no person has this id
LONGEST_ADDRESS = 255  # characters

blueprint = Blueprint("forgotten", __name__, url_prefix="/staff")


def invite(session: Session, person: Staff) -> None:
    """Write a new colleague a letter with a link to choose a password, in the caller's transaction."""
    _post(session, person, "invitation", invitation)


def _post(session: Session, person: Staff, kind: str, wording: Callable[..., Letter]) -> None:
    given, key = state().settings, state().secret(signed_links.LINK_KEY)
    link = signed_links.link(given.base_url, key, person, kind, state().now())
    letter = wording(catalogue(person.language), person.email, given.district_name, link)
    post_letter(session, kind, letter.to, letter.subject, letter.text)


@blueprint.get("/forgot")
@enters(PUBLIC)
def forgot() -> str:
    """Ask for a letter."""
    return render_template("account/forgot.html", asked=False)


@blueprint.post("/forgot")
@enters(PUBLIC)
def ask() -> str:
    """Write the letter if the address is somebody's. The page is the same for every address, and takes as long."""
    email = clean(request.form.get("email", "")[:LONGEST_ADDRESS], lines=False)
    now = naive(state().now())
    with writing(state().engine) as session:
        bare = select(Staff).where(func.lower(Staff.email) == email.lower()).options(lazyload("*"))
        person = session.scalar(bare)
        due = person and person.active and (person.forgotten_at is None or now - person.forgotten_at >= PAUSE)
        _write(session, person if person and due else _nobody(email), now)
        session.commit()
    return render_template("account/forgot.html", asked=True)


def _write(session: Session, person: Staff, now: datetime) -> None:
    """The same work whether the person is there or not: a letter to nobody is taken back before it is kept. Not by
    undoing it: what is undone reaches no disk, and takes a third less time."""
    _post(session, person, "reset", reset)
    letters = list(session.new)
    session.flush()
    session.execute(update(Staff).where(Staff.id == person.id).values(forgotten_at=now))
    for letter in letters if person.id == NOBODY else ():
        session.delete(letter)


def _nobody(email: str) -> Staff:
    return Staff(id=NOBODY, email=email, fs_uniquifier=uniquifier(), password="", language="en")


@blueprint.get("/welcome/<token>")
@enters(PUBLIC)
def welcome(token: str) -> str | tuple[str, int]:
    """Choose a password."""
    with reading(state().engine) as session:
        person, kind = _opened(session, token)
    return _page(person, kind) if person else _spent()


@blueprint.post("/welcome/<token>")
@enters(PUBLIC)
def choose(token: str) -> Response | str | tuple[str, int]:
    """Keep the password, end every session and spend the link."""
    new = request.form.get("new", "")
    with writing(state().engine) as session:
        person, kind = _opened(session, token)
        if person is None:
            return _spent()
        if weak := weakness(new, person.email):
            return _page(person, kind, advice(weak)), 422
        person.password, person.fs_uniquifier, person.forgotten_at = hashed(new), uniquifier(), None
        end_sessions(session, person.id)
        audited_as(session, person.email, "change sign-in", person.email, what=kind)
        if kind != "invitation":
            write_letter(session, person)
        session.commit()
    # translators: shown at the sign-in page after somebody chose a password
    flash(gettext("Your password is set. Please sign in with it."))
    return redirect(url_for("security.login"))


def _opened(session: Session, token: str) -> tuple[Staff | None, str]:
    """Whose link this is and its kind; nobody's where it is not in time or was used."""
    id = signed_links.staff_id(token)
    person = session.scalar(select(Staff).where(Staff.id == id).with_for_update()) if id else None
    kind = signed_links.proved(state().secret(signed_links.LINK_KEY), token, person, state().now()) if person else None
    return (person, kind) if kind else (None, "")


def _page(person: Staff, kind: str, problem: str = "") -> str:
    return render_template("account/welcome.html", email=person.email, kind=kind, problem=problem, least=LEAST)


def _spent() -> tuple[str, int]:
    return render_template("account/welcome_spent.html"), 410
