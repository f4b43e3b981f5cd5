"""The migration that allows one account of each sign-in provider for a person, with an existing database."""

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from engage.storage.engine import MIGRATIONS, write_session
from engage.storage.models.staff import StaffIdentity
from tests.makers import staff

# person: accounts as (provider, subject)
ACCOUNTS = {
    "one account": [("google", "1")],
    "two providers": [("google", "2"), ("clever", "2")],
    "two accounts of one provider": [("google", "3"), ("google", "4"), ("clever", "3")],
    "four accounts of one provider": [("google", "5"), ("google", "6"), ("google", "7"), ("google", "8")],
    "none": [],
}
LEFT = {("google", "1"), ("google", "2"), ("clever", "2"), ("clever", "3")}


def test_who_has_several_accounts_of_a_provider_has_none_of_them(engine: Engine) -> None:
    """The statement is run on a copy of the table, which has the constraint already."""
    step = ScriptDirectory(str(MIGRATIONS)).get_revision("0022_one_identity").module
    with engine.begin() as connection:
        connection.execute(text("create temporary table accounts (provider text, subject text, staff_id integer)"))
        for number, accounts in enumerate(ACCOUNTS.values()):
            for provider, subject in accounts:
                connection.execute(text(f"insert into accounts values ('{provider}', '{subject}', {number})"))
        connection.execute(text(step.SEVERAL.replace("staff_identities", "accounts")))
        left = {(row.provider, row.subject) for row in connection.execute(text("select * from accounts"))}
        connection.execute(text("drop table accounts"))
    assert left == LEFT


def test_the_database_refuses_a_second_account_of_a_provider(engine: Engine) -> None:
    with write_session(engine) as session:
        someone = staff(session, "leader", email="ada@district.example")
        session.add(StaffIdentity(provider="google", subject="1", staff_id=someone.id))
        session.add(StaffIdentity(provider="clever", subject="1", staff_id=someone.id))
        session.flush()
        session.add(StaffIdentity(provider="google", subject="2", staff_id=someone.id))
        with pytest.raises(IntegrityError):
            session.flush()
