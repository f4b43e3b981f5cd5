"""Expired data is deleted, and its bytes are nowhere in the database files."""

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import SystemRandom

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engage.cli import main
from engage.domain.intake.drafts import delete_stale_drafts
from engage.domain.security.encryption import Sealer, load_keys
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.base import Base
from engage.storage.models.conversations import Thread
from engage.storage.models.invitations import Invitation
from engage.storage.models.mail import Mail
from engage.storage.models.paper import Keying, KeyingDraft, Packet, PrintRun, Sheet, SheetLink
from engage.storage.models.responses import Draft, Response, ResponseLink
from engage.storage.models.roster import Guardian, Student
from engage.storage.models.schools import Household
from engage.storage.models.staff import StaffSession
from engage.storage.models.waves import Wave
from tests.makers import a_school, a_survey, a_wave, accept, group_key, printed_sheets, staff

pytestmark = pytest.mark.slow

TODAY = date(2026, 10, 14)
NOON = datetime(2026, 10, 14, 18, tzinfo=UTC)
MARK = "a-trace-of-somebody"
RNG = SystemRandom()


@pytest.fixture
def run(engine, settings, monkeypatch):
    """The command at noon of TODAY."""
    for name in ("data_dir", "secret_key"):
        monkeypatch.setenv(f"ENGAGE_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("ENGAGE_DATABASE_URL", settings.database)
    monkeypatch.setattr("engage.cli.retention._now", lambda: NOON)
    return lambda *words: CliRunner().invoke(main, ["retention", "run", *words])


def marked(number: int, size: int = 900) -> bytes:
    """Return bytes to search for later, large enough to fill pages and overflow."""
    return f"{MARK}-{number}-".encode() * (size // 20)


@pytest.fixture
def kept(engine, settings):
    """Rows of every kind, some due and some not. Returns the number of due rows by table."""
    with write_session(engine) as session:
        wave = a_wave(session, "old", opens=date(2025, 9, 1), closes=date(2025, 10, 1), identity="confidential")
        young = a_wave(session, "young", identity="confidential")
        wave.burn_salt = young.burn_salt = MARK
        keyer = staff(session, "liaison", [a_school(session)])
        session.flush()
        serials = [printed_sheets(session, each, keyer, 30) for each in (young, wave)]
        for number in range(60):
            fill(session, number, wave if number % 2 else young, keyer.id, due=bool(number % 2))
            lies(session, number, (young, wave)[number % 2], serials[number % 2][number // 2], due=bool(number % 2))
        session.commit()
    return 30


def fill(session: Session, number: int, wave: Wave, keyer: int, *, due: bool) -> None:
    """Add one row of each kind, due or not."""
    name, days = f"{number:032x}", timedelta(days=400 if due else 0)
    then, moment = TODAY - days, NOON.replace(tzinfo=None) - days
    trace = marked(number) if due else b"stays"
    session.add(Draft(key=name.encode(), wave_id=wave.id, sealed=trace, touched_on=then))
    session.add(Household(id=name, school_id="lincoln", language="en", greeting=trace))
    session.add(Guardian(id=name, contact=trace))
    session.add(Student(id=name, school_id="lincoln", name=trace))
    session.flush()
    place = {"wave_id": wave.id, "school_id": "lincoln", "language": "en"}
    identity = {"identity": "confidential", "used": True, "used_on": then}
    session.add(Invitation(digest=name * 2, household_id=name, student_id=name, **place, **identity))
    session.add(Response(id=name, mode="web", day=then, answers="{}", submission=name * 2, **place))
    session.flush()
    link = {"response_id": name, "wave_id": wave.id, "identity": "confidential", "invitation": name * 2}
    session.add(ResponseLink(**link, forget_on=then if due else TODAY + timedelta(days=1)))
    sheet = {"keyed_by": keyer, "sheet": name, "mode": "paper", "blocks": 1, "touched_at": moment}
    session.add(KeyingDraft(raw=trace.decode(), **sheet, **place))
    session.add(
        Mail(id=name, kind="invitation", sealed=trace, state=("sent", "failed")[number % 3 > 0], written_at=moment)
    )
    seen = {"staff_id": keyer, "began_at": moment, "seen_at": moment}
    session.add(StaffSession(id=name * 2, by=MARK if due else "password", **seen))


def lies(session: Session, number: int, wave: Wave, serial: str, *, due: bool) -> None:
    """Add a household's sheet with its position in a packet."""
    session.get_one(Sheet, serial).position = number + 1
    link = {"wave_id": wave.id, "identity": "confidential", "household_id": f"{number:032x}"}
    day = TODAY if due else TODAY + timedelta(days=1)
    session.add(SheetLink(serial=serial, label=marked(number) if due else b"stays", forget_on=day, **link))


def counts(engine) -> dict[str, int]:
    with read_session(engine) as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in (
                *(Draft, ResponseLink, SheetLink, KeyingDraft, Mail, StaffSession),
                *(Invitation, Response, Household, Sheet),
            )
        }


def everything(folder: Path) -> bytes:
    """Return the content of the database files: the file itself, the write-ahead log, and the shared memory."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("engage.db*")))


DUE = [
    ("unfinished answers of families", 30),
    ("links from answers to access codes", 30),
    ("salts that show which codes were used", 1),
    ("households and students in invitations", 30),
    ("sheets keyed and never saved", 30),
    ("links from sheets to households", 30),
    ("email sent or given up", 30),
    ("sessions of staff that have ended", 30),
]


def test_what_is_due_goes_and_what_is_not_stays(run, kept, engine):
    said = run()
    assert said.exit_code == 0, said.output
    for what, number in DUE:
        line = next(line for line in said.output.splitlines() if line.startswith(what))
        assert line.split()[-2:] == [str(number), "0"], line
    assert counts(engine) == dict.fromkeys(
        ("drafts", "response_links", "sheet_links", "keying_drafts", "mails", "staff_sessions"), 30
    ) | {
        "sheets": 60,
        "invitations": 60,
        "responses": 60,
        "households": 60,
    }
    with read_session(engine) as session:
        assert session.get_one(Wave, "old").burn_salt is None
        assert session.get_one(Wave, "young").burn_salt == MARK
        named = select(func.count()).where(Invitation.household_id.is_not(None) & Invitation.student_id.is_not(None))
        assert session.scalar(named) == 30
        placed = select(SheetLink.serial).join(Sheet, Sheet.serial == SheetLink.serial).where(Sheet.position > 0)
        assert len(session.scalars(placed).all()) == 30
        assert session.scalar(select(func.count(Sheet.position))) == 30, "a place in the pile would tell the household"
        event = session.scalars(select(AuditEvent)).one()
        assert (event.actor, event.deed) == ("command line", "run retention")
        assert '"unfinished answers of families":30' in event.detail
    again = run()
    assert again.exit_code == 0
    assert all(line.split()[-2:] == ["0", "0"] for line in again.output.splitlines()[1:])


@pytest.mark.sqlite
def test_not_one_byte_of_it_is_left(run, kept, engine, settings, monkeypatch):
    monkeypatch.setenv("ENGAGE_KEEP_NAMES", "no")
    engine.dispose()
    before = everything(settings.data_dir).count(MARK.encode())
    assert before > 5000, "the control: it is there before"
    said = run()
    assert said.exit_code == 0, said.output
    left = everything(settings.data_dir)
    print(f"\ntraces before {before}, after {left.count(MARK.encode())}; {len(left):,} bytes read")
    assert left.count(MARK.encode()) == 1, "the salt of the young wave, which stays"
    assert b"stays" in left, "what is not due can still be read"
    assert (
        (settings.data_dir / "engage.db-wal").stat().st_size == 0
        if (settings.data_dir / "engage.db-wal").exists()
        else 1
    )


@pytest.mark.sqlite
def test_deleting_alone_would_leave_traces(kept, engine, settings):
    """Why the database is rewritten: without it, this test finds the deleted data."""
    with write_session(engine) as session:
        delete_stale_drafts(session.connection(), TODAY)
        session.commit()
    assert everything(settings.data_dir).count(MARK.encode()) > 0


@pytest.mark.sqlite
def test_somebody_who_is_reading_keeps_traces_and_that_is_said(run, kept, engine, monkeypatch):
    monkeypatch.setattr("engage.services.retention.erasure.PATIENCE", 0.1)
    with read_session(engine) as session:
        session.scalars(select(Household.id)).first()
        said = run()
    assert said.exit_code == 1
    assert "run this once more" in said.output
    assert run().exit_code == 0


def test_names_go_only_where_none_are_kept(run, kept, engine, monkeypatch):
    columns = (Guardian.contact, Student.name, Household.greeting)
    run()
    with read_session(engine) as session:
        assert [session.scalar(select(func.count(each))) for each in columns] == [60, 60, 60]
    monkeypatch.setenv("ENGAGE_KEEP_NAMES", "no")
    said = run()
    assert said.exit_code == 0, said.output
    assert said.output.count("no names are kept") == 4
    with read_session(engine) as session:
        assert [session.scalar(select(func.count(each))) for each in columns] == [0, 0, 0]


def test_names_on_the_outside_of_sheets_go_too(run, engine, settings, monkeypatch):
    sealer = Sealer(load_keys(settings))
    place, older = "Lincoln · 3B", {"class": "3B", "code": "C"}
    named, nameless = {"who": ["Yusuf Ali"], "number": "17"}, {"who": [], "number": "17"}
    labels = [  # with and without names
        (older | {"to": ["Yusuf Ali", place]}, older | {"to": [place, "serial"], "who": []}),
        (older | {"to": [place, "serial"]}, older | {"to": [place, "serial"]}),
        (older | named | {"to": ["Yusuf Ali", place]}, older | nameless | {"to": ["Student 17", place]}),
        (older | named | {"to": [place, "serial"]}, older | nameless | {"to": [place, "serial"]}),
        (older | nameless | {"to": ["Student 17", place]}, older | nameless | {"to": ["Student 17", place]}),
    ]

    def of(serial: str, label: dict[str, object]) -> dict[str, object]:
        return json.loads(json.dumps(label).replace("serial", serial))

    with write_session(engine) as session:
        wave = a_wave(session, identity="confidential")
        found = sorted(printed_sheets(session, wave, staff(session, "liaison"), len(labels), language="en"))
        about = {"wave_id": wave.id, "identity": "confidential", "forget_on": date(2027, 1, 1)}
        for serial, (label, _) in zip(found, labels, strict=True):
            session.add(SheetLink(serial=serial, label=sealer.seal(json.dumps(of(serial, label))), **about))
        session.commit()
    assert run().exit_code == 0
    monkeypatch.setenv("ENGAGE_KEEP_NAMES", "no")
    assert "names on the outside of sheets" in run().output
    with read_session(engine) as session:
        rows = session.execute(select(SheetLink.serial, SheetLink.label).order_by(SheetLink.serial)).all()
    assert [json.loads(sealer.open(label)) for _, label in rows] == [
        of(serial, label) for (serial, _), (_, label) in zip(rows, labels, strict=True)
    ]


def test_files_of_packets_go_when_they_are_old_or_their_links_are(run, engine, settings, monkeypatch):
    folder = settings.data_dir / "packets"
    folder.mkdir()
    with write_session(engine) as session:
        a_wave(session, "now")
        a_wave(session, "over", opens=date(2026, 3, 1), closes=date(2026, 4, 17))  # 180 days before TODAY
        a_wave(session, "names", identity="confidential")
        session.flush()
        for id, wave in (("young", "now"), ("old", "now"), ("over", "over"), ("names", "names")):
            session.add(a_packet(id, wave))
        session.commit()
    ages = {"old.pdf": 31, ".now.pdf.part": 0, ".left.pdf.part": 2}
    for name in ("young.pdf", "over.pdf", "names.pdf", "nobody.pdf", *ages):
        (folder / name).write_text(MARK)
        days = ages.get(name, 30)
        os.utime(folder / name, (NOON.timestamp() - days * 86_400,) * 2)
    assert run().exit_code == 0
    assert sorted(each.name for each in folder.iterdir()) == [".now.pdf.part", "names.pdf", "young.pdf"]
    monkeypatch.setenv("ENGAGE_KEEP_NAMES", "no")
    assert run().exit_code == 0
    assert sorted(each.name for each in folder.iterdir()) == [".now.pdf.part", "young.pdf"]


def test_a_file_with_names_goes_with_its_links_though_the_wave_was_made_longer(run, engine, settings):
    folder = settings.data_dir / "packets"
    folder.mkdir()
    with write_session(engine) as session:
        wave = a_wave(session, identity="confidential")  # still open: its links have a deletion date from before
        serials = printed_sheets(session, wave, staff(session, "liaison"), 2)
        for serial, day in zip(serials, (TODAY, TODAY + timedelta(days=1)), strict=True):
            run_id = session.get_one(Sheet, serial).run_id + day.isoformat()
            session.add(a_packet(id := f"packet{day.day}", wave.id))
            session.flush()
            about = {"language": "en", "copies": 1, "paper": "letter", "printed_on": TODAY, "packet_id": id}
            session.add(PrintRun(id=run_id[-32:], wave_id=wave.id, school_id="lincoln", **about))
            session.flush()
            session.get_one(Sheet, serial).run_id = run_id[-32:]
            link = {"wave_id": wave.id, "identity": "confidential", "label": b"", "forget_on": day}
            session.add(SheetLink(serial=serial, **link))
            (folder / f"{id}.pdf").write_text(MARK)
            os.utime(folder / f"{id}.pdf", (NOON.timestamp(),) * 2)
        session.commit()
    assert run().exit_code == 0
    assert [each.name for each in folder.iterdir()] == ["packet15.pdf"]


def a_packet(id: str, wave: str) -> Packet:
    """Return a packet that is ready."""
    looks = {"paper": "letter", "style": "standard", "arrangement": "under", "outside": "window"}
    about = {"contents": "households", "asked": "{}", "classes": "{}", "state": "ready", "made_on": TODAY}
    return Packet(id=id, wave_id=wave, school_id="lincoln", **looks, **about)


def test_keyed_sheets_of_anonymous_waves_are_cut_loose(run, engine):
    """14 days after keying, the keyed data is deleted; the response stays, without a link to the sheet."""
    ages = {"young": 13, "old": 14}
    with write_session(engine) as session:
        by = staff(session, "liaison", [a_school(session)])
        waves = {name: a_wave(session, name, identity=name) for name in ("anonymous", "confidential")}
        for name, wave in waves.items():
            for (age, days), serial in zip(ages.items(), printed_sheets(session, wave, by), strict=True):
                place = {"wave_id": name, "school_id": "lincoln", "language": "en", "mode": "paper"}
                moment, id = NOON.replace(tzinfo=None) - timedelta(days=days), f"{name} {age}"
                row = {"raw": '{"internet":["no"]}', "keyed_by": by.id, "keyed_at": moment, **place}
                session.add(Keying(id=id, serial=serial, **row))
                given = {"answers": "{}", "day": TODAY, "submission": f"keying:{id}", "provenance": id}
                session.add(Response(id=id, **given, **place))
                draft = {"keyed_by": by.id, "blocks": 1, "raw": "{}", "touched_at": moment, **place}
                session.add(KeyingDraft(sheet=serial, **draft))
        session.commit()
    assert run().exit_code == 0
    with read_session(engine) as session:
        assert {each.id for each in session.scalars(select(Keying))} == {
            *("anonymous young", "confidential old", "confidential young")
        }
        assert session.scalar(select(func.count()).select_from(KeyingDraft)) == 3
        responses = {each.id: each for each in session.scalars(select(Response))}
    loose = responses.pop("anonymous old")
    assert (loose.provenance, len(loose.submission), loose.answers) == (None, 64, "{}")
    assert all((each.provenance, each.submission) == (id, f"keying:{id}") for id, each in responses.items())


def test_a_question_lets_go_of_its_sheet_after_90_days(run, engine):
    with write_session(engine) as session:
        wave = a_wave(session, opens=TODAY - timedelta(days=100))
        for days, serial in zip((89, 90), printed_sheets(session, wave, staff(session, "liaison")), strict=True):
            place = {"wave_id": wave.id, "school_id": "lincoln", "language": "en", "kind": "question"}
            session.add(Thread(id=f"{days}", serial=serial, opened_on=TODAY - timedelta(days=days), **place))
        session.commit()
    assert run().exit_code == 0
    with read_session(engine) as session:
        assert {each.id: each.serial is None for each in session.scalars(select(Thread))} == {"89": False, "90": True}


def test_groups_of_an_anonymous_wave_are_settled_when_it_is_over(run, engine, settings):
    key = group_key(settings)
    sizes = {("lincoln", "en"): 12, ("lincoln", "es"): 8, ("lincoln", "so"): 4, ("harbor", "en"): 11}
    with write_session(engine) as session:
        schools = [a_school(session), a_school(session, "harbor", "Harbor")]
        for id, closes in (("over", TODAY - timedelta(days=1)), ("open", TODAY)):
            wave = a_wave(session, id, schools, opens=TODAY - timedelta(days=9), closes=closes, results_on=None)
            for number, (school, language) in enumerate(place for place, size in sizes.items() for _ in range(size)):
                given = {"school_id": school, "language": language, "mode": "web", "today": TODAY, "raw": {}}
                submission = f"{id} {number}"
                accept(
                    session.connection(), a_survey(), wave, **given, submission_key=submission, rng=RNG, group_key=key
                )
        session.commit()
    said = run()
    assert said.exit_code == 0, said.output
    line = next(line for line in said.output.splitlines() if line.startswith("groups of anonymous answers"))
    assert line.split()[-2:] == ["35", "0"]
    stored = select(Response.school_id, Response.language, func.count()).group_by(Response.school_id, Response.language)
    with read_session(engine) as session:
        found = {tuple(row) for row in session.execute(stored.where(Response.wave_id == "over"))}
        assert found == {("lincoln", "en", 12), ("lincoln", "mul", 12), ("harbor", "en", 11)}
        assert session.execute(stored.where(Response.wave_id == "open")).all() == [(None, "mul", 35)]
    assert run().exit_code == 0


def test_a_dry_run_changes_nothing(run, kept, engine):
    before = counts(engine)
    said = run("--dry-run")
    assert said.exit_code == 0
    assert "to delete" in said.output
    for what, number in DUE:
        assert next(line for line in said.output.splitlines() if line.startswith(what)).split()[-1] == str(number)
    assert counts(engine) == before
    with read_session(engine) as session:
        assert session.scalars(select(AuditEvent)).all() == []


def test_a_day_ahead_is_only_thought_of(run, kept, engine):
    before = counts(engine)
    said = run("--today", "2027-10-14")
    assert said.exit_code == 1
    assert "is in the future" in said.output
    assert counts(engine) == before
    assert "60" in run("--today", "2027-10-14", "--dry-run").output


@pytest.mark.sqlite
def test_files_left_behind_go_too(run, settings, monkeypatch):
    (settings.data_dir / "backups").mkdir()
    copies = [settings.data_dir / "backups" / "0001-before-0002.db", settings.data_dir / "engage.db.old1"]
    roster = settings.data_dir / "rosters" / ("0" * 32)
    roster.mkdir(parents=True)
    for each in (*copies, roster / "stage.db"):
        each.write_text(MARK)
    os.utime(roster, (NOON.timestamp() - 2 * 86_400,) * 2)
    monkeypatch.setattr("engage.cli.retention._now", lambda: NOON)
    assert run().exit_code == 0
    assert not roster.exists()
    assert all(each.exists() for each in copies), "put aside today, whenever they were written"
    monkeypatch.setattr("engage.cli.retention._now", lambda: datetime.now(UTC) + timedelta(days=40))
    assert run().exit_code == 0
    assert not any(each.exists() for each in copies)


def test_something_that_stays_is_an_error(run, kept, monkeypatch):
    monkeypatch.setattr("engage.services.retention.policies.destroy_expired_mail", lambda *_: None)
    said = run()
    assert said.exit_code == 1
    assert next(line for line in said.output.splitlines() if line.startswith("email")).split()[-2:] == ["0", "30"]


def test_every_table_that_says_when_a_row_goes_has_a_policy():
    """A new column `forget_on` needs a policy, and so does every table of drafts."""
    told = {"response_links", "sheet_links", "drafts", "keying_drafts", "wave_drafts"}
    found = {
        table.name for table in Base.metadata.tables.values() if "forget_on" in table.columns or "draft" in table.name
    }
    assert found == told
