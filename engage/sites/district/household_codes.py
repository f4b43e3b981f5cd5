"""Access codes for the households of a wave, and the list with them for letters, which is handed out once.

Everything that takes time is done before or after the short transactions that store the codes, because nobody else can
write meanwhile. An entry in the audit log is stored with each batch of codes, before the list is handed out.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from random import SystemRandom

from flask import abort, flash, redirect, url_for
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import RadioField

from engage.base.catalogs import catalogue
from engage.domain.roster.import_state import RosterIncomplete, require_complete_roster, roster_version
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
from engage.sites.district.mail_merge import (
    KINDS,
    LetterLine,
    LetterNames,
    download_code_list,
    letter_lines,
    read_letter_names,
    sort_letter_lines,
)
from engage.sites.district.wave_targets import wave_units
from engage.storage.engine import pause_after, read_session, write_session
from engage.storage.models.invitations import Invitation
from engage.storage.models.roster import OptOut
from engage.storage.models.waves import Wave
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.forms import BaseForm
from engage.web.page_language import gettext, language
from engage.web.permissions import enters

ATTEMPTS = 3  # to create codes while nobody imports a roster, changes opt-outs, or creates codes of the wave
BATCH = 4_000  # codes per transaction: about 0.1 s
RNG = SystemRandom()

log = logging.getLogger("engage.codes")


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
    """Codes that can be stored if the state is still the same, batch by batch, and the names for the letters with them.
    `problem` is why none may be stored, empty if there is no reason."""

    wave: Wave
    batches: list[DrawnInvitations]
    state: UnitsState
    names: LetterNames
    problem: str


@blueprint.post("/waves/<wave_id>/codes/households")
@enters("make access codes")
def make_household_codes(wave_id: str) -> Response:
    """Create a code for each household that has none, and download the list. The codes can be read only this time."""
    form = CodeListForm()
    if not form.validate():  # not sent by a page of this site
        abort(400)
    lines: list[LetterLine] = []
    problem = _make_codes(wave_id, lines)
    if problem:
        flash(problem, "error")  # shown on the next page if there is a list to download
    if not lines:
        return redirect(url_for("district.codes", wave_id=wave_id))
    with read_session(runtime().engine) as session:
        wave = require_code_wave(session, wave_id)
        read_all_invitations(session, wave_id)
    return download_code_list(wave, sort_letter_lines(lines), form.kind.data)


def _make_codes(wave_id: str, lines: list[LetterLine]) -> str:
    """Create the codes, and add a line to `lines` for each that is stored. Returns why there are none, or not all;
    empty if all households have a code."""
    for _ in range(ATTEMPTS):
        try:
            prepared = _prepare_codes(wave_id)
            if not prepared.batches and not lines:
                # translators: shown to staff who want access codes for households
                return gettext("Every household already has a code. No new codes were created.")
            if prepared.problem:
                return prepared.problem
            if _store_batches(prepared, lines):
                return ""
        except (DBAPIError, RosterIncomplete):  # codes that are stored are handed out; they can be read only now
            if not lines:
                raise
            log.exception("a list of access codes is incomplete")
            break
    if lines:
        # translators: shown to staff who have just downloaded a list of access codes that is not complete
        return gettext("Some households are missing from the list you downloaded. Create codes again for the others.")
    # translators: shown to staff who want access codes for households, while somebody else changed who gets one
    return gettext("The roster, the opt-outs, or the codes were just changed. Try again.")


def _prepare_codes(wave_id: str) -> PreparedCodes:
    """Draw a code for each unit that has none. Raises RosterIncomplete."""
    key, problem = runtime().secret(ACCESS_KEY), ""
    with read_session(runtime().engine) as session:
        wave = require_code_wave(session, wave_id)
        require_complete_roster(session)
        state = _read_state(session, wave)
        units = find_uninvited_units(session, wave, wave_units(session, wave))
        if small := find_small_schools(session.connection(), wave, Counter(unit.school_id for unit in units)):
            problem = explain_small_schools(wave, small, catalogue(language().tag))
        names = read_letter_names(session, units, runtime().sealer)
    batches = [
        draw_invitations(wave, some, lambda: generate_access_code(RNG), lambda code: digest(code, key), RNG)
        for some in _school_batches(units)
    ]
    return PreparedCodes(wave, batches, state, names, problem)


def _school_batches(units: Sequence[SamplingUnit]) -> Iterator[list[SamplingUnit]]:
    """The units in batches of whole schools: with some of its codes, a school could be too small to be anonymous."""
    batch: list[SamplingUnit] = []
    for _, some in groupby(sorted(units, key=lambda unit: unit.school_id), lambda unit: unit.school_id):
        school = list(some)
        if batch and len(batch) + len(school) > BATCH:
            yield batch
            batch = []
        batch += school
    if batch:
        yield batch


def _store_batches(prepared: PreparedCodes, lines: list[LetterLine]) -> bool:
    """Store the codes, each batch with an entry in the audit log, and add its lines. False if the state changed: then
    what is left must be prepared again."""
    state = prepared.state
    for batch in prepared.batches:
        began = time.monotonic()
        if not _store_batch(prepared.wave.id, batch, state):
            return False
        held = time.monotonic() - began
        state = replace(state, invitations=state.invitations + len(batch.invited))
        lines += letter_lines(prepared.wave, batch.letters, prepared.names)
        if batch is not prepared.batches[-1]:
            pause_after(held)
    return True


def _store_batch(wave_id: str, batch: DrawnInvitations, state: UnitsState) -> bool:
    with write_session(runtime().engine) as session:
        wave = require_code_wave(session, wave_id, change=True)
        if _read_state(session, wave) != state:
            return False
        add_invitations(session, wave, batch.invited)
        schools = len({each.school_id for each in batch.invited})
        log_event(session, "make access codes", about=wave.id, codes=len(batch.invited), schools=schools)
        session.commit()
    return True


def _read_state(session: Session, wave: Wave) -> UnitsState:
    number = select(func.count()).select_from(Invitation).where(Invitation.wave_id == wave.id)
    opted_out = frozenset(session.scalars(select(OptOut.household_id)))
    return UnitsState(roster_version(session), opted_out, session.scalar(number) or 0)
