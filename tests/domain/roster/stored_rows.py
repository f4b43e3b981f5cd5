"""An import with every kind of change, and the rows that it leaves."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random

from sqlalchemy import delete

from engage.domain.roster.opt_outs import mark_children
from engage.storage.engine import read_session, write_session
from engage.storage.models.base import Base
from engage.storage.models.invitations import Invitation
from engage.storage.models.roster import OptOut
from tests.domain.roster.conftest import District
from tests.domain.roster.generator import Files, small
from tests.makers import a_wave

KEY = b"o" * 32  # the key of the fixture's imports
DAY = date(2026, 9, 1)
ROSTER = (
    *("schools", "students", "guardians", "households", "guardianships"),
    *("household_students", "household_guardians", "opt_outs", "opted_out_students"),
)
STAYING = ("audit_events", "audit_heads")  # nothing is ever deleted from the audit log
SEALED = ("name", "contact", "greeting")


def before() -> Files:
    """The roster of `small`, with a family that has two guardians, and one that moves away."""
    files = small()
    files.student("ali", "s1", "hodan", "omar", name="Ali Yusuf")
    files.guardian("omar", "Omar Yusuf")
    files.student("kim", "s2", "joe", name="Kim Lee")
    files.guardian("joe", "Joe Lee")
    return files


def after() -> Files:
    """The opted-out family now has two homes, Mai's and Sam's are gone, Kim lives with Leo's mother, Leo's guardians
    are in another order, a school is new, and one is renamed."""
    files = before()
    files.row("users", "hodan")["metadata.homeId"], files.row("users", "omar")["metadata.homeId"] = "here", "there"
    for id in ("mai", "linh", "sam"):
        files.drop("users", id)
    files.row("users", "kim")["agentSourcedIds"] = "ana"
    files.drop("users", "joe")
    files.row("users", "leo")["agentSourcedIds"] = "ben,ana"
    files.row("orgs", "s1")["name"] = "Lincoln School"
    files.school("s3", "Birch School")
    files.student("zoe", "s3", "eva", name="Zoe Berg", metadata_homeLanguage="so")
    files.guardian("eva", "Eva Berg")
    return files


def empty(district: District) -> None:
    """Delete every row, and start the random numbers again, so that another import gives the same ids."""
    with write_session(district.engine) as session:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name not in STAYING:
                session.execute(delete(table))
        session.commit()
    district.rng = Random(5)
    district.place = district.place.with_name(f"{Random().getrandbits(64):x}")


def prepared(district: District) -> Path:
    """The folder of the import of `after`, in a district with `before`, an opt-out, and an invitation of a family that
    leaves."""
    empty(district)
    district.brings(before())
    refusing, leaving = district.home_of("amina", "yusuf", "ali", "hodan", "omar"), district.home_of("sam")
    with write_session(district.engine) as session:
        session.add(OptOut(household_id=refusing, recorded_on=DAY))
        mark_children(session, KEY, refusing, DAY)
        wave = a_wave(session, identity="confidential", entry="code")
        place = {"wave_id": wave.id, "school_id": "lincoln", "identity": "confidential"}
        session.add(Invitation(digest="a" * 64, household_id=leaving, language="en", **place))
        session.commit()
    return district.stages(after())[0]


def stored(district: District) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the roster, decrypted."""
    found = {}
    with read_session(district.engine) as session:
        for table in Base.metadata.sorted_tables:
            if table.name in ROSTER:
                rows = session.execute(table.select()).mappings()
                found[table.name] = sorted((_opened(district, dict(row)) for row in rows), key=repr)
    return found


def _opened(district: District, row: dict[str, object]) -> tuple[object, ...]:
    return tuple(
        district.opened(value) if name in SEALED and isinstance(value, bytes) else value for name, value in row.items()
    )


def one_transaction() -> Callable[[], bool]:
    """Stop after one transaction."""
    asked: list[bool] = []

    def stopping() -> bool:
        asked.append(True)
        return len(asked) > 1

    return stopping
