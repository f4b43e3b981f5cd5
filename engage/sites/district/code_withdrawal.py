"""Taking back all access codes of a wave, for a list that got lost: asked on its own page, as letters stop working."""

from dataclasses import dataclass
from datetime import UTC, date
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import Form

from engage.domain.intake.access_code_use import hold
from engage.domain.security.access_codes import plain
from engage.services.waves.invitations import may_be_taken_back, take_back
from engage.sites.district.access_codes import coded_wave
from engage.sites.district.blueprint import blueprint
from engage.sites.district.fields import Line, given
from engage.storage.engine import reading, writing
from engage.storage.models.audit import AuditEvent
from engage.storage.models.responses import Invitation
from engage.storage.models.schools import Wave
from engage.web.audit import audited
from engage.web.context import state
from engage.web.page_language import gettext, ngettext
from engage.web.permissions import enters

MADE = "make access codes"  # in the audit log


class TakeBackForm(Form):  # type: ignore[misc]  # wtforms has no types
    """The number of codes, typed by whoever takes them back."""

    number = Line()


@dataclass(frozen=True, slots=True)
class Making:
    """When access codes of a wave were made, and by whom."""

    day: date
    """The district's day."""
    by: str


@blueprint.get("/waves/<wave_id>/codes/back")
@enters("make access codes")
def asking_codes_back(wave_id: str) -> str:
    """What would stop working, and a field for the number."""
    with reading(state().engine) as session:
        return _page(session, coded_wave(session, wave_id), TakeBackForm())


@blueprint.post("/waves/<wave_id>/codes/back")
@enters("make access codes")
def take_codes_back(wave_id: str) -> Response | tuple[str, int]:
    """Make all codes worthless, while nobody has begun to answer."""
    form = TakeBackForm(request.form)
    with writing(state().engine) as session:
        wave = coded_wave(session, wave_id, change=True)
        hold(session, wave)
        if not may_be_taken_back(session, wave):
            return _page(session, wave, form), 409
        number = _number_of_codes(session, wave)
        if not form.validate() or plain(form.number.data or "") != str(number):
            form.number.errors = []
            # translators: staff form: the person types how many access codes stop working; %(number)s is that number
            given(form, "number", gettext("Type %(number)s, the number of codes that stop working.", number=number))
            return _page(session, wave, form), 422
        take_back(session, wave)
        audited(session, MADE, about=wave.id, taken_back=number)
        session.commit()
    # translators: shown to staff after all access codes of a wave were made worthless
    flash(ngettext("%(num)s code was taken back.", "%(num)s codes were taken back.", number))
    return redirect(url_for("district.codes", wave_id=wave_id))


def _number_of_codes(session: Session, wave: Wave) -> int:
    return session.scalar(select(func.count()).where(Invitation.wave_id == wave.id)) or 0


def _makings(session: Session, wave: Wave) -> list[Making]:
    """Every time codes of the wave were made, the newest first."""
    events = select(AuditEvent).where(AuditEvent.deed == MADE, AuditEvent.about == wave.id)
    found = session.scalars(events.order_by(AuditEvent.number.desc()))
    zone = ZoneInfo(state().settings.timezone)
    return [
        Making(each.at.replace(tzinfo=UTC).astimezone(zone).date(), each.actor)
        for each in found
        if '"taken_back"' not in each.detail
    ]


def _page(session: Session, wave: Wave, form: TakeBackForm) -> str:
    return render_template(
        "district/codes_back.html",
        wave=wave,
        form=form,
        number=_number_of_codes(session, wave),
        makings=_makings(session, wave),
        possible=may_be_taken_back(session, wave),
    )
