"""Publishing: what families can read, only after the figures are frozen, and not without an answer to "so what?"."""

from datetime import date

from engage.storage.models.checkpoints import Checkpoint


class NotFrozen(Exception):
    """The figures are still a draft: families are never shown numbers that may change."""


class NoCommitments(Exception):
    """Families would read figures and no promise; say openly that there is none yet, or write one first."""


def publish(checkpoint: Checkpoint, today: date, without_promise: bool = False) -> None:
    """Let families read the results from `today` on; publishing again changes nothing. Never commits.

    Raises NotFrozen, and NoCommitments unless there is a commitment or somebody says `without_promise`.
    """
    if checkpoint.frozen_on is None:
        raise NotFrozen(f"the figures of checkpoint {checkpoint.id} are a draft; freeze them first")
    if not checkpoint.commitments and not without_promise:
        raise NoCommitments(f"checkpoint {checkpoint.id} has no commitment; write one, or say that there is none yet")
    if checkpoint.published_on is None:
        checkpoint.published_on = today
