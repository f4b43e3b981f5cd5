"""Counting a checkpoint's figures without delaying families' answers.

New answers are added to a wave's column files, which a short write transaction records. Counting and suppression, which
may take seconds, run outside of any transaction. Figures to be frozen are compared with the database once more before
they are stored. No Flask.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session, selectinload

from engage.domain.intake.burst_marks import require_decisions
from engage.domain.intake.group_assignment import assign_due_groups, has_sealed_groups
from engage.domain.roster.import_state import require_complete_roster, roster_version
from engage.domain.summaries.column_store import Columns, ExpectedColumns, columns_folder, lock_folder
from engage.domain.summaries.release import PartProgress
from engage.domain.summaries.release_history import Released, ReleaseScope, load_or_release
from engage.domain.summaries.wave_summary import (
    current_columns,
    load_columns,
    lock_columns,
    prepare_columns,
    read_status,
)
from engage.questionnaire.editions import load_edition
from engage.questionnaire.model import Survey
from engage.services.checkpoints.freezing import (
    AlreadyFrozen,
    CheckpointFigures,
    freeze,
    load_frozen_figures,
    require_answers,
)
from engage.services.checkpoints.outputs import (
    count_figures,
    other_frozen_digests,
    other_frozen_figures,
    suppress_draft,
)
from engage.services.checkpoints.release_consistency import earlier_figures
from engage.storage.engine import read_session, write_session
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.waves import Wave

ATTEMPTS = 3  # to count figures while no answer comes in; after the last one, the figures just counted are frozen

Store = Callable[[Session, Checkpoint], None]


@dataclass(frozen=True, slots=True)
class CountProgress:
    """How far a count is: survey `survey` (from 1) of `surveys`, and the percent of its tables."""

    survey: int
    surveys: int
    percent: int


Progress = Callable[[CountProgress], None]
"""Is called often while figures are counted. May raise to stop."""


def ignore_progress(_progress: CountProgress) -> None:
    """Do nothing with the progress."""


@dataclass(frozen=True, slots=True)
class WaveCounting:
    """How the waves of a checkpoint are counted. `reuse` has the figures, by wave, that are not counted again."""

    engine: Engine
    checkpoint_id: str
    site_dir: Path
    progress: Progress = ignore_progress
    reuse: Mapping[str, Released] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CountedFigures:
    """The figures of a checkpoint, the state of the columns that they were counted from, the digests of the frozen
    checkpoints that they were compared with, and the version of the roster that households were counted from."""

    document: CheckpointFigures
    columns: Mapping[str, ExpectedColumns]
    others: tuple[str, ...]
    roster: str


def count_draft(
    engine: Engine, checkpoint_id: str, site_dir: Path, today: date, progress: Progress = ignore_progress
) -> CheckpointFigures | None:
    """The draft figures of a checkpoint that may be shown now; None if they are frozen. Waves that are still open are
    counted without breakdowns, because a draft shows none."""
    return count_draft_with(WaveCounting(engine, checkpoint_id, site_dir, progress), today)


def count_draft_with(counting: WaveCounting, today: date) -> CheckpointFigures | None:
    """The same as `count_draft`."""
    engine, checkpoint_id, site_dir = counting.engine, counting.checkpoint_id, counting.site_dir
    with read_session(engine) as session:
        if session.get_one(Checkpoint, checkpoint_id).frozen_on is not None:
            return None
    with read_session(engine) as session:
        others = other_frozen_figures(session, session.get_one(Checkpoint, checkpoint_id))
    _, released = _count_waves(counting, others, lambda wave: has_draft_breakdowns(wave, today))
    with read_session(engine) as session:
        require_complete_roster(session)
        return suppress_draft(session, session.get_one(Checkpoint, checkpoint_id), site_dir, today, released)


def has_draft_breakdowns(wave: Wave, today: date) -> bool:
    """Whether a draft shows a wave by group: once it has closed."""
    return wave.closes < today


def open_sealed_groups(engine: Engine, checkpoint_id: str, key: bytes, today: date) -> None:
    """Open the sealed groups of the checkpoint's anonymous waves that have ended, without waiting for the nightly run.
    `key`: the site's key for GROUP_KEY."""
    with read_session(engine) as session:
        checkpoint = session.get_one(Checkpoint, checkpoint_id)
        waves = [wave.id for wave in checkpoint.waves if checkpoint.frozen_on is None and wave.closes < today]
        sealed = [id for id in waves if has_sealed_groups(session.connection(), id)]
    if sealed:
        with write_session(engine) as session:
            assign_due_groups(session.connection(), key, today, sealed)
            session.commit()


def choose_figures(checkpoint: Checkpoint, draft: CheckpointFigures | None) -> CheckpointFigures:
    """The frozen figures, or else the draft from `count_draft`. Figures frozen since the draft take precedence."""
    figures = load_frozen_figures(checkpoint) or draft
    assert figures is not None, "what is not frozen has a draft"
    return figures


