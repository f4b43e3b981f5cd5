"""Orders of packets for a school: preparing, creating, cancelling, and requesting again. The staff page and the command
line share this; the worker draws the packets (engage/services/tasks). No Flask.

    with read_session(engine) as session:
        order = prepare_order(session, context, wave_id, school_id, want)  # slow: tries every layout
    with write_session(engine) as session:
        created = create_packet(session, context, order, by=person.id)
        session.commit()
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random, SystemRandom
from secrets import token_hex

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.packet_model import SetLayout
from engage.domain.paper.form.elements import PAPERS
from engage.domain.paper.form.sizes import STYLES
from engage.domain.roster.import_state import find_unfinished_import
from engage.domain.security.encryption import Sealer
from engage.services.printing.layouts import Unprintable, build_set_layout, find_unprintable, store_layouts
from engage.services.printing.recipients import Recipient, list_recipients
from engage.services.printing.rendering import is_linked, is_stale, packet_path
from engage.services.printing.sheets import (
    LinkedSets,
    PrintContext,
    has_lost_links,
    needs_access_codes,
    number_linked_sheets,
    number_sheets,
    spoil_sheets,
    withdraw_packet_codes,
)
from engage.storage.models.paper import Packet
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave

RNG = SystemRandom()
IN_PROGRESS = ("waiting", "drawing")  # states of a packet
UNNUMBERED = "{}"  # a packet's `asked` until its sheets are numbered; no order has no sets
MOST = 20_000  # sets in one packet: more than the largest school's households
CONTENTS, OUTSIDES, ARRANGEMENTS = ("households", "blanks"), ("window", "code"), ("under", "beside")
Kinds = Mapping[tuple[str, bool], SetLayout]


@dataclass(frozen=True, slots=True)
class PacketRequest:
    """A request for a packet. `contents`: "households" (a set for each, in its language) or "blanks" (`copies`: number
    of sets by language). `paper`: "letter" or "a4". `style`: "standard", "large" or "compact". `second`: a second
    language on every sheet, `arrangement` "under" or "beside". `outside`: "window" (the greeting, where names are
    stored) or "code" (the serial)."""

    contents: str = "households"
    copies: Mapping[str, int] = field(default_factory=dict)
    paper: str = "letter"
    style: str = "standard"
    second: str | None = None
    arrangement: str = "under"
    outside: str = "window"


MessageValues = Mapping[str, str | int]
"""The values of a message's placeholders, by name."""


class PacketRefused(Exception):
    """A packet that cannot be created; `code` and `values` are the reason, `messages.explain_refusal` its text.

    Codes: wave, school, not_paper, closed, choice, language, copies, many, empty, state, importing, changed, and those
    of Unprintable.
    """

    def __init__(self, code: str, **values: str | int) -> None:
        super().__init__(code, values)
        self.code, self.values = code, values


@dataclass(frozen=True, slots=True)
class PacketOrder:
    """A prepared request. `sets`: number of sets by language, in the order of the wave's languages; `homes`: the
    recipients, with names if these are printed; `sealer` opens the labels of earlier packets."""

    wave_id: str
    school_id: str
    want: PacketRequest
    sets: Mapping[str, int]
    kinds: Kinds = field(repr=False)
    homes: Sequence[Recipient] = field(default=(), repr=False)
    sealer: Sealer | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CreatedPacket:
    """A created packet. `codes`: how many access codes were made for it, for the audit log."""

    packet: Packet
    sets: int
    codes: int


def prepare_order(
    session: Session, context: PrintContext, wave_id: str, school_id: str, want: PacketRequest
) -> PacketOrder:
    """Check a request and try every layout; a read session is enough. Raises PacketRefused."""
    settings, sealer = context.settings, context.sealer
    wave, school = _find_wave_and_school(session, wave_id, school_id, context.today)
    _validate_request(wave, want)
    linked = is_linked(wave, want.contents)
    _require_roster(session, want)
    homes = _select_recipients(session, settings, sealer, wave, school, want)
    sets = _count_sets(wave, school, want, homes)
    coded = (False, True) if linked and needs_access_codes(wave) else (False,)
    try:
        kinds = {(tag, each): build_set_layout(settings, wave, want, tag, each) for tag in sets for each in coded}
    except Unprintable as problem:
        raise PacketRefused(problem.code, **problem.values) from problem
    if linked:
        _check_printable_names(homes, school, want, kinds)
    return PacketOrder(wave.id, school.id, want, sets, kinds, homes, sealer)


