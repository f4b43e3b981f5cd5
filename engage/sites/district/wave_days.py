"""Changing the last day of a wave, and the day of its results."""

from datetime import timedelta

from flask import abort, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.base.catalogs import catalogue
from engage.services.waves.opening import WaveRefused
from engage.services.waves.retention import fix_deletion_date
from engage.services.waves.schedule import NewDays, change_days
from engage.sites.district.blueprint import blueprint
from engage.sites.district.waves import require_wave
from engage.storage.engine import read_session, write_session
from engage.storage.models.waves import Wave
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.edit_forms import EditForm
from engage.web.forms import DayField
from engage.web.page_language import gettext, language, ltr
from engage.web.permissions import enters


class DaysForm(EditForm):
    """The last day, and the day of the results."""

    closes = DayField()
    results_on = DayField()


@blueprint.get("/waves/<wave_id>/days")
@enters("open waves")
def wave_days(wave_id: str) -> str:
    """The form, for a wave that has not closed."""
    with read_session(runtime().engine) as session:
        wave = require_wave(session, wave_id)
        if wave.closes < runtime().today():
            abort(404)
        return _render_page(wave, DaysForm(obj=wave))


@blueprint.post("/waves/<wave_id>/days")
@enters("open waves")
def change_wave_days(wave_id: str) -> Response | tuple[str, int]:
    """Store the new days, or show why they are refused."""
    with write_session(runtime().engine) as session:
        wave = require_wave(session, wave_id)
        form = DaysForm(obj=wave)
        before = wave.closes.isoformat()
        if not form.validate() or not _apply_days(session, wave, form):
            return _render_page(wave, form), form.refusal_status
        log_event(session, "change wave", about=wave.id, before=before, closes=wave.closes.isoformat())
        session.commit()
    # translators: shown to staff after they changed the last day of a survey
    flash(gettext("The dates were saved. Families see them right away."))
    return redirect(url_for("district.wave_page", wave_id=wave_id))


def _apply_days(session: Session, wave: Wave, form: DaysForm) -> bool:
    keep, words = timedelta(days=runtime().settings.keep_links_days), catalogue(language().tag)
    days = NewDays(form.closes.data, form.results_on.data)
    try:
        change_days(session, wave, days, today=runtime().today(), keep_links=keep, words=words)
    except WaveRefused as refused:
        for each in refused.refusals:
            form.add_error(each.field, each.sentence)
        return False
    fix_deletion_date(wave, runtime().settings)
    return True


def _render_page(wave: Wave, form: DaysForm) -> str:
    return render_template("district/wave_days.html", wave=wave, form=form, zone=ltr(runtime().settings.timezone))
