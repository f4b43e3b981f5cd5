"""Assignment of responses to groups (school, language, mode, answer language) in which they are stored.

At least LEAST responses share each group, or all responses of the wave if it has fewer. A response of an anonymous wave
is first stored with its group encrypted, because it is not known yet which groups will be large enough, and merged
groups cannot be separated again. After the end of the wave, groups are decrypted, and small ones are merged: first
small schools of the wave, then small languages of each school, then modes, then answer languages. For confidential
waves this happens when the links are deleted.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Literal

from sqlalchemy import Connection, Select, bindparam, func, insert, select, update

from engage.domain.intake.group_encryption import ResponseGroup, open_group
from engage.storage.fast_statements import QuickRead
from engage.storage.language_groups import LEAST, OTHER, large_groups
from engage.storage.models.responses import JoinedGroup, Response
from engage.storage.models.waves import Wave

AT_ONCE = 5_000  # rows read at a time

Level = Literal["school", "language", "mode", "answered_in"]
LEVELS: tuple[Level, ...] = ("school", "language", "mode", "answered_in")
Sizes = Mapping[ResponseGroup, int]
Labels = dict[ResponseGroup, ResponseGroup]

_update_group = update(Response).where(Response.id == bindparam("row"))
_update_group = _update_group.values(
    school_id=bindparam("school"),
    language=bindparam("tongue"),
    mode=bindparam("way"),
    answered_in=bindparam("page"),
    sealed_group=None,
)

_wave_responses = select(Response.id).where(Response.wave_id == bindparam("wave"))
_sealed_responses = _wave_responses.where(Response.sealed_group.is_not(None))
_enough_sealed_query = QuickRead(_sealed_responses.offset(LEAST - 1).limit(1))
_any_sealed_query = QuickRead(_sealed_responses.limit(1))
_any_assigned_query = QuickRead(_wave_responses.where(Response.sealed_group.is_(None)).limit(1))


def join_groups(sizes: Sizes) -> Labels:
    """Return the final group of each group. `sizes` has the number of responses in each."""
    return dict(_join_level(sizes, list(sizes), ()))


def _join_level(
    sizes: Sizes, groups: Sequence[ResponseGroup], label: tuple[str, ...]
) -> Iterator[tuple[ResponseGroup, ResponseGroup]]:
    if len(label) == len(LEVELS):
        yield from ((group, ResponseGroup(*label)) for group in groups)
        return
    level = LEVELS[len(label)]
    counted: Counter[str] = Counter()
    for group in groups:
        counted[getattr(group, level)] += sizes[group]
    named = large_groups(counted, counted.pop(OTHER, 0))
    for name in [*sorted(named), OTHER]:
        inside = [each for each in groups if _level_label(each, level, named) == name]
        if inside:
            yield from _join_level(sizes, inside, (*label, name))


def _level_label(group: ResponseGroup, level: Level, named: frozenset[str]) -> str:
    name: str = getattr(group, level)
    return name if name in named else OTHER


def assign_groups(connection: Connection, wave_id: str, key: bytes) -> int:
    """Decrypt the groups of a wave, merge those that are too small, and have its figures recounted. Never commits.

    `key` is the site's key for GROUP_KEY. Returns the number of changed responses.
    """
    connection.execute(select(Wave.id).where(Wave.id == wave_id).with_for_update())
    sealed, stored = open_sealed_groups(connection, wave_id, key), _count_stored_groups(connection, wave_id)
    labels = join_groups(Counter(sealed.values()) + stored)
    moving = {group for group in stored if labels[group] != group}
    moved = (
        {id: labels[group] for id, group in _stored_groups(connection, wave_id) if group in moving} if moving else {}
    )
    changed = _store_groups(connection, {id: labels[group] for id, group in sealed.items()} | moved)
    _store_joined_groups(connection, wave_id, labels)
    if changed:
        connection.execute(update(Wave).where(Wave.id == wave_id).values(edits=Wave.edits + 1))
    return changed


def open_sealed_groups(connection: Connection, wave_id: str, key: bytes) -> dict[str, ResponseGroup]:
    """Return the groups of a wave's responses that are still encrypted, by response id."""
    query = select(Response.id, Response.sealed_group).where(
        Response.wave_id == wave_id, Response.sealed_group.is_not(None)
    )
    rows = connection.execute(query.order_by(Response.id))
    return {id: open_group(key, id, bytes(sealed)) for id, sealed in rows if sealed is not None}


def count_languages(connection: Connection, wave_id: str, key: bytes) -> dict[tuple[str, str], int]:
    """Return the number of responses of a wave by (school, language), including encrypted groups."""
    counts: Counter[tuple[str, str]] = Counter()
    for groups in (
        Counter(open_sealed_groups(connection, wave_id, key).values()),
        _count_stored_groups(connection, wave_id),
    ):
        for group, number in groups.items():
            counts[group.school, group.language] += number
    return dict(counts)


