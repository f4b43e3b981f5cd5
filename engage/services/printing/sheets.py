"""The sheets of a packet: numbered when it is created, spoiled when it is cancelled."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from random import Random
from secrets import token_hex
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.domain.paper.documents.packet_model import SetLayout
from engage.domain.roster.staging_db import batches
from engage.domain.security import form_serials
from engage.domain.security.access_codes import ACCESS_KEY, digest, generate_access_code
from engage.domain.security.encryption import SealBroken, Sealer, derive_key
from engage.services.printing.recipients import Recipient
from engage.services.printing.rendering import is_linked
from engage.services.waves.invitations import create_invitations, find_uninvited_units
from engage.services.waves.targets import SamplingTarget, TargetKey, target_key
from engage.storage.models.invitations import Invitation
from engage.storage.models.paper import Packet, PrintRun, Sheet, SheetLink
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave

AT_ONCE = 500  # rows per query: databases limit the number of parameters
Kinds = Mapping[tuple[str, bool], SetLayout]
Codes = Mapping[TargetKey, str]


@dataclass(frozen=True, slots=True)
class PrintContext:
    """The site's context for printing: settings, the keys of sealed names, and the district's day."""

    settings: Settings
    sealer: Sealer
    today: date


@dataclass(frozen=True, slots=True)
class LinkedSets:
    """Sets for households of one school: the recipients, and the layouts by language."""

    wave: Wave
    school: School
    homes: Sequence[Recipient]
    kinds: Kinds


def needs_access_codes(wave: Wave) -> bool:
    """Whether a household needs a code to answer on a phone."""
    return wave.entry == "code" and "web" in wave.modes.split()


def number_sheets(session: Session, packet: Packet, sets: Mapping[str, int], kinds: Kinds, rng: Random) -> None:
    """Number unlinked sheets: they are stored in the order of their serials and have no position."""
    fresh = _new_serials(session, sum(sets.values()), rng)
    rows: list[dict[str, object]] = []
    for tag, copies in sets.items():
        run = _create_print_run(session, packet, tag, copies, kinds[tag, False])
        rows += [{"serial": next(fresh), "run_id": run, "position": None} for _ in range(copies)]
    _insert_by_serial(session, Sheet, rows)


def number_linked_sheets(
    session: Session, context: PrintContext, packet: Packet, linked: LinkedSets, rng: Random
) -> int:
    """Number a sheet for each household, with its access code if one is made now or is already on paper. Returns how
    many codes were made."""
    settings, sealer, wave, homes = context.settings, context.sealer, linked.wave, linked.homes
    new_codes = _create_codes(session, settings, wave, homes, rng) if needs_access_codes(wave) else {}
    there = _invitation_digests(session, wave, homes) if len(new_codes) < len(homes) else {}
    key = derive_key(settings.secret().encode(), ACCESS_KEY)
    codes = new_codes | (_read_printed_codes(session, sealer, key, wave, there) if needs_access_codes(wave) else {})
    runs = _PrintRuns(session, packet, homes, codes, wave, linked.kinds)
    seats = zip(_new_serials(session, len(homes), rng), range(1, len(homes) + 1), homes, strict=True)
    for some in batches(sorted(seats, key=lambda seat: seat[0]), AT_ONCE):  # limits the sealed labels in memory
        sheets, links = [], []
        for serial, position, home in some:
            where = _target_key(wave, home.unit)
            code = codes.get(where, "")
            sheets.append({"serial": serial, "run_id": runs.of(home.language, bool(code)), "position": position})
            link: dict[str, object] = {
                "invitation": digest(code, key) if code else there.get(where),
                "minted": bool(code),
            }
            link |= {"label": _seal_label(sealer, home, linked.school, serial, packet.outside, code)}
            link |= {"forget_on": wave.closes + timedelta(days=settings.keep_links_days)}
            about = {"wave_id": wave.id, "identity": wave.identity, "household_id": home.unit.household_id}
            links.append({"serial": serial} | about | link)
        _insert_by_serial(session, Sheet, sheets)
        _insert_by_serial(session, SheetLink, links)
    return len(new_codes)


def _seal_label(sealer: Sealer, home: Recipient, school: School, serial: str, outside: str, code: str) -> bytes:
    """The sealed label, as described at SheetLink.label."""
    label = {
        "to": home.lines(school, serial, outside),
        "class": home.group,
        "code": code,
        "who": home.names,
        "number": home.number,
    }
    return sealer.seal(json.dumps(label, ensure_ascii=False))


def has_lost_links(session: Session, packet: Packet) -> bool:
    """Whether links from the sheets to households were deleted, so that the sheets cannot be drawn again."""
    wave = session.get_one(Wave, packet.wave_id)
    if not is_linked(wave, packet.contents):
        return False
    linked = select(func.count()).select_from(SheetLink).where(SheetLink.serial.in_(_packet_serials(packet)))
    sheets = select(func.count()).select_from(Sheet).where(Sheet.serial.in_(_packet_serials(packet)))
    return session.scalar(linked) != session.scalar(sheets)


def spoil_sheets(session: Session, packet: Packet) -> None:
    """Mark the packet's sheets as spoiled: they were never printed and never will be."""
    session.execute(update(Sheet).where(Sheet.serial.in_(_packet_serials(packet))).values(state="spoiled"))


