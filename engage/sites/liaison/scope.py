"""The scope of this person: schools, their waves, and forms to choose among them."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import Field, SelectField
from wtforms.validators import ValidationError

from engage.base.languages import LANGUAGES
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave, WaveSchool
from engage.web.forms import QueryForm
from engage.web.page_language import gettext
from engage.web.permissions import permitted_schools


class PlaceForm(QueryForm):
    """A wave, a school and a language, chosen together; `offer` sets the choices."""

    wave = SelectField(choices=[])
    school = SelectField(choices=[])
    language = SelectField(choices=[])

    def offer(self, session: Session, waves: Sequence[Wave]) -> None:
        """Set these waves and this person's schools in them as choices."""
        self.wave.choices = wave_choices(waves)
        self.school.choices = school_choices(own_schools_of(session, waves))
        self.language.choices = language_choices(waves)
        self._offered = {wave.id: wave for wave in waves}

    def validate_school(self, field: Field) -> None:
        """The wave must be asked in the school. Raises ValidationError."""
        if self.wave.errors or field.errors:
            return
        if field.data not in {school.id for school in self._offered[self.wave.data].schools}:
            # translators: in a form: the survey was asked in some schools only
            raise ValidationError(gettext("This survey is not offered at this school."))

    def validate_language(self, field: Field) -> None:
        """The wave must be offered in the language. Raises ValidationError."""
        if not self.wave.errors and not field.errors and field.data not in self._offered[self.wave.data].offered:
            # translators: in a form: the survey was asked in some languages only
            raise ValidationError(gettext("This survey is not offered in this language."))


def is_own_school(school_id: str) -> bool:
    """Whether this person works with the school."""
    schools = permitted_schools()
    return schools is None or school_id in schools


def own_schools(session: Session) -> list[School]:
    """The schools of this person, by name."""
    return [school for school in session.scalars(select(School).order_by(School.name)) if is_own_school(school.id)]


def own_family_waves(session: Session) -> Sequence[Wave]:
    """The waves in which families of this person's schools are asked, the newest first."""
    newest, schools = select(Wave).where(Wave.is_for_families), permitted_schools()
    newest = newest.order_by(Wave.opens.desc(), Wave.id)
    if schools is not None:
        newest = newest.where(Wave.id.in_(select(WaveSchool.wave_id).where(WaveSchool.school_id.in_(schools))))
    return session.scalars(newest).all()


def own_schools_of(session: Session, waves: Iterable[Wave]) -> list[School]:
    """The schools of this person in any of these waves, by name."""
    wave_schools = select(WaveSchool.school_id).where(WaveSchool.wave_id.in_([wave.id for wave in waves]))
    schools = session.scalars(select(School).where(School.id.in_(wave_schools)).order_by(School.name, School.id))
    return [school for school in schools if is_own_school(school.id)]


def wave_choices(waves: Iterable[Wave]) -> list[tuple[str, str]]:
    """Choices of these waves: id and title."""
    return [(wave.id, wave.title) for wave in waves]


def school_choices(schools: Iterable[School]) -> list[tuple[str, str]]:
    """Choices of these schools: id and name."""
    return [(school.id, school.name) for school in schools]


def language_choices(waves: Iterable[Wave]) -> list[tuple[str, str]]:
    """Choices of the languages that these waves are offered in: tag and native name."""
    tags = {tag for wave in waves for tag in wave.offered}
    return [(tag, each.name) for tag, each in LANGUAGES.items() if tag in tags]
