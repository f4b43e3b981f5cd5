"""The command line: one command, `engage`, whose subcommands are imported when they are run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from engage.cli.problems import explain_problem

PRIVATE = 0o077  # umask: no permissions for group and others

# command: (module, one-line help); the command object in the module has the name of the command
COMMANDS = {
    "demo": ("engage.cli.demo", "Build a demo district and serve it."),
    "serve": ("engage.cli.serve", "Serve the site."),
    "worker": ("engage.cli.worker", "Send email, draw packets, and delete expired data (`serve` does it too)."),
    "db": ("engage.cli.database", "Create or upgrade the database."),
    "doctor": ("engage.cli.doctor", "Check that this machine has what Engage needs."),
    "backup": ("engage.cli.backup", "Copy the database to a file while the site runs."),
    "restore": ("engage.cli.backup", "Replace the database with a backup."),
    "staff": ("engage.cli.staff", "Add people who can sign in, and change their roles."),
    "survey": ("engage.cli.survey", "Check survey files."),
    "paper": ("engage.cli.paper", "Create forms and packets as PDF files."),
    "roster": ("engage.cli.roster", "Import students and guardians from OneRoster CSV."),
    "checkpoint": ("engage.cli.checkpoint", "Export a checkpoint's figures."),
    "audit": ("engage.cli.audit", "List the audit log, and verify that it is complete and unchanged."),
    "retention": ("engage.cli.retention", "Delete data past its retention period."),
    "keys": ("engage.cli.keys", "Encrypt names, contacts, and email under a new key."),
    "words": ("engage.cli.words", "Extract, merge, check, and compile translations."),
}


class LazyGroup(click.Group):
    """A group that imports a command when it is run, and reports operator errors in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands whose module exists."""
        return [name for name, (module, _) in COMMANDS.items() if find_spec(module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = getattr(import_module(COMMANDS[cmd_name][0]), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. Engage's own exceptions are shown as one line, without a traceback."""
        try:
            return super().invoke(ctx)
        except Exception as problem:
            if words := explain_problem(problem):
                raise click.ClickException(words) from problem
            raise


@contextmanager
def private_files() -> Iterator[None]:
    """Create files that only their owner can read: databases, backups, and lists of codes."""
    before = os.umask(PRIVATE)
    try:
        yield
    finally:
        os.umask(before)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="engage")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Survey families in their own languages, on a phone or on paper, and report the results."""
    if ctx.invoked_subcommand != "words":  # translations are part of the source and stay readable for everybody
        ctx.with_resource(private_files())
