from datetime import date

import pytest

from engage.services.checkpoints.freezing import (
    AlreadyFrozen,
    NoCommitments,
    NotFrozen,
    build_document,
    canonical_json,
    digest,
    freeze,
    load_frozen_figures,
    publish,
)
from engage.storage.models.checkpoints import Checkpoint, Commitment

DAY = date(2026, 10, 20)
FIGURES = build_document([], lambda wave: {}, DAY)


def a_checkpoint(promised=False, still=False):
    made = Checkpoint(id="fall", title="Fall", meets_on=DAY)
    if promised:
        made.commitments.append(Commitment(position=1, owner="The office", status="Planned"))
    if not still:
        freeze(made, FIGURES, DAY)
    return made


def test_a_draft_is_never_published():
    made = a_checkpoint(promised=True, still=True)
    with pytest.raises(NotFrozen, match="freeze them first"):
        publish(made, DAY, without_promise=True)
    assert made.published_on is None


def test_without_a_promise_somebody_must_say_so():
    made = a_checkpoint()
    with pytest.raises(NoCommitments):
        publish(made, DAY)
    publish(made, DAY, without_promise=True)
    assert made.published_on == DAY


def test_publishing_again_keeps_the_day():
    made = a_checkpoint(promised=True)
    publish(made, DAY)
    publish(made, date(2027, 1, 1))
    assert made.published_on == DAY


def test_figures_are_frozen_once():
    made = a_checkpoint()
    with pytest.raises(AlreadyFrozen):
        freeze(made, {**FIGURES, "as_of": "2027-01-01"}, date(2027, 1, 1))
    assert made.frozen_on == DAY
    assert made.digest == digest(canonical_json(FIGURES))
    assert load_frozen_figures(made) == FIGURES


def test_changed_figures_are_found_out():
    made = a_checkpoint()
    made.figures = made.figures.replace("5", "6")
    with pytest.raises(ValueError, match="not those that were frozen"):
        load_frozen_figures(made)
