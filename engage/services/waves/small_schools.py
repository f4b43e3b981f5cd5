"""An anonymous wave with access codes needs enough households in each school to hide in."""

from gettext import NullTranslations

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from engage.storage.language_groups import LEAST, count_invitations
from engage.storage.models.schools import Wave


def find_small_schools(connection: Connection, wave: Wave) -> dict[str, int]:
    """Schools with some invitations, but fewer than LEAST, and how many they have; none in a confidential wave."""
    if wave.identity != "anonymous":
        return {}
    found: dict[str, int] = {}
    for (school, _), number in count_invitations(connection, wave.id).items():
        found[school] = found.get(school, 0) + number
    return {school: number for school, number in found.items() if number < LEAST}


def read_all_invitations(session: Session, wave: Wave) -> None:
    """Read every invitation of the wave, right after they were committed: PostgreSQL marks a row in its file when it is
    first read (a hint bit), and whoever copies the files must not see which household's code was looked up first."""
    count_invitations(session.connection(), wave.id)


def explain_small_schools(wave: Wave, small: dict[str, int], words: NullTranslations) -> str:
    """Why no codes are made, and what to do, for what `find_small_schools` found."""
    # translators: staff form: why no access codes are made. %(schools)s are names of schools, %(least)s is a number
    sentence = words.gettext(
        "This survey is anonymous, and fewer than %(least)s households at a school would have a code "
        "(%(schools)s). With so few, someone could guess who answered. Create at least %(least)s codes for each "
        "school, or open a confidential survey."
    )
    names = [school.name for school in wave.schools if school.id in small]
    return sentence % {"least": LEAST, "schools": ", ".join(names)}
