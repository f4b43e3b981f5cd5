"""Riverbend's checkpoint over last spring: frozen at the meeting, with commitments, and published."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from engage.base.catalogs import catalogue
from engage.demo.promises import PROMISES
from engage.demo.story import DemoContext
from engage.services.checkpoints.freezing import freeze
from engage.services.checkpoints.outputs import count_figures
from engage.services.checkpoints.planning import create_checkpoint
from engage.storage.models.checkpoints import Checkpoint, Commitment, CommitmentWords

MET = timedelta(days=120)  # before today
PUBLISHED = timedelta(days=7)  # after the meeting


def add_checkpoint(session: Session, author: DemoContext, waves: list[str], site_dir: Path) -> Checkpoint:
    """Add the checkpoint over some waves: figures frozen on the day of the meeting, commitments published a week
    later."""
    met = author.today - MET
    checkpoint = create_checkpoint(session, "Spring checkpoint", met, waves, catalogue("en"))
    freeze(checkpoint, count_figures(session, checkpoint, site_dir, met), met)
    _add_commitments(checkpoint)
    checkpoint.published_on = met + PUBLISHED
    session.flush()
    return checkpoint


def _add_commitments(checkpoint: Checkpoint) -> None:
    for position, promise in enumerate(PROMISES, 1):
        commitment = Commitment(
            position=position, owner=promise.owner, due=checkpoint.meets_on + promise.due, status=promise.status
        )
        commitment.words = [
            CommitmentWords(language=tag, theme=theme, you_said=concern, we_will=will)
            for tag, (theme, concern, will) in promise.words.items()
        ]
        checkpoint.commitments.append(commitment)
