"""Retention of packets: their files, and the names on the outside where names are no longer stored."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.base.files import modification_time
from engage.domain.security.encryption import SealBroken, Sealer
from engage.services.printing.recipients import window_lines
from engage.services.printing.rendering import FOLDER, SheetLabel, is_linked
from engage.services.printing.sheets import has_lost_links
from engage.storage.models.paper import Packet, PrintRun, Sheet, SheetLink
from engage.storage.models.waves import Wave

FILES_DAYS = 30  # after a file was drawn; it can be drawn again
PARTS_DAYS = 1  # drawing takes minutes: an older partial file was left by a worker that died


def find_expired_files(session: Session, settings: Settings, today: date) -> list[Path]:
    """Files of packets that are due: old ones, those of deleted packets, those whose links expire today, and, where no
    names are stored, those with names."""
    files = [path for path in (settings.site_dir / FOLDER).glob("*") if path.is_file()]
    # the time of the last drawing; if requested again, the file is drawn again
    drawn = {path: at for path in files if (at := modification_time(path)) is not None}
    days = {path: PARTS_DAYS if path.suffix == ".part" else FILES_DAYS for path in drawn}
    return [
        path
        for path, at in drawn.items()
        if settings.local_day(at) < today - timedelta(days=days[path]) or _is_due(session, settings, path, today)
    ]


def find_named_sheets(session: Session, sealer: Sealer) -> Iterator[tuple[str, str, SheetLabel]]:
    """Serial, language and label of the sheets that have names on the outside or on the distribution list."""
    labels = select(Sheet.serial, PrintRun.language, SheetLink.label)
    joined = labels.join(SheetLink, SheetLink.serial == Sheet.serial).join(PrintRun, PrintRun.id == Sheet.run_id)
    for serial, language, sealed in session.execute(joined):
        try:
            label: SheetLabel = json.loads(sealer.open(sealed))
        except SealBroken:
            continue  # the label can no longer be opened
        # Older labels do not have "who"; without names they ended in the serial.
        if label["who"] if "who" in label else label["to"][-1] != serial:
            yield serial, language, label


def remove_sheet_names(session: Session, sealer: Sealer) -> None:
    """Replace the names by the student's number or the serial, as in a packet without names."""
    for serial, language, label in list(find_named_sheets(session, sealer)):
        plain = json.dumps(_label_without_names(label, serial, language), ensure_ascii=False)
        session.execute(update(SheetLink).where(SheetLink.serial == serial).values(label=sealer.seal(plain)))


def _label_without_names(label: SheetLabel, serial: str, language: str) -> SheetLabel:
    if label["to"][-1] == serial:
        return {**label, "who": []}  # the names are only on the list
    lines = window_lines((), label.get("number", ""), language, label["to"][-1], serial)
    return {**label, "who": [], "to": list(lines)}


def _is_due(session: Session, settings: Settings, path: Path, today: date) -> bool:
    if path.suffix != ".pdf":
        return False  # still being drawn
    packet = session.get(Packet, path.stem)
    if packet is None:
        return True
    wave = session.get_one(Wave, packet.wave_id)
    if wave.closes + timedelta(days=settings.keep_links_days) <= today or has_lost_links(session, packet):
        return True  # if the wave was extended, links are deleted on the earlier day
    return not settings.keep_names and is_linked(wave, packet.contents)
