"""Freezing: the figures of a checkpoint, of every audience, as one canonical document that never changes again.

The document:
    {"format", "as_of": day, "minimum": {"leaders": 5, "public": 10},
     "waves": [{"id", "survey": slug, "edition": digest, "opens", "closes", "identity",
                "households": {"counting", "asked"} or {} without a roster, "audiences": {audience: plain figures}}]}
Plain figures are what `engage/domain/summaries/plain_tables.py` makes: already suppressed, codes only, and with them
"households": {"all": 400, …}, as far as the audience is told (`households`). The edition keeps the words.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from engage.services.checkpoints.household_counts import visible_households
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.schools import Wave

FORMAT = 2  # 1: shares were rounded to 4 places, households stood beside the audiences
AUDIENCES = ("leaders", "public")

Document = dict[str, Any]


class AlreadyFrozen(Exception):
    """The checkpoint's figures stand; they are not counted again."""


def build_document(
    waves: Sequence[Wave],
    figures_of: Callable[[Wave], Mapping[str, Document]],
    minimum: Mapping[str, int],
    as_of: date,
    households_of: Callable[[Wave], Document] = lambda _wave: {},
) -> Document:
    """Return a checkpoint's figures as one document; `figures_of` gives each audience's plain figures of a wave,
    `households_of` how many could have answered (`coverage.count_households`)."""
    return {
        "format": FORMAT,
        "as_of": as_of.isoformat(),
        "minimum": dict(minimum),
        "waves": [_build_wave(each, figures_of(each), households_of(each), minimum) for each in waves],
    }


def _build_wave(
    wave: Wave, figures: Mapping[str, Document], households: Document, minimum: Mapping[str, int]
) -> Document:
    def visible_figures(audience: str) -> Document:
        numbers = visible_households(households, figures[audience]["responses"], minimum[audience])
        return {**figures[audience], "households": numbers}

    return {
        "id": wave.id,
        "survey": wave.edition.slug,
        "edition": wave.edition_digest,
        "opens": wave.opens.isoformat(),
        "closes": wave.closes.isoformat(),
        "identity": wave.identity,
        "households": {name: households[name] for name in ("counting", "asked") if name in households},
        "audiences": {audience: visible_figures(audience) for audience in AUDIENCES},
    }


def canonical_json(figures: Document) -> str:
    """The document's one spelling; its SHA-256 is what people compare."""
    return json.dumps(figures, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def digest(text: str) -> str:
    """SHA-256 of the canonical text, 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def freeze(checkpoint: Checkpoint, figures: Document, today: date) -> None:
    """Store the figures in the checkpoint for good. Raises AlreadyFrozen; never commits."""
    if checkpoint.frozen_on is not None:
        raise AlreadyFrozen(checkpoint.id)
    text = canonical_json(figures)
    checkpoint.figures, checkpoint.digest = text, digest(text)
    checkpoint.frozen_on = today


def load_frozen_figures(checkpoint: Checkpoint) -> Document | None:
    """The frozen figures; None while they are a draft. Raises ValueError if they are not what was frozen."""
    if checkpoint.frozen_on is None or checkpoint.figures is None:
        return None
    if digest(checkpoint.figures) != checkpoint.digest:
        raise ValueError(f"the figures of checkpoint {checkpoint.id} are not those that were frozen")
    document: Document = json.loads(checkpoint.figures)
    return document
