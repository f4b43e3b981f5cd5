"""The migration that separates households of unknown language from the English ones, with an existing database."""

from alembic.script import ScriptDirectory
from sqlalchemy import text

from engage.storage.engine import MIGRATIONS, write_session
from engage.storage.models.roster import Guardian, HouseholdGuardian, HouseholdStudent, Student
from engage.storage.models.schools import Household
from tests.makers import a_school

# household: its language, what its guardian reads (None: no guardian), its child's home language (None: no child)
HOMES = {
    "unknown": ("en", "", ""),
    "no guardian": ("en", None, ""),
    "reads English": ("en", "en", ""),
    "speaks English at home": ("en", "", "en"),
    "reads Spanish": ("es", "es", "en"),
    "no roster": ("en", None, None),
}


def test_only_households_of_which_nothing_is_known_are_changed(engine) -> None:
    with write_session(engine) as session:
        a_school(session)
        session.flush()
        for name, (language, reads, home) in HOMES.items():
            session.add(Household(id=name, school_id="lincoln", language=language))
            if reads is not None:
                session.add(Guardian(id=f"g {name}", reads=reads))
            if home is not None:
                session.add(Student(id=f"s {name}", school_id="lincoln", home_language=home))
            session.flush()
            if reads is not None:
                session.add(HouseholdGuardian(household_id=name, guardian_id=f"g {name}"))
            if home is not None:
                session.add(HouseholdStudent(household_id=name, student_id=f"s {name}"))
        session.commit()
    step = ScriptDirectory(str(MIGRATIONS)).get_revision("0014_unknown_language").module
    with engine.begin() as connection:
        connection.execute(text(step.UNKNOWN))
        found = {row.id: row.language for row in connection.execute(text("select id, language from households"))}
    expected = {name: language for name, (language, _, _) in HOMES.items()}
    assert found == expected | {"unknown": "und", "no guardian": "und"}
