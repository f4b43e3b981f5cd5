"""`engage serve`: run the site."""

import click

from engage.server.supervisor import THREADS
from engage.server.supervisor import serve as serve_
from engage.services.site_database import read_settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 is every network this machine is on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--processes", type=click.IntRange(1, 256), help="Serving processes.  [default: one per core]")
@click.option("--threads", default=THREADS, show_default=True, type=click.IntRange(1, 64), help="In each process.")
@click.option("--worker/--no-worker", default=True, help="Send letters by mail beside serving.  [default: yes]")
def serve(host: str, port: int, processes: int | None, threads: int, worker: bool) -> None:
    """Serve the site until stopped (Ctrl-C or SIGTERM)."""
    serve_(read_settings(), host, port, processes, threads, worker)
