"""The reminders page: for each school of a wave, the response of its language groups, in bands."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import render_template, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from engage.base.catalogs import catalogue
from engage.base.exports.csv import csv_bytes
from engage.domain.intake.group_assignment import count_languages
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.services.waves.reminders import (
    LEAST,
    ReminderGroup,
    band_names,
    count_invitations,
    merge_language_groups,
    rank_groups,
    round_responses,
)
from engage.services.waves.unit_counts import count_targets
from engage.sites.district.blueprint import blueprint
from engage.sites.district.mail_merge import KINDS, download_response
from engage.sites.district.wave_targets import count_opted_out, has_codes
from engage.sites.district.waves import SchoolSearch, require_family_wave
from engage.storage.engine import read_session
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave
from engage.web.context import runtime
from engage.web.language_labels import language_name, native_name
from engage.web.page_language import gettext, language
from engage.web.paging import read_page, requested_page
from engage.web.permissions import enters, permitted_schools


@dataclass(frozen=True, slots=True)
class SchoolReminders:
    """A school and its language groups that are large enough; `left_out` says whether there are smaller ones, `unknown`
    how many households have an unknown language and are in no group."""

    school: School
    groups: list[ReminderGroup]
    left_out: bool
    unknown: int


@blueprint.get("/reminders")
@enters("see waves")
def reminders_index() -> Response | str:
    """A choice of open surveys; redirects if there is only one."""
    with read_session(runtime().engine) as session:
        waves = _open_waves(session)
        if len(waves) == 1:
            return redirect(url_for("district.reminders", wave_id=waves[0].id))
        return render_template("district/reminders_index.html", waves=waves)


def _open_waves(session: Session) -> list[Wave]:
    """Waves that families can answer today in a school of this person, those that close first at the top."""
    today, schools = runtime().today(), permitted_schools()
    newest = select(Wave).where(Wave.is_for_families, Wave.opens <= today, Wave.closes >= today)
    newest = newest.order_by(Wave.closes, Wave.id)
    return [
        wave for wave in session.scalars(newest) if schools is None or any(each.id in schools for each in wave.schools)
    ]


@blueprint.get("/waves/<wave_id>/reminders")
@enters("see waves")
def reminders(wave_id: str) -> str:
    """The bands by school."""
    with read_session(runtime().engine) as session:
        wave, search = require_family_wave(session, wave_id), SchoolSearch()
        page = read_page(session, search.select_schools(wave), requested_page())
        return render_template(
            "district/reminders.html",
            wave=wave,
            search=search,
            page=page,
            places=list_school_reminders(session, wave, page.rows),
            bands=band_names(catalogue(language().tag)),
            least=LEAST,
            language_name=language_name,
            opted_out=count_opted_out(session, wave),
        )


@blueprint.get("/waves/<wave_id>/reminders.csv")
@enters("see waves")
def reminders_csv(wave_id: str) -> Response:
    """The bands as CSV."""
    with read_session(runtime().engine) as session:
        wave = require_family_wave(session, wave_id)
        schools = session.scalars(SchoolSearch().select_schools(wave)).all()
        places = list_school_reminders(session, wave, schools)
    bands = band_names(catalogue(language().tag))
    headings = [
        # translators: heading of a table column
        gettext("School"),
        # translators: heading of a table column
        gettext("Language"),
        # translators: heading of a table column: how many households are asked
        gettext("Households asked"),
        # translators: heading of a table column: which part of the households answered
        gettext("Answered so far"),
    ]
    rows = [
        (place.school.name, native_name(group.language), group.expected, bands[group.band])
        for place in places
        for group in place.groups
    ]
    return download_response(b"".join(csv_bytes(headings, rows)), KINDS["csv"], f"reminders-{wave.id}.csv")


def list_school_reminders(session: Session, wave: Wave, schools: Sequence[School]) -> list[SchoolReminders]:
    """The reminders of some schools of the wave. Households and answers of all are counted in a few statements."""
    groups = count_invitations(session, wave) if has_codes(session, wave) else count_targets(session, wave, schools)
    groups = merge_language_groups(session, wave, groups)
    counted = count_languages(session.connection(), wave.id, runtime().secret(GROUP_KEY))
    entries = []
    for school in schools:
        expected = groups.of(school.id)
        ranked = rank_groups(expected, round_responses(counted, school.id))
        entries.append(SchoolReminders(school, ranked, len(ranked) < len(expected), groups.unknown[school.id]))
    return entries