def count_and_freeze(
    engine: Engine,
    checkpoint_id: str,
    site_dir: Path,
    today: date,
    store: Store,
    progress: Progress = ignore_progress,
) -> None:
    """Count the figures and store them permanently. `store` is called in the same transaction, before the commit. If
    answers come in during the count, it is repeated, at most `ATTEMPTS` times. Raises AlreadyFrozen.
    """
    attempt = 0
    while True:
        attempt += 1
        counted = _count_for_freezing(WaveCounting(engine, checkpoint_id, site_dir, progress), today)
        with write_session(engine) as session:
            checkpoint = session.get_one(Checkpoint, checkpoint_id, with_for_update=True)
            if checkpoint.frozen_on is not None:
                raise AlreadyFrozen(checkpoint.id)
            if not _is_current(session, checkpoint, counted, last=attempt >= ATTEMPTS):
                continue
            freeze(checkpoint, counted.document, today)
            store(session, checkpoint)
            session.commit()
            return


def _count_for_freezing(counting: WaveCounting, today: date) -> CountedFigures:
    engine, checkpoint_id = counting.engine, counting.checkpoint_id
    with read_session(engine) as session:
        checkpoint = session.get_one(Checkpoint, checkpoint_id)
        others, digests = other_frozen_figures(session, checkpoint), other_frozen_digests(session, checkpoint)
    states, released = _count_waves(counting, others, lambda _wave: True)
    with read_session(engine) as session:
        require_complete_roster(session)
        roster = roster_version(session)
        checkpoint = session.get_one(Checkpoint, checkpoint_id)
        document = count_figures(session, checkpoint, counting.site_dir, today, released)
        return CountedFigures(document, states, digests, roster)


def _is_current(session: Session, checkpoint: Checkpoint, counted: CountedFigures, last: bool) -> bool:
    """Whether the figures counted can be frozen. The waves' columns stay locked, so that of two checkpoints over one
    wave, the second is compared with the first.

    The `last` attempt accepts figures that are some seconds old; each counts every answer of its time exactly once. A
    change in the other frozen checkpoints is never accepted.
    """
    for wave in checkpoint.waves:
        lock_columns(session, wave.id)
    if set(counted.columns) != {wave.id for wave in checkpoint.waves}:
        return False
    if counted.others != other_frozen_digests(session, checkpoint) or counted.roster != roster_version(session):
        return False
    return last or all(read_status(session, wave).is_current(columns) for wave, columns in counted.columns.items())


def _count_waves(
    counting: WaveCounting, others: Sequence[CheckpointFigures], with_breakdowns: Callable[[Wave], bool]
) -> tuple[dict[str, ExpectedColumns], dict[str, Released]]:
    """The state of the columns of each wave that is counted, and the figures of all waves, suppressed together with
    those of frozen `others`."""
    waves = list_waves(counting.engine, counting.checkpoint_id)
    states, released = {}, dict(counting.reuse)
    for number, (wave, survey) in enumerate(waves, 1):
        if wave.id in counting.reuse:
            continue
        progress = _survey_progress(counting.progress, number, len(waves))
        progress(0, 1)
        wave_columns = _open_columns(counting.engine, wave, survey, counting.site_dir)
        states[wave.id] = wave_columns.expected
        scope = release_scope(wave, with_breakdowns(wave), others)
        released[wave.id] = load_or_release(wave_columns, columns_folder(counting.site_dir, wave.id), scope, progress)
    return states, released


def _survey_progress(progress: Progress, number: int, surveys: int) -> PartProgress:
    """The progress of one survey of several."""
    return lambda tables, total: progress(CountProgress(number, surveys, 100 * tables // total))


def release_scope(wave: Wave, breakdowns: bool, others: Sequence[CheckpointFigures]) -> ReleaseScope:
    """What a wave's figures depend on besides its columns. `others` are the frozen figures to compare with."""
    return ReleaseScope(wave.edition_digest, wave.identity, breakdowns, earlier_figures(others, wave.id))


def list_waves(engine: Engine, checkpoint_id: str) -> list[tuple[Wave, Survey]]:
    """The waves to count, with their surveys. Raises AnswersDeleted, BurstsUndecided."""
    with read_session(engine) as session:
        waves = selectinload(Checkpoint.waves).options(selectinload(Wave.edition), selectinload(Wave.schools))
        checkpoint = session.get_one(Checkpoint, checkpoint_id, options=[waves])
        require_answers(checkpoint)
        require_decisions(session, checkpoint.waves)
        return [(wave, load_edition(wave.edition.document).survey("en")) for wave in checkpoint.waves]


def load_wave_columns(engine: Engine, checkpoint_id: str, site_dir: Path) -> Iterator[tuple[Wave, Columns]]:
    """Each wave with its columns, including new answers. Raises AnswersDeleted, BurstsUndecided."""
    for wave, survey in list_waves(engine, checkpoint_id):
        yield wave, _open_columns(engine, wave, survey, site_dir)


def _open_columns(engine: Engine, wave: Wave, survey: Survey, site_dir: Path) -> Columns:
    with lock_folder(columns_folder(site_dir, wave.id), "update"):
        return _update_columns(engine, wave, survey, site_dir)


def _update_columns(engine: Engine, wave: Wave, survey: Survey, site_dir: Path) -> Columns:
    """The wave's columns, updated in a short write transaction if there are new answers. On SQLite, which has one
    writer, the responses are read before the transaction, so that families' answers need not wait."""
    prepared = None
    with read_session(engine) as session:
        wave_columns = current_columns(session, wave, survey, site_dir)
        if wave_columns is not None:
            return wave_columns
        if engine.dialect.name == "sqlite":
            prepared = prepare_columns(session, wave, survey, site_dir)
    with write_session(engine) as session:
        wave_columns = load_columns(session, wave, survey, site_dir, prepared)
        session.commit()
        return wave_columns
