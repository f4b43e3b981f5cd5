"""Corrections of stored responses, when a sheet was keyed with errors or under the wrong serial."""

from sqlalchemy import Connection, delete, update

from engage.domain.intake.access_code_use import release_code
from engage.domain.intake.submission import IntakeWave, StoredResponse
from engage.storage.models.responses import PendingResponse, Response
from engage.storage.models.waves import Wave


class NoSuchResponse(LookupError):
    """The response to be corrected does not exist."""


def replace_response(connection: Connection, wave: IntakeWave, response_id: str, document: str) -> StoredResponse:
    """Replace the answers of a stored response and have its wave's figures recounted.

    `document` is the answers as canonical JSON. Raises NoSuchResponse.
    """
    change = update(Response).where(Response.id == response_id, Response.wave_id == wave.id).values(answers=document)
    if connection.execute(change).rowcount != 1:
        raise NoSuchResponse(f"wave {wave.id} has no response {response_id}")
    _request_recount(connection, wave)
    return StoredResponse(response_id, document, fresh=False)


def withdraw_response(connection: Connection, wave: IntakeWave, response_id: str) -> None:
    """Delete a stored response, release its access code, and have its wave's figures recounted. Raises
    NoSuchResponse."""
    release_code(connection, response_id)
    connection.execute(delete(PendingResponse).where(PendingResponse.response_id == response_id))
    gone = connection.execute(delete(Response).where(Response.id == response_id, Response.wave_id == wave.id))
    if gone.rowcount != 1:
        raise NoSuchResponse(f"wave {wave.id} has no response {response_id}")
    _request_recount(connection, wave)


def _request_recount(connection: Connection, wave: IntakeWave) -> None:
    """Request a recount of a wave's figures."""
    connection.execute(update(Wave).where(Wave.id == wave.id).values(edits=Wave.edits + 1))
