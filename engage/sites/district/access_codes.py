"""Access codes: created and downloaded once as a list; only their digests are stored."""

from collections.abc import Callable
from random import SystemRandom
from typing import Any

from flask import Response, abort, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse
from wtforms import RadioField, SelectField
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
    create_invitations,
    explain_small_schools,
    find_small_schools,
    find_uninvited_units,
    read_all_invitations,
    replace_invitation,
)
from engage.services.waves.opening import add_unnamed_invitations
from engage.services.waves.targets import invitation_language
from engage.sites.district.blueprint import blueprint
from engage.sites.district.mail_merge import KINDS, code_link, download_code_list, download_response, letter_lines
from engage.sites.district.wave_targets import wave_units
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


class CodeListForm(BaseForm):
    """The file type for the list of household codes."""

    kind = RadioField()

    def __init__(self) -> None:
        super().__init__()
        self.kind.choices = [(kind, kind) for kind in KINDS]


@blueprint.get("/waves/<wave_id>/codes")
@enters("make access codes")
def codes(wave_id: str) -> str:
    """The forms."""
    with read_session(runtime().engine) as session:
        return _render_page(session, require_code_wave(session, wave_id))


@blueprint.post("/waves/<wave_id>/codes/households")
@enters("make access codes")
def make_household_codes(wave_id: str) -> AnyResponse:
    """Create a code for each household that has none, and download the list. The codes can be read only this time."""
    form = CodeListForm()
    if not form.validate():  # not sent by a page of this site
        abort(400)
    key = runtime().secret(ACCESS_KEY)
    with write_session(runtime().engine) as session:
        wave = require_code_wave(session, wave_id, change=True)
        new = find_uninvited_units(session, wave, wave_units(session, wave))
        if not new:
            # translators: shown to staff who want access codes for households
            flash(gettext("Every household already has a code. No new codes were created."))
            return redirect(url_for("district.codes", wave_id=wave.id))
        letters = create_invitations(
            session, wave, new, lambda: generate_access_code(RNG), lambda code: digest(code, key), RNG
        )
        if small := find_small_schools(session.connection(), wave):
            flash(explain_small_schools(wave, small, catalogue(language().tag)), "error")
            return redirect(url_for("district.codes", wave_id=wave.id))
        answer = download_code_list(wave, letter_lines(session, wave, letters, runtime().sealer), form.kind.data)
        log_event(session, "make access codes", about=wave.id, codes=len(letters), schools=len(wave.schools))
        session.commit()
        read_all_invitations(session, wave)
    return answer


@blueprint.post("/waves/<wave_id>/codes/lost")
@enters("make access codes")
def replace_code(wave_id: str) -> str | tuple[str, int]:
    """Replace a lost code by a new one, shown once; the old one becomes invalid."""
    form = LostForm()
    key, new = runtime().secret(ACCESS_KEY), generate_access_code(RNG)
    with write_session(runtime().engine) as session:
        wave = require_code_wave(session, wave_id, change=True)
        lock_codes(session, wave)
        old = find_access_code(form.code.data or "") if form.validate() else None
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
            return _render_page(session, wave, lost=form), 422
        log_event(session, "make access codes", about=wave.id, codes=1, replaced=1)
        session.commit()
        read_all_invitations(session, wave)
        return _render_page(
            session,
            wave,
            fresh=(format_access_code(new), code_link(invitation_language(wave, replacement.language), new)),
        )


@blueprint.post("/waves/<wave_id>/codes")
@enters("make access codes")
def make_codes(wave_id: str) -> Response | tuple[str, int]:
    """Create codes that belong to no household in particular, and download them as CSV. They can be read only this
    time."""
    with write_session(runtime().engine) as session:
        wave = require_code_wave(session, wave_id, change=True)
        form = CodesForm(wave)
        if not form.validate():
            return _render_page(session, wave, form), 422
        minted = [generate_access_code(RNG) for _ in range(form.number.data or 0)]
        key = runtime().secret(ACCESS_KEY)
        add_unnamed_invitations(
            session, wave, form.school.data, form.language.data, [digest(code, key) for code in minted]
        )
        session.flush()
        if small := find_small_schools(session.connection(), wave):
            session.rollback()
            form.add_error("number", explain_small_schools(wave, small, catalogue(language().tag)))
            return _render_page(session, wave, form), 422
        log_event(
            session,
            "make access codes",
            about=wave.id,
            codes=len(minted),
            school=form.school.data,
            language=form.language.data,
        )
        session.commit()
        read_all_invitations(session, wave)
        return _code_list_csv(wave, form.school.data, form.language.data, minted)


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
    """The wave; "not found" for one with an open link. With `change`, others cannot create, replace or withdraw codes
    of this wave until the transaction ends; families can still answer."""
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
    units = list(wave_units(session, wave))
    values = {
        "wave": wave,
        "form": form or CodesForm(wave),
        "lost": LostForm(),
        "fresh": None,
        "expected": len(units),
        "waiting": len(find_uninvited_units(session, wave, units)),
        "back": can_revoke_codes(session, wave),
    }
    return render_template("district/access_codes.html", **values | more)
