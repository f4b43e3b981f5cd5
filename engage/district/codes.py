"""Access codes: made once, shown once as a list to download; only their digests stay."""

from random import SystemRandom

from flask import Response, abort, render_template, request
from sqlalchemy.orm import Session
from wtforms import Form, IntegerField, SelectField

from engage.access.codes import ACCESS_KEY, digest, mint, show
from engage.district.door import blueprint
from engage.district.fields import given
from engage.district.waves import the_wave
from engage.exports.csv import csv_bytes
from engage.languages import LANGUAGES
from engage.records.schools import Wave
from engage.records.session import reading, writing
from engage.waves.open import invite
from engage.web.guards import enters
from engage.web.locale import gettext
from engage.web.state import state

MOST = 1000  # codes at a time: more than a school's households


class CodesForm(Form):  # type: ignore[misc]  # wtforms has no types
    """How many codes, for which school and in which language."""

    school = SelectField(validate_choice=False)
    language = SelectField(validate_choice=False)
    number = IntegerField(default=50)

    def fits(self, wave: Wave) -> bool:
        """Whether the form can be carried out for this wave; if not, it says why."""
        if self.school.data not in {school.id for school in wave.schools}:
            # translators: staff form
            given(self, "school", gettext("Choose a school of this wave."))
        if self.language.data not in wave.offered:
            # translators: staff form
            given(self, "language", gettext("Choose a language of this wave."))
        if not isinstance(self.number.data, int) or not 1 <= self.number.data <= MOST:
            self.number.errors = []
            # translators: staff form: how many access codes to make
            given(self, "number", gettext("Write a number from 1 to %(most)s.", most=MOST))
        return not any(field.errors for field in self)


@blueprint.get("/waves/<wave_id>/codes")
@enters("open waves")
def codes(wave_id: str) -> str:
    """The form."""
    with reading(state().engine) as session:
        return _page(_coded(session, wave_id), CodesForm())


@blueprint.post("/waves/<wave_id>/codes")
@enters("open waves")
def make_codes(wave_id: str) -> Response | tuple[str, int]:
    """Make the codes and hand them over as CSV, the only time they can be read."""
    form = CodesForm(request.form)
    with writing(state().engine) as session:
        wave = _coded(session, wave_id)
        form.validate()
        if not form.fits(wave):
            return _page(wave, form), 422
        rng = SystemRandom()
        minted = [mint(rng) for _ in range(form.number.data)]
        key = state().secret(ACCESS_KEY)
        invite(session, wave, form.school.data, form.language.data, [digest(code, key) for code in minted])
        session.commit()
        return _handed_over(wave, form.school.data, form.language.data, minted)


def _coded(session: Session, wave_id: str) -> Wave:
    """The wave; "not found" for one that families enter by an open link."""
    wave = the_wave(session, wave_id)
    if wave.entry != "code":
        abort(404)
    return wave


def _handed_over(wave: Wave, school_id: str, language: str, minted: list[str]) -> Response:
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
    base = state().settings.base_url
    rows = [(school, LANGUAGES[language].name, show(code), f"{base}/{language}/c/{show(code)}") for code in minted]
    name = f"codes-{wave.id}-{school_id}-{language}.csv"
    return Response(
        b"".join(csv_bytes(headings, rows)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _page(wave: Wave, form: CodesForm) -> str:
    schools = [(school.id, school.name) for school in wave.schools]
    tongues = [(tag, LANGUAGES[tag].name) for tag in wave.offered if tag in LANGUAGES]
    return render_template("district/codes.html", wave=wave, form=form, schools=schools, tongues=tongues, most=MOST)
