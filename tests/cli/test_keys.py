"""Rotation of encryption keys: nothing is lost, whenever it is interrupted."""

import stat
from datetime import date, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, insert, inspect, select, update

from engage.cli import main
from engage.cli.keys import SEALED
from engage.domain.security.encryption import Sealer, load_keys, new_key
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.mail import Mail
from engage.storage.models.paper import SheetLink
from engage.storage.models.roster import Guardian, Student
from engage.storage.models.schools import Household
from tests.makers import a_school, a_wave, printed_sheets, staff
from tests.statements import watched

pytestmark = pytest.mark.slow

ROWS = 25
NOW = datetime(2026, 10, 14, 18)


@pytest.fixture
def run(engine, settings, monkeypatch):
    for name in ("data_dir", "secret_key"):
        monkeypatch.setenv(f"ENGAGE_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("ENGAGE_DATABASE_URL", settings.database)
    monkeypatch.setattr("engage.cli.keys.BATCH", 10)
    return lambda *words: CliRunner().invoke(main, ["keys", "rotate", *words])


@pytest.fixture
def sealed(engine, settings):
    """ROWS rows in every encrypted column, and as many empty ones."""
    sealer = Sealer(load_keys(settings))
    with write_session(engine) as session:
        a_school(session)
        session.flush()
        for number in range(ROWS * 2):
            id, text = f"{number:032x}", sealer.seal(f"secret {number}") if number < ROWS else None
            session.add(Household(id=id, school_id="lincoln", language="en", greeting=text))
            session.add(Guardian(id=id, contact=text))
            session.add(Student(id=id, school_id="lincoln", name=text))
            session.add(Mail(id=id, kind="reset", sealed=text or b"", state="sent", written_at=NOW))
        linked(session, [sealer.seal(f"secret {number}") for number in range(ROWS)])
        session.commit()


def linked(session, labels):
    """Add a sheet of a confidential wave for each label."""
    wave = a_wave(session, identity="confidential")
    serials = sorted(printed_sheets(session, wave, staff(session, "liaison"), len(labels)))
    place = {"wave_id": wave.id, "identity": "confidential", "forget_on": date(2027, 4, 29)}
    session.add_all(
        SheetLink(serial=serial, label=label, **place) for serial, label in zip(serials, labels, strict=True)
    )


def opened(engine, sealer):
    """Return the decrypted content of each column."""
    with read_session(engine) as session:
        found = [
            session.scalars(
                select(each).where(each.is_not(None), each != b"").order_by(inspect(each.class_).primary_key[0])
            )
            for each in SEALED
        ]
        return [[sealer.open(one) for one in each] for each in found]


ALL = [[f"secret {number}" for number in range(ROWS)]] * len(SEALED)


def test_everything_opens_with_the_new_key_and_the_old_one_stays(run, sealed, engine, settings):
    [old] = load_keys(settings)
    said = run()
    assert said.exit_code == 0, said.output
    new, kept = load_keys(settings)
    assert kept == old != new
    assert opened(engine, Sealer([new])) == ALL
    assert stat.S_IMODE((settings.data_dir / "sealing-keys").stat().st_mode) == 0o600
    assert "--drop-old" in said.output
    with read_session(engine) as session:
        event = session.scalars(select(AuditEvent)).one()
    assert event.deed == "rotate keys"
    assert f'"guardians.contact":{ROWS}' in event.detail


def test_old_keys_are_dropped_when_told(run, sealed, engine, settings):
    run()
    said = run("--drop-old")
    assert said.exit_code == 0, said.output
    [only] = load_keys(settings)
    assert opened(engine, Sealer([only])) == ALL
    assert "Older keys deleted: 2" in said.output


@pytest.mark.parametrize("after", range(0, ROWS * 4, 17))
def test_a_rotation_that_was_killed_goes_on_under_the_key_it_made(run, sealed, engine, settings, monkeypatch, after):
    left = [after]

    def again(self, text, real=Sealer.reseal):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return real(self, text)

    with monkeypatch.context() as patched:
        patched.setattr(Sealer, "reseal", again)
        assert run("--drop-old").exit_code != 0
    assert len(load_keys(settings)) == 2, "nothing was dropped"
    made = load_keys(settings)[0]
    assert opened(engine, Sealer(load_keys(settings))) == ALL, "all of it opens in between"
    said = run("--drop-old")
    assert said.exit_code == 0, said.output
    assert "Continuing an interrupted rotation" in said.output
    assert load_keys(settings) == [made]
    assert opened(engine, Sealer([made])) == ALL


def test_a_row_that_no_key_opens_is_named_and_no_key_is_dropped(run, sealed, engine, settings):
    with write_session(engine) as session:
        session.execute(
            update(Guardian).where(Guardian.id == f"{3:032x}").values(contact=Sealer([new_key()]).seal("x"))
        )
        session.commit()
    said = run("--drop-old")
    assert said.exit_code == 1
    assert "1 rows of guardians.contact cannot be decrypted" in said.output
    assert len(load_keys(settings)) == 2
    assert "Traceback" not in said.output


def test_keys_from_outside_are_used_as_they_are_set(run, sealed, engine, settings, monkeypatch):
    [old], new = load_keys(settings), new_key()
    monkeypatch.setenv("ENGAGE_SEALING_KEYS", f"{new} {old}")
    said = run("--drop-old")
    assert said.exit_code == 0, said.output
    assert opened(engine, Sealer([new])) == ALL
    assert load_keys(settings) == [old], "the file is not touched"
    assert "remove the others" in said.output


def test_a_roster_that_waits_keeps_the_old_keys(run, sealed, settings):
    (settings.data_dir / "rosters" / "waits").mkdir(parents=True)
    said = run("--drop-old")
    assert said.exit_code == 1
    assert "roster that is not confirmed" in said.output
    assert len(load_keys(settings)) == 1


@pytest.mark.sqlite
def test_what_was_sealed_under_the_old_key_lies_nowhere(run, sealed, engine, settings):
    with read_session(engine) as session:
        before = [one for each in SEALED for one in session.scalars(select(each).where(each.is_not(None), each != b""))]
    engine.dispose()
    assert run("--drop-old").exit_code == 0
    bytes_ = b"".join(path.read_bytes() for path in settings.data_dir.glob("engage.db*"))
    assert len(before) == ROWS * len(SEALED)
    assert not [one for one in before if one in bytes_]


@pytest.mark.sqlite
def test_a_backup_holds_no_key(run, sealed, engine, settings, tmp_path):
    run()
    with write_session(engine) as session:
        session.execute(insert(Guardian).values(id="later", contact=Sealer(load_keys(settings)).seal("x")))
        session.commit()
    said = CliRunner().invoke(main, ["backup", str(tmp_path / "copy.db")])
    assert said.exit_code == 0, said.output
    copy = (tmp_path / "copy.db").read_bytes()
    for secret in (*load_keys(settings), settings.secret()):
        assert secret.encode() not in copy
    assert "sealing-keys" in said.output, "it says what else to keep, and where"


@pytest.mark.sqlite
@pytest.mark.parametrize("file", ["sealing-keys", "secret-key", "audit-anchor"])
def test_the_doctor_says_who_else_may_read_the_keys(settings, engine, monkeypatch, file):
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(settings.data_dir))
    (settings.data_dir / file).write_text(new_key())
    (settings.data_dir / file).chmod(0o640)
    said = CliRunner().invoke(main, ["doctor"]).output
    line = next(line for line in said.splitlines() if file in line)
    assert line.startswith("FAIL")
    assert f"chmod 600 {settings.data_dir / file}" in line
    (settings.data_dir / file).chmod(0o600)
    assert f"chmod 600 {settings.data_dir / file}" not in CliRunner().invoke(main, ["doctor"]).output


