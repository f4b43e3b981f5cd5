"""What one machine stores, the other has: packets, rosters, drafts, keys, and the audit anchor."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from gettext import NullTranslations
from pathlib import Path
from threading import Barrier, Event
from time import sleep
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from engage import create_app
from engage.base.config import SEALING_FILE, SECRET_FILE, SettingProblem
from engage.base.shared_dir import register_host
from engage.domain.roster.staging_db import FOLDER
from engage.domain.security import encryption
from engage.domain.security.audit_anchor import ANCHOR_FILE
from engage.domain.security.encryption import SealBroken, Sealer
from engage.domain.summaries.column_store import lock_folder
from engage.questionnaire.library import shipped_survey
from engage.services.checkpoints import counting, outputs
from engage.services.checkpoints.planning import create_checkpoint
from engage.services.checkpoints.release_consistency import STEP
from engage.services.tasks import draw_packets
from engage.storage.engine import read_session, write_session
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.paper import Packet
from engage.storage.models.roster import Student
from tests.domain.roster.generator import small
from tests.domain.roster.test_web import brings, packed
from tests.hosts.conftest import Hosts
from tests.makers import a_school, a_wave
from tests.sites.district.test_draft_while_answering import answer, counted
from tests.sites.liaison.test_print_request import asks
from tests.web.test_print_orders import Desk

pytestmark = pytest.mark.slow


def only_packet(hosts: Hosts) -> Packet:
    with read_session(hosts.engine) as session:
        return session.scalars(select(Packet)).one()


def test_a_packet_that_the_worker_of_one_draws_is_downloaded_at_the_other(hosts: Hosts, today: date) -> None:
    Desk(hosts.engine, hosts.settings[0], today).wave()
    liaison = hosts.someone("liaison")
    asks(liaison)
    packet = only_packet(hosts)
    with hosts.worker(1) as context:
        assert draw_packets._draw_packet(context, packet.id) == draw_packets.DONE
    files = []
    for number in (0, 1):
        hosts.on(number)
        address = f"/staff/liaison/packets/{packet.id}.pdf"
        with liaison.client.get(address, base_url=liaison.base_url) as response:
            assert response.status_code == 200
            files.append(response.data)
    assert files[0] == files[1]
    assert files[0].startswith(b"%PDF")
    assert not any((each.data_dir / "packets").exists() for each in hosts.settings)


def test_a_roster_that_is_uploaded_at_one_is_previewed_and_imported_at_the_other(hosts: Hosts, tmp_path: Path) -> None:
    administrator = hosts.someone("administrator")
    brings(administrator, packed(small(), tmp_path))
    preview = administrator.path
    hosts.on(1)
    administrator.opens(preview).sees("What would change").sends(button="Update the roster")
    administrator.sees("The roster was imported.")
    with read_session(hosts.engine) as session:
        assert session.scalar(select(func.count()).select_from(Student)) == 5
    assert list((hosts.settings[0].site_dir / FOLDER).iterdir()) == []


def test_what_one_uploads_and_nobody_confirms_the_other_deletes(hosts: Hosts, tmp_path: Path) -> None:
    brings(hosts.someone("administrator"), packed(small(), tmp_path))
    (folder,) = (hosts.settings[0].site_dir / FOLDER).iterdir()
    assert "rosters uploaded and not confirmed" in hosts.runs(1, "retention", "run", "--dry-run").stdout
    os.utime(folder, (0, 0))
    assert hosts.runs(1, "retention", "run").exit_code == 0
    assert not folder.exists()


@pytest.fixture
def draft(hosts: Hosts, today: date) -> str:
    """A checkpoint over a survey that is still open, with twelve answers."""
    survey = shipped_survey("home-access", version=1)
    with write_session(hosts.engine) as session:
        days = {"opens": today - timedelta(days=20), "closes": today + timedelta(days=20)}
        a_wave(session, "access", [a_school(session)], survey, identity="confidential", **days)
        session.flush()
        checkpoint = create_checkpoint(session, "Fall", today + timedelta(days=30), ["access"], NullTranslations())
        session.commit()
    for _ in range(12):
        answer(hosts.engine)
    return checkpoint.id


def shown(hosts: Hosts, number: int, draft: str, today: date) -> int:
    """How many responses the draft on this machine says there are."""
    document = counting.count_draft(hosts.engine, draft, hosts.settings[number].site_dir, today)
    return int(counted(document))


def test_both_show_one_draft_and_keep_to_its_steps(hosts: Hosts, draft: str, today: date) -> None:
    assert [shown(hosts, number, draft, today) for number in (0, 1)] == [12, 12]
    for _ in range(STEP - 1):
        answer(hosts.engine)
        assert [shown(hosts, number, draft, today) for number in (1, 0)] == [12, 12]
    answer(hosts.engine)
    assert [shown(hosts, number, draft, today) for number in (1, 0)] == [12 + STEP, 12 + STEP]


def test_pages_of_both_show_the_same_draft(hosts: Hosts, draft: str) -> None:
    leader, address = hosts.someone("leader"), f"/staff/district/checkpoints/{draft}/figures.csv"
    first = leader.opens(address).response.data
    for _ in range(3):
        answer(hosts.engine)
    hosts.on(1)
    assert leader.opens(address).response.data == first


def test_of_two_first_looks_at_once_one_decides_what_both_show(
    hosts: Hosts, draft: str, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second machine counts three answers more, and would show them if it decided by itself."""
    first_counted, both_counted, count, read = (
        Event(),
        Barrier(2, timeout=60),
        outputs.count_figures,
        outputs._read_draft,
    )

    def count_together(*given: Any) -> Any:
        document = count(*given)
        first_counted.set()
        both_counted.wait()
        return document

    def read_slowly(path: Path) -> Any:
        document = read(path)
        sleep(0.3)
        return document

    def second() -> int:
        first_counted.wait(60)
        for _ in range(3):
            answer(hosts.engine)
        return shown(hosts, 1, draft, today)

    monkeypatch.setattr(outputs, "count_figures", count_together)
    monkeypatch.setattr(outputs, "_read_draft", read_slowly)
    with ThreadPoolExecutor(2) as pool:
        numbers = [each.result() for each in (pool.submit(shown, hosts, 0, draft, today), pool.submit(second))]
    assert numbers in ([12, 12], [15, 15])


