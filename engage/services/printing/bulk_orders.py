"""Packets for the households of many schools, requested at once. Numbering their sheets takes too long for one
transaction, so each packet waits without sheets, and the worker numbers them before it draws it. No Flask."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.services.printing.orders import IN_PROGRESS, UNNUMBERED, PacketOrder, PacketRequest, build_packet
from engage.storage.models.paper import Packet
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave


def request_packets(
    session: Session, wave: Wave, schools: Iterable[School], want: PacketRequest, requested: tuple[int | None, date]
) -> int:
    """Request a packet for households for each of these schools, except where one is in progress. `made`: by whom, and
    on which day. Returns how many were requested. The caller commits."""
    session.get_one(Wave, wave.id, with_for_update={"key_share": True})
    going_on = select(Packet.school_id).where(Packet.wave_id == wave.id, Packet.state.in_(IN_PROGRESS))
    busy = set(session.scalars(going_on.where(Packet.contents == "households")))
    packets = [_requested_packet(wave, school, want, requested) for school in schools if school.id not in busy]
    session.add_all(packets)
    session.flush()
    return len(packets)


def is_unnumbered(packet: Packet) -> bool:
    """Whether a packet is requested and its sheets are not numbered yet."""
    return packet.asked == UNNUMBERED


def packet_request(packet: Packet) -> PacketRequest:
    """The request for households that a packet came from."""
    return PacketRequest(
        contents=packet.contents,
        paper=packet.paper,
        style=packet.style,
        second=packet.second,
        arrangement=packet.arrangement,
        outside=packet.outside,
    )


def _requested_packet(wave: Wave, school: School, want: PacketRequest, requested: tuple[int | None, date]) -> Packet:
    packet = build_packet(PacketOrder(wave.id, school.id, want, {}, {}), *requested)
    packet.state = "waiting"
    return packet
