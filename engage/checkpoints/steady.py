"""Two sets of figures of one wave, one after the other, must not tell by their difference what a few families said.

Who sees "40 yes" today and "41 yes" tomorrow, with one family more, knows what that family said. So:

* A draft over a wave that is still open shows no groups, and is renewed only when `STEP` more (or fewer) have answered.
* Figures are frozen beside those of earlier checkpoints over the same wave: with fewer than `STEP` families between
  them the earlier figures stand; a breakdown in which a group has changed by less than the minimum is left out.

Not covered: the difference itself is a table of at least `STEP` families whose cells are not suppressed again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

ALL = "all"
DIMENSIONS = ("school", "language", "mode")
STEP = 10  # families; the public minimum

Document = dict[str, Any]


def settled(fresh: Document, earlier: Iterable[Document]) -> Document:
    """The figures to freeze, given the frozen documents (oldest first) of other checkpoints."""
    for before in earlier:
        kept = {wave["id"]: wave for wave in before["waves"]}
        fresh = _with(fresh, [_beside(wave, kept.get(wave["id"]), fresh["minimum"]) for wave in fresh["waves"]])
    return fresh


def veiled(fresh: Document, shown: Mapping[str, Document], today: date) -> Document:
    """The draft to show; `shown` are the open waves as they were shown last, by id, in whatever checkpoint. A wave
    that is still open says `as_of` when it was counted."""

    def veil(wave: Document) -> Document:
        return _overall(wave, shown.get(wave["id"]), fresh["as_of"]) if is_open(wave, today) else wave

    return _with(fresh, [veil(wave) for wave in fresh["waves"]])


def is_open(wave: Mapping[str, Any], today: date) -> bool:
    """Whether answers to a wave of a document may still come in on `today`."""
    return date.fromisoformat(wave["closes"]) >= today


def _overall(wave: Document, last: Document | None, as_of: str) -> Document:
    if last is not None and last["edition"] == wave["edition"] and abs(_total(wave) - _total(last)) < STEP:
        return last
    return {**_without(wave, dict.fromkeys(wave["audiences"], DIMENSIONS)), "as_of": as_of}


def _beside(wave: Document, before: Document | None, minimum: Mapping[str, int]) -> Document:
    if before is None:
        return wave
    if abs(_total(wave) - _total(before)) < STEP:
        return before
    left_out = {name: _close(wave, before, name, minimum[name]) for name in wave["audiences"]}
    return _without(wave, left_out)


def _close(wave: Document, before: Document, audience: str, minimum: int) -> Sequence[str]:
    """The breakdowns in which some group has changed by 1 to minimum - 1."""
    new, old = (each["audiences"][audience]["responses"] for each in (wave, before))
    return [name for name in DIMENSIONS if any(0 < each < minimum for each in _changes(old[name], new[name]))]


def _changes(old: Mapping[str, int | None], new: Mapping[str, int | None]) -> Iterable[int]:
    for group in {*old, *new}:
        was, now = old.get(group, 0), new.get(group, 0)
        if was is not None and now is not None:
            yield abs(now - was)


def _total(wave: Document) -> int:
    """Who answered, as far as leaders are told; a hidden number counts as none."""
    return int(wave["audiences"]["leaders"]["responses"][ALL] or 0)


def _without(wave: Document, left_out: Mapping[str, Sequence[str]]) -> Document:
    """The wave with some breakdowns left out of some audiences."""
    audiences = {name: _cut(figures, left_out[name]) for name, figures in wave["audiences"].items()}
    return {**wave, "audiences": audiences}


def _cut(figures: Document, left_out: Sequence[str]) -> Document:
    def cut(breakdowns: Document) -> Document:
        return {name: [] if name in left_out else lines for name, lines in breakdowns.items()}

    responses = {name: {} if name in left_out else told for name, told in figures["responses"].items()}
    questions = [{**each, "breakdowns": cut(each["breakdowns"])} for each in figures["questions"]]
    return {**figures, "responses": responses, "questions": questions}


def _with(document: Document, waves: Sequence[Document]) -> Document:
    return {**document, "waves": list(waves)}
