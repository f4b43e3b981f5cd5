"""`engage words`: the words of the interface and the surveys, from source to translators and back."""

from pathlib import Path

import click
from babel.messages.catalog import Catalog
from jinja2 import TemplateSyntaxError

from engage.base.languages import (
    DOMAINS,
    LANGUAGES,
    BrokenWords,
    compile_catalogues,
    default_catalogue_dir,
    po_path,
    shipped,
)
from engage.cli import message_catalogs
from engage.questionnaire.parser import SurveyProblems

_root = click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=lambda: shipped("translations").parent,
    show_default="the checkout",
    help="The checkout to work in.",
)


@click.group()
def words() -> None:
    """Extract, merge, check and compile translations."""


@words.command()
@_root
def extract(root: Path) -> None:
    """Write translations/family.pot, staff.pot and surveys.pot from the source."""
    for domain in DOMAINS:
        catalog = _extracted(root, domain)
        _write(message_catalogs.pot_path(root, domain), message_catalogs.text_of(catalog, domain), len(catalog))


@words.command()
@_root
def update(root: Path) -> None:
    """Merge the source's words into every language's .po files, keeping its translations."""
    for domain in DOMAINS:
        template = _extracted(root, domain)
        for language in LANGUAGES.values():
            if not language.source:
                path = po_path(language.tag, domain, root / "translations")
                _write(path, _merged(root, language.tag, domain, template), len(template))


@words.command()
@_root
def check(root: Path) -> None:
    """Exit 1, with a line per problem, unless every word is there and sound in every language."""
    found = list(message_catalogs.faults(root))
    for line in found:
        click.echo(line)
    if found:
        raise SystemExit(1)


@words.command("compile")
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), default=default_catalogue_dir)
def compile_(directory: Path) -> None:
    """Compile the words that have changed (the server also does it when it starts)."""
    try:
        written = compile_catalogues(directory)
    except BrokenWords as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{directory}: {len(written)} compiled" if written else f"{directory}: nothing has changed")


def _extracted(root: Path, domain: str) -> Catalog:
    try:
        return message_catalogs.extract(root, domain)
    except (SurveyProblems, message_catalogs.NoTextDomain) as error:
        raise click.ClickException(str(error)) from None
    except TemplateSyntaxError as error:
        raise click.ClickException(f"a template, line {error.lineno}: {error.message}; mend it first") from None


def _merged(root: Path, tag: str, domain: str, template: Catalog) -> bytes:
    try:
        return message_catalogs.update(root, LANGUAGES[tag], domain, template)
    except BrokenWords as error:
        raise click.ClickException(str(error)) from None


def _write(path: Path, content: bytes, count: int) -> None:
    changed = not path.is_file() or path.read_bytes() != content
    if changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    click.echo(f"{path}: {count} texts{'' if changed else ', unchanged'}")
