"""The command line: one command, `engage`, whose subcommands are loaded when they are used."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from engage.cli.problems import explain_problem

PRIVATE = 0o077  # umask: nothing for others

# command: (module, what it does in one line); the command's object in the module has the command's name
COMMANDS = {
    "demo": ("engage.cli.demo", "Build a demonstration district and serve it."),
    "serve": ("engage.cli.serve", "Serve the site."),
    "worker": ("engage.cli.worker", "Send the letters that wait (`serve` does it too)."),
    "db": ("engage.cli.database", "Make or upgrade the database."),
    "doctor": ("engage.cli.doctor", "Check that this machine has what Engage needs."),
    "backup": ("engage.cli.backup", "Copy the database into a file while it is in use."),
    "restore": ("engage.cli.backup", "Put a backup in the database's place."),
    "staff": ("engage.cli.staff", "Add people who may sign in."),
    "survey": ("engage.cli.survey", "Check survey files."),
    "paper": ("engage.cli.paper", "Print surveys on paper."),
    "roster": ("engage.cli.roster", "Bring in students and guardians from OneRoster CSV."),
    "checkpoint": ("engage.cli.checkpoint", "Take out a checkpoint's figures."),
    "audit": ("engage.cli.audit", "Look at what staff did, and whether all of it is still there."),
    "retention": ("engage.cli.retention", "Destroy what is kept no longer."),
    "keys": ("engage.cli.keys", "Seal contacts and letters under a new key."),
    "words": ("engage.cli.words", "Keep the translations in step with the sentences."),
}


class LazyGroup(click.Group):
    """A group that imports a command when it is run, and tells an operator's mistake in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands whose module is there."""
        return [name for name, (module, _) in COMMANDS.items() if find_spec(module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, loaded now."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = getattr(import_module(COMMANDS[cmd_name][0]), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. Our own exceptions say what is wrong and what to do: they are shown without a traceback."""
        try:
            return super().invoke(ctx)
        except Exception as problem:
            if words := explain_problem(problem):
                raise click.ClickException(words) from problem
            raise


@contextmanager
def private_files() -> Iterator[None]:
    """Make files for their owner only: databases, backups, lists of codes."""
    before = os.umask(PRIVATE)
    try:
        yield
    finally:
        os.umask(before)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="engage")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Ask families in their own language, on a phone or on paper, and give back what was heard."""
    if ctx.invoked_subcommand != "words":  # translations are part of the source, for everybody to read
        ctx.with_resource(private_files())