def test_the_draft_that_is_shown_waits_for_who_decides(hosts: Hosts, draft: str, today: date) -> None:
    with ThreadPoolExecutor(1) as pool:
        with lock_folder(hosts.settings[1].site_dir / outputs.DRAFTS, "shown"):
            look = pool.submit(shown, hosts, 0, draft, today)
            with pytest.raises(TimeoutError):
                look.result(timeout=2)
        assert look.result(timeout=60) == 12


def test_columns_are_built_once_and_read_by_both(hosts: Hosts, draft: str, today: date) -> None:
    shown(hosts, 0, draft, today)
    (header,) = (hosts.settings[0].site_dir / "columns").glob("*/header.json")
    before = header.read_bytes()
    shown(hosts, 1, draft, today)
    assert header.read_bytes() == before
    assert not any((each.data_dir / "columns").exists() for each in hosts.settings)


def test_columns_stay_readable_when_another_machine_rebuilds_them(hosts: Hosts, draft: str, today: date) -> None:
    """A network file system does not keep a deleted file that another machine has mapped."""
    for settings in hosts.settings:
        register_host(settings, hosts.clock())
    shown(hosts, 0, draft, today)
    with read_session(hosts.engine) as session:
        (wave,) = session.get_one(Checkpoint, draft).waves
        columns = counting.current_columns(
            session, wave, shipped_survey("home-access", version=1), hosts.settings[0].site_dir
        )
    assert columns is not None
    assert not any(isinstance(each, np.memmap) for each in columns.files.values())