def create_packet(
    session: Session,
    context: PrintContext,
    order: PacketOrder,
    *,
    by: int | None,
    rng: Random = RNG,
    state: str = "waiting",
) -> CreatedPacket:
    """Create a packet and number its sheets. The caller commits; after that the worker draws it, unless `state` says
    otherwise. Other writers wait for this transaction, so names were opened before it. Raises PacketRefused."""
    packet = build_packet(order, by, context.today)
    packet.state = state
    return number_packet(session, context, order, packet, rng)


def number_packet(
    session: Session, context: PrintContext, order: PacketOrder, packet: Packet, rng: Random = RNG
) -> CreatedPacket:
    """Number the sheets of a packet by its order. The caller commits. Raises PacketRefused."""
    wave, school = _find_wave_and_school(session, order.wave_id, order.school_id, context.today)
    packet.asked, packet.classes = _counts_json(order)
    linked, homes, sets = is_linked(wave, order.want.contents), order.homes, order.sets
    _require_roster(session, order.want)
    if order.want.contents == "households" and _recipient_keys(homes) != _recipient_keys(
        list_recipients(session, wave, school, None)
    ):
        raise PacketRefused("changed")  # a roster was imported after the order was prepared
    store_layouts(session, wave, order.kinds, context.today)
    session.add(packet)
    session.flush()
    if linked:
        codes = number_linked_sheets(session, context, packet, LinkedSets(wave, school, homes, order.kinds), rng)
    else:
        number_sheets(session, packet, sets, order.kinds, rng)
        codes = 0
    return CreatedPacket(packet, sum(sets.values()), codes)


def requeue_packet(session: Session, settings: Settings, packet: Packet) -> bool:
    """Have a packet drawn again from its rows, with the same bytes, if its file is gone or drawing failed. Returns
    whether it will be drawn. The caller commits. Raises PacketRefused: state (it was cancelled), forgotten (its rows
    are gone, or a set in it must not be printed any more)."""
    session.refresh(packet, with_for_update=True)
    if packet.state == "cancelled":
        raise PacketRefused("state")
    if packet.state in ("waiting", "drawing") or packet_file(settings, packet):
        return False
    if has_lost_links(session, packet) or is_stale(session, packet):
        raise PacketRefused("forgotten")
    packet.state, packet.problem, packet.drawn = "waiting", "", 0
    session.flush()
    return True


def cancel_packet(session: Session, packet: Packet) -> None:
    """Cancel a packet that is waiting, being drawn, or failed: its sheets are spoiled and codes made for it withdrawn.
    A packet that was ready before, and may have been printed, is only not drawn again. The caller commits. Raises
    PacketRefused (state)."""
    session.refresh(packet, with_for_update=True)
    if packet.state not in ("waiting", "drawing", "failed"):
        raise PacketRefused("state")
    if packet.digest is not None:
        packet.state, packet.problem = "ready", ""
    else:
        packet.state = "cancelled"
        spoil_sheets(session, packet)
        withdraw_packet_codes(session, packet)
    session.flush()


def packet_file(settings: Settings, packet: Packet) -> Path | None:
    """The packet's PDF, if it can be downloaded."""
    path = packet_path(settings, packet.id)
    return path if packet.state == "ready" and path.is_file() else None


def _find_wave_and_school(session: Session, wave_id: str, school_id: str, today: date) -> tuple[Wave, School]:
    wave, school = session.get(Wave, wave_id), session.get(School, school_id)
    if wave is None or not wave.is_for_families:
        running = select(Wave.id).where(Wave.closes >= today, Wave.is_for_families)
        wave_ids = session.scalars(running.order_by(Wave.id)).all()
        raise PacketRefused("wave", wave=wave_id, known=", ".join(wave_ids))
    if school is None or school not in wave.schools:
        raise PacketRefused(
            "school", school=school_id, wave=wave.title, known=", ".join(each.id for each in wave.schools)
        )
    if wave.closes < today:
        raise PacketRefused("closed", wave=wave.title, closes=wave.closes.isoformat())
    return wave, school


