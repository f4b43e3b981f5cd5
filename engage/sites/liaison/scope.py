"""The scope of this person: schools, their waves, and forms to choose among them."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload
from wtforms import Field, SelectField
from wtforms.validators import ValidationError

from engage.base.languages import LANGUAGES
from engage.storage.models.schools import School
from engage.storage.models.waves import Wave
from engage.web.forms import QueryForm
from engage.web.page_language import gettext
from engage.web.permissions import permitted_schools


class PlaceForm(QueryForm):
    """A wave, a school and a language, chosen together; `offer` sets the choices."""

    place = SelectField(choices=[])
    """Wave and school, separated by a space."""
    language = SelectField(choices=[])

    def offer(self, waves: Sequence[Wave]) -> None:
        """Set these waves, each in this person's schools, as choices."""
        self.place.choices, self.language.choices = place_choices(waves), language_choices(waves)
        self._offered = {wave.id: wave.offered for wave in waves}

    @property
    def wave_id(self) -> str:
        """The id of the chosen wave."""
        return str(self.place.data).split(" ")[0]

    @property
    def school_id(self) -> str:
        """The id of the chosen school."""
        return str(self.place.data).split(" ")[1]

    def validate_language(self, field: Field) -> None:
        """The wave must be offered in the language. Raises ValidationError."""
        if not self.place.errors and not field.errors and field.data not in self._offered[self.wave_id]:
            # translators: in a form: the survey was asked in some languages only
            raise ValidationError(gettext("This survey is not offered in this language."))


def is_own_school(school_id: str) -> bool:
    """Whether this person works with the school."""
    schools = permitted_schools()
    return schools is None or school_id in schools


def own_schools(session: Session) -> list[School]:
    """The schools of this person, by name."""
    return [school for school in session.scalars(select(School).order_by(School.name)) if is_own_school(school.id)]


def own_waves(session: Session) -> Sequence[Wave]:
    """The waves asked in the schools of this person, the newest first."""
    newest = select(Wave).options(selectinload(Wave.schools)).order_by(Wave.opens.desc(), Wave.id)
    return [wave for wave in session.scalars(newest) if any(is_own_school(school.id) for school in wave.schools)]


def place_choices(waves: Iterable[Wave]) -> list[tuple[str, str]]:
    """Choices of every wave with each of this person's schools in it: "wave school", and both names."""
    return [
        (f"{wave.id} {school.id}", f"{wave.title} – {school.name}")
        for wave in waves
        for school in wave.schools
        if is_own_school(school.id)
    ]


def language_choices(waves: Iterable[Wave]) -> list[tuple[str, str]]:
    """Choices of the languages that these waves are offered in: tag and native name."""
    tags = {tag for wave in waves for tag in wave.offered}
    return [(tag, each.name) for tag, each in LANGUAGES.items() if tag in tags]