def withdraw_packet_codes(session: Session, packet: Packet) -> None:
    """Delete the codes that were made for the packet, except those that were used or are on another packet's sheets,
    and delete the links of its sheets. The lock keeps others from putting codes on paper meanwhile."""
    session.get_one(Wave, packet.wave_id, with_for_update={"key_share": True})
    minted = select(SheetLink.invitation).where(SheetLink.serial.in_(_packet_serials(packet)), SheetLink.minted)
    digests = [each for each in session.scalars(minted) if each]
    session.execute(delete(SheetLink).where(SheetLink.serial.in_(_packet_serials(packet))))
    elsewhere = select(SheetLink.serial).where(SheetLink.invitation == Invitation.digest, SheetLink.minted).exists()
    for some in batches(digests, AT_ONCE):
        unused = Invitation.digest.in_(some), ~Invitation.used
        session.execute(delete(Invitation).where(*unused, ~elsewhere))


def discard_packet(session: Session, packet: Packet) -> None:
    """Delete a packet that was never printed, with everything made for it."""
    withdraw_packet_codes(session, packet)
    session.execute(delete(Sheet).where(Sheet.serial.in_(_packet_serials(packet))))
    session.execute(delete(PrintRun).where(PrintRun.packet_id == packet.id))
    session.delete(packet)
    session.flush()


def _packet_serials(packet: Packet) -> Any:
    """A query of the serials of a packet."""
    return select(Sheet.serial).join(PrintRun, PrintRun.id == Sheet.run_id).where(PrintRun.packet_id == packet.id)


class _PrintRuns:
    """The print runs of a packet: one per language, and one more for sets that carry a code, because their covers
    differ."""

    def __init__(
        self, session: Session, packet: Packet, homes: Sequence[Recipient], codes: Codes, wave: Wave, kinds: Kinds
    ) -> None:
        self.counts: dict[tuple[str, bool], int] = {}
        for home in homes:
            key = home.language, _target_key(wave, home.unit) in codes
            self.counts[key] = self.counts.get(key, 0) + 1
        self.ids = {
            key: _create_print_run(session, packet, key[0], copies, kinds[key]) for key, copies in self.counts.items()
        }

    def of(self, language: str, coded: bool) -> str:
        """The id of the print run."""
        return self.ids[language, coded]


def _create_print_run(session: Session, packet: Packet, language: str, copies: int, kind: SetLayout) -> str:
    run = PrintRun(
        id=token_hex(16),
        wave_id=packet.wave_id,
        school_id=packet.school_id,
        language=language,
        copies=copies,
        paper=packet.paper,
        large_print=packet.style == "large",
        printed_by=packet.made_by,
        printed_on=packet.made_on,
        packet_id=packet.id,
        layout_digest=kind.digest,
    )
    session.add(run)
    session.flush()
    return run.id


