"""Asking for a packet of paper, the packets so far, and printings from before there were packets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from flask import abort, flash, redirect, render_template, request, send_file, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from engage.base.languages import catalogue
from engage.domain.paper.form.blank import blank
from engage.domain.paper.form.cover import Cover
from engage.questionnaire.editions import load
from engage.services.printing import ledger, messages, orders, reprints
from engage.services.printing.orders import Made, Refused
from engage.services.printing.set_counts import Homes, homes
from engage.services.waves.privacy_notice import notice
from engage.services.waves.response_retention import answers_deleted_on
from engage.sites.liaison.blueprint import blueprint
from engage.sites.liaison.print_form import COPIES_MOST, PacketForm, field, typed
from engage.sites.liaison.scope import own_waves, places
from engage.storage.engine import reading, writing
from engage.storage.models.paper import PrintRun, Sheet
from engage.storage.models.schools import School, Wave
from engage.web.audit import audited
from engage.web.context import state
from engage.web.page_language import gettext, language
from engage.web.permissions import allowed, enters, needs_second_step, person, require_school, schools

NAMED = "print names and codes"


@dataclass(frozen=True, slots=True)
class Place:
    """A wave at one school, and whose numbers the page shows. `homes` is None where nobody is told."""

    wave: Wave
    school: School
    homes: Homes | None

    @property
    def value(self) -> str:
        """What the form calls it."""
        return f"{self.wave.id} {self.school.id}"


@blueprint.get("/print")
@enters("print paper surveys")
def printing() -> str:
    """The form, for the place in the address or the first one, and the packets so far."""
    given = {"place": request.args["place"]} if "place" in request.args else {}
    with reading(state().engine) as session:
        return _page(session, MultiDict(given), {})


@blueprint.post("/print")
@enters("print paper surveys")
def ask() -> Response | str | tuple[str, int]:
    """Look at another place, or ask for a packet."""
    if request.form.get("deed") == "show":
        with reading(state().engine) as session:
            return _page(session, request.form, {})
    with reading(state().engine) as session:
        place = _place(session, request.form.get("place", ""))
        order, problems = _order(session, place, request.form)
        if order is None or place is None:
            return _page(session, request.form, problems), 422
    with writing(state().engine) as session:
        if there := reprints.moving(session, order):
            # translators: shown to staff who asked for a file of paper forms once more, and it is there or on its way
            flash(gettext("Nothing was to be done: the file is there, or it is being made."))
            return redirect(url_for("liaison.packet", packet_id=there.id), 303)
        try:
            made = orders.ask(session, state().settings, state().sealer, order, by=person().id, today=state().today())
        except Refused as refused:
            session.rollback()
            return _page(session, request.form, _told(refused, place.wave)), 422
        _written_down(session, made)
        session.commit()
    return redirect(url_for("liaison.packet", packet_id=made.packet.id), 303)


@blueprint.get("/print/<run_id>.pdf")
@enters("print paper surveys")
def print_again(run_id: str) -> Response:
    """Sheets from before there were packets once more, with the same serials."""
    with reading(state().engine) as session:
        run = session.get(PrintRun, run_id) if run_id.isalnum() else None
        if run is None:
            abort(404)
        require_school(run.school_id)
        if run.packet_id is not None:
            return redirect(url_for("liaison.packet", packet_id=run.packet_id))
        numbers = session.scalars(select(Sheet.serial).where(Sheet.run_id == run.id).order_by(Sheet.serial))
        return _pdf(run, session.get_one(Wave, run.wave_id), list(numbers))


def _order(
    session: Session, place: Place | None, given: Mapping[str, str]
) -> tuple[orders.Order | None, dict[str, str]]:
    """What was asked for, if it can be; else what is wrong with it, by field."""
    if place is None:
        # translators: in a form
        return None, {"place": gettext("Choose one from the list.")}
    form, copies = PacketForm(given), typed(given, place.wave.offered)
    problems = form.problems(place.wave, copies)
    if form.shown.data != place.value:
        # translators: staff form: somebody chose another school, and has not seen yet how many forms that needs
        problems["place"] = gettext("You chose another survey or school. Look at what stands below now; then go on.")
    if form.contents.data == "households" and (barred := _barred(place.wave)):
        problems["contents"] = barred
    if problems:
        return None, problems
    settings, sealer, today = state().settings, state().sealer, state().today()
    want, wave = form.wanted(copies), place.wave
    try:
        return orders.order(session, settings, sealer, wave.id, place.school.id, want, today), {}
    except Refused as refused:
        return None, _told(refused, wave)


def _barred(wave: Wave) -> str:
    """Why this person may not print a set for each household of this wave; empty if they may."""
    if not allowed("print for households"):
        # translators: staff form: why somebody cannot print a paper form for each household of a school
        return gettext("Your account prints blank sets only.")
    if wave.identity == "confidential" and needs_second_step(NAMED):
        # translators: staff form: why somebody cannot print a form for each household; they showed a password only
        return gettext(
            "In this survey each household's set can carry its name or its access code. "
            "This needs a second step when you sign in: set it up under “My account”."
        )
    return ""


def _told(refused: Refused, wave: Wave) -> dict[str, str]:
    return {field(refused, wave): messages.sentence(refused, catalogue(language().tag), language().locale)}


def _written_down(session: Session, made: Made) -> None:
    if made.codes:
        audited(session, "make access codes", about=made.packet.wave_id, codes=made.codes, packet=made.packet.id)


def _place(session: Session, value: str) -> Place | None:
    """The place of this name, if it is this person's own; also one that nothing can be printed for any more."""
    for wave in own_waves(session):
        for school in wave.schools:
            if value == f"{wave.id} {school.id}" and value in dict(places([wave])):
                return Place(wave, school, None if _barred(wave) else homes(session, wave, school))
    return None


def _page(session: Session, given: Mapping[str, str], problems: dict[str, str]) -> str:
    today = state().today()
    waves = [each for each in own_waves(session) if each.closes >= today and "paper" in each.modes.split()]
    choices = places(waves)
    place = _place(session, given.get("place", "")) or (_place(session, choices[0][0]) if choices else None)
    if place is not None and place.value not in dict(choices):  # closed, or not on paper: kept, so that it is told
        choices = [*choices, *(each for each in places([place.wave]) if each[0] == place.value)]
    return render_template(
        "liaison/print.html",
        form=PacketForm(given),
        problems=problems,
        places=choices,
        place=place,
        copies=typed(given, place.wave.offered) if place else {},
        barred=_barred(place.wave) if place else "",
        most=COPIES_MOST,
        rows=ledger.packets(session, schools()),
        older=ledger.older(session, schools()),
        families=state().settings.base_url,
    )


def _pdf(run: PrintRun, wave: Wave, numbers: list[str]) -> Response:
    settings, out = state().settings, BytesIO()
    told = {run.language: notice(wave, settings, run.language, answers_deleted_on(wave, settings))}
    blank(
        out,
        load(wave.edition.document),
        run.language,
        catalogue(run.language),
        Cover(settings.district_name, wave.identity, opens=wave.opens, closes=wave.closes, notice=told),
        serials=numbers,
        paper=run.paper,
        style="large" if run.large_print else "standard",
        fonts=Path(settings.font_dir) if settings.font_dir else None,
    )
    out.seek(0)
    name = f"{wave.id}-{run.school_id}-{run.language}-{run.id[:6]}.pdf"
    return send_file(out, "application/pdf", as_attachment=True, download_name=file_name(name))


def file_name(name: str) -> str:
    """A file's name without anything a header or a file system could stumble over."""
    return re.sub(r"[^0-9A-Za-z.-]", "_", name)
