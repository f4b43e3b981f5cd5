"""The signed-in person of a request, loaded by Flask-Login."""

from typing import cast

from flask import Flask, current_app
from flask_login import LoginManager
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from engage.domain.security.accounts import AccountProblem, find_staff, normalize_email
from engage.storage.models.staff import Staff

PEOPLE = "engage.people"  # extension key of the app's session for the staff table
SIGN_IN_VIEW = "sign_in.page"


class Account(Staff):
    """A row of the staff table, adapted to Flask-Login."""

    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        """Whether the person may sign in."""
        return self.active

    def get_id(self) -> str:
        """The person's handle in the cookie."""
        return self.fs_uniquifier


def install(app: Flask, engine: Engine) -> None:
    """Make `current_user` the person of the request's session, and redirect others to the sign-in page."""
    people = scoped_session(sessionmaker(engine.execution_options(reads=True), expire_on_commit=False))
    app.extensions[PEOPLE] = people
    app.teardown_appcontext(lambda _problem: people.remove())
    manager = LoginManager()
    manager.login_view, manager.login_message = SIGN_IN_VIEW, None
    manager.user_loader(_load_account)
    manager.init_app(app, add_context_processor=False)


def find_account(staff_id: int) -> Account | None:
    """The active person with this id, read after recent changes."""
    expire_people()
    return _people().scalar(select(Account).where(Account.id == staff_id, Account.active))


def find_person_by_address(rows: Session, typed: str) -> Staff | None:
    """The person with this email address; capitals, full-width letters and the like are folded."""
    try:
        return find_staff(rows, normalize_email(typed.strip()))
    except AccountProblem:
        return None


def expire_people() -> None:
    """Make the next read of a person see recent changes."""
    current_app.extensions[PEOPLE].remove()


def _load_account(handle: str) -> Account | None:
    return _people().scalar(select(Account).where(Account.fs_uniquifier == handle, Account.active))


def _people() -> "scoped_session[Session]":
    return cast("scoped_session[Session]", current_app.extensions[PEOPLE])
