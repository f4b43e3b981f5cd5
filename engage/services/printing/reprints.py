"""Packets requested again: the existing packet is found, so that no household gets two different sheets."""

import json
from collections import Counter
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.domain.security.encryption import SealBroken, Sealer
from engage.services.printing.orders import IN_PROGRESS, UNNUMBERED, PacketOrder, count_sets_by_class
from engage.services.printing.recipients import Recipient, list_recipients
from engage.services.printing.rendering import is_linked, is_stale
from engage.storage.models.invitations import Invitation
from engage.storage.models.paper import Packet, PrintRun, Sheet, SheetLink
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave

NOT_CANCELLED = (*IN_PROGRESS, "ready", "failed")  # all but those cancelled


def find_same_packet(session: Session, order: PacketOrder, states: Collection[str] = NOT_CANCELLED) -> Packet | None:
    """The newest unchanged packet of the same wave, school and options; None if there is none. Blanks requested on the
    staff page belong to that request, and are not given out twice."""
    wave, school = session.get_one(Wave, order.wave_id), session.get_one(School, order.school_id)
    want = order.want
    query = select(Packet).where(
        Packet.wave_id == wave.id,
        Packet.school_id == school.id,
        Packet.contents == want.contents,
        Packet.outside == want.outside,
        Packet.paper == want.paper,
        Packet.style == want.style,
        Packet.second.is_(want.second) if want.second is None else Packet.second == want.second,
        Packet.arrangement == want.arrangement,
        Packet.asked == json.dumps(dict(order.sets)),
        Packet.state.in_(states),
    )
    if want.contents == "blanks":
        return session.scalar(query.where(Packet.made_by.is_(None)).order_by(Packet.made_on.desc(), Packet.id))
    homes = list_recipients(session, wave, school, None)
    for packet in session.scalars(query.order_by(Packet.made_on.desc(), Packet.id)):
        if _is_unchanged(session, order.sealer, wave, packet, homes):
            return packet
    return None


def find_packet_in_progress(session: Session, order: PacketOrder) -> Packet | None:
    """The packet for households that is in progress, if two clicks or two people request the same one. With two
    packets, one would have the household's code, and the other would refer to a letter that the household never got.
    Other requests wait for this transaction."""
    if order.want.contents != "households":
        return None
    session.get_one(Wave, order.wave_id, with_for_update={"key_share": True})
    return _find_unnumbered_packet(session, order) or find_same_packet(session, order, IN_PROGRESS)


def _find_unnumbered_packet(session: Session, order: PacketOrder) -> Packet | None:
    """The packet that is requested for all households of this school, whose sheets the worker will number."""
    waiting = Packet.state.in_(IN_PROGRESS), Packet.asked == UNNUMBERED
    here = Packet.wave_id == order.wave_id, Packet.school_id == order.school_id
    return session.scalar(select(Packet).where(*here, *waiting).order_by(Packet.id).limit(1))


def _is_unchanged(
    session: Session, sealer: Sealer | None, wave: Wave, packet: Packet, homes: Sequence[Recipient]
) -> bool:
    if not is_linked(wave, packet.contents):
        return bool(json.loads(packet.classes) == count_sets_by_class(homes))
    if is_stale(session, packet):
        return False
    links = (
        select(SheetLink.household_id, PrintRun.language, SheetLink.label, Invitation.student_id)
        .join(Sheet, Sheet.serial == SheetLink.serial)
        .join(PrintRun, PrintRun.id == Sheet.run_id)
        .outerjoin(Invitation, Invitation.digest == SheetLink.invitation)
        .where(PrintRun.packet_id == packet.id)
    )
    by_student = wave.counting == "student"
    there: Counter[tuple[str | None, str, str | None]] = Counter()
    for home, language, label, child in session.execute(links):
        there[home, language, (child or _read_student_number(sealer, label)) if by_student else None] += 1
    return there == Counter((home.unit.household_id, home.language, home.unit.student_id) for home in homes)


def _read_student_number(sealer: Sealer | None, label: bytes) -> str:
    """The student's number, if there is no code that identifies the household; empty if unknown."""
    try:
        return str(json.loads(sealer.open(label)).get("number", "")) if sealer else ""
    except SealBroken:
        return ""
