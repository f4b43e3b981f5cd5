"""The ledger of printed sheets: their states by packet, by older print run, and in total.

In an anonymous wave, a packet for households reveals how many of them read a language. Returned sheets are therefore
shown only for all languages together, and only for LEAST sets or more; otherwise one keyed sheet would reveal which
family answered.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from engage.storage.language_groups import LEAST
from engage.storage.models.paper import Packet, PrintRun, Sheet
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave

MOST_ROWS = 100  # older print runs on one page


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """Sheets of one language: `printed` = `out` + `keyed` + `spoiled` + `missing`. `out` and `keyed` may be shown only
    if the line is `told`."""

    language: str
    printed: int
    out: int
    keyed: int
    spoiled: int
    told: bool = True

    @property
    def missing(self) -> int:
        """Sheets that were numbered and have no row; 0 if the ledger balances."""
        return self.printed - self.out - self.keyed - self.spoiled


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A row of the list: a packet, or an older print run."""

    wave: Wave
    school: School
    total: LedgerLine
    languages: tuple[str, ...]
    packet: Packet | None = None
    run: PrintRun | None = None


def packet_lines(session: Session, wave: Wave, packet: Packet) -> list[LedgerLine]:
    """One line for each language of the packet, in the wave's order."""
    runs = session.scalars(select(PrintRun).where(PrintRun.packet_id == packet.id)).all()
    counted, is_visible = _count_sheet_states(session, [run.id for run in runs]), not is_suppressed(wave, packet)
    tags = sorted({run.language for run in runs}, key=_language_order(wave))
    return [
        _build_line(tag, [run for run in runs if run.language == tag], counted, is_visible=is_visible) for tag in tags
    ]


def sum_lines(some: Sequence[LedgerLine]) -> LedgerLine:
    """The sums over some lines, without a language."""
    printed, out, keyed, spoiled = (
        sum(getattr(line, name) for line in some) for name in ("printed", "out", "keyed", "spoiled")
    )
    return LedgerLine("", printed, out, keyed, spoiled, all(line.told for line in some) or printed >= LEAST)


def is_suppressed(wave: Wave, packet: Packet) -> bool:
    """Whether the packet's lines could reveal single families, and must be suppressed."""
    return wave.identity == "anonymous" and packet.contents == "households"


def select_packets(school_ids: Collection[str] | None) -> Select[Packet]:
    """The packets of these schools, the newest first; None: of all schools."""
    newest = select(Packet).order_by(Packet.made_on.desc(), Packet.id)
    return newest if school_ids is None else newest.where(Packet.school_id.in_(school_ids))


def build_packet_rows(session: Session, packets: Sequence[Packet]) -> list[LedgerRow]:
    """The rows of these packets, read together."""
    runs = list(session.scalars(select(PrintRun).where(PrintRun.packet_id.in_([packet.id for packet in packets]))))
    counted = _count_sheet_states(session, [run.id for run in runs])
    _load_schools(session, packets)
    return [
        _build_row(session, packet, [run for run in runs if run.packet_id == packet.id], counted) for packet in packets
    ]


def list_older_print_runs(session: Session, school_ids: Collection[str] | None) -> list[LedgerRow]:
    """The newest print runs from before packets existed."""
    newest = select(PrintRun).where(PrintRun.packet_id.is_(None))
    newest = newest.order_by(PrintRun.printed_on.desc(), PrintRun.id).limit(MOST_ROWS)
    runs = list(session.scalars(newest if school_ids is None else newest.where(PrintRun.school_id.in_(school_ids))))
    counted = _count_sheet_states(session, [run.id for run in runs])
    _load_schools(session, runs)
    return [_build_row(session, run, [run], counted) for run in runs]


def _load_schools(session: Session, rows: Sequence[Packet | PrintRun]) -> None:
    """Load the schools of rows into the session in one statement, from which `_build_row` then has them."""
    session.scalars(select(School).where(School.id.in_({row.school_id for row in rows}))).all()


def _build_row(
    session: Session, one: Packet | PrintRun, runs: Sequence[PrintRun], counted: dict[tuple[str, str], int]
) -> LedgerRow:
    wave, school = session.get_one(Wave, one.wave_id), session.get_one(School, one.school_id)
    tags = tuple(sorted({run.language for run in runs}, key=_language_order(wave)))
    packet, run = (one, None) if isinstance(one, Packet) else (None, one)
    line = _build_line("", runs, counted)
    is_visible = packet is None or not is_suppressed(wave, packet) or line.printed >= LEAST
    return LedgerRow(wave, school, replace(line, told=is_visible), tags, packet, run)


def _language_order(wave: Wave) -> Callable[[str], int]:
    places = {tag: place for place, tag in enumerate(wave.offered)}
    return lambda tag: places.get(tag, len(places))


def _build_line(
    tag: str, runs: Sequence[PrintRun], counted: dict[tuple[str, str], int], *, is_visible: bool = True
) -> LedgerLine:
    out, keyed, spoiled = (
        sum(counted.get((run.id, kind), 0) for run in runs) for kind in ("printed", "keyed", "spoiled")
    )
    return LedgerLine(tag, sum(run.copies for run in runs), out, keyed, spoiled, is_visible)


def _count_sheet_states(session: Session, runs: Sequence[str]) -> dict[tuple[str, str], int]:
    counted = select(Sheet.run_id, Sheet.state, func.count()).where(Sheet.run_id.in_(runs))
    return {(run, kind): number for run, kind, number in session.execute(counted.group_by(Sheet.run_id, Sheet.state))}
