"""A school's packet of paper: asked for, cancelled, asked for again. The staff page and the command line share this;
the worker draws what is asked for (engage/jobs). Knows no request.

    with reading(engine) as session:
        order = packets.order(session, settings, sealer, wave_id, school_id, want, today)   # slow: tries every layout
    with writing(engine) as session:
        made = packets.ask(session, settings, sealer, order, by=person.id, today=today)
        session.commit()
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random, SystemRandom

from sqlalchemy.orm import Session

from engage.access.sealing import Sealer
from engage.config import Settings
from engage.records.sheets import Packet

RNG = SystemRandom()
MOST = 20_000  # sets in one packet: more than the largest school's households


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person wants printed. `contents`: "households" (a set for each, in its language) or "blanks" (`copies`: so
    many sets in each language). `paper`: "letter" or "a4". `style`: "standard", "large" or "compact". `second`: a
    second language on every sheet, `arrangement` "under" or "beside". `outside`: "window" (the greeting, where names
    are kept) or "code" (the serial)."""

    contents: str = "households"
    copies: Mapping[str, int] = field(default_factory=dict)
    paper: str = "letter"
    style: str = "standard"
    second: str | None = None
    arrangement: str = "under"
    outside: str = "window"


class Refused(Exception):
    """A packet that cannot be; `code` and `values` say why, `packets_words.sentence` says it to people.

    Codes: wave, school, not_paper, closed, contents, choice, language, copies, many, empty, font, glyph, name_glyph,
    tall, words, state, forgotten."""

    def __init__(self, code: str, **values: str | int) -> None:
        super().__init__(code, values)
        self.code, self.values = code, values


@dataclass(frozen=True, slots=True)
class Order:
    """What was found to be possible. `sets`: language to how many."""

    wave_id: str
    school_id: str
    want: Wanted
    sets: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Made:
    """`codes`: how many access codes were made for it, for the audit log."""

    packet: Packet
    sets: int
    codes: int


def order(
    session: Session, settings: Settings, sealer: Sealer, wave_id: str, school_id: str, want: Wanted, today: date
) -> Order:
    """Look whether it can be, and try every layout; a reading session will do. Raises Refused."""
    raise NotImplementedError


def ask(
    session: Session,
    settings: Settings,
    sealer: Sealer,
    order: Order,
    *,
    by: int | None,
    today: date,
    rng: Random = RNG,
) -> Made:
    """Number its sheets. The caller commits; from then on the worker draws it. Raises Refused."""
    raise NotImplementedError


def again(session: Session, settings: Settings, packet: Packet) -> bool:
    """Have it drawn again from its rows, with the same bytes, where its file is gone or drawing failed; returns whether
    anything is to be drawn. The caller commits. Raises Refused (state: it was cancelled; forgotten: its rows are gone)."""
    raise NotImplementedError


def cancel(session: Session, packet: Packet) -> None:
    """Give up a packet that waits, is being drawn or failed: its sheets are spoiled, codes made for it withdrawn. One that was
    ready before only stays as it was. The caller commits. Raises Refused (state)."""
    raise NotImplementedError


def file(settings: Settings, packet: Packet) -> Path | None:
    """The packet's PDF, if it is there to be downloaded."""
    raise NotImplementedError
