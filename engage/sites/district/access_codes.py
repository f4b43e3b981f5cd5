"""Access codes: created and downloaded once as a list; only their digests are stored."""

from collections.abc import Callable
from random import SystemRandom
from typing import Any

from flask import Response, abort, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse
from wtforms import SelectField
from wtforms.validators import NumberRange

from engage.base.catalogs import catalogue
from engage.base.exports.csv import csv_bytes
from engage.base.languages import LANGUAGES
from engage.domain.intake.access_code_use import SPENT_KEY, is_anonymous_code_used, lock_codes, used_code_digest
from engage.domain.security.access_codes import ACCESS_KEY, digest, format_access_code, generate_access_code
from engage.domain.security.pasted_codes import find_access_code
from engage.services.waves.invitations import (
    CodeUnknown,
    CodeUsed,
    can_revoke_codes,
    explain_small_schools,
    find_small_schools,
    read_all_invitations,
    replace_invitation,
)
from engage.services.waves.opening import add_unnamed_invitations
from engage.services.waves.populations import PILES
from engage.services.waves.targets import invitation_language
from engage.services.waves.unit_counts import count_units
from engage.sites.district.blueprint import blueprint
from engage.sites.district.mail_merge import KINDS, code_link, download_response
from engage.sites.district.waves import require_wave
from engage.storage.engine import read_session, write_session
from engage.storage.models.invitations import Invitation
from engage.storage.models.waves import Wave
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.forms import BaseForm, LineField, NumberField
from engage.web.page_language import gettext, language
from engage.web.permissions import enters

MOST = 1000  # codes at a time without a roster: more than the households of a school
RNG = SystemRandom()


class CodesForm(BaseForm):
    """How many codes to create, for which school, and in which language."""

    school = SelectField()
    language = SelectField()
    number = NumberField(default=50, validators=[NumberRange(1, MOST)])

    def __init__(self, wave: Wave) -> None:
        super().__init__()
        self.school.choices = [(school.id, school.name) for school in wave.schools]
        self.language.choices = [(tag, LANGUAGES[tag].name) for tag in wave.offered if tag in LANGUAGES]


class LostForm(BaseForm):
    """The code of a lost letter."""

    code = LineField()


@blueprint.get("/waves/<wave_id>/codes")
@enters("make access codes")
def codes(wave_id: str) -> str | BaseResponse:
    """The forms; for educators and students, the page of their slips."""
    with read_session(runtime().engine) as session:
        if require_wave(session, wave_id).population in PILES:
            return redirect(url_for("district.slips", wave_id=wave_id))
        return _render_page(session, require_code_wave(session, wave_id))


@blueprint.post("/waves/<wave_id>/codes/lost")
@enters("make access codes")
def replace_code(wave_id: str) -> str | tuple[str, int]:
    """Replace a lost code by a new one, shown once; the old one becomes invalid."""
    form, new = LostForm(), generate_access_code(RNG)
    replacement = _replace_lost_code(wave_id, form, new)
    with read_session(runtime().engine) as session:  # others can write while the page is drawn
        wave = require_code_wave(session, wave_id)
        if replacement is None:
            return _render_page(session, wave, lost=form), 422
        read_all_invitations(session, wave.id)
        link = code_link(invitation_language(wave, replacement.language), new)
        return _render_page(session, wave, fresh=(format_access_code(new), link))


def _replace_lost_code(wave_id: str, form: LostForm, new: str) -> Invitation | None:
    """Replace the code in the form. None, with an error in the form, if it is not an unused code of the wave."""
    key = runtime().secret(ACCESS_KEY)
    old = find_access_code(form.code.data or "") if form.validate() else None
    with write_session(runtime().engine) as session:
        wave = require_code_wave(session, wave_id, change=True)
        lock_codes(session, wave)
        try:
            if old is None:
                raise CodeUnknown
            replacement = replace_invitation(
                session, wave, digest(old, key), digest(new, key), _make_used_check(session, wave, old)
            )
        except (CodeUnknown, CodeUsed):  # distinguishing the two would reveal who has answered
            # translators: staff form: why a code cannot be replaced
            sentence = gettext("This is not a code for this survey, or it has been used. Check it against the list.")
            if not form.code.errors:
                form.add_error("code", sentence)
            return None
        log_event(session, "make access codes", about=wave.id, codes=1, replaced=1)
        session.commit()
    return replacement


