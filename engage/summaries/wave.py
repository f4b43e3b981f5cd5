"""The figures of one wave, from its stored responses: fold in what is new, count, hide what is small."""

from collections.abc import Iterator
from heapq import merge
from operator import attrgetter
from pathlib import Path

from sqlalchemy import Select, delete, exists, select
from sqlalchemy.orm import Session

from engage.questionnaire.shape import Survey
from engage.questionnaire.wording import load
from engage.records.responses import Response, Unfolded, WaveColumns
from engage.records.schools import Wave
from engage.summaries.columns import Columns, Known, Stored, folder_of, up_to_date
from engage.summaries.frame import THREADS
from engage.summaries.plain import Plain, plain
from engage.summaries.release import release
from engage.summaries.suppression import LEADERS, PUBLIC
from engage.summaries.tally import tally

MINIMUM = {"leaders": LEADERS.minimum, "public": PUBLIC.minimum}
BATCH = 5_000  # rows fetched at a time
FORGOTTEN = 5_000  # ids in one statement; SQLite takes 32,766


def audiences(session: Session, wave: Wave, data_dir: Path) -> dict[str, Plain]:
    """What leaders and what families are shown of a wave. Writes the state of its columns; never commits."""
    survey = load(wave.edition.document).survey("en")
    figures = tally(columns(session, wave, survey, data_dir))
    for_leaders = release(figures, survey, LEADERS)
    for_families = release(figures, survey, PUBLIC, for_leaders)
    threads = THREADS | {"help"} if wave.identity == "anonymous" else THREADS  # as the gate stores them
    return {"leaders": plain(for_leaders, survey, threads), "public": plain(for_families, survey, threads)}


def columns(session: Session, wave: Wave, survey: Survey, data_dir: Path) -> Columns:
    """The wave's byte columns with every response in them."""
    state = session.get(WaveColumns, wave.id)
    known = Known(state.rows, state.digest, state.edits) if state else None
    # PostgreSQL lets responses come in between our statements. Only what was read here is folded in and forgotten; a
    # wave built anew is what is not waiting to be folded, and what was read here.
    new = list(_stored(session, _responses(wave).join(Unfolded, Unfolded.response_id == Response.id)))
    waiting = exists().where(Unfolded.response_id == Response.id)

    def everything() -> Iterator[Stored]:
        return merge(_stored(session, _responses(wave).where(~waiting)), new, key=attrgetter("id"))

    made = up_to_date(folder_of(data_dir, wave.id), survey, known, wave.edits, new, everything)
    if state is None:
        state = WaveColumns(wave_id=wave.id, rows=0, digest="", edits=0)
        session.add(state)
    state.rows, state.digest, state.edits = made.known
    _forget(session, [each.id for each in new])
    return made


def _responses(wave: Wave) -> Select[str, str, str, str, str]:
    # In the order of their random ids: the order in which they came is nowhere.
    fields = (Response.id, Response.school_id, Response.language, Response.mode, Response.answers)
    return select(*fields).where(Response.wave_id == wave.id).order_by(Response.id)


def _stored(session: Session, wanted: Select[str, str, str, str, str]) -> Iterator[Stored]:
    for row in session.execute(wanted.execution_options(yield_per=BATCH)):
        yield Stored(row.id, row.school_id, row.language, row.mode, row.answers)


def _forget(session: Session, folded: list[str]) -> None:
    for start in range(0, len(folded), FORGOTTEN):
        session.execute(delete(Unfolded).where(Unfolded.response_id.in_(folded[start : start + FORGOTTEN])))
    session.flush()