def _validate_request(wave: Wave, want: PacketRequest) -> None:
    if "paper" not in wave.modes.split():
        raise PacketRefused("not_paper", wave=wave.title)
    choices = {
        "contents": (want.contents, CONTENTS),
        "paper": (want.paper, tuple(PAPERS)),
        "style": (want.style, tuple(STYLES)),
        "arrangement": (want.arrangement, ARRANGEMENTS),
        "outside": (want.outside, OUTSIDES),
    }
    for name, (value, allowed) in choices.items():
        if value not in allowed:
            raise PacketRefused("choice", name=name, value=value, known=", ".join(allowed))
    for tag in (*want.copies, *([want.second] if want.second else [])):
        if tag not in wave.offered or tag not in LANGUAGES:
            raise PacketRefused("language", language=tag, wave=wave.title, known=", ".join(wave.offered))


def _require_roster(session: Session, want: PacketRequest) -> None:
    """Refuse a packet for households while a roster is being imported. Raises PacketRefused."""
    if want.contents == "households" and find_unfinished_import(session):
        raise PacketRefused("importing")


def _select_recipients(
    session: Session, settings: Settings, sealer: Sealer, wave: Wave, school: School, want: PacketRequest
) -> list[Recipient]:
    """The recipients of the sets; names are read only if they are printed."""
    if want.contents != "households":
        return []
    named = settings.keep_names and is_linked(wave, want.contents)
    return list_recipients(session, wave, school, sealer if named else None)


def _recipient_keys(homes: Iterable[Recipient]) -> set[tuple[object, ...]]:
    """The recipients without their names, for comparison."""
    return {(each.unit, each.language, each.group, each.number) for each in homes}


def _count_sets(wave: Wave, school: School, want: PacketRequest, homes: Iterable[Recipient]) -> dict[str, int]:
    """The number of sets in each language. Raises PacketRefused."""
    counts = Counter(each.language for each in homes) if want.contents == "households" else Counter(want.copies)
    if any(copies < 1 for copies in counts.values()) or (want.contents == "blanks" and not counts):
        raise PacketRefused("copies", most=MOST)
    if not counts:
        raise PacketRefused("empty", school=school.name, wave=wave.title)
    if counts.total() > MOST:
        raise PacketRefused("many", sets=counts.total(), most=MOST)
    for tag in counts:
        if tag not in LANGUAGES:
            raise PacketRefused("language", language=tag, wave=wave.title, known=", ".join(LANGUAGES))
    return {tag: counts[tag] for tag in wave.offered if tag in counts}


def _check_printable_names(homes: Iterable[Recipient], school: School, want: PacketRequest, kinds: Kinds) -> None:
    """Refuse names that cannot be printed, before any sheet is numbered. Raises PacketRefused."""
    used: dict[str, set[str]] = {}
    for each in homes:
        used.setdefault(each.language, set()).update(*each.lines(school, "", want.outside))
    for language, characters in used.items():
        for character in sorted(characters):
            if symbol := find_unprintable(character, kinds[language, False]):
                raise PacketRefused("name_glyph", character=symbol)


def _counts_json(order: PacketOrder) -> tuple[str, str]:
    """The number of sets by language, and by class and language, as a packet stores them."""
    return json.dumps(dict(order.sets)), json.dumps(count_sets_by_class(order.homes), ensure_ascii=False)


def build_packet(order: PacketOrder, by: int | None, today: date) -> Packet:
    """The row of a packet without its state."""
    want, (households, classes) = order.want, _counts_json(order)
    return Packet(
        id=token_hex(16),
        wave_id=order.wave_id,
        school_id=order.school_id,
        contents=want.contents,
        outside=want.outside,
        paper=want.paper,
        style=want.style,
        second=want.second or None,
        arrangement=want.arrangement,
        asked=households,
        classes=classes,
        made_by=by,
        made_on=today,
    )


def count_sets_by_class(homes: Iterable[Recipient]) -> dict[str, dict[str, int]]:
    """Number of sets by class and language; {} if no class is known."""
    counts: dict[str, Counter[str]] = {}
    for each in homes:
        counts.setdefault(each.group, Counter())[each.language] += 1
    return {name: dict(numbers) for name, numbers in counts.items()} if any(counts) else {}