def _create_codes(
    session: Session, settings: Settings, wave: Wave, homes: Sequence[Recipient], rng: Random
) -> dict[TargetKey, str]:
    """Create codes for the households that have none. Locks the wave's codes against other writers."""
    session.refresh(wave, with_for_update={"key_share": True})
    key = derive_key(settings.secret().encode(), ACCESS_KEY)
    needed = find_uninvited_units(session, wave, [home.unit for home in homes])
    letters = create_invitations(
        session, wave, needed, lambda: generate_access_code(rng), lambda code: digest(code, key), rng
    )
    return {
        target_key(wave.counting, each.household_id, each.school_id, each.student_id): each.code for each in letters
    }


def _invitation_digests(session: Session, wave: Wave, homes: Sequence[Recipient]) -> dict[TargetKey, str]:
    """The digest of each household's code, by target."""
    targets = {_target_key(wave, home.unit) for home in homes}
    by_student = wave.counting == "student"
    wanted = Invitation.student_id if by_student else Invitation.household_id
    columns = Invitation.household_id, Invitation.school_id, Invitation.student_id, Invitation.digest
    query = select(*columns).where(Invitation.wave_id == wave.id, Invitation.household_id.is_not(None))
    digests: dict[TargetKey, str] = {}
    ids = {home.unit.student_id if by_student else home.unit.household_id for home in homes}
    for some in batches(sorted(map(str, ids)), AT_ONCE):
        for home, at, child, code in session.execute(query.where(wanted.in_(some))):
            where = target_key(wave.counting, str(home), at, child)
            if where in targets:
                digests[where] = code
    return digests


def _read_printed_codes(
    session: Session, sealer: Sealer, key: bytes, wave: Wave, there: Mapping[TargetKey, str]
) -> dict[TargetKey, str]:
    """Unused codes printed on sheets of other packets: all sheets of a household have the same code. Codes from
    letters, and codes whose label cannot be opened, are unknown."""
    whose = {invitation: where for where, invitation in there.items()}
    codes: dict[TargetKey, str] = {}
    for some in batches(whose, AT_ONCE):
        named = select(SheetLink.invitation, SheetLink.label).join(
            Invitation, Invitation.digest == SheetLink.invitation
        )
        minted = named.where(SheetLink.invitation.in_(some), SheetLink.wave_id == wave.id, SheetLink.minted)
        for invitation, label in session.execute(minted.where(~Invitation.used)):
            code = _read_code(sealer, label)
            if code and digest(code, key) == invitation:
                codes[whose[invitation]] = code
    return codes


def _read_code(sealer: Sealer, label: bytes) -> str:
    try:
        return str(json.loads(sealer.open(label))["code"])
    except SealBroken:
        return ""


def _target_key(wave: Wave, chance: SamplingTarget) -> TargetKey:
    return target_key(wave.counting, chance.household_id, chance.school_id, chance.student_id)


def _new_serials(session: Session, count: int, rng: Random) -> Iterator[str]:
    """New serials that no sheet has, in random order."""
    minted, generated = form_serials.generate_serials(rng, ()), 0
    while generated < count:
        some = list(islice(minted, min(AT_ONCE, count - generated)))
        taken = _used_serials(session, some)
        yield from (serial for serial in some if serial not in taken)
        generated += len(some) - len(taken)


def _used_serials(session: Session, some: Collection[str]) -> set[str]:
    return set(session.scalars(select(Sheet.serial).where(Sheet.serial.in_(some))))


def _insert_by_serial(session: Session, table: Any, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows in the order of their serials, so that the storage order reveals nothing."""
    if rows:
        session.execute(insert(table), sorted(rows, key=lambda row: str(row["serial"])))
