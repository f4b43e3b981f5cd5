"""What of the district this person works with: schools, the waves asked in them, and forms that choose among them."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload
from wtforms import Form, SelectField

from engage.base.languages import LANGUAGES
from engage.storage.models.schools import School, Wave
from engage.web.page_language import gettext
from engage.web.permissions import permitted_schools


class PlaceForm(Form):
    """A wave, a school and a language, chosen together."""

    place = SelectField(validate_choice=False)
    """Wave and school, with a space between."""
    language = SelectField(validate_choice=False)

    @property
    def wave_id(self) -> str:
        """The wave chosen."""
        return str(self.place.data).split(" ")[0]

    @property
    def school_id(self) -> str:
        """The school chosen."""
        return str(self.place.data).split(" ")[1]

    def problems(self, waves: Sequence[Wave]) -> dict[str, str]:
        """What is wrong with the choice, by field."""
        # translators: in a form
        choose = gettext("Choose an option from the list.")
        found = {} if self.place.data in dict(place_choices(waves)) else {"place": choose}
        if self.language.data not in dict(language_choices(waves)):
            found["language"] = choose
        elif not found and not any(self.language.data in wave.offered for wave in waves if wave.id == self.wave_id):
            # translators: in a form: the survey was asked in some languages only
            found["language"] = gettext("This survey is not offered in this language.")
        return found


def is_own_school(school_id: str) -> bool:
    """Whether this person works with the school."""
    own = permitted_schools()
    return own is None or school_id in own


def own_schools(session: Session) -> list[School]:
    """The schools of this person, by name."""
    return [school for school in session.scalars(select(School).order_by(School.name)) if is_own_school(school.id)]


def own_waves(session: Session) -> Sequence[Wave]:
    """The waves asked in the schools of this person, the newest first."""
    newest = select(Wave).options(selectinload(Wave.schools)).order_by(Wave.opens.desc(), Wave.id)
    return [wave for wave in session.scalars(newest) if any(is_own_school(school.id) for school in wave.schools)]


def place_choices(waves: Iterable[Wave]) -> list[tuple[str, str]]:
    """Every wave with each of this person's schools in it, to choose from: "wave school" and both names."""
    return [
        (f"{wave.id} {school.id}", f"{wave.title} – {school.name}")
        for wave in waves
        for school in wave.schools
        if is_own_school(school.id)
    ]


def language_choices(waves: Iterable[Wave]) -> list[tuple[str, str]]:
    """The languages these waves are asked in, to choose from: tag and own name."""
    tags = {tag for wave in waves for tag in wave.offered}
    return [(tag, each.name) for tag, each in LANGUAGES.items() if tag in tags]
