"""Storage of answers as responses: the only way in for the web, keyed paper forms, and interviews."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from datetime import date
from random import Random
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, bindparam, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from engage.domain.intake.access_code_use import CodeUse, is_code_replaced, link_response, use_code
from engage.domain.intake.form_data import MARKER, Raw
from engage.domain.intake.group_assignment import assign_groups, has_too_few_sealed
from engage.domain.intake.group_encryption import ResponseGroup, open_group, seal_group
from engage.questionnaire.answers import AnswerDocument, AnswerProblem, assemble_answers
from engage.questionnaire.model import Survey
from engage.questionnaire.question_types import canonical_answers
from engage.storage.fast_statements import QuickRead, QuickWrite, QuickWrites
from engage.storage.language_groups import OTHER, generalize_language
from engage.storage.models.invitations import Invitation
from engage.storage.models.responses import JOINED, Draft, PendingResponse, Response

ID_BITS = 128


class IntakeWave(Protocol):
    """The attributes of a wave that this module needs. A stored `Wave` has them."""

    @property
    def id(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def opens(self) -> date: ...
    @property
    def closes(self) -> date: ...


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A stored response. `answers` is its canonical document; `fresh` is False if it had been stored before."""

    response_id: str
    answers: str
    fresh: bool


class CodeAlreadyUsed(Exception):
    """The access code was used by another submission."""


class CodeReplaced(CodeAlreadyUsed):
    """The access code is no longer valid: it was not used, and another one replaced it."""


class AnswersRejected(Exception):
    """Some answers are not accepted. `troubles` lists them."""

    def __init__(self, troubles: list[AnswerProblem]) -> None:
        super().__init__(f"{len(troubles)} answers cannot be taken: {', '.join(t.slot_key for t in troubles)}")
        self.troubles = troubles


_response_query = QuickRead(select(Response.id, Response.answers).where(Response.submission == bindparam("key")))
_school_query = QuickRead(
    select(Response.id, Response.school_id, Response.sealed_group).where(Response.submission == bindparam("key"))
)
_language_query = select(Invitation.language).where(Invitation.digest == bindparam("code"))
_insert_response = QuickWrites(  # two concurrent requests may both find no response; the unique key decides
    sqlite=sqlite.insert(Response).on_conflict_do_nothing(index_elements=["submission"]),
    postgresql=postgresql.insert(Response).on_conflict_do_nothing(index_elements=["submission"]),
)
_insert_pending = QuickWrite(insert(PendingResponse))
_delete_draft = QuickWrite(delete(Draft).where(Draft.key == bindparam("draft")))


def build_answer_document(survey: Survey, wave: IntakeWave, raw: Raw, mode: str) -> AnswerDocument:
    """Return the answers to store. Strict for the web (raises AnswersRejected), lenient for paper and interviews.

    In an anonymous wave, answers that open a thread (the question to the school and the help requested) are left out.
    Staff read them in the thread, and the same text or choices in both places would link the two.
    """
    answers, troubles = assemble_answers(survey, raw, lenient=mode != "web")
    if troubles:
        raise AnswersRejected(troubles)
    return filter_answers(survey, wave, answers)


def filter_answers(survey: Survey, wave: IntakeWave, answers: AnswerDocument) -> AnswerDocument:
    """Return the answers that are stored in a response: in an anonymous wave, without those that open a thread."""
    asking = _thread_questions(survey, wave)
    return {key: value for key, value in answers.items() if key not in asking}


def filter_keyed_values(survey: Survey, wave: IntakeWave, raw: Raw) -> dict[str, list[str]]:
    """Return the keyed values that are stored: in an anonymous wave, without those that open a thread."""
    asking = _thread_questions(survey, wave)
    return {name: list(values) for name, values in raw.items() if name.removesuffix(MARKER) not in asking}


def _thread_questions(survey: Survey, wave: IntakeWave) -> set[str]:
    """Return the questions that open a thread and whose answers may not be stored in the response."""
    if wave.identity != "anonymous":
        return set()
    return {question.id for _, question in survey.questions() if question.asks is not None}


@dataclass(frozen=True, slots=True)
class Submission:
    """A family's answers and everything needed to store them.

    `submission_key` is the idempotency key: repeated submissions make one response. `language` is the one they were
    given in; they count under the language of the household with the access code. `provenance` is the keying's id if
    the mode is not "web". `document` is the stored answers of `raw` as canonical JSON, if the caller has built them
    already. `group_key` is the site's key for GROUP_KEY, required in an anonymous wave.
    """

    survey: Survey
    wave: IntakeWave
    school_id: str
    language: str
    mode: str
    raw: Raw
    submission_key: str
    provenance: str | None = None
    chance: CodeUse | None = None
    draft_key: bytes | None = None
    group_key: bytes | None = None
    is_burst: bool = False
    document: str | None = None


