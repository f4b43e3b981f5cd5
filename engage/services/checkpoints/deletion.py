"""A checkpoint that was not frozen before answers of its waves were deleted has no figures any more."""

from collections.abc import Iterable
from datetime import date, timedelta

from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.schools import Wave

NEAR = timedelta(days=90)  # before answers are deleted, leaders are reminded to freeze


class AnswersDeleted(Exception):
    """What would be counted was deleted; `checkpoint` is the draft, `waves` those without answers."""

    def __init__(self, checkpoint: Checkpoint, waves: Iterable[Wave]) -> None:
        self.checkpoint, self.waves = checkpoint, list(waves)
        which = ", ".join(f"{wave.id} on {wave.deleted_on}" for wave in self.waves)
        super().__init__(f"checkpoint {checkpoint.id} was not frozen before answers were deleted: of {which}")


def require_answers(checkpoint: Checkpoint) -> None:
    """Raise AnswersDeleted where a draft can no longer be counted."""
    deleted = [wave for wave in checkpoint.waves if wave.deleted_on is not None]
    if checkpoint.frozen_on is None and deleted:
        raise AnswersDeleted(checkpoint, deleted)


def is_deletion_near(deleted_on: date, today: date) -> bool:
    """Whether answers are deleted soon."""
    return today + NEAR >= deleted_on