def has_too_few_sealed(connection: Connection, wave_id: str) -> bool:
    """Whether a wave has some, but fewer than LEAST, responses with encrypted groups while the groups of others are
    stored."""
    if _enough_sealed_query.within(connection, {"wave": wave_id}) is not None:
        return False
    return all(
        each.within(connection, {"wave": wave_id}) is not None for each in (_any_sealed_query, _any_assigned_query)
    )


def has_sealed_groups(connection: Connection, wave_id: str) -> bool:
    """Whether the group of any response of a wave is encrypted."""
    query = select(Response.id).where(Response.wave_id == wave_id, Response.sealed_group.is_not(None)).limit(1)
    return connection.execute(query).first() is not None


def assign_due_groups(connection: Connection, key: bytes, today: date, waves: Collection[str] | None = None) -> None:
    """Assign the groups of anonymous waves that ended before `today` and still need it. `waves` restricts it to these
    ids."""
    for wave_id in connection.scalars(_ended_waves(today)).all():
        if (waves is None or wave_id in waves) and count_unassigned_in_wave(connection, wave_id):
            assign_groups(connection, wave_id, key)


def count_unassigned(connection: Connection, today: date) -> int:
    """Return the number of responses in ended anonymous waves whose group is encrypted or too small."""
    return sum(
        count_unassigned_in_wave(connection, wave_id) for wave_id in connection.scalars(_ended_waves(today)).all()
    )


def count_unassigned_in_wave(connection: Connection, wave_id: str) -> int:
    """Return the number of responses in this wave whose group is encrypted or too small."""
    query = select(func.count()).where(Response.wave_id == wave_id, Response.sealed_group.is_not(None))
    return (connection.scalar(query) or 0) + count_small_groups(_count_stored_groups(connection, wave_id))


def _ended_waves(today: date) -> Select[str]:
    return select(Wave.id).where(Wave.identity == "anonymous", Wave.closes < today).order_by(Wave.id)


def count_small_groups(stored: Sizes) -> int:
    """Return the number of responses in groups that are too small: fewer than LEAST, or than all responses of the
    wave."""
    least = min(LEAST, sum(stored.values()))
    return sum(number for number in stored.values() if number < least)


def _count_stored_groups(connection: Connection, wave_id: str) -> Counter[ResponseGroup]:
    """Return the number of responses in each stored group, without encrypted ones."""
    columns = (Response.school_id, Response.language, Response.mode, Response.answered_in)
    counted = select(*columns, func.count()).where(Response.wave_id == wave_id, Response.sealed_group.is_(None))
    return Counter(
        {
            ResponseGroup(school or OTHER, language, mode, page or OTHER): number
            for school, language, mode, page, number in connection.execute(counted.group_by(*columns))
        }
    )


def _stored_groups(connection: Connection, wave_id: str) -> Iterator[tuple[str, ResponseGroup]]:
    """Yield the group of each response whose group is stored, by id."""
    columns = (Response.id, Response.school_id, Response.language, Response.mode, Response.answered_in)
    query = select(*columns).where(Response.wave_id == wave_id, Response.sealed_group.is_(None)).order_by(Response.id)
    for id, school, language, mode, page in connection.execute(query.execution_options(yield_per=AT_ONCE)):
        yield id, ResponseGroup(school or OTHER, language, mode, page or OTHER)


def _store_groups(connection: Connection, labels: Mapping[str, ResponseGroup]) -> int:
    """Store the group of each of these responses, by key: an update by group would read the whole wave each time."""
    rows = [{"row": id, **_group_params(group)} for id, group in sorted(labels.items())]
    if rows:
        connection.execute(_update_group, rows)
    return len(rows)


def _group_params(group: ResponseGroup) -> dict[str, object]:
    return {
        "school": None if group.school == OTHER else group.school,
        "tongue": group.language,
        "way": group.mode,
        "page": None if group.answered_in == OTHER else group.answered_in,
    }


def _store_joined_groups(connection: Connection, wave_id: str, labels: Labels) -> None:
    """Store the schools and languages that were merged, so that households are counted in the same groups."""
    joined = {(group.school, group.language) for group, label in labels.items() if label.language != group.language}
    joined |= {(group.school, OTHER) for group, label in labels.items() if label.school != group.school}
    query = select(JoinedGroup.school_id, JoinedGroup.language).where(JoinedGroup.wave_id == wave_id)
    new = sorted(joined - {(school, language) for school, language in connection.execute(query)})
    if new:
        rows = [{"wave_id": wave_id, "school_id": school, "language": language} for school, language in new]
        connection.execute(insert(JoinedGroup), rows)
