"""Taking a response out again, as when a sheet was keyed under the wrong serial."""

from sqlalchemy import Connection, delete, update

from engage.domain.intake.accept import AskedWave, NoSuchResponse
from engage.domain.intake.access_code_use import release
from engage.storage.models.responses import Response, Unfolded
from engage.storage.models.schools import Wave


def withdraw(connection: Connection, wave: AskedWave, response_id: str) -> None:
    """Remove a stored response and give its access code back; its wave's figures are then counted anew. Raises
    NoSuchResponse."""
    release(connection, response_id)
    connection.execute(delete(Unfolded).where(Unfolded.response_id == response_id))
    gone = connection.execute(delete(Response).where(Response.id == response_id, Response.wave_id == wave.id))
    if gone.rowcount != 1:
        raise NoSuchResponse(f"wave {wave.id} has no response {response_id}")
    connection.execute(update(Wave).where(Wave.id == wave.id).values(edits=Wave.edits + 1))
