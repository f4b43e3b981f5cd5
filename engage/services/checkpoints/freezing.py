"""Freezing and publishing: the figures of a checkpoint, for each audience, as one canonical document.

The figures of each audience (`engage/domain/summaries/published_figures.py`) are already suppressed and have codes
only; the edition has the texts. Families can read them only after they are frozen, and only with a commitment or the
explicit statement that there is none yet. A draft whose answers were deleted has no figures.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NotRequired, TypedDict

from engage.domain.summaries.published_figures import AUDIENCES, FAMILY, AudienceFigures, audience_minimums
from engage.services.checkpoints.household_counts import RosterCounts, visible_households
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.waves import Wave

NEAR = timedelta(days=90)  # before answers are deleted: from then on, leaders are reminded to freeze

FORMAT = 2  # in format 1, shares were rounded to 4 places, and households were outside of the audiences


class CountingRule(TypedDict, total=False):
    """Who could have answered a wave (storage/models/waves.py Wave); empty without a roster."""

    counting: str
    asked: str


class WaveFigures(TypedDict):
    """The figures of one wave, by audience. Days are ISO dates.

    `as_of` is the day of the count, only in drafts over an open wave. `burst` is why responses in bursts are counted or
    not (a code of storage/models/bursts.py), if there were any. `population` is who answered, and `minimum` the least
    number of them shown, by audience, if they are not families.
    """

    id: str
    survey: str
    edition: str
    opens: str
    closes: str
    identity: str
    households: CountingRule
    audiences: dict[str, AudienceFigures]
    as_of: NotRequired[str]
    burst: NotRequired[str]
    population: NotRequired[str]
    minimum: NotRequired[dict[str, int]]


class CheckpointFigures(TypedDict):
    """The canonical document. `minimum` is the least number of families shown, by audience."""

    format: int
    as_of: str
    minimum: dict[str, int]
    waves: list[WaveFigures]


class AlreadyFrozen(Exception):
    """The checkpoint's figures are frozen; they are not counted again."""


def build_document(
    waves: Sequence[Wave],
    figures_of: Callable[[Wave], Mapping[str, AudienceFigures]],
    as_of: date,
    households_of: Callable[[Wave], RosterCounts] = lambda _wave: {},
) -> CheckpointFigures:
    """Build a checkpoint's figures as one document. `figures_of` returns each audience's figures of a wave,
    `households_of` how many could have answered (`coverage.count_households`)."""
    return {
        "format": FORMAT,
        "as_of": as_of.isoformat(),
        "minimum": audience_minimums(FAMILY),
        "waves": [_build_wave(each, figures_of(each), households_of(each)) for each in waves],
    }


def _build_wave(wave: Wave, figures: Mapping[str, AudienceFigures], households: RosterCounts) -> WaveFigures:
    minimum = audience_minimums(wave.population)

    def visible_figures(audience: str) -> AudienceFigures:
        numbers = visible_households(households, figures[audience]["responses"], minimum[audience])
        return {**figures[audience], "households": numbers}

    built: WaveFigures = {
        "id": wave.id,
        "survey": wave.edition.slug,
        "edition": wave.edition_digest,
        "opens": wave.opens.isoformat(),
        "closes": wave.closes.isoformat(),
        "identity": wave.identity,
        "households": {"counting": households["counting"], "asked": households["asked"]} if households else {},
        "audiences": {audience: visible_figures(audience) for audience in AUDIENCES},
    }
    if wave.population != FAMILY:
        built["population"], built["minimum"] = wave.population, minimum
    return built


def canonical_json(figures: CheckpointFigures | WaveFigures) -> str:
    """The canonical JSON text of the document, from which its SHA-256 is computed."""
    return json.dumps(figures, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def digest(text: str) -> str:
    """SHA-256 of the canonical text, 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def freeze(checkpoint: Checkpoint, figures: CheckpointFigures, today: date) -> None:
    """Store the figures in the checkpoint permanently. Raises AlreadyFrozen; never commits."""
    if checkpoint.frozen_on is not None:
        raise AlreadyFrozen(checkpoint.id)
    text = canonical_json(figures)
    checkpoint.figures, checkpoint.digest = text, digest(text)
    checkpoint.frozen_on = today


def load_frozen_figures(checkpoint: Checkpoint) -> CheckpointFigures | None:
    """The frozen figures; None if they are a draft. Raises ValueError if they do not match their digest."""
    if checkpoint.frozen_on is None or checkpoint.figures is None:
        return None
    if digest(checkpoint.figures) != checkpoint.digest:
        raise ValueError(f"the figures of checkpoint {checkpoint.id} are not those that were frozen")
    document: CheckpointFigures = json.loads(checkpoint.figures)
    return document


class AnswersDeleted(Exception):
    """Answers to be counted were deleted. `checkpoint` is the draft, `waves` those without answers."""

    def __init__(self, checkpoint: Checkpoint, waves: Iterable[Wave]) -> None:
        self.checkpoint, self.waves = checkpoint, list(waves)
        which = ", ".join(f"{wave.id} on {wave.deleted_on}" for wave in self.waves)
        super().__init__(f"checkpoint {checkpoint.id} was not frozen before answers were deleted: of {which}")


def require_answers(checkpoint: Checkpoint) -> None:
    """Raises AnswersDeleted if a draft can no longer be counted."""
    deleted = [wave for wave in checkpoint.waves if wave.deleted_on is not None]
    if checkpoint.frozen_on is None and deleted:
        raise AnswersDeleted(checkpoint, deleted)


def is_deletion_near(deleted_on: date, today: date) -> bool:
    """Whether answers are deleted within `NEAR`."""
    return today + NEAR >= deleted_on


class NotFrozen(Exception):
    """The figures are still a draft, which may change and cannot be published."""


class NoCommitments(Exception):
    """There are figures but no commitment; one must be written, or its absence confirmed."""


def publish(checkpoint: Checkpoint, today: date, without_promise: bool = False) -> None:
    """Let families read the results from `today` on; publishing again changes nothing. Never commits.

    Raises NotFrozen, and NoCommitments unless there is a commitment or `without_promise` is set.
    """
    if checkpoint.frozen_on is None:
        raise NotFrozen(f"the figures of checkpoint {checkpoint.id} are a draft; freeze them first")
    if not checkpoint.commitments and not without_promise:
        raise NoCommitments(f"checkpoint {checkpoint.id} has no commitment; write one, or say that there is none yet")
    if checkpoint.published_on is None:
        checkpoint.published_on = today
