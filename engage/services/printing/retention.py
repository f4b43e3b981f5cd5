"""Retention of packets: their files, and the names on the outside where names are no longer kept."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.domain.security.encryption import SealBroken, Sealer
from engage.services.printing.recipients import window_lines
from engage.services.printing.rendering import FOLDER, SheetLabel, is_linked
from engage.services.printing.sheets import has_lost_links
from engage.storage.models.paper import Packet, PrintRun, Sheet, SheetLink
from engage.storage.models.waves import Wave

FILES_DAYS = 30  # after a file was made; it can be drawn again
PARTS_DAYS = 1  # drawing takes minutes: an older part was left by a worker that is gone


def find_expired_files(session: Session, settings: Settings, today: date) -> list[Path]:
    """Files of packets that are due: made long ago, of a packet that is gone, or on the day its links are forgotten;
    where no names are kept, those that have names in them."""
    files = [path for path in (settings.data_dir / FOLDER).glob("*") if path.is_file()]
    # st_mtime: when it was drawn; asked for again, it is drawn again
    drawn = {path: settings.local_day(datetime.fromtimestamp(path.stat().st_mtime, UTC)) for path in files}
    days = {path: PARTS_DAYS if path.suffix == ".part" else FILES_DAYS for path in files}
    return [
        path
        for path in files
        if drawn[path] < today - timedelta(days=days[path]) or _is_due(session, settings, path, today)
    ]


def find_named_sheets(session: Session, sealer: Sealer) -> Iterator[tuple[str, str, SheetLabel]]:
    """Serial, language and label of the sheets that have names on their outside, or on the hand-out list."""
    labels = select(Sheet.serial, PrintRun.language, SheetLink.label)
    joined = labels.join(SheetLink, SheetLink.serial == Sheet.serial).join(PrintRun, PrintRun.id == Sheet.run_id)
    for serial, language, sealed in session.execute(joined):
        try:
            label: SheetLabel = json.loads(sealer.open(sealed))
        except SealBroken:
            continue  # nobody can read it
        # Older labels do not say whose they are; without names they ended in the serial.
        if label["who"] if "who" in label else label["to"][-1] != serial:
            yield serial, language, label


def remove_sheet_names(session: Session, sealer: Sealer) -> None:
    """Put the student's number, or the serial, in the place of the names, as if there had been none."""
    for serial, language, label in list(find_named_sheets(session, sealer)):
        plain = json.dumps(_label_without_names(label, serial, language), ensure_ascii=False)
        session.execute(update(SheetLink).where(SheetLink.serial == serial).values(label=sealer.seal(plain)))


def _label_without_names(label: SheetLabel, serial: str, language: str) -> SheetLabel:
    if label["to"][-1] == serial:
        return {**label, "who": []}  # the names are on the list alone
    lines = window_lines((), label.get("number", ""), language, label["to"][-1], serial)
    return {**label, "who": [], "to": list(lines)}


def _is_due(session: Session, settings: Settings, path: Path, today: date) -> bool:
    if path.suffix != ".pdf":
        return False  # being drawn
    packet = session.get(Packet, path.stem)
    if packet is None:
        return True
    wave = session.get_one(Wave, packet.wave_id)
    if wave.closes + timedelta(days=settings.keep_links_days) <= today or has_lost_links(session, packet):
        return True  # where the wave was made longer, links go on the day that was said
    return not settings.keep_names and is_linked(wave, packet.contents)