def test_the_audit_log_is_whole_on_both_and_an_older_database_is_noticed_on_both(hosts: Hosts) -> None:
    leader = hosts.someone("leader")
    hosts.on(1)
    leader.signs_out()
    for number in (0, 1):
        said = hosts.runs(number, "audit", "verify")
        assert (said.exit_code, "none changed, removed, or inserted" in said.stdout) == (0, True), said.output
    anchor = hosts.settings[0].site_dir / ANCHOR_FILE
    assert anchor.exists()
    assert not any((each.data_dir / ANCHOR_FILE).exists() for each in hosts.settings)
    anchor.write_text(json.dumps({**json.loads(anchor.read_text()), "number": 99}))
    assert [hosts.runs(number, "audit", "verify").exit_code for number in (0, 1)] == [1, 1]


def test_keys_that_are_rotated_on_one_are_used_by_the_other_without_a_restart(hosts: Hosts) -> None:
    before = hosts.runtime(1).sealer.seal("before")
    assert hosts.runs(0, "keys", "rotate").exit_code == 0
    newest = encryption.load_keys(hosts.settings[0])[0]
    sealed = Sealer([newest]).seal("after")
    assert [hosts.runtime(1).sealer.open(each) for each in (before, sealed)] == ["before", "after"]
    assert Sealer([newest]).newest(hosts.runtime(1).sealer.seal("new"))


def test_a_change_of_the_key_file_that_the_file_system_reports_late_is_read_when_needed(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealer = hosts.runtime(1).sealer
    sealer.open(sealer.seal("so the file was read"))
    monkeypatch.setattr(encryption._KeyFileReader, "_mark", lambda _self: (1, 1, 1))
    sealer.open(sealer.seal("and is not read for the next text"))
    assert hosts.runs(0, "keys", "rotate").exit_code == 0
    sealed = Sealer(encryption.load_keys(hosts.settings[0])[:1]).seal("after")
    assert sealer.open(sealed) == "after"
    with pytest.raises(SealBroken):
        sealer.open(Sealer([encryption.new_key()]).seal("of another site"))


def test_old_keys_are_dropped_only_when_every_machine_knows_the_new_one(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that the other machine seals with the old key meanwhile is resealed, not lost."""
    pauses: list[float] = []
    monkeypatch.setattr("engage.cli.keys.time.sleep", pauses.append)
    said = hosts.runs(0, "keys", "rotate", "--drop-old")
    assert said.exit_code == 0, said.output
    assert pauses == [60]


@pytest.mark.parametrize("name", [SECRET_FILE, SEALING_FILE])
def test_no_new_key_is_made_when_the_shared_directory_is_not_mounted(hosts: Hosts, name: str, tmp_path: Path) -> None:
    register_host(hosts.settings[1], hosts.clock())
    unmounted = tmp_path / "empty"
    unmounted.mkdir(mode=0o700)
    away = replace(hosts.settings[1], shared_dir=str(unmounted))
    read = away.secret if name == SECRET_FILE else lambda: encryption.load_keys(away)
    with pytest.raises(SettingProblem, match=rf"{name} is missing, but this machine has used a shared directory"):
        read()
    forgotten = replace(hosts.settings[1], shared_dir="")
    read = forgotten.secret if name == SECRET_FILE else lambda: encryption.load_keys(forgotten)
    with pytest.raises(SettingProblem, match=rf"{name} is missing, but this machine has used a shared directory"):
        read()
    assert list(unmounted.iterdir()) == []


def test_a_site_that_moves_keeps_its_keys(both: list[Any], tmp_path: Path) -> None:
    alone = replace(both[0], shared_dir="")
    secret = alone.secret()
    with pytest.raises(SettingProblem, match="move the site's files to the shared directory"):
        both[0].secret()
    (alone.data_dir / SECRET_FILE).rename(tmp_path / "shared" / SECRET_FILE)
    assert [each.secret() for each in both] == [secret, secret]


def test_a_shared_directory_that_is_not_there_stops_the_start(both: list[Any], tmp_path: Path) -> None:
    with pytest.raises(SettingProblem, match=r"ENGAGE_SHARED_DIR is .*, which is not a directory"):
        create_app(replace(both[0], shared_dir=str(tmp_path / "nowhere")))
