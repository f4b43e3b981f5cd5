"""Withdrawing all access codes of a wave, when a list was lost. This has its own page, because letters become
useless."""

from dataclasses import dataclass
from datetime import UTC, date
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import ValidationError

from engage.domain.intake.access_code_use import lock_codes
from engage.domain.security.access_codes import normalize_code
from engage.services.waves.invitations import can_revoke_codes, revoke_codes
from engage.sites.district.access_codes import require_wave_with_codes
from engage.sites.district.blueprint import blueprint
from engage.storage.engine import pause_after, read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.invitations import Invitation
from engage.storage.models.waves import Wave
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.forms import BaseForm, LineField
from engage.web.page_language import gettext, ngettext
from engage.web.permissions import enters

MAKE_CODES = "make access codes"  # in the audit log
BATCH = 8_000  # codes per transaction: about 0.1 s
PAUSE = 0.15  # seconds between them, so that families' answers get their turn


class TakeBackForm(BaseForm):
    """The number of codes, typed as confirmation."""

    number = LineField()

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.wanted = wanted

    def validate_number(self, field: LineField) -> None:
        """The number must be that of the codes. Raises ValidationError."""
        if normalize_code(field.data or "") != str(self.wanted):
            field.errors = []  # one message replaces all others
            # translators: staff form: the person types how many access codes stop working; %(number)s is that number
            sentence = gettext("Enter %(number)s, the number of codes that will stop working.", number=self.wanted)
            raise ValidationError(sentence)


@dataclass(frozen=True, slots=True)
class CodeBatch:
    """When access codes of a wave were created, and by whom."""

    day: date
    """The district's day."""
    by: str


@blueprint.get("/waves/<wave_id>/codes/back")
@enters("make access codes")
def asking_codes_back(wave_id: str) -> str:
    """How many codes would become invalid, and a field for the number."""
    with read_session(runtime().engine) as session:
        wave = require_wave_with_codes(session, wave_id)
        return _render_page(session, wave, TakeBackForm(_count_codes(session, wave)))


@blueprint.post("/waves/<wave_id>/codes/back")
@enters("make access codes")
def take_codes_back(wave_id: str) -> Response | tuple[str, int]:
    """Invalidate all codes, if nobody has begun to answer."""
    form, status = _withdraw_first(wave_id)
    if status:
        with read_session(runtime().engine) as session:  # others can write while the page is drawn
            return _render_page(session, require_wave_with_codes(session, wave_id), form), status
    canceled = min(BATCH, form.wanted)
    while canceled < form.wanted:
        number = _withdraw_more(wave_id, form.wanted - canceled)
        if not number:
            flash(_partial_text(canceled), "error")
            return redirect(url_for("district.codes", wave_id=wave_id))
        canceled += number
    # translators: shown to staff after all access codes of a wave were made worthless
    flash(ngettext("%(num)s access code was canceled.", "%(num)s access codes were canceled.", form.wanted))
    return redirect(url_for("district.codes", wave_id=wave_id))


def _withdraw_first(wave_id: str) -> tuple[TakeBackForm, int]:
    """Invalidate the first codes. Returns the form, and the status of a refusal; 0 if there is none."""
    with write_session(runtime().engine) as session:
        wave = require_wave_with_codes(session, wave_id, change=True)
        lock_codes(session, wave)
        form = TakeBackForm(_count_codes(session, wave))
        if not can_revoke_codes(session, wave):
            return form, 409
        if not form.validate():
            return form, 422
        _revoke(session, wave)
    return form, 0


def _withdraw_more(wave_id: str, left: int) -> int:
    """Invalidate more codes, a moment after the last ones. Returns how many; 0 if that is not possible any more:
    somebody has begun to answer, or somebody else has changed the codes, of which `left` were left."""
    pause_after(PAUSE)
    with write_session(runtime().engine) as session:
        wave = require_wave_with_codes(session, wave_id, change=True)
        lock_codes(session, wave)
        if _count_codes(session, wave) != left or not can_revoke_codes(session, wave):
            return 0
        return _revoke(session, wave)


def _revoke(session: Session, wave: Wave) -> int:
    """Invalidate a batch of codes, with an entry in the audit log, and commit."""
    number = revoke_codes(session, wave, BATCH)
    log_event(session, MAKE_CODES, about=wave.id, taken_back=number)
    session.commit()
    return number


def _partial_text(canceled: int) -> str:
    # translators: shown to staff who cancel all access codes of a survey, if that had to stop after some of them
    return ngettext(
        "Only %(num)s access code was canceled. A family has just started to answer, or someone else has changed the "
        "codes. The others still work.",
        "Only %(num)s access codes were canceled. A family has just started to answer, or someone else has changed the "
        "codes. The others still work.",
        canceled,
    )


def _count_codes(session: Session, wave: Wave) -> int:
    return session.scalar(select(func.count()).where(Invitation.wave_id == wave.id)) or 0


def _code_batches(session: Session, wave: Wave) -> list[CodeBatch]:
    """The days on which codes of the wave were created, and by whom, newest first. A long list has several entries."""
    events = select(AuditEvent).where(AuditEvent.deed == MAKE_CODES, AuditEvent.about == wave.id)
    rows = session.scalars(events.order_by(AuditEvent.number.desc()))
    zone = ZoneInfo(runtime().settings.timezone)
    batches = (
        CodeBatch(each.at.replace(tzinfo=UTC).astimezone(zone).date(), each.actor)
        for each in rows
        if '"taken_back"' not in each.detail
    )
    return list(dict.fromkeys(batches))


def _render_page(session: Session, wave: Wave, form: TakeBackForm) -> str:
    return render_template(
        "district/code_withdrawal.html",
        wave=wave,
        form=form,
        makings=_code_batches(session, wave),
        possible=can_revoke_codes(session, wave),
    )
