"""Accounts in the formats of Flask-Security and passlib, used until 2026, still work and are converted on use."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, select

from engage import create_app
from engage.base.config import Settings
from engage.domain.security import passwords
from engage.storage.engine import read_session, write_session
from engage.storage.models.staff import Staff
from tests.conftest import close
from tests.makers import PASSWORD, staff
from tests.people import StaffMember
from tests.speed import REAL_PASSWORDS

pytestmark = pytest.mark.slow

EMAIL = "ada@district.example"
# flask_security.hash_password("nine loud herons"), Flask-Security 5.9.2 with libpass 1.9.4
OLD_HASH = "$argon2id$v=19$m=19456,t=2,p=1$tTamNAZASInx/n9PCeH8/w$NWdTKjygWE9Q99Tp9KBvuXmsjMAIj6mww9Vwr9mYASY"
# the same of "größer als ﬁnf Reiher", in NFKD
OLD_UMLAUT_HASH = "$argon2id$v=19$m=19456,t=2,p=1$WGsNgZDy/v9/T0kJgbCWkg$9x/M4DFMYiwU6J8Lx2dg8aOVTALC9i/1vt/YmJt3L3Y"
# passlib's TOTP under the site secret of the tests, after the code of MOMENT was used
OLD_SECRET = "CARGJTCZRMYQNIDUNYG4CGBDASAFASSJ"
OLD_STEP = 59706720
OLD_APP = (
    f"{OLD_STEP} "
    '{"enckey":{"c":14,"k":"TFJE6ILXM2Y5P7DAM6BRUGCCC5UUW633","s":"XK3ZM4TOBVAWR3P5L7VQ","t":"1","v":1},'
    '"type":"totp","v":1}'
)
MOMENT = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)


@pytest.fixture
def moment() -> list[datetime]:
    return [MOMENT]


@pytest.fixture
def door(settings: Settings, engine: Engine, moment: list[datetime]) -> Iterator[Any]:
    with write_session(engine) as session:
        staff(session, "administrator", email=EMAIL)
        session.commit()
    made = create_app(settings, lambda: moment[0])
    yield made
    close(made)


def store(engine: Engine, **values: str) -> None:
    with write_session(engine) as session:
        person = session.scalars(select(Staff).where(Staff.email == EMAIL)).one()
        for name, value in values.items():
            setattr(person, name, value)
        session.commit()


def stored(engine: Engine) -> Staff:
    with read_session(engine) as session:
        return session.scalars(select(Staff).where(Staff.email == EMAIL)).one()


@pytest.mark.parametrize(
    ("old", "password"),
    [
        (OLD_HASH, "nine loud herons"),
        (OLD_UMLAUT_HASH, "größer als ﬁnf Reiher"),
        (OLD_UMLAUT_HASH, "gro\u0308ßer als finf Reiher"),
    ],
)
def test_an_old_hash_lets_in_and_is_hashed_as_today(door: Any, engine: Engine, old: str, password: str) -> None:
    store(engine, password=old)
    StaffMember(door).opens("/staff/login").sends(email=EMAIL, password="another one").sees("is not correct. Try again")
    assert stored(engine).password == old
    StaffMember(door).signs_in(EMAIL, password)
    assert stored(engine).password != old
    assert not passwords.needs_rehash(stored(engine).password)
    StaffMember(door).signs_in(EMAIL, password)


def test_an_old_hash_of_todays_cost_stays(door: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    passes, memory, lanes = REAL_PASSWORDS
    hasher = PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=lanes)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    store(engine, password=OLD_HASH)
    StaffMember(door).signs_in(EMAIL, "nine loud herons")
    assert stored(engine).password == OLD_HASH


def half_way(door: Any) -> StaffMember:
    return StaffMember(door).opens("/staff/login").sends(email=EMAIL, password=PASSWORD).sees("One more step")


def test_an_app_of_old_is_asked_for_and_sealed_as_today(door: Any, engine: Engine, moment: list[datetime]) -> None:
    store(engine, tf_totp_secret=OLD_APP, tf_primary_method="authenticator")
    app = pyotp.TOTP(OLD_SECRET)
    half_way(door).sends(code=app.at(MOMENT), status=422).sees("already used")
    moment[0] += timedelta(minutes=2)
    half_way(door).sends(code=app.at(MOMENT), status=422)
    assert stored(engine).tf_totp_secret == OLD_APP
    half_way(door).sends(code=app.at(moment[0]))
    step, _, sealed = (stored(engine).tf_totp_secret or "").partition(" ")
    assert int(step) == OLD_STEP + 4
    assert "{" not in sealed
    assert OLD_SECRET not in sealed
    half_way(door).sends(code=app.at(moment[0]), status=422)
    moment[0] += timedelta(minutes=1)
    half_way(door).sends(code=app.at(moment[0]))


@pytest.mark.parametrize(("seconds", "taken"), [(-61, False), (-30, True), (0, True), (30, True), (61, False)])
def test_clocks_may_differ_by_one_code(
    door: Any, engine: Engine, moment: list[datetime], seconds: int, taken: bool
) -> None:
    store(engine, tf_totp_secret="0 " + OLD_APP.partition(" ")[2], tf_primary_method="authenticator")
    code = pyotp.TOTP(OLD_SECRET).at(MOMENT + timedelta(seconds=seconds))
    half_way(door).sends(code=code, status=200 if taken else 422)


@pytest.mark.parametrize("lost", ["0 {}", '0 {"enckey": 7}', "0 gAAAAA", "0 "])
def test_an_app_whose_secret_cannot_be_opened_is_refused_in_words(door: Any, engine: Engine, lost: str) -> None:
    store(engine, tf_totp_secret=lost, tf_primary_method="authenticator")
    half_way(door).sends(code="123456", status=422).sees("This code is not correct")