def test_nothing_is_decrypted_while_others_cannot_write_and_they_have_their_turn(run, sealed, engine, monkeypatch):
    """After each batch, the command waits for as long as the batch took."""
    slept = []
    monkeypatch.setattr("engage.cli.keys.time.sleep", slept.append)
    with watched(Engine) as log:

        def reseal(self, text, real=Sealer.reseal):
            assert not log.is_writing
            return real(self, text)

        monkeypatch.setattr(Sealer, "reseal", reseal)
        assert run().exit_code == 0
    tables = {column.class_.__tablename__ for column in SEALED}
    batches = [each for each in log.writes if any(f"UPDATE {name} " in each.statements[-1] for name in tables)]
    assert len(slept) == len(batches) == len(SEALED) * -(-ROWS // 10)
    assert all(seconds > 0 for seconds in slept)


def test_a_value_that_is_written_meanwhile_stays(run, sealed, engine, settings, monkeypatch):
    """The site wrote it with the newest key, which it reads as soon as the file has it."""

    def reseal(self, text, real=Sealer.reseal, pending=[True]):  # noqa: B006  shared on purpose
        new = real(self, text)
        if pending and pending.pop():
            with write_session(engine) as session:
                session.get_one(Guardian, f"{0:032x}").contact = Sealer(load_keys(settings)).seal("newer")
                session.commit()
        return new

    monkeypatch.setattr(Sealer, "reseal", reseal)
    assert run().exit_code == 0
    newest = Sealer(load_keys(settings)[:1])
    with read_session(engine) as session:
        assert newest.open(session.get_one(Guardian, f"{0:032x}").contact) == "newer"
