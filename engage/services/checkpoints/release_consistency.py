"""Suppression over time: the difference between two sets of figures of one wave must not reveal the answers of few
families.

A reader who sees "40 yes" today and "41 yes" tomorrow, with one more family, knows that family's answer. So:

* A draft over an open wave shows no groups, and is renewed only when the number of responses has changed by at least
  `STEP`. For a confidential wave, whose leaders may look up who has answered, it shows only the number of responses.
* The groups of an open anonymous wave are unknown: they are sealed until it ends.
* Figures are frozen in comparison with earlier checkpoints over the same wave: if they differ by fewer than `STEP`
  families, the earlier figures are used; otherwise both were suppressed together (`earlier`,
  domain/summaries/differencing.py).

Not covered: the difference between drafts of an anonymous wave, and between a draft and the frozen figures, is a table
of at least `STEP` families whose cells are not suppressed again.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from engage.domain.summaries.published_figures import AudienceFigures, GroupFigures
from engage.services.checkpoints.freezing import CheckpointFigures, WaveFigures

ALL = "all"
CONFIDENTIAL = "confidential"
STEP = 10  # families; the public minimum


def earlier_figures(documents: Iterable[CheckpointFigures], wave_id: str) -> list[dict[str, AudienceFigures]]:
    """The figures of a wave in frozen documents, by audience."""
    return [wave["audiences"] for each in documents for wave in each["waves"] if wave["id"] == wave_id]


def reconcile_figures(fresh: CheckpointFigures, documents: Iterable[CheckpointFigures]) -> CheckpointFigures:
    """The figures to freeze, reconciled with the frozen documents (oldest first) of other checkpoints."""
    for before in documents:
        frozen = {wave["id"]: wave for wave in before["waves"]}
        fresh = _replace_waves(fresh, [_choose_stable_wave(wave, frozen.get(wave["id"])) for wave in fresh["waves"]])
    return fresh


def suppress_open_waves(fresh: CheckpointFigures, last: Mapping[str, WaveFigures], today: date) -> CheckpointFigures:
    """The draft to show. `last` are the open waves as last shown in any checkpoint, by id. A wave that is still open
    has the day of its count in `as_of`."""

    def draft(wave: WaveFigures) -> WaveFigures:
        return _draft_wave(wave, last.get(wave["id"]), fresh["as_of"]) if is_open(wave, today) else wave

    return _replace_waves(fresh, [draft(wave) for wave in fresh["waves"]])


def drop_breakdowns(fresh: CheckpointFigures, waves: Collection[str]) -> CheckpointFigures:
    """The figures without breakdowns of these waves (ids)."""

    def cut(wave: WaveFigures) -> WaveFigures:
        if wave["id"] not in waves:
            return wave
        return {
            **wave,
            "audiences": {name: _drop_groups(each, answers=True) for name, each in wave["audiences"].items()},
        }

    return _replace_waves(fresh, [cut(wave) for wave in fresh["waves"]])


def is_open(wave: WaveFigures, today: date) -> bool:
    """Whether a wave of a document can still receive answers on `today`."""
    return date.fromisoformat(wave["closes"]) >= today


def _draft_wave(fresh: WaveFigures, last: WaveFigures | None, as_of: str) -> WaveFigures:
    wave = fresh
    if (
        last is not None
        and last["edition"] == wave["edition"]
        and abs(_count_responses(wave) - _count_responses(last)) < STEP
    ):
        wave, as_of = last, last["as_of"]
    answers = fresh.get("identity") != CONFIDENTIAL
    return {
        **wave,
        "audiences": {name: _drop_groups(each, answers) for name, each in wave["audiences"].items()},
        "as_of": as_of,
    }


def _choose_stable_wave(wave: WaveFigures, before: WaveFigures | None) -> WaveFigures:
    """The earlier figures if the number of responses grew by fewer than `STEP`, or became smaller; else the new
    ones."""
    return wave if before is None or _count_responses(wave) - _count_responses(before) >= STEP else before


def _count_responses(wave: WaveFigures) -> int:
    """The number of responses that leaders see; a suppressed number counts as 0."""
    return int(wave["audiences"]["leaders"]["responses"]["all"] or 0)


def _drop_groups(figures: AudienceFigures, answers: bool) -> AudienceFigures:
    """An audience's figures without groups; `answers`: whether to include the questions."""

    def cut(breakdowns: Mapping[str, list[GroupFigures]]) -> dict[str, list[GroupFigures]]:
        return {name: lines if name == ALL else [] for name, lines in breakdowns.items()}

    questions = figures["questions"] if answers else []
    return {
        **figures,
        "responses": {"all": figures["responses"]["all"], "school": {}, "language": {}, "mode": {}},
        "questions": [{**question, "breakdowns": cut(question["breakdowns"])} for question in questions],
    }


def _replace_waves(document: CheckpointFigures, waves: list[WaveFigures]) -> CheckpointFigures:
    return {**document, "waves": waves}