@blueprint.post("/waves/<wave_id>/codes")
@enters("make access codes")
def make_codes(wave_id: str) -> Response | tuple[str, int]:
    """Create codes that belong to no household in particular, and download them as CSV. They can be read only this
    time."""
    with read_session(runtime().engine) as session:
        wave = require_code_wave(session, wave_id)
        form = CodesForm(wave)
        if not form.validate():
            return _render_page(session, wave, form), 422
    minted = [generate_access_code(RNG) for _ in range(form.number.data or 0)]
    if not _store_unnamed_codes(wave_id, form, minted):
        with read_session(runtime().engine) as session:
            return _render_page(session, require_code_wave(session, wave_id), form), 422
    with read_session(runtime().engine) as session:
        wave = require_code_wave(session, wave_id)
        read_all_invitations(session, wave.id)
        return _code_list_csv(wave, form.school.data, form.language.data, minted)


def _store_unnamed_codes(wave_id: str, form: CodesForm, minted: list[str]) -> bool:
    """Add an invitation for each code, with an entry in the audit log. False, with an error in the form, if a school
    would have too few."""
    key, school, tag = runtime().secret(ACCESS_KEY), form.school.data, form.language.data
    digests = [digest(code, key) for code in minted]
    with write_session(runtime().engine) as session:
        wave = require_code_wave(session, wave_id, change=True)
        add_unnamed_invitations(session, wave, school, tag, digests)
        if small := find_small_schools(session.connection(), wave):
            form.add_error("number", explain_small_schools(wave, small, catalogue(language().tag)))
            return False
        log_event(session, "make access codes", about=wave.id, codes=len(minted), school=school, language=tag)
        session.commit()
    return True


def _make_used_check(session: Session, wave: Wave, code: str) -> Callable[[Invitation], bool]:
    """Returns a check whether a code has been used: in an anonymous wave by its digest, in a confidential one by the
    invitation."""
    if wave.identity != "anonymous":
        return lambda _: False
    if wave.burn_salt is None:
        return lambda _: True  # long after the end, when this is not known any more
    spent = used_code_digest(runtime().secret(SPENT_KEY), wave.burn_salt, code)
    return lambda record: is_anonymous_code_used(session.connection(), record.digest, spent)


def require_code_wave(session: Session, wave_id: str, change: bool = False) -> Wave:
    """The same as `require_wave_with_codes`; "not found" for a wave that families do not answer."""
    wave = require_wave_with_codes(session, wave_id, change)
    return wave if wave.is_for_families else abort(404)


def require_wave_with_codes(session: Session, wave_id: str, change: bool = False) -> Wave:
    """The wave; "not found" for one with an open link. With `change`, others cannot create, replace or withdraw codes
    of this wave until the transaction ends; people can still answer."""
    wave = require_wave(session, wave_id)
    if wave.entry != "code":
        abort(404)
    if change:
        session.refresh(wave, with_for_update={"key_share": True})
    return wave


def _code_list_csv(wave: Wave, school_id: str, language: str, minted: list[str]) -> Response:
    school = next(school.name for school in wave.schools if school.id == school_id)
    headings = [
        # translators: heading of a table column
        gettext("School"),
        # translators: heading of a table column
        gettext("Language"),
        # translators: heading of a table column: what a household types in to answer
        gettext("Access code"),
        # translators: heading of a table column: a web address
        gettext("Link"),
    ]
    rows = [(school, LANGUAGES[language].name, format_access_code(code), code_link(language, code)) for code in minted]
    return download_response(
        b"".join(csv_bytes(headings, rows)), KINDS["csv"], f"codes-{wave.id}-{school_id}-{language}.csv"
    )


def _render_page(session: Session, wave: Wave, form: CodesForm | None = None, **more: Any) -> str:
    units = count_units(session, wave)
    values = {
        "wave": wave,
        "form": form or CodesForm(wave),
        "lost": LostForm(),
        "fresh": None,
        "expected": units.total,
        "waiting": units.uninvited,
        "back": can_revoke_codes(session, wave),
    }
    return render_template("district/access_codes.html", **values | more)
