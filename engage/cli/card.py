"""`engage paper card`: a card with pictures to point at, for interviews."""

import os
from io import BytesIO
from pathlib import Path

import click

from engage.base.catalogs import catalogue
from engage.base.config import Settings
from engage.base.languages import LANGUAGES
from engage.cli.editions import shipped_edition
from engage.cli.output_files import write_output


@click.command()
@click.argument("slug")
@click.option("--language", required=True, type=click.Choice(list(LANGUAGES)), help="Language of the card.")
@click.option("--second", type=click.Choice(list(LANGUAGES)), help="Second language, under the first.")
@click.option("--paper", "size", default="letter", type=click.Choice(["letter", "a4"]), show_default=True)
@click.option("-o", "out", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.pdf")
def card(slug: str, language: str, second: str | None, size: str, out: Path) -> None:
    """Write a card with pictures for the scales of the survey SLUG as a PDF."""
    # Imported here so that `engage --help` does not import fonts and ReportLab.
    from engage.domain.paper.documents import pointing_card as cards
    from engage.domain.paper.form.typesetter import SheetFormat, SurveyInLanguage
    from engage.domain.paper.typesetting.fonts import MissingFont
    from engage.domain.paper.typesetting.shaping import MissingGlyph

    if second == language:
        raise click.ClickException("--second must be a different language from --language")
    settings, edition, output = Settings.read(os.environ), shipped_edition(slug), BytesIO()
    fonts = Path(settings.font_dir) if settings.font_dir else None
    first = SurveyInLanguage(language, edition.survey(language), catalogue(language))
    other = SurveyInLanguage(second, edition.survey(second), catalogue(second)) if second else None
    try:
        cards.write_card(output, edition, first, SheetFormat(size, second=other, fonts=fonts))
    except (MissingFont, MissingGlyph) as problem:
        raise click.ClickException(str(problem)) from problem
    write_output(out, output.getvalue())
