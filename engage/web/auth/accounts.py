"""The signed-in person of a request, loaded by Flask-Login."""

from typing import cast

from flask import Flask, current_app
from flask_login import LoginManager
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from engage.domain.security.accounts import AccountProblem, find_staff, normalize_email
from engage.storage.models.staff import Staff

PEOPLE = "engage.people"  # where the app has its session of the staff table
SIGN_IN_VIEW = "sign_in.page"


class Account(Staff):
    """A row of the staff table as Flask-Login wants it; the records themselves know no Flask."""

    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        """Whether the person may sign in."""
        return self.active

    def get_id(self) -> str:
        """The handle in the cookie."""
        return self.fs_uniquifier


def install(app: Flask, engine: Engine) -> None:
    """Let `current_user` be the person of the request's session, and send strangers to the sign-in page."""
    people = scoped_session(sessionmaker(engine.execution_options(reads=True), expire_on_commit=False))
    app.extensions[PEOPLE] = people
    app.teardown_appcontext(lambda _problem: people.remove())
    manager = LoginManager()
    manager.login_view, manager.login_message = SIGN_IN_VIEW, None
    manager.user_loader(_load_account)
    manager.init_app(app, add_context_processor=False)


def find_account(staff_id: int) -> Account | None:
    """The active person with this id, as just written."""
    expire_people()
    return _people().scalar(select(Account).where(Account.id == staff_id, Account.active))


def find_person_by_address(rows: Session, typed: str) -> Staff | None:
    """Whose e-mail address this is, whatever its spelling: capitals, full-width letters and the like are folded."""
    try:
        return find_staff(rows, normalize_email(typed.strip()))
    except AccountProblem:
        return None


def expire_people() -> None:
    """Let the next look at someone see what was just written."""
    current_app.extensions[PEOPLE].remove()


def _load_account(handle: str) -> Account | None:
    return _people().scalar(select(Account).where(Account.fs_uniquifier == handle, Account.active))


def _people() -> "scoped_session[Session]":
    return cast("scoped_session[Session]", current_app.extensions[PEOPLE])
