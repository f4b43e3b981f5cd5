"""Requesting a packet of paper forms, and the lists of packets and older print runs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from flask import abort, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.base.catalogs import catalogue
from engage.domain.paper.form.blank import write_sheets
from engage.domain.paper.form.cover import Cover
from engage.domain.paper.form.typesetter import SheetFormat, SurveyInLanguage
from engage.questionnaire.editions import load_edition
from engage.questionnaire.text_cleaning import is_possible_id
from engage.services.printing import bulk_orders, messages, orders, reprints, sheet_status
from engage.services.printing.orders import CreatedPacket, PacketRefused
from engage.services.printing.recipients import SetCounts, count_sets
from engage.services.printing.sheets import PrintContext
from engage.services.waves.privacy_notice import render_notice
from engage.services.waves.retention import answers_deleted_on
from engage.sites.liaison.blueprint import blueprint
from engage.sites.liaison.print_form import PacketForm, PrintPlaceForm, packet_form_class, refused_field, second_choices
from engage.sites.liaison.scope import is_own_school, own_family_waves, own_schools_of, school_choices, wave_choices
from engage.storage.engine import read_session, write_session
from engage.storage.models.paper import PrintRun, Sheet
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave, WaveSchool
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.page_language import gettext, language, ngettext
from engage.web.paging import read_page, requested_page
from engage.web.permissions import enters, is_allowed, needs_second_step, permitted_schools, person, require_school

NAMES_PERMISSION = "print names and codes"


@dataclass(frozen=True, slots=True)
class PrintPlace:
    """A wave at one school, with the number of its sets. `homes` is None if this person may not see it."""

    wave: Wave
    school: School
    homes: SetCounts | None

    @property
    def value(self) -> str:
        """The value of this place in the form."""
        return f"{self.wave.id} {self.school.id}"


@dataclass(frozen=True, slots=True)
class PrintPage:
    """The form and its place; None if there is nothing that this person can print."""

    form: PacketForm
    place: PrintPlace | None


@blueprint.get("/print")
@enters("print paper surveys")
def printing() -> str:
    """The form, for the place in the address or the first one, and the packets so far."""
    with read_session(runtime().engine) as session:
        return _render_page(session, _bind_form(session, request.args.get("wave", ""), request.args.get("school", "")))


@blueprint.post("/print/place")
@enters("print paper surveys")
def show_place() -> str:
    """The form for another place, with all values typed so far."""
    with read_session(runtime().engine) as session:
        return _render_page(session, _bind_form(session, *PrintPlaceForm().place))


@blueprint.post("/print")
@enters("print paper surveys")
def ask() -> ResponseReturnValue:
    """Request a packet."""
    with read_session(runtime().engine) as session:
        page = _bind_form(session, *PrintPlaceForm().place)
        order = _prepare_order(session, page)
        if order is None:
            return _render_page(session, page), 422
    with write_session(runtime().engine) as session:
        if there := reprints.find_packet_in_progress(session, order):
            # translators: shown to staff who asked for a file of paper forms once more, and it is there or on its way
            flash(gettext("Nothing to do: the file is ready or is being created."))
            return redirect(url_for("liaison.packet", packet_id=there.id), 303)
        try:
            created = orders.create_packet(session, _print_context(), order, by=person().id)
        except PacketRefused as refused:
            session.rollback()
            page = replace(page, place=_find_place(session, order.wave_id, order.school_id))
            _add_refusal(page.form, refused, session.get_one(Wave, order.wave_id))
            return _render_page(session, page), 422
        _audit_codes(session, created)
        session.commit()
    return redirect(url_for("liaison.packet", packet_id=created.packet.id), 303)


@blueprint.post("/print/all")
@enters("print paper surveys")
def ask_for_all() -> ResponseReturnValue:
    """Request a packet for households for each of this person's schools in the wave."""
    with read_session(runtime().engine) as session:
        page = _bind_form(session, *PrintPlaceForm().place)
        page.form.require_households()
        order = _prepare_order(session, page)
        if order is None:
            return _render_page(session, page), 422
    with write_session(runtime().engine) as session:
        wave = session.get_one(Wave, order.wave_id)
        requested = person().id, runtime().today()
        number = bulk_orders.request_packets(session, wave, own_schools_of(session, [wave]), order.want, requested)
        session.commit()
    # translators: shown to staff after they asked for the paper forms of all schools
    sentence = ngettext(
        "%(num)s packet was requested. It will be ready soon.",
        "%(num)s packets were requested. They will be created one after the other.",
        number,
    )
    flash(sentence)
    return redirect(url_for("liaison.printing", wave=order.wave_id, school=order.school_id), 303)


@blueprint.get("/print/<run_id>.pdf")
@enters("print paper surveys")
def print_again(run_id: str) -> Response:
    """Print sheets of an older print run again, with the same serials."""
    with read_session(runtime().engine) as session:
        run = session.get(PrintRun, run_id) if run_id.isalnum() else None
        if run is None:
            abort(404)
        require_school(run.school_id)
        if run.packet_id is not None:
            return redirect(url_for("liaison.packet", packet_id=run.packet_id))
        numbers = session.scalars(select(Sheet.serial).where(Sheet.run_id == run.id).order_by(Sheet.serial))
        return _reprint_pdf(run, session.get_one(Wave, run.wave_id), list(numbers))


