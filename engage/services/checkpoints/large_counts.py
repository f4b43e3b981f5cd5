"""Whether the figures of a checkpoint are counted within a request, or by the worker because that would take too long.

The rule is an estimate of CPU seconds from what has to be counted: 0.4 ms for each question and group (school,
language, or mode) whose tables are suppressed, and 0.05 ms for each response that is not in the columns yet. Figures
that are stored already take nothing. A count of more than `REQUEST_SECONDS` is left to the worker.

The draft of a large checkpoint may show figures that were counted a short time ago, so that responses that come in
meanwhile do not keep it from ever being shown. Figures to be frozen are always those of all responses.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engage.domain.intake.group_assignment import has_sealed_groups
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.domain.summaries.column_store import columns_folder
from engage.domain.summaries.release_history import Released, StoredRelease, find_release
from engage.domain.summaries.wave_summary import ColumnStatus, read_status
from engage.questionnaire.model import Survey
from engage.services.checkpoints.counting import (
    WaveCounting,
    count_draft_with,
    has_draft_breakdowns,
    list_waves,
    open_sealed_groups,
    release_scope,
)
from engage.services.checkpoints.freezing import CheckpointFigures
from engage.services.checkpoints.outputs import other_frozen_figures
from engage.services.runtime import Runtime
from engage.storage.engine import read_session
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.waves import Wave

REQUEST_SECONDS = 2.0  # of CPU, estimated, for counting, or making a file, within a request
CELL_SECONDS = 0.0004  # for a question and group: tests/bench/bench_suppression.py
RESPONSE_SECONDS = 0.00005  # for a response that is read from its document
FRESH = timedelta(minutes=10)  # for which the draft of a large checkpoint shows the figures that were counted last


class CountIsLarge(Exception):
    """The figures have to be counted, and that takes too long for a request."""


@dataclass(frozen=True, slots=True)
class _WaveState:
    """A wave to count: its stored figures, whether they have every response, and the seconds that a count takes."""

    id: str
    stored: StoredRelease | None
    is_current: bool
    edits: int
    seconds: float

    def is_usable(self, now: datetime) -> bool:
        """Whether the stored figures can be shown although responses have come since. Corrected or deleted responses
        are never shown any longer."""
        stored = self.stored
        return stored is not None and stored.columns.edits == self.edits and now - stored.stored_at < FRESH


def count_small_draft(runtime: Runtime, checkpoint_id: str) -> CheckpointFigures | None:
    """The draft figures of a checkpoint, counted now if that is quick; None if they are frozen. Raises CountIsLarge,
    AnswersDeleted, BurstsUndecided."""
    engine, site_dir, today = runtime.engine, runtime.settings.site_dir, runtime.today()
    with read_session(engine) as session:
        if session.get_one(Checkpoint, checkpoint_id).frozen_on is not None:
            return None
    states = _read_states(runtime, checkpoint_id, lambda wave: has_draft_breakdowns(wave, today))
    reuse = _choose_stored(states, runtime.now())
    open_sealed_groups(engine, checkpoint_id, runtime.secret(GROUP_KEY), today)
    return count_draft_with(WaveCounting(engine, checkpoint_id, site_dir, reuse=reuse), today)


def is_freezing_large(runtime: Runtime, checkpoint_id: str) -> bool:
    """Whether counting the figures to be frozen takes too long for a request. Raises AnswersDeleted,
    BurstsUndecided."""
    states = _read_states(runtime, checkpoint_id, lambda _wave: True)
    return _sum_seconds(each for each in states if not each.is_current) > REQUEST_SECONDS


def _choose_stored(states: Sequence[_WaveState], now: datetime) -> Mapping[str, Released]:
    """The stored figures to show, by wave; the other waves are counted. Raises CountIsLarge."""
    visible = [each for each in states if each.is_current]
    if _sum_seconds(each for each in states if not each.is_current) > REQUEST_SECONDS:
        visible = [each for each in states if each.is_current or each.is_usable(now)]
        if _sum_seconds(each for each in states if each not in visible) > REQUEST_SECONDS:
            raise CountIsLarge
    return {each.id: each.stored.released for each in visible if each.stored is not None}


def _sum_seconds(states: Iterable[_WaveState]) -> float:
    return sum(each.seconds for each in states)


def _read_states(runtime: Runtime, checkpoint_id: str, with_breakdowns: Callable[[Wave], bool]) -> list[_WaveState]:
    waves = list_waves(runtime.engine, checkpoint_id)
    with read_session(runtime.engine) as session:
        others = other_frozen_figures(session, session.get_one(Checkpoint, checkpoint_id))
    today, site_dir = runtime.today(), runtime.settings.site_dir
    states = []
    for wave, survey in waves:
        with read_session(runtime.engine) as session:
            status = read_status(session, wave.id)
            sealed = wave.closes < today and has_sealed_groups(session.connection(), wave.id)
        breakdowns = with_breakdowns(wave)
        stored = find_release(columns_folder(site_dir, wave.id), release_scope(wave, breakdowns, others))
        is_current = stored is not None and not sealed and status.is_current(stored.columns)
        seconds = _estimate_seconds(wave, survey, status, breakdowns, sealed)
        states.append(_WaveState(wave.id, None if sealed else stored, is_current, status.edits, seconds))
    return states


def _estimate_seconds(wave: Wave, survey: Survey, status: ColumnStatus, breakdowns: bool, sealed: bool) -> float:
    """The CPU seconds of a count. Responses in sealed groups are read again, as after a correction."""
    rebuilt = sealed or status.known.edits != status.edits
    responses = status.stored if rebuilt else status.waiting
    groups = len(wave.schools) + len(wave.offered) + len(wave.modes.split()) if breakdowns else 1
    questions = sum(1 for _ in survey.questions())
    return CELL_SECONDS * questions * min(groups, status.stored) + RESPONSE_SECONDS * responses
