"""The second step of signing in: a code from an app, a recovery code or a passkey; and a passkey alone."""

from datetime import timedelta

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.domain.security import recovery_codes
from engage.domain.security.permissions import PUBLIC
from engage.storage.engine import reading, writing
from engage.storage.models.staff import Passkey, Staff, StaffIdentity
from engage.web.auth import passkeys, totp
from engage.web.auth.notifications import sign_in_changed
from engage.web.auth.sessions import begin_session
from engage.web.context import state
from engage.web.page_language import gettext
from engage.web.permissions import enters, ours

HALF = "half"  # in the cookie of someone whose password was right
PATIENCE = timedelta(minutes=10)  # to find the phone

blueprint = Blueprint("second", __name__, url_prefix="/staff/login")


def protected(person: Staff) -> bool:
    """Whether a password alone does not let this person in."""
    return totp.has_app(person) or bool(passkeys.person_keys(person))


def ask(person: Staff, wanted: str, link: tuple[str, str] | None = None) -> Response:
    """Remember whose password was right, and go on to the second step. `link`: a provider and its subject, to be
    linked to this person once the step is taken."""
    session.clear()
    g.pop("csrf_token", None)
    until = int((state().now() + PATIENCE).timestamp())
    session[HALF] = {"who": person.fs_uniquifier, "until": until, "wanted": wanted, "link": link}
    return redirect(url_for("second.step"))


def half_way() -> str:
    """The handle of someone whose password was right and whose second step is awaited; empty for everybody else."""
    half = session.get(HALF) or {}
    return str(half.get("who", "")) if half.get("until", 0) >= state().now().timestamp() else ""


@blueprint.get("/second")
@enters(PUBLIC)
def step() -> Response | str:
    """Ask for the code."""
    return _page("") if _someone_half_way() else redirect(url_for("security.login"))


@blueprint.post("/second")
@enters(PUBLIC)
def step_taken() -> Response | str | tuple[str, int]:
    """Let in whoever has the right code."""
    who = half_way()
    with writing(state().engine) as rows:
        person = _person(rows, who)
        if person is None:
            return redirect(url_for("security.login"))
        how = _how(person, request.form.get("code", ""))
        if how is not None:
            _link(rows, person)
        rows.commit()
    if how is None:
        # translators: after a wrong code in the second step of signing in
        return _page(gettext("This code is not right, or it was used before. Please try again.")), 422
    wanted = ours(session[HALF]["wanted"])
    begin_session(person, how, strong=True)
    return redirect(wanted)


@blueprint.post("/passkey")
@enters(PUBLIC)
def passkey() -> Response | tuple[str, int]:
    """Let in whoever has a passkey; no password is asked for."""
    wanted = ours((session.get(HALF) or {}).get("wanted") or request.form.get("next"))
    try:
        with writing(state().engine) as rows:
            person = passkeys.whose(rows, request.form.get("token", ""), request.form.get("credential", ""))
            _link(rows, person)
            rows.commit()
    except passkeys.PasskeyRefused:
        # translators: signing in with a passkey did not work
        problem = gettext("This passkey does not open an account here. Please try again, or use your password.")
        return _passkey_page(problem), 422
    begin_session(person, "passkey", strong=True)
    return redirect(wanted)


def _someone_half_way() -> bool:
    with reading(state().engine) as rows:
        return _person(rows, half_way()) is not None


def _person(rows: Session, who: str) -> Staff | None:
    found = select(Staff).where(Staff.fs_uniquifier == who, Staff.active).with_for_update()
    return rows.scalar(found) if who else None


def _link(rows: Session, person: Staff) -> None:
    """Link the provider's account that this person came with, now that the second step shows it is theirs."""
    link = (session.get(HALF) or {}).get("link")
    if not link or half_way() != person.fs_uniquifier:
        return
    provider, subject = link
    taken = (
        select(StaffIdentity)
        .where(StaffIdentity.provider == provider)
        .where(or_(StaffIdentity.subject == subject, StaffIdentity.staff_id == person.id))
    )
    if rows.scalar(taken.limit(1)) is None:
        rows.add(StaffIdentity(provider=provider, subject=subject, staff_id=person.id))
        sign_in_changed(rows, person, linked=provider)


def _how(person: Staff, typed: str) -> str | None:
    """Which second thing this code is, None for none of them. A code that is right is used up: commit it."""
    if totp.right(person, typed):
        return "code"
    left = recovery_codes.spend(
        person.mf_recovery_codes or "", typed, state().secret(recovery_codes.RECOVERY_KEY), person.id
    )
    if left is None:
        return None
    person.mf_recovery_codes = left
    return "recovery code"


def _page(problem: str) -> str:
    with reading(state().engine) as rows:
        person = _person(rows, half_way())
        keys = rows.scalar(select(Passkey.id).where(Passkey.user_id == person.id).limit(1)) if person else None
        app = person is not None and totp.has_app(person)
    asked = passkeys.ask() if keys and passkeys.possible() else None
    return render_template("account/second_step.html", problem=problem, app=app, asked=asked)


def _passkey_page(problem: str) -> str:
    return render_template("account/passkey_refused.html", problem=problem)
