"""Riverbend's checkpoint over last spring: met, frozen, promised and published."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from engage.base.languages import catalogue
from engage.demo.promises import PROMISES
from engage.demo.story import Author
from engage.services.checkpoints.freezing import freeze
from engage.services.checkpoints.outputs import count
from engage.services.checkpoints.planning import plan
from engage.storage.models.checkpoints import Checkpoint, Commitment, CommitmentWords

MET = timedelta(days=120)  # before today
PUBLISHED = timedelta(days=7)  # after the meeting


def meet(session: Session, author: Author, waves: list[str], data_dir: Path) -> Checkpoint:
    """The checkpoint over some waves: its figures frozen on the day, its commitments published a week later."""
    met = author.today - MET
    checkpoint = plan(session, "Spring checkpoint", met, waves, catalogue("en"))
    freeze(checkpoint, count(session, checkpoint, data_dir, met), met)
    _promise(checkpoint)
    checkpoint.published_on = met + PUBLISHED
    session.flush()
    return checkpoint


def _promise(checkpoint: Checkpoint) -> None:
    for position, promise in enumerate(PROMISES, 1):
        commitment = Commitment(
            position=position, owner=promise.owner, due=checkpoint.meets_on + promise.due, status=promise.status
        )
        commitment.words = [
            CommitmentWords(language=tag, theme=theme, you_said=said, we_will=will)
            for tag, (theme, said, will) in promise.words.items()
        ]
        checkpoint.commitments.append(commitment)
