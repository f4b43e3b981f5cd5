"""`engage paper packet`: draw a school's packet in this process, without a worker."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import Engine

from engage.base.catalogs import catalogue
from engage.base.config import Settings
from engage.cli.output_files import check_writable
from engage.domain.security.audit_anchor import record_cli_event
from engage.questionnaire.text_cleaning import is_possible_id
from engage.services.site_database import open_database, read_settings
from engage.storage.engine import read_session, write_session
from engage.storage.models.paper import Packet
from engage.storage.models.waves import Wave

if TYPE_CHECKING:
    from engage.domain.paper.documents.packet import WrittenPacket
    from engage.domain.paper.documents.packet_model import PacketContent
    from engage.services.printing.orders import PacketRequest

TELLS = 1.0  # seconds between progress messages
DIGITS = 9  # of a number of sets; Python limits the length of numbers that it parses


@click.command()
@click.argument("wave")
@click.option("--school", help="The school's ID.")
@click.option("--all-schools", is_flag=True, help="One packet for each school of the wave. -o names a folder.")
@click.option(
    "--language", "blanks", multiple=True, metavar="es=30", help="Language and number of blank sets. Can be repeated."
)
@click.option("--paper", default="letter", show_default=True, metavar="letter|a4")
@click.option("--style", default="standard", show_default=True, metavar="standard|large|compact")
@click.option("--second", metavar="LANGUAGE", help="Second language on every form.")
@click.option("--arrangement", default="under", show_default=True, metavar="under|beside")
@click.option(
    "--outside", default="window", show_default=True, metavar="window|code", help="Show names, or numbers only."
)
@click.option("--new", is_flag=True, help="Number new forms, even if the same packet exists.")
@click.option("-o", "out", required=True, type=click.Path(path_type=Path), metavar="FILE.pdf")
def packet(
    wave: str, school: str | None, all_schools: bool, blanks: tuple[str, ...], out: Path, new: bool, **options: Any
) -> None:
    """Print the packet of a school in WAVE: a set for each household in its language, or a number of blank sets.

    Requesting the same packet again gives the same file, with the same numbers and codes, unless --new is set.
    """
    # Imported here so that `engage --help` does not import fonts and ReportLab.
    from engage.services.printing.layouts import Unprintable
    from engage.services.printing.messages import format_message
    from engage.services.printing.orders import PacketRefused, PacketRequest

    copies = _parse_copies(blanks)
    request = PacketRequest(contents="blanks" if copies else "households", copies=copies, **options)
    if bool(school) == all_schools:
        raise click.ClickException("name one school with --school, or use --all-schools")
    _check_output(out, all_schools)
    if not (is_possible_id(wave) and is_possible_id(school or "")):
        raise click.ClickException("the ID of the wave or of the school contains an invalid character")
    settings = read_settings()
    try:
        with open_database(settings) as engine:
            if school:
                _PacketPrinter(settings, engine, out).run(wave, school, request, new)
            else:
                _print_all(settings, engine, out, wave, (request, new))
    except (PacketRefused, Unprintable) as problem:
        raise click.ClickException(format_message(problem.code, problem.values, catalogue("en"), "en")) from problem


def _check_output(out: Path, all_schools: bool) -> None:
    """Refuse a place that cannot be written, before sheets are numbered."""
    if all_schools:
        out.mkdir(parents=True, exist_ok=True)
    check_writable(out / "packet.pdf" if all_schools else out)


def _print_all(settings: Settings, engine: Engine, folder: Path, wave: str, how: "tuple[PacketRequest, bool]") -> None:
    """Print the packet of each school of the wave. A school without households is passed over. Raises PacketRefused,
    Unprintable."""
    from engage.services.printing.orders import PacketRefused

    with read_session(engine) as session:
        row = session.get(Wave, wave)
        schools = [school.id for school in row.schools] if row else []
    if not schools:
        raise click.ClickException(f"there is no wave {wave!r}, or it has no schools")
    for school in schools:
        try:
            _PacketPrinter(settings, engine, folder / f"{wave}-{school}.pdf").run(wave, school, *how)
        except PacketRefused as refused:
            if refused.code != "empty":
                raise
            click.echo(f"{school}: no household, so no packet", err=True)


def _parse_copies(blanks: tuple[str, ...]) -> dict[str, int]:
    """Language tag to number of blank sets."""
    copies: dict[str, int] = {}
    for text in blanks:
        tag, _, number = text.partition("=")
        if not (tag and number.isascii() and number.isdecimal() and len(number) <= DIGITS):
            raise click.ClickException(f"--language {text[:40]}: write a language and a number, like es=30")
        copies[tag] = copies.get(tag, 0) + int(number)
    return copies


class _PacketPrinter:
    """Numbers the sheets of a packet, then draws it; if drawing fails, the numbering is withdrawn."""

    def __init__(self, settings: Settings, engine: Engine, out: Path) -> None:
        from engage.domain.security.encryption import Sealer
        from engage.services.printing.sheets import PrintContext

        self.settings, self.engine, self.out = settings, engine, out
        self.sealer, self.now = Sealer.of(settings), datetime.now(UTC)
        self.today = settings.local_day(self.now)
        self.context = PrintContext(settings, self.sealer, self.today)

    def run(self, wave: str, school: str, request: "PacketRequest", new: bool) -> None:
        """Write the file. Raises PacketRefused, Unprintable."""
        from engage.services.printing import rendering

        id, fresh = self._numbered(wave, school, request, new)
        try:
            with read_session(self.engine) as session:
                pile = rendering.build_packet_content(session, self.settings, self.sealer, session.get_one(Packet, id))
            written = rendering.draw_packet(self.out, pile, _ProgressPrinter())
        except BaseException:  # Ctrl-C too: sheets numbered for no file must not count as missing
            if fresh:
                self._taken_back(id)
            raise
        self._noted(id, pile, written)
        click.echo(f"{self.out}: {len(pile.sets):,} sets, {written.pages:,} pages.", err=True)

    def _numbered(self, wave: str, school: str, request: "PacketRequest", new: bool) -> tuple[str, bool]:
        """Returns the packet's id, and whether its sheets are new."""
        from engage.services.printing import orders
        from engage.services.printing.reprints import find_same_packet

        with read_session(self.engine) as session:
            order = orders.prepare_order(session, self.context, wave, school, request)
            if not new and (there := find_same_packet(session, order)):
                return there.id, False
        with write_session(self.engine) as session:
            # ready: the worker must not draw it too
            created = orders.create_packet(session, self.context, order, by=None, state="ready")
            if created.codes:
                about: dict[str, int | str] = {"codes": created.codes, "packet": created.packet.id, "school": school}
                record_cli_event(session, self.settings, self.now, "make access codes", wave, **about)
            session.commit()
        return created.packet.id, True

    def _noted(self, id: str, pile: "PacketContent", written: "WrittenPacket") -> None:
        from engage.services.printing import rendering

        with write_session(self.engine) as session:
            printed = session.get_one(Packet, id)
            rendering.record_drawing(session, printed, pile, written, self.today)
            printed.state = "ready" if printed.state == "failed" else printed.state
            about: dict[str, int | str] = {"packet": id, "school": printed.school_id}
            record_cli_event(session, self.settings, self.now, "download packet", printed.wave_id, **about)
            session.commit()

    def _taken_back(self, id: str) -> None:
        from engage.services.printing.sheets import discard_packet

        with write_session(self.engine) as session:
            discard_packet(session, session.get_one(Packet, id))
            session.commit()


class _ProgressPrinter:
    """Prints progress on standard error."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, drawn: int, pages: int) -> bool:
        if time.monotonic() - self.last >= TELLS:
            self.last = time.monotonic()
            click.echo(f"{drawn:,} of {pages:,} pages", err=True)
        return True
