"""What is kept of packets no longer: their files, and the names on the outside where no names are kept any more."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engage.access.sealing import SealBroken, Sealer
from engage.config import Settings
from engage.jobs.drawing import FOLDER, is_linked
from engage.records.schools import Wave
from engage.records.sheets import Packet, SheetLink

FILES_DAYS = 30  # after a file was made; it can be drawn again


def old_files(session: Session, settings: Settings, today: date) -> list[Path]:
    """Files of packets that are due: made long ago, of a packet that is gone, or on the day its links are forgotten;
    where no names are kept, those that have names in them."""
    zone, limit = ZoneInfo(settings.timezone), today - timedelta(days=FILES_DAYS)
    found = [path for path in (settings.data_dir / FOLDER).glob("*") if path.is_file()]
    # st_mtime: when it was drawn; asked for again, it is drawn again
    made = {path: datetime.fromtimestamp(path.stat().st_mtime, zone).date() for path in found}
    return [path for path in found if made[path] < limit or _is_due(session, settings, path, today)]


def named_sheets(session: Session, sealer: Sealer) -> Iterator[tuple[str, dict[str, object]]]:
    """Serial and label of the sheets whose outside has names on it."""
    for serial, sealed in session.execute(select(SheetLink.serial, SheetLink.label)):
        try:
            label = json.loads(sealer.open(sealed))
        except SealBroken:
            continue  # nobody can read it
        if label["to"][-1] != serial:  # as Recipient.lines writes it
            yield serial, label


def forget_named_sheets(session: Session, sealer: Sealer) -> None:
    """Put the serial in the place of the names, as if there had been none."""
    for serial, label in list(named_sheets(session, sealer)):
        plain = json.dumps(label | {"to": [label["to"][-1], serial]}, ensure_ascii=False)  # type: ignore[index]
        session.execute(update(SheetLink).where(SheetLink.serial == serial).values(label=sealer.seal(plain)))


def _is_due(session: Session, settings: Settings, path: Path, today: date) -> bool:
    if path.suffix != ".pdf":
        return False  # being drawn
    packet = session.get(Packet, path.stem)
    if packet is None:
        return True
    wave = session.get_one(Wave, packet.wave_id)
    if wave.closes + timedelta(days=settings.keep_links_days) <= today:
        return True
    return not settings.keep_names and packet.outside == "window" and is_linked(wave, packet.contents)
