"""The one gate: answers from the web, from keyed paper and from interviews become stored responses only here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engage.intake.burning import Chance, burn, is_gone, link
from engage.intake.submission import MARKER, Raw
from engage.questionnaire.answers import Trouble, assemble
from engage.questionnaire.kinds import canonical
from engage.questionnaire.shape import Survey
from engage.records.quick import QuickRead
from engage.records.responses import Draft, Response, Unfolded
from engage.records.schools import Wave

ID_BITS = 128
COUNTED = {"preserve_rowcount": True}  # SQLAlchemy keeps it for updates only, unless asked


class AskedWave(Protocol):
    """What the gate must know of a wave; a stored `Wave` will do."""

    @property
    def id(self) -> str: ...
    @property
    def identity(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """A stored response. `answers` is its canonical document; `fresh` is False where it had been stored before."""

    response_id: str
    answers: str
    fresh: bool


class AlreadyUsed(Exception):
    """The access code has been used by another submission."""


class Replaced(AlreadyUsed):
    """The access code is none of this wave's any more: nobody has used it, and another was given in its place."""


class NotAccepted(Exception):
    """Some answers cannot be taken as they are; `troubles` says which."""

    def __init__(self, troubles: list[Trouble]) -> None:
        super().__init__(f"{len(troubles)} answers cannot be taken: {', '.join(t.slot_key for t in troubles)}")
        self.troubles = troubles


class NoSuchResponse(LookupError):
    """The response to be corrected is not there."""


_stored = select(Response.id, Response.answers).where(Response.submission == bindparam("key"))
_sent = QuickRead(select(Response.school_id).where(Response.submission == bindparam("key")))
_inserts: dict[str, Any] = {  # in a race both come past the first look; then the unique key decides
    "sqlite": sqlite.insert(Response).on_conflict_do_nothing(index_elements=["submission"]),
    "postgresql": postgresql.insert(Response).on_conflict_do_nothing(index_elements=["submission"]),
}
_unfold = insert(Unfolded)
_forget = delete(Draft).where(Draft.key == bindparam("draft"))


def document(survey: Survey, wave: AskedWave, raw: Raw, mode: str) -> dict[str, Any]:
    """The answers as they are stored; strict for the web (raises NotAccepted), lenient for paper and interviews.

    In an anonymous wave what opens a thread is left out, the question to the school and the help wanted: staff read it
    in the thread, and the same words or choices in both places would tie the two together."""
    answers, troubles = assemble(survey, raw, lenient=mode != "web")
    if troubles:
        raise NotAccepted(troubles)
    asking = _asking(survey, wave)
    return {key: value for key, value in answers.items() if key not in asking}


def keyed(survey: Survey, wave: AskedWave, raw: Raw) -> dict[str, list[str]]:
    """What was keyed of a sheet, as it is kept: in an anonymous wave without what opens a thread, as in `document`."""
    asking = _asking(survey, wave)
    return {name: list(values) for name, values in raw.items() if name.removesuffix(MARKER) not in asking}


def _asking(survey: Survey, wave: AskedWave) -> set[str]:
    """The questions that open a thread, where their answers may not stand with the others."""
    if wave.identity != "anonymous":
        return set()
    return {question.id for _, question in survey.questions() if question.asks is not None}


def accept(
    connection: Connection,
    survey: Survey,
    wave: AskedWave,
    *,
    school_id: str,
    language: str,
    mode: str,
    raw: Raw,
    submission_key: str,
    today: date,
    rng: Random,
    provenance: str | None = None,
    chance: Chance | None = None,
    draft_key: bytes | None = None,
) -> Accepted:
    """Store a response once; the same `submission_key` again returns the first.

    In the caller's transaction it also uses up the access code (`chance`) and destroys the draft. `language` is stored
    as it is: where few were invited, give what `records.strata` calls the group. `provenance` is the keying's id where
    the mode is not "web". `rng` makes ids: give it a SystemRandom. Raises NotAccepted, AlreadyUsed, Replaced.
    """
    if draft_key is not None:
        connection.execute(_forget, {"draft": draft_key})
    known = find(connection, submission_key)
    if known is not None:
        return known
    answers = canonical(document(survey, wave, raw, mode)).decode()
    if chance is not None and not burn(connection, wave, chance, today):
        known = find(connection, submission_key)
        if known is None and is_gone(connection, wave, chance.invitation):
            raise Replaced("this access code is worthless")
        if known is None:
            raise AlreadyUsed("this access code has done its work")
        return known
    row = {
        "id": f"{rng.getrandbits(ID_BITS):032x}",
        "wave_id": wave.id,
        "school_id": school_id,
        "language": language,
        "mode": mode,
        "day": today,
        "answers": answers,
        "submission": submission_key,
        "provenance": provenance,
    }
    accepted = _store(connection, row)
    if chance is not None and accepted.fresh and wave.identity == "confidential":
        link(connection, wave, chance, accepted.response_id)
    return accepted


def find(connection: Connection, submission_key: str) -> Accepted | None:
    """The response stored under this submission key, if there is one."""
    row = connection.execute(_stored, {"key": submission_key}).one_or_none()
    return None if row is None else Accepted(row.id, row.answers, fresh=False)


def stored_school(engine: Engine, submission_key: str) -> str | None:
    """The school of the response under this submission key, read quickly; None where nothing is stored under it."""
    row = _sent.one(engine, {"key": submission_key})
    return None if row is None else row[0]


def replace(
    connection: Connection, survey: Survey, wave: AskedWave, response_id: str, raw: Raw, mode: str = "paper"
) -> Accepted:
    """Correct a stored response; its wave's figures are then counted anew. Raises NoSuchResponse, NotAccepted."""
    answers = canonical(document(survey, wave, raw, mode)).decode()
    change = update(Response).where(Response.id == response_id, Response.wave_id == wave.id).values(answers=answers)
    if connection.execute(change).rowcount != 1:
        raise NoSuchResponse(f"wave {wave.id} has no response {response_id}")
    connection.execute(update(Wave).where(Wave.id == wave.id).values(edits=Wave.edits + 1))
    return Accepted(response_id, answers, fresh=False)


def _store(connection: Connection, row: Mapping[str, Any]) -> Accepted:
    if connection.execute(_inserts[connection.dialect.name], row, execution_options=COUNTED).rowcount != 1:
        known = find(connection, row["submission"])
        assert known is not None, "the unique submission key refused the row, so the first one is there"
        return known
    connection.execute(_unfold, {"response_id": row["id"], "wave_id": row["wave_id"]})
    return Accepted(row["id"], row["answers"], fresh=True)