def _bind_form(session: Session, wave_id: str, school_id: str) -> PrintPage:
    """The form with the submitted values, for the requested place; for the first place if this person does not work
    with the requested one."""
    today = runtime().today()
    waves = [each for each in own_family_waves(session) if each.closes >= today and "paper" in each.modes.split()]
    place = _find_place(session, wave_id, school_id) or _first_place(session, waves, wave_id)
    if place is not None and place.wave not in waves:  # closed, or not on paper: validation reports it
        waves.append(place.wave)
    tags = place.wave.offered if place else []
    form = packet_form_class(tags)()
    form.wave.choices, form.second.choices = wave_choices(waves), second_choices(tags)
    form.school.choices = school_choices(own_schools_of(session, [place.wave] if place else []))
    form.household_problem = _household_problem(place.wave) if place else ""
    return PrintPage(form, place)


def _first_place(session: Session, waves: Sequence[Wave], wave_id: str) -> PrintPlace | None:
    """The first school of the wave, or of the first wave if it is none of these."""
    wave = next((each for each in waves if each.id == wave_id), waves[0] if waves else None)
    return _find_place(session, wave.id, own_schools_of(session, [wave])[0].id) if wave else None


def _prepare_order(session: Session, page: PrintPage) -> orders.PacketOrder | None:
    """The prepared order; None if it is refused, with errors in the form."""
    form, place = page.form, page.place
    if not form.validate() or place is None:
        return None
    try:
        return orders.prepare_order(session, _print_context(), place.wave.id, place.school.id, form.to_request())
    except PacketRefused as refused:
        _add_refusal(form, refused, place.wave)
        return None


def _print_context() -> PrintContext:
    return PrintContext(runtime().settings, runtime().sealer, runtime().today())


def _household_problem(wave: Wave) -> str:
    """Why this person may not print sets for the households of this wave; empty if allowed."""
    if not is_allowed("print for households"):
        # translators: staff form: why somebody cannot print a paper form for each household of a school
        return gettext("Your account can print only blank forms.")
    if wave.identity == "confidential" and needs_second_step(NAMES_PERMISSION):
        # translators: staff form: why somebody cannot print a form for each household; they showed a password only
        return gettext(
            "In this survey, each household's form can show its name or its access code. To print these forms, "
            "you need a second step when you sign in. Set it up under “My account.”"
        )
    return ""


def _add_refusal(form: PacketForm, refused: PacketRefused, wave: Wave) -> None:
    sentence = messages.explain_refusal(refused, catalogue(language().tag), language().locale)
    form.add_error(refused_field(refused, wave), sentence)


def _audit_codes(session: Session, created: CreatedPacket) -> None:
    if created.codes:
        log_event(
            session, "make access codes", about=created.packet.wave_id, codes=created.codes, packet=created.packet.id
        )


def _find_place(session: Session, wave_id: str, school_id: str) -> PrintPlace | None:
    """This place, if this person works with it, even if nothing can be printed for it any more."""
    if not (is_possible_id(wave_id) and is_possible_id(school_id) and is_own_school(school_id)):
        return None
    if session.get(WaveSchool, (wave_id, school_id)) is None:
        return None
    wave, school = session.get_one(Wave, wave_id), session.get_one(School, school_id)
    if not wave.is_for_families:
        return None
    return PrintPlace(wave, school, None if _household_problem(wave) else count_sets(session, wave, school))


def _render_page(session: Session, page: PrintPage) -> str:
    form, place = page.form, page.place
    if place is not None:
        form.wave.data, form.school.data, form.shown.data = place.wave.id, place.school.id, place.value
    page_of_packets = read_page(session, sheet_status.select_packets(permitted_schools()), requested_page())
    return render_template(
        "liaison/print_request.html",
        form=form,
        place=place,
        page=page_of_packets,
        schools=len(list(form.school.iter_choices())),
        place_query={"wave": place.wave.id, "school": place.school.id} if place else {},
        rows=sheet_status.build_packet_rows(session, page_of_packets.rows),
        older=sheet_status.list_older_print_runs(session, permitted_schools()),
        families=runtime().settings.base_url,
    )


def _reprint_pdf(run: PrintRun, wave: Wave, numbers: list[str]) -> Response:
    settings, out = runtime().settings, BytesIO()
    notices = {run.language: render_notice(wave, settings, run.language, answers_deleted_on(wave, settings))}
    edition = load_edition(wave.edition.document)
    fonts = Path(settings.font_dir) if settings.font_dir else None
    write_sheets(
        out,
        edition,
        SurveyInLanguage(run.language, edition.survey(run.language), catalogue(run.language)),
        Cover(settings.district_name, wave.identity, opens=wave.opens, closes=wave.closes, notice=notices),
        SheetFormat(run.paper, "large" if run.large_print else "standard", fonts=fonts),
        serials=numbers,
    )
    out.seek(0)
    name = f"{wave.id}-{run.school_id}-{run.language}-{run.id[:6]}.pdf"
    return send_file(out, "application/pdf", as_attachment=True, download_name=safe_file_name(name))


def safe_file_name(name: str) -> str:
    """A file name without characters that are invalid in a header or a file system."""
    return re.sub(r"[^0-9A-Za-z.-]", "_", name)
