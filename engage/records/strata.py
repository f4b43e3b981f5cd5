"""Groups of invitations too small to hide in. Whoever holds the list of an anonymous wave's invitations must not be
able to pick out the two households of a school that read one language: their answers say "other languages" instead.

Which languages are named is kept when codes are made. Once somebody has answered, later codes only take names away:
a language named later would set the answers that come after apart from those before."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select

from engage.records.responses import Invitation, Response, WaveStratum

LEAST = 10  # invitations that a stored response must be able to stem from
OTHER = "mul"  # ISO 639-2: multiple languages


@dataclass(frozen=True, slots=True)
class Strata:
    """The languages of each school that are large enough to be named; a school without any invitation is not in it."""

    named: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def told(self, school_id: str, language: str) -> str:
        """The language a response of this school is stored under."""
        named = self.named.get(school_id)
        return language if named is None or language in named else OTHER


EVERY = Strata()  # every language is named: confidential waves, and those with one open link


def sizes(connection: Connection, wave_id: str) -> dict[tuple[str, str], int]:
    """The invitations of a wave by school and language."""
    counted = (
        select(Invitation.school_id, Invitation.language, func.count())
        .where(Invitation.wave_id == wave_id)
        .group_by(Invitation.school_id, Invitation.language)
    )
    return {(school, language): number for school, language, number in connection.execute(counted)}


def strata(sizes: Mapping[tuple[str, str], int]) -> Strata:
    """Which languages are named. Those of fewer than LEAST invitations are not; and where all of these together are
    fewer than LEAST, the next smallest joins them, since a small rest is as easy to pick out as a small language."""
    schools = {school for school, _ in sizes}
    return Strata({school: _named({tag: n for (at, tag), n in sizes.items() if at == school}) for school in schools})


def keep_strata(connection: Connection, wave_id: str) -> None:
    """Keep which languages an anonymous wave with codes names, after invitations were made or taken back."""
    now = strata(sizes(connection, wave_id)).named
    if connection.scalar(select(exists().where(Response.wave_id == wave_id))):
        before = _kept(connection, wave_id)
        now = before | {school: named & before.get(school, named) for school, named in now.items()}
    connection.execute(delete(WaveStratum).where(WaveStratum.wave_id == wave_id))
    rows = [{"wave_id": wave_id, "school_id": school, "named": " ".join(sorted(now[school]))} for school in now]
    if rows:
        connection.execute(insert(WaveStratum), rows)


def strata_of(connection: Connection, wave_id: str, identity: str, entry: str) -> Strata:
    """The strata of a wave, as they were kept."""
    return Strata(_kept(connection, wave_id)) if (identity, entry) == ("anonymous", "code") else EVERY


_one = select(WaveStratum.named).where(
    WaveStratum.wave_id == bindparam("wave"), WaveStratum.school_id == bindparam("school")
)


def told(connection: Connection, wave_id: str, school_id: str, language: str) -> str:
    """The language a response of an anonymous wave with codes is stored under. Ask in the transaction that stores it:
    codes may be made at any moment."""
    named = connection.execute(_one, {"wave": wave_id, "school": school_id}).scalar_one_or_none()
    return language if named is None or language in named.split() else OTHER


def _kept(connection: Connection, wave_id: str) -> dict[str, frozenset[str]]:
    rows = connection.execute(select(WaveStratum.school_id, WaveStratum.named).where(WaveStratum.wave_id == wave_id))
    return {school: frozenset(named.split()) for school, named in rows}


def _named(languages: Mapping[str, int]) -> frozenset[str]:
    named, rest = set(languages), 0
    for tag, number in sorted(languages.items(), key=lambda each: (each[1], each[0])):
        if number >= LEAST and (rest == 0 or rest >= LEAST):
            break
        named.discard(tag)
        rest += number
    return frozenset(named)
