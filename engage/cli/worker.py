"""`engage worker`: background tasks, such as sending email."""

import os

import click

from engage.base.log_setup import set_up_logging
from engage.domain.mail.smtp import MailServer
from engage.server.child_processes import supervise
from engage.server.worker_process import run_worker_process
from engage.services.site_database import open_database, read_settings


@click.command()
def worker() -> None:
    """Send waiting email, draw waiting packets, update the roster, and delete expired data each night, until stopped.
    `engage serve` does this too, unless --no-worker is set."""
    settings = read_settings()
    with open_database(settings):
        settings.secret()
    server = MailServer.of(settings)
    set_up_logging(settings.log_format)
    click.echo(
        f"Email is sent through {server.host}:{server.port}." if server else "No mail server is set: email waits."
    )
    parent = os.getpid()
    supervise([], [lambda: run_worker_process(settings, parent)])
