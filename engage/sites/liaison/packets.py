"""The page of one packet: its contents, progress, file, and the states of its sheets."""

import json
from collections.abc import Callable
from pathlib import Path

from flask import abort, flash, make_response, redirect, render_template, send_file, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.base.catalogs import catalogue
from engage.services.printing import messages, orders, sheet_status
from engage.services.printing.orders import PacketRefused
from engage.sites.liaison.blueprint import blueprint
from engage.sites.liaison.print_request import NAMES_PERMISSION, safe_file_name
from engage.storage.engine import read_session, write_session
from engage.storage.language_groups import LEAST
from engage.storage.models.paper import Packet
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.page_language import gettext, language
from engage.web.permissions import check_permission, enters, is_allowed, person, require_school
from engage.web.waiting import PageRefresh, is_worker_running, page_refresh

MOVING = ("waiting", "drawing")


@blueprint.get("/packets/<packet_id>")
@enters("print paper surveys")
def packet(packet_id: str) -> Response:
    """The packet's page. It refreshes itself while the packet is in progress, unless `still` is in the query."""
    refresh = page_refresh("liaison.packet", packet_id=packet_id)
    with read_session(runtime().engine) as session:
        packet = _require_packet(session, packet_id)
        answer = make_response(_render_page(session, packet, refresh))
    return refresh.apply(answer) if packet.state in MOVING else answer


@blueprint.get("/packets/<packet_id>.pdf")
@enters("print paper surveys")
def packet_file(packet_id: str) -> Response:
    """Download the file, with an entry in the audit log."""
    with read_session(runtime().engine) as session:
        packet = _require_packet(session, packet_id)
        if answer := _check_access(session, packet):
            return answer
        answer = _send_packet_file(packet, orders.packet_file(runtime().settings, packet))
    if answer is None:
        # translators: shown to staff who want to download a file that is no longer there
        flash(gettext("The file is no longer available. You can create it again."), "error")
        return redirect(_packet_address(packet), 303)
    with write_session(runtime().engine) as session:
        log_event(session, "download packet", about=packet.wave_id, packet=packet.id, school=packet.school_id)
        session.commit()
    answer.headers["Cache-Control"] = "no-store"  # shared computers must not store the file
    return answer


@blueprint.get("/packets/<packet_id>/cancel")
@enters("print paper surveys")
def confirm_cancel(packet_id: str) -> Response | str:
    """The confirmation page for cancelling."""
    with read_session(runtime().engine) as session:
        packet = _require_packet(session, packet_id)
        if answer := _check_access(session, packet):
            return answer
        wave, school = session.get_one(Wave, packet.wave_id), session.get_one(School, packet.school_id)
        return render_template("liaison/packet_cancel.html", packet=packet, wave=wave, school=school)


@blueprint.post("/packets/<packet_id>/cancel")
@enters("print paper surveys")
def cancel(packet_id: str) -> Response:
    """Cancel the packet."""
    return _change_packet(packet_id, _cancel_packet)


@blueprint.post("/packets/<packet_id>/again")
@enters("print paper surveys")
def make_again(packet_id: str) -> Response:
    """Queue the file to be drawn again, with the same serials."""
    return _change_packet(packet_id, _remake_file)


def _send_packet_file(packet: Packet, path: Path | None) -> Response | None:
    """The open file; None if it does not exist, possibly because it was deleted a moment ago."""
    if path is None:
        return None
    name = safe_file_name(f"{packet.wave_id}-{packet.school_id}-{packet.id[:6]}.pdf")
    try:
        return send_file(path.resolve(), "application/pdf", as_attachment=True, download_name=name)
    except OSError:
        return None


def is_named(session: Session, packet: Packet) -> bool:
    """Whether the packet's sheets can have names or codes of households."""
    wave = session.get_one(Wave, packet.wave_id)
    return packet.contents == "households" and wave.identity == "confidential"


def _change_packet(packet_id: str, change: Callable[[Session, Packet], str]) -> Response:
    """Change a packet, and show the message that `change` returns."""
    with write_session(runtime().engine) as session:
        packet = _require_packet(session, packet_id)
        if answer := _check_access(session, packet):
            return answer
        try:
            flash(change(session, packet))
            session.commit()
        except PacketRefused as refused:
            flash(messages.explain_refusal(refused, catalogue(language().tag), language().locale), "error")
    return redirect(_packet_address(packet), 303)


def _cancel_packet(session: Session, packet: Packet) -> str:
    orders.cancel_packet(session, packet)
    if packet.state == "cancelled":
        # translators: shown to staff after they gave up a packet of paper forms
        return gettext("The packet was canceled. Its forms are marked as spoiled.")
    # translators: shown to staff after they gave up making a file once more; it was made and printed before
    return gettext("The file will not be created again. Forms already printed are not affected.")


def _remake_file(session: Session, packet: Packet) -> str:
    if orders.requeue_packet(session, runtime().settings, packet):
        # translators: shown to staff after they asked for a file of paper forms once more
        return gettext("The file is being created again with the same form numbers.")
    # translators: shown to staff who asked for a file of paper forms once more, and it is there or on its way already
    return gettext("Nothing to do: the file is ready or is being created.")


def _check_access(session: Session, packet: Packet) -> Response | None:
    """The response for a person who may not download the packet's file; None for others."""
    answer: Response | None = check_permission(_required_permission(session, packet))
    return answer


def _required_permission(session: Session, packet: Packet) -> str:
    """The permission to download and change the packet's file. The reply codes on its strips allow reading a family's
    thread and writing as the family."""
    if is_named(session, packet):
        return NAMES_PERMISSION
    is_own = packet.contents == "blanks" and packet.made_by == person().id
    return "print paper surveys" if is_own else "print for households"


def _render_page(session: Session, packet: Packet, refresh: PageRefresh) -> str:
    wave, settings = session.get_one(Wave, packet.wave_id), runtime().settings
    lines = sheet_status.packet_lines(session, wave, packet)
    return render_template(
        "liaison/packet.html",
        packet=packet,
        wave=wave,
        school=session.get_one(School, packet.school_id),
        lines=lines,
        tags=[line.language for line in lines],
        total=sheet_status.sum_lines(lines),
        veiled=sheet_status.is_suppressed(wave, packet),
        least=LEAST,
        classes=json.loads(packet.classes) if is_allowed("print for households") else {},
        may=is_allowed(_required_permission(session, packet)),
        named=is_named(session, packet),
        moving=packet.state in MOVING,
        worker=is_worker_running(session, settings.data_dir),
        refresh=refresh,
        there=packet.state == "ready" and orders.packet_file(settings, packet) is not None,
        problem=messages.explain_failure(packet, catalogue(language().tag), language().locale),
        families=settings.base_url,
    )


def _packet_address(packet: Packet) -> str:
    return url_for("liaison.packet", packet_id=packet.id)


def _require_packet(session: Session, packet_id: str) -> Packet:
    """The packet of this address; "not found" for a packet of another school."""
    packet = session.get(Packet, packet_id) if packet_id.isalnum() and packet_id.isascii() else None
    if packet is None:
        abort(404)
    require_school(packet.school_id)
    return packet
