"""`engage words`: extract, merge, check, and compile translations of the interface and the surveys."""

from pathlib import Path

import click
from babel.messages.catalog import Catalog
from jinja2 import TemplateSyntaxError

from engage.base.catalogs import DOMAINS, BrokenCatalogue, compile_catalogues, default_catalogue_dir, po_path
from engage.base.languages import LANGUAGES, shipped_folder
from engage.cli import message_catalogs
from engage.cli.glossary import glossary_faults
from engage.questionnaire.parser import SurveyProblems

_root_option = click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=lambda: shipped_folder("translations").parent,
    show_default="the checkout",
    help="Directory of the source code.",
)


@click.group()
def words() -> None:
    """Extract, merge, check, and compile translations."""


@words.command()
@_root_option
def extract(root: Path) -> None:
    """Write translations/family.pot, staff.pot and surveys.pot from the source."""
    for domain in DOMAINS:
        catalog = _extract_catalog(root, domain)
        _write_if_changed(
            message_catalogs.pot_path(root, domain), message_catalogs.format_catalog(catalog, domain), len(catalog)
        )


@words.command()
@_root_option
def update(root: Path) -> None:
    """Merge the source's texts into every language's .po files, keeping existing translations."""
    for domain in DOMAINS:
        template = _extract_catalog(root, domain)
        for language in LANGUAGES.values():
            if not language.source:
                path = po_path(language.tag, domain, root / "translations")
                _write_if_changed(path, _merge_catalog(root, language.tag, domain, template), len(template))


@words.command()
@_root_option
def check(root: Path) -> None:
    """Exit 1, with one line per problem, unless every text has a valid translation in every language."""
    faults = [*message_catalogs.find_faults(root), *glossary_faults(root)]
    for line in faults:
        click.echo(line)
    if faults:
        raise SystemExit(1)


@words.command("compile")
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), default=default_catalogue_dir)
def compile_(directory: Path) -> None:
    """Compile catalogs that have changed (the server also does this when it starts)."""
    try:
        written = compile_catalogues(directory)
    except BrokenCatalogue as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{directory}: {len(written)} compiled" if written else f"{directory}: nothing has changed")


def _extract_catalog(root: Path, domain: str) -> Catalog:
    try:
        return message_catalogs.extract_catalog(root, domain)
    except (SurveyProblems, message_catalogs.NoTextDomain) as error:
        raise click.ClickException(str(error)) from None
    except TemplateSyntaxError as error:
        raise click.ClickException(f"a template, line {error.lineno}: {error.message}; correct it first") from None


def _merge_catalog(root: Path, tag: str, domain: str, template: Catalog) -> bytes:
    try:
        return message_catalogs.update_catalog(root, LANGUAGES[tag], domain, template)
    except BrokenCatalogue as error:
        raise click.ClickException(str(error)) from None


def _write_if_changed(path: Path, content: bytes, count: int) -> None:
    changed = not path.is_file() or path.read_bytes() != content
    if changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    click.echo(f"{path}: {count} texts{'' if changed else ', unchanged'}")
