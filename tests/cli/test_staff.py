"""Adding people from the command line, and their permissions."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, select

from engage.base.config import Settings
from engage.cli import main
from engage.domain.security.accounts import find_staff
from engage.domain.security.passwords import verify_password
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.mail import Mail
from engage.storage.models.staff import StaffIdentity, StaffSession
from tests.makers import a_school
from tests.people import StaffMember

Add = Callable[..., Result]
NOW = datetime(2026, 10, 14, 18)  # UTC
KEY = "a secret for tests only, " * 2  # the same as in tests/conftest.py


@pytest.fixture
def add(settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Add:
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ENGAGE_DATABASE_URL", settings.database)
    with write_session(engine) as session:
        a_school(session, "lincoln")
        a_school(session, "sunset", "Sunset")
        session.commit()

    def run(*words: str, typed: str = "seven quiet otters\n") -> Result:
        return CliRunner().invoke(main, ["staff", "add", *words], input=typed)

    return run


def test_a_liaison_of_two_schools(add: Add, engine: Engine) -> None:
    words = ("Ana@District.Example", "--role", "liaison", "--school", "lincoln", "--school", "sunset", "--name", "Ana")
    said = add(*words, "--password-stdin")
    assert said.exit_code == 0, said.output
    assert "/staff/login as liaison" in said.output
    with read_session(engine) as session:
        ana = find_staff(session, "ana@district.example")
        assert ana is not None
        assert [school.id for school in ana.schools] == ["lincoln", "sunset"]
        assert ([role.name for role in ana.roles], ana.name) == (["liaison"], "Ana")
        assert ana.password.startswith("$argon2id$")
        assert verify_password(ana.password, "seven quiet otters")
        assert not verify_password(ana.password, "seven quiet otter")


def test_one_person_for_everything(add: Add, engine: Engine) -> None:
    words = ("--role", "liaison", "--role", "leader", "--role", "administrator", "--school", "lincoln")
    said = add("ana@district.example", *words, "--password-stdin")
    assert said.exit_code == 0, said.output
    assert "/staff/login as administrator, liaison, leader" in said.output
    assert "--school was not used: with these roles a person sees all schools." in said.output
    with read_session(engine) as session:
        ana = find_staff(session, "ana@district.example")
        assert ana is not None
        assert {role.name for role in ana.roles} == {"administrator", "liaison", "leader"}
        assert ana.schools == []
        event = session.scalars(select(AuditEvent)).one()
    assert event.detail == '{"roles":"administrator liaison leader","schools":0}'


def change(*words: str) -> Result:
    return CliRunner().invoke(main, ["staff", "change", *words])


def test_roles_are_changed_and_sessions_end(add: Add, engine: Engine) -> None:
    add("ana@district.example", "--role", "administrator", "--password-stdin")
    with write_session(engine) as session:
        ana = find_staff(session, "ana@district.example")
        assert ana is not None
        session.add(StaffSession(id="a" * 64, staff_id=ana.id, began_at=NOW, seen_at=NOW))
        before = ana.fs_uniquifier
        session.commit()
    said = change("Ana@district.example", "--role", "administrator", "--role", "liaison")
    assert said.output == "ana@district.example is now administrator, liaison, and is signed out everywhere.\n"
    with read_session(engine) as session:
        ana = find_staff(session, "ana@district.example")
        assert ana is not None
        assert {role.name for role in ana.roles} == {"administrator", "liaison"}
        assert ana.fs_uniquifier != before
        assert session.scalars(select(StaffSession)).all() == []
        event = session.scalars(select(AuditEvent).where(AuditEvent.deed == "change staff")).one()
    assert event.detail == '{"roles":"administrator → administrator liaison"}'


def test_the_last_administrator_stays_one(add: Add, engine: Engine) -> None:
    add("ana@district.example", "--role", "administrator", "--role", "leader", "--password-stdin")
    said = change("ana@district.example", "--role", "leader")
    assert said.exit_code == 1
    assert "the only administrator" in said.output
    add("bo@district.example", "--role", "administrator", "--password-stdin")
    assert change("ana@district.example", "--role", "leader").exit_code == 0
    assert change("bo@district.example", "--role", "leader").exit_code == 1


def test_a_liaison_keeps_the_schools_unless_others_are_named(add: Add, engine: Engine) -> None:
    add("ana@district.example", "--role", "liaison", "--school", "lincoln", "--password-stdin")
    assert change("ana@district.example", "--role", "liaison").exit_code == 0
    assert schools_of(engine, "ana@district.example") == ["lincoln"]
    assert change("ana@district.example", "--role", "liaison", "--school", "sunset").exit_code == 0
    assert schools_of(engine, "ana@district.example") == ["sunset"]
    assert change("ana@district.example", "--role", "leader").exit_code == 0
    assert schools_of(engine, "ana@district.example") == []
    said = change("ana@district.example", "--role", "liaison")
    assert "--school" in said.output
    assert change("nobody@district.example", "--role", "leader").exit_code == 1


def schools_of(engine: Engine, email: str) -> list[str]:
    with read_session(engine) as session:
        person = find_staff(session, email)
        assert person is not None
        return [school.id for school in person.schools]


def test_the_password_is_asked_twice_and_never_shown(add: Add) -> None:
    said = add("leader@district.example", "--role", "leader", typed="nine loud herons\nnine loud herons\n")
    assert said.exit_code == 0, said.output
    assert "herons" not in said.output
    assert add("other@district.example", "--role", "leader", typed="nine loud herons\nnine\n").exit_code == 1


@pytest.mark.parametrize(
    ("words", "typed", "told"),
    [
        (("a@b.example", "--role", "liaison"), "seven quiet otters", "--school"),
        (("a@b.example", "--role", "liaison", "--school", "x"), "seven quiet otters", "known: lincoln, sunset"),
        (("a@b.example", "--role", "queen"), "seven quiet otters", "'queen' is not one of"),
        (("no address", "--role", "leader"), "seven quiet otters", "is not an e-mail address"),
        (("a@b.example", "--role", "leader"), "short", "at least 12"),
        (("a@b.example", "--role", "leader"), "", "at least 12"),
        (("ana@b.example", "--role", "leader"), "banana bread bakers", "other words"),
    ],
)
def test_what_cannot_be_added_is_told_in_words(add: Add, words: tuple[str, ...], typed: str, told: str) -> None:
    said = add(*words, "--password-stdin", typed=typed + "\n")
    assert said.exit_code != 0
    assert told in said.output
    assert "Traceback" not in said.output


def test_nobody_is_added_twice(add: Add) -> None:
    assert add("ana@b.example", "--role", "leader", "--password-stdin").exit_code == 0
    said = add("ANA@b.example", "--role", "translator", "--password-stdin")
    assert "may already sign in" in said.output


def test_someone_is_invited_by_letter(add: Add, engine: Engine, settings: Settings, site: Any) -> None:
    said = add("ana@district.example", "--role", "liaison", "--school", "lincoln", "--invite", typed="")
    assert said.exit_code == 0, said.output
    link = said.output.split()[-1]
    assert link.startswith("http://127.0.0.1:8000/staff/welcome/")
    with read_session(engine) as session:
        (letter,) = session.scalars(select(Mail))
        assert link in site.staff.extensions["engage"].sealer.open(letter.sealed)
        told = session.scalars(select(AuditEvent)).one()
    assert (told.deed, told.about) == ("add staff", "ana@district.example")


def test_a_linked_account_is_forgotten(add: Add, engine: Engine) -> None:
    add("ana@district.example", "--role", "leader", "--password-stdin")
    with write_session(engine) as session:
        ana = find_staff(session, "ana@district.example")
        assert ana is not None
        session.add(StaffIdentity(provider="google", subject="1", staff_id=ana.id))
        session.commit()
    said = CliRunner().invoke(main, ["staff", "unlink", "Ana@district.example"])
    assert said.output == "Linked accounts of ana@district.example removed: 1.\n"
    with read_session(engine) as session:
        assert session.scalars(select(StaffIdentity)).all() == []
        assert "change sign-in" in session.scalars(select(AuditEvent.deed)).all()
    assert CliRunner().invoke(main, ["staff", "unlink", "nobody@district.example"]).exit_code == 1


def test_the_only_administrator_lost_the_phone(add: Add, engine: Engine, settings: Settings, site: Any) -> None:
    add("ada@district.example", "--role", "administrator", "--password-stdin")
    with write_session(engine) as session:
        ada = find_staff(session, "ada@district.example")
        assert ada is not None
        ada.tf_totp_secret, ada.mf_recovery_codes, before = "0 sealed", "a" * 64, ada.fs_uniquifier
        session.commit()
    said = CliRunner().invoke(main, ["staff", "reset", "Ada@District.example"], env={"ENGAGE_SECRET_KEY": KEY})
    assert said.exit_code == 0, said.output
    with read_session(engine) as session:
        ada = find_staff(session, "ada@district.example")
        assert ada is not None
        assert (ada.tf_totp_secret, ada.mf_recovery_codes) == (None, None)
        assert ada.fs_uniquifier != before
    path = said.output.split()[-1].removeprefix("http://127.0.0.1:8000")
    person = StaffMember(site).opens(path).sends(new="eleven blue kettles").sees("Your password is set.")
    assert person.path == "/staff/login"
    assert CliRunner().invoke(main, ["staff", "reset", "nobody@district.example"]).exit_code == 1