def accept_response(connection: Connection, submission: Submission, *, today: date, rng: Random) -> StoredResponse:
    """Store a response once. Another call with the same `submission_key` returns the first one.

    In the caller's transaction it also uses up the access code (`chance`) and deletes the draft. `today` may be later
    than the wave's last day. `rng` makes ids and must be a SystemRandom. Raises AnswersRejected, CodeAlreadyUsed,
    CodeReplaced.
    """
    wave, chance = submission.wave, submission.chance
    if submission.draft_key is not None:
        _delete_draft.run(connection, {"draft": submission.draft_key})
    existing = find_response(connection, submission.submission_key)
    if existing is not None:
        return existing
    answers = _answer_document(submission)
    if chance is not None and not use_code(connection, wave, chance, today):
        return _first_response(connection, submission, chance)
    accepted = _store_response(connection, _response_row(connection, submission, answers, today, rng))
    if accepted.fresh:
        _settle_identity(connection, submission, accepted)
    return accepted


def _answer_document(submission: Submission) -> str:
    """Return the answers to store as canonical JSON. Raises AnswersRejected."""
    if submission.document is not None:
        return submission.document
    answers = build_answer_document(submission.survey, submission.wave, submission.raw, submission.mode)
    return canonical_answers(answers).decode()


def _first_response(connection: Connection, submission: Submission, chance: CodeUse) -> StoredResponse:
    """Return the response of a concurrent identical submission. Raises CodeReplaced or CodeAlreadyUsed if there is
    none."""
    existing = find_response(connection, submission.submission_key)
    if existing is not None:
        return existing
    if is_code_replaced(connection, submission.wave, chance.invitation):
        raise CodeReplaced("this access code is worthless")
    raise CodeAlreadyUsed("this access code has done its work")


def _response_row(
    connection: Connection, submission: Submission, answers: str, today: date, rng: Random
) -> dict[str, Any]:
    wave, answered_in = submission.wave, submission.language
    row: dict[str, Any] = {"id": f"{rng.getrandbits(ID_BITS):032x}", "wave_id": wave.id, "answers": answers}
    row |= {"submission": submission.submission_key, "provenance": submission.provenance}
    language = _household_language(connection, submission.chance, answered_in)
    group = ResponseGroup(submission.school_id, language, submission.mode, answered_in)
    row["is_burst"] = submission.is_burst
    if wave.identity == "anonymous":
        sealed = _sealed_group_columns(connection, group, row, submission.group_key)
        return row | {"day": wave.opens} | sealed
    return row | {"day": min(today, wave.closes)} | _group_columns(group)


def _settle_identity(connection: Connection, submission: Submission, accepted: StoredResponse) -> None:
    """Link a confidential response to its code. In an anonymous wave, assign groups if too few responses are
    encrypted."""
    wave, key = submission.wave, submission.group_key
    if wave.identity != "anonymous":
        if submission.chance is not None:
            link_response(connection, wave, submission.chance, accepted.response_id)
    elif key and has_too_few_sealed(connection, wave.id):
        assign_groups(connection, wave.id, key)


def _household_language(connection: Connection, chance: CodeUse | None, language: str) -> str:
    """Return the language of the household with this access code; `language` without a code."""
    household_language = (
        connection.execute(_language_query, {"code": chance.invitation}).scalar_one_or_none() if chance else None
    )
    return household_language or language


def _group_columns(group: ResponseGroup) -> dict[str, Any]:
    columns = {"school_id": group.school, "language": group.language, "mode": group.mode}
    return {**columns, "answered_in": group.answered_in, "sealed_group": None}


def _sealed_group_columns(
    connection: Connection, group: ResponseGroup, row: Mapping[str, Any], key: bytes | None
) -> dict[str, Any]:
    """Return the group columns in an anonymous wave: rarely read languages are merged, then the whole group is
    encrypted."""
    if key is None:
        raise ValueError("the group of an anonymous response is sealed: give `group_key`")
    tongues = {
        tag: generalize_language(connection, row["wave_id"], group.school, tag)
        for tag in {group.language, group.answered_in}
    }
    inside = replace_fields(group, language=tongues[group.language], answered_in=tongues[group.answered_in])
    columns = {"school_id": None, "language": OTHER, "mode": JOINED, "answered_in": None}
    return {**columns, "sealed_group": seal_group(key, row["id"], inside)}


def find_response(connection: Connection, submission_key: str) -> StoredResponse | None:
    """Return the response with this submission key, or None."""
    row = _response_query.within(connection, {"key": submission_key})
    return None if row is None else StoredResponse(row[0], row[1], fresh=False)


def is_stored(engine: Engine, submission_key: str) -> bool:
    """Whether a response with this submission key is stored. A fast read."""
    return _school_query.one(engine, {"key": submission_key}) is not None


def find_response_school(engine: Engine, submission_key: str, group_key: bytes) -> str | None:
    """Return the school of the response with this submission key. A fast read.

    None if there is no response, and empty if its school is no longer stored. `group_key`: see `accept_response`.
    """
    row = _school_query.one(engine, {"key": submission_key})
    if row is None or row[2] is None:
        return None if row is None else row[1] or ""
    return open_group(group_key, row[0], bytes(row[2])).school.replace(OTHER, "")


def _store_response(connection: Connection, row: Mapping[str, Any]) -> StoredResponse:
    if _insert_response.run(connection, row) != 1:
        existing = find_response(connection, row["submission"])
        assert existing is not None, "the unique submission key refused the row, so the first one is there"
        return existing
    _insert_pending.run(connection, {"response_id": row["id"], "wave_id": row["wave_id"]})
    return StoredResponse(row["id"], row["answers"], fresh=True)
