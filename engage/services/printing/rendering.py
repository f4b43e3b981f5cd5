"""Rendering of a packet's rows as a PDF: the same rows make the same bytes. Used by the worker and the command line."""

import errno
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from sys import intern
from typing import Any, NotRequired, TypedDict

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engage.base.catalogs import catalogue
from engage.base.config import Settings
from engage.base.files import sync_path
from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.packet import WrittenPacket, write_packet
from engage.domain.paper.documents.packet_model import PacketContent, PacketSet
from engage.domain.paper.typesetting.fonts import MissingFont
from engage.domain.paper.typesetting.shaping import MissingGlyph
from engage.domain.security.access_codes import REPLY_KEY, derive_reply_code, format_access_code
from engage.domain.security.encryption import SealBroken, Sealer, derive_key
from engage.services.printing.layouts import (
    Unprintable,
    build_set_layout,
    describe_character,
    font_dir,
    phone_access,
    store_layouts,
)
from engage.storage.models.paper import Packet, PrintRun, Sheet, SheetLink
from engage.storage.models.roster import OptOut
from engage.storage.models.schools import School
from engage.storage.models.staff import Staff
from engage.storage.models.waves import Wave

FOLDER = "packets"  # a folder in the site's directory
SHUFFLE_KEY = "pile order"  # purpose of the key that orders unlinked sheets
STAFF_LANGUAGE = "en"  # of separators and count sheet, if no staff member requested the packet
FULL = (errno.ENOSPC, errno.EDQUOT)
Progress = Callable[[int, int], bool]

# as described at SheetLink.label; older labels lack "who" and "number"
SheetLabel = TypedDict(
    "SheetLabel",
    {
        "to": list[str],
        "class": str,
        "code": str,
        "who": NotRequired[list[str]],
        "number": NotRequired[str],
    },
)


def packet_path(settings: Settings, packet_id: str) -> Path:
    """The path of a packet's file, once it is ready."""
    return settings.site_dir / FOLDER / f"{packet_id}.pdf"


def build_packet_content(session: Session, settings: Settings, sealer: Sealer, packet: Packet) -> PacketContent:
    """Build everything to be drawn, from the packet's rows. Raises Unprintable."""
    wave, school = session.get_one(Wave, packet.wave_id), session.get_one(School, packet.school_id)
    sets = list(_build_sets(session, settings, sealer, packet, wave, school))
    kinds = sorted({(each.language, bool(each.code)) for each in sets})
    language = _packet_language(session, packet)
    return PacketContent(
        school=school.name,
        wave=wave.title,
        district=settings.district_name,
        opens=wave.opens,
        closes=wave.closes,
        language=language,
        words=catalogue(language),
        paper=packet.paper,
        kinds={(tag, coded): build_set_layout(settings, wave, packet, tag, coded) for tag, coded in kinds},
        sets=sets,
        classes=json.loads(packet.classes),
        linked=is_linked(wave, packet.contents),
        listed=has_handout_list(wave, packet),
        fonts=font_dir(settings),
    )


def is_linked(wave: Wave, contents: str) -> bool:
    """Whether sheets are linked to households."""
    return wave.identity == "confidential" and contents == "households"


def has_handout_list(wave: Wave, packet: Packet) -> bool:
    """Whether the packet has a list of whose each set is, because the outside of the sets does not show it."""
    return is_linked(wave, packet.contents) and packet.outside == "code"


def is_stale(session: Session, packet: Packet) -> bool:
    """Whether a set is for a household that has opted out, or has an access code that was withdrawn: such a packet must
    not be printed."""
    out = SheetLink.household_id.in_(select(OptOut.household_id))
    dead = SheetLink.minted & SheetLink.invitation.is_(None)
    links = select(SheetLink.serial).join(Sheet, Sheet.serial == SheetLink.serial).join(PrintRun)
    return bool(session.scalar(select(links.where(PrintRun.packet_id == packet.id, out | dead).exists())))


