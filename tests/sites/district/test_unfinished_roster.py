"""While a roster is being imported, nothing is decided from half of it: staff are asked to wait, and nothing is
stored."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, delete, func, select

from engage.base.config import Settings
from engage.cli import main
from engage.questionnaire.library import shipped_surveys
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.invitations import Invitation
from engage.storage.models.paper import Packet, Sheet
from engage.storage.models.roster import OptOut, RosterImport
from engage.storage.models.waves import Wave
from tests.domain.mail.test_worker import running, until
from tests.makers import a_school, a_wave, screened
from tests.sites.district.homes import a_home
from tests.web.test_print_orders import Desk

pytestmark = pytest.mark.slow

WAIT = "A roster is being imported. Try again in a few minutes."
CODES, LIST, FALL = "/staff/district/waves/fall/codes", "/staff/district/opt-outs", "/staff/district/checkpoints"
NEW_WAVE = {
    "survey": "home-access",
    "title": "Home access",
    "schools": ["lincoln"],
    "languages": ["en"],
    "opens": "2026-10-01",
    "closes": "2026-10-20",
    "results_on": "2026-11-01",
    "identity": "anonymous",
    "entry": "open",
}


@dataclass
class Import:
    """An import that is being stored, or was interrupted."""

    engine: Engine

    def begins(self) -> None:
        with write_session(self.engine) as session:
            counts = dict.fromkeys(("added", "changed", "gone", "refused"), 1)
            about = {"digest": "d" * 64, "imported_on": date(2026, 10, 14), "state": "storing", "folder": "f" * 32}
            session.add(RosterImport(id="a" * 32, **about, **counts))
            session.commit()

    def ends(self) -> None:
        with write_session(self.engine) as session:
            session.execute(delete(RosterImport))
            session.commit()


@pytest.fixture
def importing(engine: Engine) -> Import:
    return Import(engine)


@pytest.fixture
def count(engine: Engine) -> Callable[[Any], int]:
    def counted(table: Any) -> int:
        with read_session(engine) as session:
            return session.scalar(select(func.count()).select_from(table)) or 0

    return counted


@pytest.fixture
def coded(engine: Engine) -> None:
    with write_session(engine) as session:
        for number in range(1, 4):
            a_home(session, number, (f"s{number}", "lincoln"))
        a_wave(session, "fall", [a_school(session)], entry="code", identity="confidential", languages=("en",))
        session.commit()


def test_no_codes_are_made_until_it_is_complete(leader, coded, importing, count) -> None:
    leader.opens(CODES)
    importing.begins()
    leader.sends(button="Create codes (CSV list)", status=409).sees(WAIT)
    assert count(Invitation) == 0
    importing.ends()
    leader.opens(CODES).sends(button="Create codes (CSV list)", kind="csv")
    assert count(Invitation) == 3


def test_an_opt_out_waits_and_what_was_typed_stays(signs_in, coded, importing, count) -> None:
    liaison = signs_in("liaison", ("lincoln",)).opens(LIST)
    importing.begins()
    liaison.sends(button="Add to opt-outs", student="s1", status=409).sees(WAIT)
    assert liaison.field("student") == "s1"
    assert count(OptOut) == 0
    importing.ends()
    liaison.sends(button="Add to opt-outs")
    assert count(OptOut) == 1
    importing.begins()
    liaison.sends(button="Remove from opt-outs", status=409).sees(WAIT)
    assert count(OptOut) == 1


def test_figures_are_neither_drafted_nor_frozen_from_half_a_roster(leader, planned, importing, engine) -> None:
    leader.opens(f"{FALL}/{planned}/freeze")
    importing.begins()
    leader.sends(status=409).sees(WAIT)
    leader.opens(f"{FALL}/{planned}", status=409).sees(WAIT)
    with read_session(engine) as session:
        assert session.get_one(Checkpoint, planned).frozen_on is None
    importing.ends()
    leader.opens(f"{FALL}/{planned}/freeze").sends().sees("The figures are frozen.")
    importing.begins()
    leader.opens(f"{FALL}/{planned}").sees("They never change.")


def test_figures_counted_before_an_import_are_counted_again(leader, planned, importing, engine, monkeypatch) -> None:
    from engage.services.checkpoints import counting

    real, counts = counting.count_figures, []

    def counted(*values: Any) -> Any:
        document = real(*values)
        if not counts:  # an import begins and ends between the count and the freeze
            importing.begins()
            with write_session(engine) as session:
                unfinished = session.scalars(select(RosterImport)).one()
                unfinished.state, unfinished.folder = "stored", None
                session.commit()
        counts.append(document)
        return document

    monkeypatch.setattr(counting, "count_figures", counted)
    leader.opens(f"{FALL}/{planned}/freeze").sends().sees("The figures are frozen.")
    assert len(counts) == 2


def test_a_survey_whose_languages_come_from_the_roster_is_not_opened(leader, engine, importing, count) -> None:
    with write_session(engine) as session:
        a_school(session)
        screened(session, *shipped_surveys())
        session.commit()
    leader.prepares(**NEW_WAVE)
    importing.begins()
    leader.opens_prepared_survey(422).sees(WAIT, "Home access")
    assert (count(Wave), count(AuditEvent)) == (0, count(AuditEvent))
    importing.ends()
    leader.opens_prepared_survey().sees("The survey was saved.")


def test_a_packet_for_households_waits_and_blanks_do_not(engine, settings, today, importing, count) -> None:
    desk = Desk(engine, settings, today)
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "en"))
    importing.begins()
    assert desk.is_refused("importing") == WAIT
    desk.asks(contents="blanks", copies={"en": 1})
    importing.ends()
    desk.asks()


@pytest.mark.thorough
def test_the_worker_numbers_a_packet_when_it_is_complete(engine, settings, today, importing) -> None:
    from engage.services.printing.bulk_orders import request_packets
    from engage.services.printing.orders import PacketRequest

    desk = Desk(engine, settings, today)
    desk.wave(opens=date.today(), closes=date.today() + timedelta(days=5), identity="confidential", entry="code")
    desk.homes(("3B", "en"))
    desk.changes(
        lambda session: request_packets(
            session, session.get_one(Wave, "fall"), [a_school(session)], PacketRequest(), (None, date.today())
        )
    )
    importing.begins()
    with running(settings, "worker"):
        until(lambda: desk.sees(select(Packet.state)) == ["drawing"])
        assert desk.sees(select(Sheet)) == []
        importing.ends()
        until(lambda: desk.sees(select(Packet.state)) == ["ready"])
    assert len(desk.sees(select(Invitation))) == 1


def test_keys_are_not_rotated(engine: Engine, settings: Settings, importing: Import, monkeypatch) -> None:
    for name in ("data_dir", "secret_key"):
        monkeypatch.setenv(f"ENGAGE_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("ENGAGE_DATABASE_URL", settings.database)
    importing.begins()
    answer = CliRunner().invoke(main, ["keys", "rotate"])
    assert answer.exit_code == 1
    assert WAIT in answer.output + str(answer.exception)
