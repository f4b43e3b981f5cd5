"""Riverbend's checkpoint over last spring: met, frozen, promised and published."""

from datetime import timedelta

from sqlalchemy.orm import Session

from engage.checkpoints.plan import plan
from engage.cli.riverbend.promises import PROMISES
from engage.cli.riverbend.story import Author
from engage.languages import catalogue
from engage.records.checkpoints import Checkpoint, Commitment, CommitmentWords
from engage.records.schools import Wave

MET = timedelta(days=120)  # before today


def meet(session: Session, author: Author, waves: list[Wave]) -> Checkpoint:
    """The checkpoint and its commitments, not yet frozen."""
    met = author.today - MET
    checkpoint = plan(session, "Spring checkpoint", met, [wave.id for wave in waves], catalogue("en"))
    for position, promise in enumerate(PROMISES, 1):
        commitment = Commitment(position=position, owner=promise.owner, due=met + promise.due, status=promise.status)
        commitment.words = [
            CommitmentWords(language=tag, theme=theme, you_said=said, we_will=will)
            for tag, (theme, said, will) in promise.words.items()
        ]
        checkpoint.commitments.append(commitment)
    session.flush()
    return checkpoint