def draw_packet(target: Path, pile: PacketContent, progress: Progress, worker: str = "") -> WrittenPacket:
    """Write the packet as a PDF, completely or not at all. `worker` is the worker's id: two of them never write to the
    same partial file. Raises Unprintable, and DrawingStopped if `progress` stops it."""
    part = target.with_name(f".{target.name}{worker[:8]}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            written = write_packet(out, pile, progress)
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
        sync_path(target.parent)
    except MissingGlyph as problem:
        raise Unprintable("name_glyph", character=describe_character(problem.character)) from problem
    except MissingFont as problem:
        raise Unprintable("font", language=pile.language) from problem
    except OSError as problem:
        raise Unprintable("disk" if problem.errno in FULL else "file", reason=problem.strerror or "") from problem
    finally:
        with suppress(OSError):  # such as a name that is too long; the first problem is reported above
            part.unlink(missing_ok=True)
    return written


def record_drawing(session: Session, packet: Packet, pile: PacketContent, written: WrittenPacket, today: date) -> None:
    """Record what was drawn and with which layouts, which are newer than at the request if the program is."""
    wave = session.get_one(Wave, packet.wave_id)
    store_layouts(session, wave, pile.kinds, today)
    for run in session.scalars(select(PrintRun).where(PrintRun.packet_id == packet.id)):
        coded = _is_coded(session, run)
        if (run.language, coded) in pile.kinds:
            run.layout_digest = pile.kinds[run.language, coded].digest
    packet.pages = packet.drawn = written.pages
    packet.digest, packet.problem = written.digest, ""
    session.flush()


def _build_sets(
    session: Session, settings: Settings, sealer: Sealer, packet: Packet, wave: Wave, school: School
) -> Iterator[PacketSet]:
    key = derive_key(settings.secret().encode(), REPLY_KEY)
    listed = has_handout_list(wave, packet)
    linked = is_linked(wave, packet.contents)
    rows = _linked_sheets(session, sealer, packet) if linked else _unlinked_sheets(session, settings, packet, school)
    for serial, language, label in rows:
        code = str(label["code"])
        yield PacketSet(
            serial,
            language,
            reply=derive_reply_code(key, b"sheet" + serial.encode()),
            code=format_access_code(code) if code else "",
            link=survey_url(settings, wave, language, code) if phone_access(wave, bool(code)) else "",
            to=tuple(label["to"]),
            group=intern(str(label["class"])),
            who=tuple(label.get("who", ())) if listed else (),
            number=str(label.get("number", "")) if listed else "",
        )


def shuffle_key(key: bytes, serial: str) -> bytes:
    """The sort key of an unlinked sheet: always the same, and unpredictable without the key."""
    return hmac.digest(key, serial.encode(), hashlib.sha256)


def survey_url(settings: Settings, wave: Wave, language: str, code: str) -> str:
    """The address where the survey is answered on a phone: the page of the code, of the wave, or of the code form."""
    if code:
        return f"{settings.base_url}/{language}/c/{format_access_code(code)}"
    return (
        f"{settings.base_url}/{language}/c" if wave.entry == "code" else f"{settings.base_url}/{language}/w/{wave.id}"
    )


def _linked_sheets(session: Session, sealer: Sealer, packet: Packet) -> Iterator[tuple[str, str, SheetLabel]]:
    """Serial, language and label of each sheet, by its position in the packet. Raises Unprintable."""
    in_packet = PrintRun.packet_id == packet.id
    if session.scalar(_link_count_query(packet.id)) != session.scalar(
        select(func.count()).select_from(Sheet).join(PrintRun).where(in_packet)
    ) or is_stale(session, packet):
        raise Unprintable("forgotten")
    query = (
        select(Sheet.serial, PrintRun.language, SheetLink.label)
        .join(PrintRun, PrintRun.id == Sheet.run_id)
        .join(SheetLink, SheetLink.serial == Sheet.serial)
        .where(in_packet)
        .order_by(Sheet.position)
    )
    try:
        for serial, language, label in session.execute(query):
            yield serial, language, json.loads(sealer.open(label))
    except SealBroken as problem:
        raise Unprintable("sealed") from problem


def _link_count_query(packet_id: str) -> Any:
    joined = select(func.count()).select_from(SheetLink).join(Sheet, Sheet.serial == SheetLink.serial)
    return joined.join(PrintRun, PrintRun.id == Sheet.run_id).where(PrintRun.packet_id == packet_id)


def _unlinked_sheets(
    session: Session, settings: Settings, packet: Packet, school: School
) -> Iterator[tuple[str, str, SheetLabel]]:
    """Serial, language and label of each unlinked sheet, by language, then by a secret order: if the sheets were sorted
    by serial, a reader of the count sheet could derive the class from it."""
    key = derive_key(settings.secret().encode(), SHUFFLE_KEY)
    order = {tag: place for place, tag in enumerate(json.loads(packet.asked))}
    query = select(Sheet.serial, PrintRun.language).join(PrintRun, PrintRun.id == Sheet.run_id)
    rows = session.execute(query.where(PrintRun.packet_id == packet.id)).all()
    for serial, language in sorted(rows, key=lambda row: (order[row.language], shuffle_key(key, row.serial))):
        yield serial, language, {"to": [school.name, LANGUAGES[language].name], "class": "", "code": ""}


def _is_coded(session: Session, run: PrintRun) -> bool:
    """Whether codes were made for this run's sets, and are printed on them."""
    minted = select(SheetLink.serial).join(Sheet, Sheet.serial == SheetLink.serial)
    return bool(session.scalar(select(minted.where(Sheet.run_id == run.id, SheetLink.minted).exists())))


def _packet_language(session: Session, packet: Packet) -> str:
    person = session.get(Staff, packet.made_by) if packet.made_by is not None else None
    return person.language if person and person.language in LANGUAGES else STAFF_LANGUAGE
