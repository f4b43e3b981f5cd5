"""`engage paper`: create blank forms, packets, and cards as PDF files."""

import os
from io import BytesIO
from pathlib import Path
from typing import TypedDict, Unpack

import click

from engage.base.catalogs import catalogue
from engage.base.config import Settings
from engage.base.languages import LANGUAGES
from engage.cli.card import card
from engage.cli.editions import shipped_edition
from engage.cli.output_files import write_output
from engage.cli.packet import packet
from engage.domain.security.form_serials import UNREGISTERED_MOST, unregistered_serial


class BlankOptions(TypedDict):
    """The options of `engage paper blank` for how a sheet is printed."""

    language: str
    second: str | None
    arrangement: str
    size: str
    style: str


@click.group()
def paper() -> None:
    """Create forms and packets as PDF files."""


paper.add_command(packet)
paper.add_command(card)


@paper.command()
@click.argument("slug")
@click.option("--language", required=True, type=click.Choice(list(LANGUAGES)), help="Language of the form.")
@click.option("--second", type=click.Choice(list(LANGUAGES)), help="Second language on the same form.")
@click.option(
    "--arrangement",
    default="under",
    type=click.Choice(["under", "beside"]),
    show_default=True,
    help="Position of the second language.",
)
@click.option("--paper", "size", default="letter", type=click.Choice(["letter", "a4"]), show_default=True)
@click.option("--style", default="standard", type=click.Choice(["standard", "large", "compact"]), show_default=True)
@click.option("--large-print", is_flag=True, help="18-point type, the same as --style large.")
@click.option("--copies", default=1, type=click.IntRange(1, UNREGISTERED_MOST), show_default=True)
@click.option("-o", "out", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.pdf")
def blank(slug: str, out: Path, copies: int, large_print: bool, **options: Unpack[BlankOptions]) -> None:
    """Write blank forms of the survey SLUG as a PDF.

    Each copy has its own number. The numbers begin with X, because these forms belong to no print run.
    """
    # Imported here so that `engage --help` does not import fonts and ReportLab.
    from engage.domain.paper.form import blank as sheets
    from engage.domain.paper.form.cover import Cover
    from engage.domain.paper.form.questions import TooTall
    from engage.domain.paper.form.typesetter import SheetFormat, SurveyInLanguage
    from engage.domain.paper.typesetting.fonts import MissingFont
    from engage.domain.paper.typesetting.shaping import MissingGlyph

    language, second = options["language"], options["second"]
    if second == language:
        raise click.ClickException("--second must be a different language from --language")
    settings, edition, output = Settings.read(os.environ), shipped_edition(slug), BytesIO()
    format = SheetFormat(
        options["size"],
        "large" if large_print else options["style"],
        SurveyInLanguage(second, edition.survey(second), catalogue(second)) if second else None,
        options["arrangement"],
        fonts=Path(settings.font_dir) if settings.font_dir else None,
    )
    first = SurveyInLanguage(language, edition.survey(language), catalogue(language))
    serials = [unregistered_serial(number) for number in range(copies)]
    try:
        sheets.write_sheets(output, edition, first, Cover(settings.district_name), format, serials=serials)
    except (MissingFont, MissingGlyph, TooTall) as problem:
        raise click.ClickException(str(problem)) from problem
    write_output(out, output.getvalue())
