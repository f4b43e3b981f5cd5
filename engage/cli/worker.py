"""`engage worker`: what is done in the background, letters by mail first of all."""

import os

import click

from engage.base.log_setup import set_up_logging
from engage.domain.mail.smtp import MailServer
from engage.server.child_processes import supervise
from engage.server.worker_process import run_worker_process
from engage.services.site_database import open_database, read_settings


@click.command()
def worker() -> None:
    """Send the letters and draw the packets that wait, and delete each night what is stored no longer, until told to
    stop. `engage serve` does so too, unless told --no-worker."""
    settings = read_settings()
    with open_database(settings):
        settings.secret()
    server = MailServer.of(settings)
    set_up_logging()
    click.echo(f"Letters go to {server.host}:{server.port}." if server else "No mail server is set: letters wait.")
    parent = os.getpid()
    supervise([], [lambda: run_worker_process(settings, parent)])
