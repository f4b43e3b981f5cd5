"""Language groups that are too small to be stored separately.

People with access to the roster, or to the list of an anonymous wave's invitations, must not be able to identify, for
example, the only two households of a school that read one language. Their responses are stored under "other languages".

The languages of a school that are named are stored when codes are created, or when a wave with one open link opens.
After the first response, languages may only be removed: a language added later would separate later responses from
earlier ones. Groups with few responses are also merged, after the responses are in (domain/intake/group_assignment.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select

from engage.storage.fast_statements import QuickRead
from engage.storage.models.invitations import Invitation
from engage.storage.models.responses import JoinedGroup, NamedLanguages, Response

LEAST = 10  # smallest number of invitations of a named language, and of responses in a stored group
OTHER = "mul"  # ISO 639-2: multiple languages; also for merged schools, modes, and answer languages


@dataclass(frozen=True, slots=True)
class LanguageGroups:
    """The languages of each school that are large enough to be named. A school with unknown sizes is absent.

    `joined`: merged groups (school, language), which have too few responses; (school, OTHER) is a whole school.
    """

    named: Mapping[str, frozenset[str]] = field(default_factory=dict)
    joined: frozenset[tuple[str, str]] = frozenset()

    def stored_language(self, school_id: str, language: str) -> str:
        """Return the language that a response of this school is stored under, by the size of the groups alone."""
        named = self.named.get(school_id)
        return language if named is None or language in named else OTHER

    def group(self, school_id: str, language: str) -> tuple[str, str]:
        """Return the school and the language that responses of a household are finally stored under, merged groups
        included."""
        stored = self.stored_language(school_id, language)
        language = OTHER if (school_id, stored) in self.joined else stored
        return OTHER if (school_id, OTHER) in self.joined else school_id, language


EVERY = LanguageGroups()  # every school and language is named


def count_invitations(connection: Connection, wave_id: str) -> dict[tuple[str, str], int]:
    """Return the number of invitations of a wave by (school, language)."""
    counted = (
        select(Invitation.school_id, Invitation.language, func.count())
        .where(Invitation.wave_id == wave_id)
        .group_by(Invitation.school_id, Invitation.language)
    )
    return {(school, language): number for school, language, number in connection.execute(counted)}


def form_language_groups(sizes: Mapping[tuple[str, str], int]) -> LanguageGroups:
    """Return the named languages, by the number of invitations or households per (school, language)."""
    schools = {school for school, _ in sizes}
    return LanguageGroups(
        {school: large_groups({tag: n for (at, tag), n in sizes.items() if at == school}) for school in schools}
    )


def store_language_groups(
    connection: Connection, wave_id: str, counted: Mapping[tuple[str, str], int] | None = None
) -> None:
    """Store the named languages of an anonymous wave.

    They follow from its invitations, after some were created or withdrawn. For a wave with one open link, `counted` has
    the number of the roster's households by (school, language).
    """
    now = form_language_groups(count_invitations(connection, wave_id) if counted is None else counted).named
    if connection.scalar(select(exists().where(Response.wave_id == wave_id))):
        before = _load_named(connection, wave_id)
        now = before | {school: named & before.get(school, named) for school, named in now.items()}
    connection.execute(delete(NamedLanguages).where(NamedLanguages.wave_id == wave_id))
    rows = [{"wave_id": wave_id, "school_id": school, "named": " ".join(sorted(now[school]))} for school in now]
    if rows:
        connection.execute(insert(NamedLanguages), rows)


def load_language_groups(connection: Connection, wave_id: str) -> LanguageGroups:
    """Return the stored language groups of a wave."""
    joined = select(JoinedGroup.school_id, JoinedGroup.language).where(JoinedGroup.wave_id == wave_id)
    joined_groups = frozenset((school, language) for school, language in connection.execute(joined))
    return LanguageGroups(_load_named(connection, wave_id), joined_groups)


_named_query = QuickRead(
    select(NamedLanguages.named).where(
        NamedLanguages.wave_id == bindparam("wave"), NamedLanguages.school_id == bindparam("school")
    )
)


def generalize_language(connection: Connection, wave_id: str, school_id: str, language: str) -> str:
    """Return the language that a response of an anonymous wave is stored under, by the size of the groups alone.

    Call it in the transaction that stores the response, since codes may be created at any time.
    """
    row = _named_query.within(connection, {"wave": wave_id, "school": school_id})
    return language if row is None or language in row[0].split() else OTHER


def _load_named(connection: Connection, wave_id: str) -> dict[str, frozenset[str]]:
    rows = connection.execute(
        select(NamedLanguages.school_id, NamedLanguages.named).where(NamedLanguages.wave_id == wave_id)
    )
    return {school: frozenset(named.split()) for school, named in rows}


def large_groups(sizes: Mapping[str, int], rest: int = 0) -> frozenset[str]:
    """Return the groups that are named: those with at least LEAST members.

    If all others together, including the `rest` that is merged already, have fewer than LEAST members, the next
    smallest group is merged too, since a small remainder is just as easy to identify.
    """
    named = set(sizes)
    for name, number in sorted(sizes.items(), key=lambda each: (each[1], each[0])):
        if number >= LEAST and (rest == 0 or rest >= LEAST):
            break
        named.discard(name)
        rest += number
    return frozenset(named)
