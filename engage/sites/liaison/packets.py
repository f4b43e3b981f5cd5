"""One packet of paper: what is in it, how far it is drawn, its file, and what has become of its sheets."""

import fcntl
import json
from collections.abc import Callable
from pathlib import Path

from flask import abort, flash, make_response, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.base.languages import catalogue
from engage.services.printing import ledger, messages, orders
from engage.services.printing.orders import Refused
from engage.sites.liaison.blueprint import blueprint
from engage.sites.liaison.print_request import NAMED, file_name
from engage.storage.engine import reading, writing
from engage.storage.language_groups import LEAST
from engage.storage.models.paper import Packet
from engage.storage.models.schools import School, Wave
from engage.web.audit import audited
from engage.web.context import state
from engage.web.page_language import gettext, language
from engage.web.permissions import allowed, barred, enters, person, require_school

MOVING = ("waiting", "drawing")
LOOK = 5  # seconds between looks at a packet on its way
LOOKS = 120  # then the page stands still: a screen that nobody watches ends its session
WORKER = "worker.lock"  # in the data directory; held by the worker as long as it lives (engage/jobs)


@blueprint.get("/packets/<packet_id>")
@enters("print paper surveys")
def packet(packet_id: str) -> Response:
    """The packet's page. While it is on its way the page looks again by itself, unless `still` is in the address."""
    with reading(state().engine) as session:
        found = _the_packet(session, packet_id)
        answer = make_response(_page(session, found))
    looks = request.args.get("look", 0, type=int)
    if found.state in MOVING and "still" not in request.args and 0 <= looks < LOOKS:
        # a header: the same in a meta element would be read as one that nobody can stop
        answer.headers["Refresh"] = f"{LOOK}; url={url_for('liaison.packet', packet_id=found.id, look=looks + 1)}"
    return answer


@blueprint.get("/packets/<packet_id>.pdf")
@enters("print paper surveys")
def packet_file(packet_id: str) -> Response:
    """The file. It leaves only with a line in the audit log."""
    with reading(state().engine) as session:
        found = _the_packet(session, packet_id)
        if answer := _guarded(session, found):
            return answer
        answer = _sent(found, orders.file(state().settings, found))
    if answer is None:
        # translators: shown to staff who want to download a file that is no longer there
        flash(gettext("The file is not there. You can have it made again."), "error")
        return redirect(_address(found), 303)
    with writing(state().engine) as session:
        audited(session, "download packet", about=found.wave_id, packet=found.id, school=found.school_id)
        session.commit()
    answer.headers["Cache-Control"] = "no-store"  # others use this computer too
    return answer


@blueprint.get("/packets/<packet_id>/cancel")
@enters("print paper surveys")
def confirm_cancel(packet_id: str) -> Response | str:
    """What cancelling means, and the button."""
    with reading(state().engine) as session:
        found = _the_packet(session, packet_id)
        if answer := _guarded(session, found):
            return answer
        wave, school = session.get_one(Wave, found.wave_id), session.get_one(School, found.school_id)
        return render_template("liaison/packet_cancel.html", packet=found, wave=wave, school=school)


@blueprint.post("/packets/<packet_id>/cancel")
@enters("print paper surveys")
def cancel(packet_id: str) -> Response:
    """Give the packet up."""
    return _changed(packet_id, _cancelled)


@blueprint.post("/packets/<packet_id>/again")
@enters("print paper surveys")
def make_again(packet_id: str) -> Response:
    """Have the file made again, with the same serials."""
    return _changed(packet_id, _again)


def _sent(found: Packet, path: Path | None) -> Response | None:
    """The open file; None where there is none: it may have been destroyed since somebody looked for it."""
    if path is None:
        return None
    name = file_name(f"{found.wave_id}-{found.school_id}-{found.id[:6]}.pdf")
    try:
        return send_file(path.resolve(), "application/pdf", as_attachment=True, download_name=name)
    except OSError:
        return None


def is_named(session: Session, found: Packet) -> bool:
    """Whether the packet's sheets can carry names or codes of households."""
    wave = session.get_one(Wave, found.wave_id)
    return found.contents == "households" and wave.identity == "confidential"


def worker_is_there(folder: Path) -> bool:
    """Whether a worker holds its place in the data directory."""
    try:
        with open(folder / WORKER) as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _changed(packet_id: str, change: Callable[[Session, Packet], str]) -> Response:
    """Change a packet, and say what `change` returns."""
    with writing(state().engine) as session:
        found = _the_packet(session, packet_id)
        if answer := _guarded(session, found):
            return answer
        try:
            flash(change(session, found))
            session.commit()
        except Refused as refused:
            flash(messages.sentence(refused, catalogue(language().tag), language().locale), "error")
    return redirect(_address(found), 303)


def _cancelled(session: Session, found: Packet) -> str:
    orders.cancel(session, found)
    if found.state == "cancelled":
        # translators: shown to staff after they gave up a packet of paper forms
        return gettext("The packet is cancelled. Its sheets are marked as spoiled.")
    # translators: shown to staff after they gave up making a file once more; it was made and printed before
    return gettext("The file is not made again. The sheets printed before stay as they are.")


def _again(session: Session, found: Packet) -> str:
    if orders.again(session, state().settings, found):
        # translators: shown to staff after they asked for a file of paper forms once more
        return gettext("The file is made again, with the same serials.")
    # translators: shown to staff who asked for a file of paper forms once more, and it is there or on its way already
    return gettext("Nothing was to be done: the file is there, or it is being made.")


def _guarded(session: Session, found: Packet) -> Response | None:
    """What to answer to someone who may not have the packet's file; None to others."""
    answer: Response | None = barred(_permission(session, found))
    return answer


def _permission(session: Session, found: Packet) -> str:
    """Who may have the packet's file, and decide about it. With the reply code on a strip of a packet one
    reads a family's thread and writes as the family."""
    if is_named(session, found):
        return NAMED
    own = found.contents == "blanks" and found.made_by == person().id
    return "print paper surveys" if own else "print for households"


def _page(session: Session, found: Packet) -> str:
    wave, settings = session.get_one(Wave, found.wave_id), state().settings
    lines = ledger.lines(session, wave, found)
    return render_template(
        "liaison/packet.html",
        packet=found,
        wave=wave,
        school=session.get_one(School, found.school_id),
        lines=lines,
        tags=[line.language for line in lines],
        total=ledger.total(lines),
        veiled=ledger.is_veiled(wave, found),
        least=LEAST,
        classes=json.loads(found.classes) if allowed("print for households") else {},
        may=allowed(_permission(session, found)),
        named=is_named(session, found),
        moving=found.state in MOVING,
        worker=worker_is_there(settings.data_dir),
        still="still" in request.args,
        looked=request.args.get("look", 0, type=int) >= LOOKS,
        there=found.state == "ready" and orders.file(settings, found) is not None,
        problem=messages.problem(found, catalogue(language().tag), language().locale),
        families=settings.base_url,
    )


def _address(found: Packet) -> str:
    return url_for("liaison.packet", packet_id=found.id)


def _the_packet(session: Session, packet_id: str) -> Packet:
    """The packet of this address; "not found" for one of a foreign school."""
    found = session.get(Packet, packet_id) if packet_id.isalnum() and packet_id.isascii() else None
    if found is None:
        abort(404)
    require_school(found.school_id)
    return found
