"""Strategies for linking a response to an invitation. Each returns guesses: response id to the line number in the
list."""

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence

from engage.domain.security.access_codes import ALPHABET, LENGTH
from tests.attack.loot import Loot, number
from tests.attack.pages import cells, record

Guesses = Mapping[str, int]
EVIDENCE = ("same commit", "same page", "drafts in backups", "digests")
"""Strategies that guess only if they have evidence. On a site without leaks they have none."""


def every(loot: Loot) -> Iterator[tuple[str, Guesses]]:
    """Yield all strategies by name."""
    yield "same commit", same_commit(loot)
    yield "same page", same_page(loot)
    yield "drafts in backups", old_drafts(loot)
    yield "digests", digests(loot)
    yield "day", by_day(loot)
    places = _places(loot)
    for mine, of_response in _orders(loot, places).items():
        for theirs, of_invitation in _lists(loot, places).items():
            for way in (1, -1):
                name = f"order of {mine}, {'up' if way > 0 else 'down'}, against {theirs}"
                yield name, by_order(loot, of_response, of_invitation[::way])
    yield from distances(loot)


def same_commit(loot: Loot) -> Guesses:
    """Guess by anything that identifies a single invitation among all data of the response's commit."""
    return _named(loot, loot.values_of)


def same_page(loot: Loot) -> Guesses:
    """Guess an invitation on a page that was written together with the response."""
    where = {
        value: page
        for page, content in loot.pages.items()
        for cell in cells(content, page)
        for value in record(cell)[:1]
        if isinstance(value, str)
    }
    guesses = {}
    for id, commit in loot.commit_of.items():
        near = [n for n in loot.stratum[id] if where.get(loot.listed[n].digest) in commit.pages]
        if near:
            guesses[id] = near[0]
    return guesses


def old_drafts(loot: Loot) -> Guesses:
    """Guess by drafts in backups, matched to the response by the draft that its commit deleted."""
    rows = [row for copy in loot.backups for row in copy.get("drafts", ())]
    came = [record(cell) for commit in loot.commits for cell in commit.came]
    found: dict[str, set[str]] = {}
    for id, values in loot.values_of.items():
        told = found.setdefault(id, set())
        for known in [*(list(row.values()) for row in rows), *came]:
            texts = [one.hex() if isinstance(one, bytes) else one for one in known if isinstance(one, str | bytes)]
            if texts and texts[0] in values and len(texts[0]) == 64:  # the same draft, by its key
                told.update(texts)
                told.update(_words(known))
    return _named(loot, found)


def digests(loot: Loot) -> Guesses:
    """Guess by the record of a used code, recomputed from each code under every guessable key."""
    spent = {str(row["digest"]) for row in loot.tables["spent"]}
    by_commit = {id: values & spent for id, values in loot.values_of.items()}
    return _named(loot, by_commit)


def by_day(loot: Loot) -> Guesses:
    """Guess an invitation that was used on the day of the response."""
    used = {str(row["digest"]): row.get("used_on") for row in loot.tables["invitations"]}
    guesses = {}
    for row in loot.responses:
        id = str(row["id"])
        same = [n for n in loot.stratum[id] if used[loot.listed[n].digest] == row["day"]]
        if same:
            guesses[id] = same[int(id, 16) % len(same)]
    return guesses


def by_order(loot: Loot, order: Sequence[str], listed: Sequence[int]) -> Guesses:
    """Guess the first response for the first invitation of its stratum and so on, with both lists scaled to the same
    length."""
    guesses = {}
    groups: dict[tuple[int, ...], list[str]] = {}
    for id in order:
        groups.setdefault(tuple(loot.stratum[id]), []).append(id)
    for group, ids in groups.items():
        mine = [n for n in listed if n in set(group)]
        for place, id in enumerate(ids):
            guesses[id] = mine[round(place * (len(mine) - 1) / max(len(ids) - 1, 1))]
    return guesses


