"""Add people who may sign in."""

import sys
from datetime import UTC, datetime

import click

from engage.access.people import add
from engage.access.permits import ROLES
from engage.cli.ground import database, settings
from engage.records.session import writing


@click.group()
def staff() -> None:
    """Add people who may sign in."""


@staff.command("add")
@click.argument("email")
@click.option("--role", required=True, type=click.Choice(sorted(ROLES)))
@click.option("--school", "schools", multiple=True, metavar="ID", help="A school of a liaison's; may be repeated.")
@click.option("--name", default="", help="How colleagues call the person.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
def add_(email: str, role: str, schools: tuple[str, ...], name: str, password_stdin: bool) -> None:
    """Let the person with this EMAIL address sign in at /staff/login."""
    found = settings()
    with database(found) as engine, writing(engine) as session:
        person = add(session, email, name, role, schools, _password(password_stdin), datetime.now(UTC))
        session.commit()
        click.echo(f"{person.email} may now sign in at {found.base_url}/staff/login as {role}.")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
