"""Reading debriefs: what must be answered within a week, and then every debrief, the newest first."""

from collections.abc import Sequence

from flask import render_template
from sqlalchemy.orm import Session
from wtforms import SelectField

from engage.services.waves.debriefs import (
    list_urgent_debriefs,
    read_debriefs,
    select_debrief_waves,
    select_debriefs,
)
from engage.sites.liaison.blueprint import blueprint
from engage.sites.liaison.scope import own_schools_of, school_choices, wave_choices
from engage.storage.engine import read_session
from engage.storage.models.waves import Wave
from engage.web.context import runtime
from engage.web.forms import QueryForm
from engage.web.page_language import gettext, language
from engage.web.paging import read_page, requested_page
from engage.web.permissions import enters, permitted_schools

DEBRIEFS_SHOWN = 20  # debriefs on a page


class DebriefFilter(QueryForm):
    """Filter of debriefs: one school or all, one wave or all. Another school has none; another wave is ignored."""

    school = SelectField(choices=[], default="")
    wave = SelectField(choices=[], default="")

    def offer(self, session: Session, waves: Sequence[Wave]) -> None:
        """Set these waves, and this person's schools in them, as choices."""
        # translators: choose all schools of a list
        self.school.choices = [("", gettext("All my schools")), *school_choices(own_schools_of(session, waves))]
        # translators: choose all surveys of a list
        self.wave.choices = [("", gettext("All surveys")), *wave_choices(waves)]

    @property
    def schools(self) -> frozenset[str] | None:
        """The ids of the schools that were chosen; None means all."""
        if not self.school.data:
            return permitted_schools()
        return frozenset() if self.school.errors else frozenset({self.school.data})

    @property
    def wave_id(self) -> str:
        """The id of the wave that was chosen; empty for all."""
        return "" if self.wave.errors else self.wave.data or ""


@blueprint.get("/debriefs")
@enters("read debriefs")
def debriefs() -> str:
    """The debriefs of this person's schools."""
    form, tag = DebriefFilter(), language().tag
    with read_session(runtime().engine) as session:
        waves = session.scalars(select_debrief_waves(permitted_schools())).all()
        form.offer(session, waves)
        form.validate()
        page = read_page(session, select_debriefs(form.schools, form.wave_id), requested_page(), DEBRIEFS_SHOWN)
        return render_template(
            "liaison/debriefs.html",
            form=form,
            waves=waves,
            is_open=any(wave.is_open(runtime().today()) for wave in waves),
            page=page,
            rows=read_debriefs(session, page.rows, tag),
            urgent=list_urgent_debriefs(session, form.schools, tag, runtime().today(), form.wave_id),
            query={"school": form.school.data or None, "wave": form.wave_id or None},
        )
