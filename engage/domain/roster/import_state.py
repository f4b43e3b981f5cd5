"""Whether the roster in the database is complete. While an import is being stored, in many short transactions, it is a
mix of the roster before and of the new one.

Whatever decides from the roster and stores the result (access codes, packets, frozen figures, opt-outs) asks first, in
the same transaction. Pages that only show something do not.
"""

import hashlib
import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.storage.models.roster import STORED, STORING, RosterImport


class RosterIncomplete(Exception):
    """A roster is being imported, so nothing may be decided from the roster now."""

    def __init__(self) -> None:
        super().__init__("A roster is being imported. Try again in a few minutes.")


def find_unfinished_import(session: Session) -> RosterImport | None:
    """Return the import that is being stored or was interrupted; None if the roster is complete."""
    return session.scalar(select(RosterImport).where(RosterImport.state == STORING))


def require_complete_roster(session: Session) -> None:
    """Raise RosterIncomplete while an import is being stored. A write session keeps another from beginning."""
    if find_unfinished_import(session) is not None:
        raise RosterIncomplete


def unfinished_folder(session: Session) -> str | None:
    """Return the name of the folder that an unfinished import needs; None if there is none."""
    unfinished = find_unfinished_import(session)
    return unfinished.folder if unfinished is not None else None


def roster_version(session: Session) -> str:
    """Return a digest that changes when an import begins, with each of its transactions, and when it is complete: what
    was read between two equal digests is of one roster, if no import is unfinished."""
    states = session.execute(select(RosterImport.id, RosterImport.state, RosterImport.step).order_by(RosterImport.id))
    imports = [[id, *([] if state == STORED else [state, step])] for id, state, step in states]
    return hashlib.sha256(json.dumps(imports).encode()).hexdigest()
