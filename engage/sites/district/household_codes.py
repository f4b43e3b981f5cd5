"""Access codes for the households of a wave, and the list with them for letters, which is handed out once.

Everything that takes time is done before or after the short transaction that stores the codes, because nobody else can
write meanwhile. The entry in the audit log is stored with the codes, before the list is handed out.
"""

from dataclasses import dataclass
from random import SystemRandom

from flask import abort, flash, redirect, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import RadioField

from engage.base.catalogs import catalogue
from engage.domain.roster.current_roster import roster_version
from engage.domain.roster.sampling_units import SamplingUnit
from engage.domain.security.access_codes import ACCESS_KEY, digest, generate_access_code
from engage.services.waves.invitations import (
    DrawnInvitations,
    draw_invitations,
    explain_small_schools,
    find_small_schools,
    find_uninvited_units,
    read_all_invitations,
)
from engage.services.waves.opening import add_invitations
from engage.sites.district.access_codes import require_code_wave
from engage.sites.district.blueprint import blueprint
from engage.sites.district.mail_merge import KINDS, LetterNames, download_code_list, letter_lines, read_letter_names
from engage.sites.district.wave_targets import wave_units
from engage.storage.engine import read_session, write_session
from engage.storage.models.invitations import Invitation
from engage.storage.models.roster import OptOut
from engage.storage.models.waves import Wave
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.forms import BaseForm
from engage.web.page_language import gettext, language
from engage.web.permissions import enters

ATTEMPTS = 3  # to create codes while nobody imports a roster, changes opt-outs, or creates codes of the wave
RNG = SystemRandom()


class CodeListForm(BaseForm):
    """The file type for the list of household codes."""

    kind = RadioField()

    def __init__(self) -> None:
        super().__init__()
        self.kind.choices = [(kind, kind) for kind in KINDS]


@dataclass(frozen=True, slots=True)
class UnitsState:
    """What decides which units need a code: the roster, the opt-outs, and the number of invitations."""

    roster: str
    opted_out: frozenset[str]
    invitations: int


@dataclass(frozen=True, slots=True)
class PreparedCodes:
    """Codes that can be stored if the state is still the same, and the names for the letters with them."""

    wave: Wave
    units: list[SamplingUnit]
    state: UnitsState
    drawn: DrawnInvitations
    names: LetterNames


@blueprint.post("/waves/<wave_id>/codes/households")
@enters("make access codes")
def make_household_codes(wave_id: str) -> Response:
    """Create a code for each household that has none, and download the list. The codes can be read only this time."""
    form = CodeListForm()
    if not form.validate():  # not sent by a page of this site
        abort(400)
    for _ in range(ATTEMPTS):
        prepared = _prepare_codes(wave_id)
        if not prepared.units:
            # translators: shown to staff who want access codes for households
            flash(gettext("Every household already has a code. No new codes were created."))
            break
        if (problem := _store_codes(prepared)) is None:
            continue
        if not problem:
            lines = letter_lines(prepared.wave, prepared.drawn.letters, prepared.names)
            return download_code_list(prepared.wave, lines, form.kind.data)
        flash(problem, "error")
        break
    else:
        # translators: shown to staff who want access codes for households, while somebody else changed who gets one
        flash(gettext("The roster, the opt-outs, or the codes were just changed. Try again."), "error")
    return redirect(url_for("district.codes", wave_id=wave_id))


def _prepare_codes(wave_id: str) -> PreparedCodes:
    """Draw a code for each unit that has none."""
    key = runtime().secret(ACCESS_KEY)
    with read_session(runtime().engine) as session:
        wave = require_code_wave(session, wave_id)
        state = _read_state(session, wave)
        units = find_uninvited_units(session, wave, wave_units(session, wave))
        names = read_letter_names(session, units, runtime().sealer)
    drawn = draw_invitations(wave, units, lambda: generate_access_code(RNG), lambda code: digest(code, key), RNG)
    return PreparedCodes(wave, units, state, drawn, names)


def _store_codes(prepared: PreparedCodes) -> str | None:
    """Store the codes, with an entry in the audit log. Returns the reason why they were not stored, empty if they were;
    None if they must be prepared again."""
    with write_session(runtime().engine) as session:
        wave = require_code_wave(session, prepared.wave.id, change=True)
        if _read_state(session, wave) != prepared.state:
            return None
        add_invitations(session, wave, prepared.drawn.invited)
        if small := find_small_schools(session.connection(), wave):
            return explain_small_schools(wave, small, catalogue(language().tag))
        number = len(prepared.drawn.invited)
        log_event(session, "make access codes", about=wave.id, codes=number, schools=len(wave.schools))
        session.commit()
    with read_session(runtime().engine) as session:
        read_all_invitations(session, prepared.wave.id)
    return ""


def _read_state(session: Session, wave: Wave) -> UnitsState:
    number = select(func.count()).select_from(Invitation).where(Invitation.wave_id == wave.id)
    opted_out = frozenset(session.scalars(select(OptOut.household_id)))
    return UnitsState(roster_version(session), opted_out, session.scalar(number) or 0)
