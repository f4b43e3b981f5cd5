"""Letters with a link to choose a password: for someone who was just added, and for someone who forgot it."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.access import links
from engage.access.passwords import LEAST, hashed, weakness
from engage.access.people import find, uniquifier
from engage.access.permits import PUBLIC
from engage.languages import catalogue
from engage.questionnaire.text import clean
from engage.records.session import reading, writing
from engage.records.staff import Staff
from engage.web.guards import enters
from engage.web.locale import gettext
from engage.web.me import advice
from engage.web.post import post_letter
from engage.web.sessions import end_sessions, naive, write_down
from engage.web.state import state

PAUSE = timedelta(minutes=5)  # between two letters to the same person
LONGEST_ADDRESS = 255  # characters

blueprint = Blueprint("forgotten", __name__, url_prefix="/staff")


def invite(session: Session, person: Staff) -> None:
    """Write a new colleague a letter with a link to choose a password, in the caller's transaction."""
    words, link = catalogue(person.language), _link(person, "invitation")
    name = state().settings.district_name
    # translators: subject of a letter by e-mail to a new colleague; %(district)s is the school district's name
    subject = words.gettext("Your access to the family surveys of %(district)s") % {"district": name}
    # translators: letter by e-mail to a new colleague; %(link)s is an address, alone on its line
    text = words.gettext(
        "Hello,\n\nyou can now work with the family surveys of %(district)s. "
        "Please open this link within 7 days and choose a password:\n\n%(link)s\n\n"
        "If you did not expect this letter, you need do nothing."
    ) % {"district": name, "link": link}
    post_letter(session, "invitation", person.email, subject, text)


def _remind(session: Session, person: Staff) -> None:
    words, link = catalogue(person.language), _link(person, "reset")
    name = state().settings.district_name
    # translators: subject of a letter by e-mail to a colleague who forgot the password
    subject = words.gettext("Choose a new password for the family surveys of %(district)s") % {"district": name}
    # translators: letter by e-mail to a colleague who forgot the password; %(link)s is an address, alone on its line
    text = words.gettext(
        "Hello,\n\nsomeone, probably you, asked for a new password for the family surveys of %(district)s. "
        "Please open this link within 2 hours:\n\n%(link)s\n\n"
        "If it was not you, you need do nothing. Your password stays as it is."
    ) % {"district": name, "link": link}
    post_letter(session, "reset", person.email, subject, text)


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
        person = find(session, email)
        if person and person.active and (person.forgotten_at is None or now - person.forgotten_at >= PAUSE):
            person.forgotten_at = now
            _remind(session, person)
        else:
            _write_and_tear_up(session, email)
        session.commit()
    return render_template("account/forgot.html", asked=True)


def _write_and_tear_up(session: Session, email: str) -> None:
    """The same work for nobody: a letter that is written and taken back before it is kept."""
    nobody = Staff(id=0, email=email, fs_uniquifier=uniquifier(), password="", language="en")
    with session.begin_nested() as turn:
        _remind(session, nobody)
        session.flush()
        turn.rollback()


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
        write_down(session, person, "change sign-in", what=kind)
        session.commit()
    # translators: shown at the sign-in page after somebody chose a password
    flash(gettext("Your password is set. Please sign in with it."))
    return redirect(url_for("security.login"))


def _opened(session: Session, token: str) -> tuple[Staff | None, str]:
    """Whose link this is and its kind; nobody's where it is not in time or was used."""
    id = links.staff_id(token)
    person = session.scalar(select(Staff).where(Staff.id == id).with_for_update()) if id else None
    kind = links.proved(state().secret(links.LINK_KEY), token, person, state().now()) if person else None
    return (person, kind) if kind else (None, "")


def _link(person: Staff, kind: str) -> str:
    """The address in the letter: the site's own, never one that a request names."""
    token = links.token(state().secret(links.LINK_KEY), person, kind, state().now())
    return f"{state().settings.base_url.rstrip('/')}/staff/welcome/{token}"


def _page(person: Staff, kind: str, problem: str = "") -> str:
    return render_template("account/welcome.html", email=person.email, kind=kind, problem=problem, least=LEAST)


def _spent() -> tuple[str, int]:
    return render_template("account/welcome_spent.html"), 410