def distances(loot: Loot) -> Iterator[tuple[str, Guesses]]:
    """Guess the invitation whose digest or code is nearest to values of the response."""
    size = len(ALPHABET) ** LENGTH
    theirs = {
        "digest": [int(one.digest, 16) for one in loot.listed],
        "code": [number(one.code) * 2**256 // size for one in loot.listed],
        "sha256 of the code": [int(hashlib.sha256(one.code.encode()).hexdigest(), 16) for one in loot.listed],
    }
    for mine, values in _numbers(loot).items():
        for name, there in theirs.items():
            yield f"distance of {mine} to {name}", _nearest(loot, values, there, lambda a, b: abs(a - b))
            yield f"bits of {mine} and {name}", _nearest(loot, values, there, lambda a, b: (a ^ b).bit_count())


def _named(loot: Loot, told: Mapping[str, set[str]]) -> Guesses:
    guesses = {}
    for id, values in told.items():
        named = [n for n in loot.stratum[id] if loot.marks[n] & values]
        if len(named) == 1:
            guesses[id] = named[0]
    return guesses


def _words(values: Sequence[object]) -> set[str]:
    """Return unencrypted text in bytes and texts: everything between quotation marks."""
    texts = [each.decode(errors="ignore") if isinstance(each, bytes) else each for each in values]
    return {word for text in texts if isinstance(text, str) for word in text.split('"')}


def _places(loot: Loot) -> dict[str, tuple[int, int]]:
    """Return the location in the file of each row, by its first column: page and index."""
    found: dict[str, tuple[int, int]] = {}
    for page, content in sorted(loot.pages.items()):
        for cell in cells(content, page):
            for value in record(cell)[:1]:
                if isinstance(value, str):
                    found.setdefault(value, (page, content.find(cell)))
    return found


def _orders(loot: Loot, places: Mapping[str, tuple[int, int]]) -> dict[str, list[str]]:
    """Return the responses in every observable order."""
    rows = {str(row["id"]): row for row in loot.responses}
    arrived = list(loot.commits)
    spent, keys = _beside(loot, "spent", 64), _draft_keys(loot)
    by: dict[str, Callable[[str], object]] = {
        "ids": lambda id: id,
        "submissions": lambda id: str(rows[id]["submission"]),
        "answers": lambda id: (str(rows[id]["answers"]), id),
        "arrival": lambda id: arrived.index(loot.commit_of[id]) if id in loot.commit_of else -1,
        "spent digests": lambda id: (spent.get(id, ""), id),
        "drafts": lambda id: (keys.get(id, ""), id),
        "places in the file": lambda id: places.get(id, (0, 0)),
        "first drafts": lambda id: _first_seen(loot, keys.get(id, "")),
    }
    return {name: sorted(rows, key=key) for name, key in by.items()}  # type: ignore[arg-type,type-var]


def _lists(loot: Loot, places: Mapping[str, tuple[int, int]]) -> dict[str, list[int]]:
    """Return the invitations in every observable order."""
    salt = str(loot.wave.get("burn_salt") or "").encode()
    by: dict[str, Callable[[int], object]] = {
        "the list": lambda n: n,
        "digests": lambda n: loot.listed[n].digest,
        "codes": lambda n: loot.listed[n].code,
        "sha256 of the codes": lambda n: hashlib.sha256(loot.listed[n].code.encode()).digest(),
        "salted codes": lambda n: hmac.digest(salt, loot.listed[n].code.encode(), hashlib.sha256),
        "places in the file": lambda n: places.get(loot.listed[n].digest, (0, 0)),
    }
    return {name: sorted(range(len(loot.listed)), key=key) for name, key in by.items()}  # type: ignore[arg-type,type-var]


def _numbers(loot: Loot) -> dict[str, dict[str, int]]:
    rows = {str(row["id"]): row for row in loot.responses}
    spent, keys = _beside(loot, "spent", 64), _draft_keys(loot)
    return {
        "id": {id: int(id, 16) << 128 for id in rows},
        "submission": {id: int(str(row["submission"]), 16) for id, row in rows.items()},
        "spent digest": {id: int(value, 16) for id, value in spent.items()},
        "draft": {id: int(value, 16) for id, value in keys.items()},
    }


def _nearest(
    loot: Loot, mine: Mapping[str, int], theirs: Sequence[int], far: Callable[[int, int], int]
) -> dict[str, int]:
    return {id: min(loot.stratum[id], key=lambda n: far(value, theirs[n])) for id, value in mine.items()}


def _beside(loot: Loot, table: str, size: int) -> dict[str, str]:
    """Return, for each response, the first column of the row of a table that was written with it."""
    known = {str(row["digest"]) for row in loot.tables.get(table, ())}
    found = {id: sorted(known & values) for id, values in loot.values_of.items()}
    return {id: rows[0] for id, rows in found.items() if len(rows) == 1 and len(rows[0]) == size}


def _draft_keys(loot: Loot) -> dict[str, str]:
    """Return, for each response, the key of the draft that its commit deleted."""
    found = {}
    for id, commit in loot.commit_of.items():
        for cell in commit.went:
            values = record(cell)
            if values and isinstance(values[0], bytes) and len(values[0]) == 32:
                found[id] = values[0].hex()
    return found


def _first_seen(loot: Loot, key: str) -> int:
    """Return the number of the commit in which a draft was created."""
    wanted = bytes.fromhex(key)
    for place, commit in enumerate(loot.commits):
        if wanted and any(wanted in cell for cell in commit.came):
            return place
    return -1
