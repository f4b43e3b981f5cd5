"""Groups too small to hide in. Whoever holds the roster or the list of an anonymous wave's invitations must not be able
to pick out the two households of a school that read one language: their answers say "other languages" instead.

Which languages of a school are named by size is stored when codes are made, or when a wave with one open link is
opened. Once somebody has answered, it is only narrowed: a language named later would set the answers that come after
apart from those before. Groups that few answers came from are joined too, once the answers are in
(domain/intake/group_assignment.py)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select

from engage.storage.fast_statements import QuickRead
from engage.storage.models.invitations import Invitation
from engage.storage.models.responses import JoinedGroup, NamedLanguages, Response

LEAST = 10  # invitations that a stored response must be able to stem from, and responses that share a stored group
OTHER = "mul"  # ISO 639-2: multiple languages; also a joined school, way of answering or language answered in


@dataclass(frozen=True, slots=True)
class LanguageGroups:
    """The languages of each school that are large enough to be named; a school whose sizes are not known is not in it.
    `joined`: schools and languages that too few answers came from; (school, OTHER) is a whole school."""

    named: Mapping[str, frozenset[str]] = field(default_factory=dict)
    joined: frozenset[tuple[str, str]] = frozenset()

    def stored_language(self, school_id: str, language: str) -> str:
        """The language a response of this school is stored under, as far as sizes decide."""
        named = self.named.get(school_id)
        return language if named is None or language in named else OTHER

    def group(self, school_id: str, language: str) -> tuple[str, str]:
        """The school and the language that the responses of a household are stored under in the end."""
        stored = self.stored_language(school_id, language)
        language = OTHER if (school_id, stored) in self.joined else stored
        return OTHER if (school_id, OTHER) in self.joined else school_id, language


EVERY = LanguageGroups()  # every school and language is named


def count_invitations(connection: Connection, wave_id: str) -> dict[tuple[str, str], int]:
    """The invitations of a wave by school and language."""
    counted = (
        select(Invitation.school_id, Invitation.language, func.count())
        .where(Invitation.wave_id == wave_id)
        .group_by(Invitation.school_id, Invitation.language)
    )
    return {(school, language): number for school, language, number in connection.execute(counted)}


def form_language_groups(sizes: Mapping[tuple[str, str], int]) -> LanguageGroups:
    """Which languages are named, by the number of invitations or households of each school and language."""
    schools = {school for school, _ in sizes}
    return LanguageGroups(
        {school: large_groups({tag: n for (at, tag), n in sizes.items() if at == school}) for school in schools}
    )


def store_language_groups(
    connection: Connection, wave_id: str, counted: Mapping[tuple[str, str], int] | None = None
) -> None:
    """Store which languages an anonymous wave names: by its invitations, after some were made or taken back; by
    `counted`, households of the roster by school and language, where it has one open link."""
    now = form_language_groups(count_invitations(connection, wave_id) if counted is None else counted).named
    if connection.scalar(select(exists().where(Response.wave_id == wave_id))):
        before = _load_named(connection, wave_id)
        now = before | {school: named & before.get(school, named) for school, named in now.items()}
    connection.execute(delete(NamedLanguages).where(NamedLanguages.wave_id == wave_id))
    rows = [{"wave_id": wave_id, "school_id": school, "named": " ".join(sorted(now[school]))} for school in now]
    if rows:
        connection.execute(insert(NamedLanguages), rows)


def load_language_groups(connection: Connection, wave_id: str) -> LanguageGroups:
    """The strata of a wave, as they were stored."""
    joined = select(JoinedGroup.school_id, JoinedGroup.language).where(JoinedGroup.wave_id == wave_id)
    joined_groups = frozenset((school, language) for school, language in connection.execute(joined))
    return LanguageGroups(_load_named(connection, wave_id), joined_groups)


_named_query = QuickRead(
    select(NamedLanguages.named).where(
        NamedLanguages.wave_id == bindparam("wave"), NamedLanguages.school_id == bindparam("school")
    )
)


def generalize_language(connection: Connection, wave_id: str, school_id: str, language: str) -> str:
    """The language a response of an anonymous wave is stored under, as far as sizes decide. Ask in the transaction that
    stores it: codes may be made at any moment."""
    row = _named_query.within(connection, {"wave": wave_id, "school": school_id})
    return language if row is None or language in row[0].split() else OTHER


def _load_named(connection: Connection, wave_id: str) -> dict[str, frozenset[str]]:
    rows = connection.execute(
        select(NamedLanguages.school_id, NamedLanguages.named).where(NamedLanguages.wave_id == wave_id)
    )
    return {school: frozenset(named.split()) for school, named in rows}


def large_groups(sizes: Mapping[str, int], rest: int = 0) -> frozenset[str]:
    """The groups that are named. Those of fewer than LEAST are not; and where all of these together, with the `rest`
    that is joined already, are fewer than LEAST, the next smallest joins them: a small rest is as easy to pick out."""
    named = set(sizes)
    for name, number in sorted(sizes.items(), key=lambda each: (each[1], each[0])):
        if number >= LEAST and (rest == 0 or rest >= LEAST):
            break
        named.discard(name)
        rest += number
    return frozenset(named)
