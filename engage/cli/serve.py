"""`engage serve`: run the site."""

import click

from engage.server.supervisor import THREADS
from engage.server.supervisor import serve as serve_
from engage.services.site_database import read_settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address. 0.0.0.0 means all networks.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port. 0 uses a free one.")
@click.option("--processes", type=click.IntRange(1, 256), help="Number of serving processes.  [default: one per core]")
@click.option(
    "--threads",
    default=THREADS,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Threads per process, for families and for staff each.",
)
@click.option("--worker/--no-worker", default=True, help="Run the worker too.  [default: worker]")
def serve(host: str, port: int, processes: int | None, threads: int, worker: bool) -> None:
    """Serve the site until stopped (Ctrl-C or SIGTERM)."""
    serve_(read_settings(), host, port, processes, threads, worker)
