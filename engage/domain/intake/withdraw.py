"""Taking a response out again, as when a sheet was keyed under the wrong serial."""

from sqlalchemy import Connection, delete, update

from engage.domain.intake.accept import IntakeWave, NoSuchResponse
from engage.domain.intake.access_code_use import release_code
from engage.storage.models.responses import PendingResponse, Response
from engage.storage.models.schools import Wave


def withdraw_response(connection: Connection, wave: IntakeWave, response_id: str) -> None:
    """Remove a stored response and give its access code back; its wave's figures are then counted anew. Raises
    NoSuchResponse."""
    release_code(connection, response_id)
    connection.execute(delete(PendingResponse).where(PendingResponse.response_id == response_id))
    gone = connection.execute(delete(Response).where(Response.id == response_id, Response.wave_id == wave.id))
    if gone.rowcount != 1:
        raise NoSuchResponse(f"wave {wave.id} has no response {response_id}")
    connection.execute(update(Wave).where(Wave.id == wave.id).values(edits=Wave.edits + 1))
