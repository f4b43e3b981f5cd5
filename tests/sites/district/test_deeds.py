"""Actions of leaders that others may want to review are recorded in the same transaction."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from engage.cli import main
from engage.domain.security.audit_log import AUDIT_KEY, verify_chain
from engage.domain.security.encryption import derive_key
from engage.storage.engine import read_session
from engage.storage.models.audit import AuditEvent

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("shared_figures")]

HOME = "/staff/district/checkpoints"


@pytest.fixture
def written(engine):
    """Return the events since the last sign-in: (actor, deed, about, detail)."""

    def events():
        with read_session(engine) as session:
            found = session.scalars(select(AuditEvent).order_by(AuditEvent.number)).all()
        kept = [each for each in found if "sign" not in each.deed]
        return [(each.actor, each.deed, each.about, json.loads(each.detail)) for each in kept]

    return events


def test_freezing_promising_and_publishing_are_written_down(leader, planned, written, engine, settings):
    leader.freezes(planned)
    leader.promises(planned, theme="Devices", you_said="We share.", we_will="Lend.", owner="Tech", due="2026-12-01")
    leader.publishes(planned)
    told = written()
    assert [(deed, about) for _, deed, about, _ in told] == [
        ("freeze checkpoint", planned),
        ("change promise", planned),
        ("publish checkpoint", planned),
    ]
    assert len({actor for actor, *_ in told}) == 1
    assert "@" in told[0][0]
    assert told[2][3] == {"promises": 1}
    with read_session(engine) as session:
        assert verify_chain(session, derive_key(settings.secret().encode(), AUDIT_KEY)).broken is None
    assert (settings.data_dir / "audit-anchor").exists()


def test_what_is_refused_is_not_written_down(leader, planned, written):
    leader.freezes(planned)
    page = leader.opens(f"{HOME}/{planned}/publish")
    sent = {name: page.field(name) for name in ("csrf_token", "version")}
    for deed, status in (("freeze", 409), ("publish", 422)):
        answer = leader.client.post(f"{HOME}/{planned}/{deed}", data=sent)
        assert answer.status_code == status
    assert [deed for _, deed, *_ in written()] == ["freeze checkpoint"]


@pytest.mark.parametrize("file", ["packet.pdf", "figures.csv", "figures.xlsx"])
def test_every_download_is_written_down(leader, planned, written, file):
    assert leader.client.get(f"{HOME}/{planned}/{file}?language=es").status_code == 200
    [(_, deed, about, detail)] = written()
    assert (deed, about) == ("export figures", planned)
    assert detail == {"format": file.rpartition(".")[2], "language": "es", "figures": "draft"}


def test_no_file_leaves_that_cannot_be_written_down(leader, planned, monkeypatch):
    def full(*_more, **_all):
        raise OperationalError("insert", {}, Exception("disk is full"))

    monkeypatch.setattr("engage.sites.district.downloads.log_event", full)
    assert leader.client.get(f"{HOME}/{planned}/figures.csv").status_code == 503


def test_figures_taken_out_on_the_command_line_are_written_down(planned, written, settings, monkeypatch):
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ENGAGE_DATABASE_URL", settings.database)
    monkeypatch.setenv("ENGAGE_SECRET_KEY", settings.secret_key)
    said = CliRunner().invoke(main, ["checkpoint", "figures", planned, "--audience", "public"])
    assert said.exit_code == 0, said.output
    what = {"format": "json", "language": "en", "audience": "public", "figures": "draft"}
    assert written() == [("command line", "export figures", planned, what)]
