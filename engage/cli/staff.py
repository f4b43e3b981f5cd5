"""`engage staff`: add people who can sign in, and change their roles."""

import sys
from collections.abc import Collection
from datetime import UTC, datetime

import click
from sqlalchemy import delete
from sqlalchemy.orm import Session

from engage.base.catalogs import catalogue
from engage.base.config import Settings
from engage.domain.mail.account_messages import staff_invitation_mail
from engage.domain.mail.outbox import queue_mail
from engage.domain.security import password_links
from engage.domain.security.accounts import (
    NewStaff,
    assign_roles,
    compare_access,
    create_staff,
    describe_access,
    find_staff,
    new_uniquifier,
    remove_second_factors,
)
from engage.domain.security.audit_anchor import record_cli_event
from engage.domain.security.encryption import Sealer, derive_key, load_keys
from engage.domain.security.permissions import ROLES, is_limited_to_schools, sort_roles
from engage.services.site_database import open_database, read_settings
from engage.storage.engine import write_session
from engage.storage.models.staff import Staff, StaffIdentity, StaffSession

role_option = click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(sorted(ROLES)), help="Can be repeated."
)
school_option = click.option(
    "--school",
    "schools",
    multiple=True,
    metavar="ID",
    help="School of a liaison. Can be repeated.",
)


@click.group()
def staff() -> None:
    """Add people who can sign in, and change their roles."""


@staff.command("add")
@click.argument("email")
@role_option
@school_option
@click.option("--name", default="", help="The name that colleagues see.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
@click.option("--invite", is_flag=True, help="Send an email with a link to choose a password.")
def add_(
    email: str, roles: tuple[str, ...], schools: tuple[str, ...], name: str, password_stdin: bool, invite: bool
) -> None:
    """Let the person with this EMAIL address sign in at /staff/login."""
    settings, now = read_settings(), datetime.now(UTC)
    with open_database(settings) as engine, write_session(engine) as session:
        password = None if invite else _read_password(password_stdin)
        person = create_staff(session, NewStaff(email, name, roles, schools, password), now)
        session.flush()
        link = _queue_invitation(session, settings, person, now) if invite else ""
        names, count = " ".join(sort_roles(roles)), len(person.schools)
        record_cli_event(session, settings, now, "add staff", person.email, roles=names, schools=count)
        session.commit()
    _warn_about_schools(roles, schools)
    if invite:
        click.echo(f"An email to {person.email} is queued. Its link works once, for 7 days:\n{link}")
    else:
        labels = ", ".join(sort_roles(roles))
        click.echo(f"{person.email} can now sign in at {settings.base_url}/staff/login as {labels}.")


@staff.command("change")
@click.argument("email")
@role_option
@school_option
def change(email: str, roles: tuple[str, ...], schools: tuple[str, ...]) -> None:
    """Replace the roles of the person with this EMAIL address.

    A liaison's schools stay the same unless --school names others. The person's sessions end.
    """
    settings, now = read_settings(), datetime.now(UTC)
    with open_database(settings) as engine, write_session(engine) as session:
        person = find_staff(session, email)
        if person is None:
            raise click.ClickException(f"there is no active account with the address {email}")
        before = describe_access(person)
        assign_roles(session, person, roles, schools or [school.id for school in person.schools])
        _end_sessions(session, person)
        session.flush()
        record_cli_event(session, settings, now, "change staff", person.email, **compare_access(before, person))
        session.commit()
    _warn_about_schools(roles, schools)
    click.echo(f"{person.email} is now {', '.join(sort_roles(roles))}, and is signed out everywhere.")


@staff.command("reset")
@click.argument("email")
def reset(email: str) -> None:
    """Restore access for the person with this EMAIL address, after a lost phone or password.

    The second step is removed and all sessions end; the printed link lets the person choose a password.
    """
    settings, now = read_settings(), datetime.now(UTC)
    with open_database(settings) as engine, write_session(engine) as session:
        person = find_staff(session, email)
        if person is None or not person.active:
            raise click.ClickException(f"there is no active account with the address {email}")
        remove_second_factors(session, person)
        _end_sessions(session, person)
        record_cli_event(session, settings, now, "change staff", person.email, what="steps")
        session.commit()
        link = password_links.make_link(
            settings.base_url, derive_key(settings.secret().encode(), password_links.LINK_KEY), person, "reset", now
        )
    click.echo(f"The second step of {person.email} is removed. This link works once, for 2 hours:\n{link}")


@staff.command("unlink")
@click.argument("email")
def unlink(email: str) -> None:
    """Unlink the sign-in provider accounts of the person with this EMAIL address.

    The next sign-in links the provider account that then has this address. If the address now belongs to someone else,
    deactivate the previous person first.
    """
    settings, now = read_settings(), datetime.now(UTC)
    with open_database(settings) as engine, write_session(engine) as session:
        person = find_staff(session, email)
        if person is None:
            raise click.ClickException(f"there is no active account with the address {email}")
        linked = delete(StaffIdentity).where(StaffIdentity.staff_id == person.id).returning(StaffIdentity.provider)
        gone = len(session.scalars(linked).all())
        record_cli_event(session, settings, now, "change sign-in", person.email, unlinked=gone)
        session.commit()
    click.echo(f"Linked accounts of {person.email} removed: {gone}.")


def _end_sessions(session: Session, person: Staff) -> None:
    """End all sessions of a person."""
    person.fs_uniquifier = new_uniquifier()
    session.execute(delete(StaffSession).where(StaffSession.staff_id == person.id))


def _warn_about_schools(roles: Collection[str], schools: Collection[str]) -> None:
    if schools and not is_limited_to_schools(roles):
        click.echo("--school was not used: with these roles a person sees all schools.", err=True)


def _queue_invitation(session: Session, settings: Settings, person: Staff, now: datetime) -> str:
    """Put the invitation email in the outbox. Returns the link in it."""
    link = password_links.make_link(
        settings.base_url, derive_key(settings.secret().encode(), password_links.LINK_KEY), person, "invitation", now
    )
    letter = staff_invitation_mail(catalogue(person.language), person.email, settings.district_name, link)
    queue_mail(session, "invitation", letter, Sealer(load_keys(settings)).seal, now)
    return link


def _read_password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
