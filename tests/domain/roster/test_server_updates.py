"""The OneRoster server: the roster that arrives is that of the files; whatever the server does wrong deletes nobody."""

import copy
import os
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engage.base.config import SettingProblem, Settings
from engage.cli import main
from engage.domain.roster.oneroster_client import OneRosterServer, ServerAddress, ServerProblem, read_secret
from engage.domain.roster.staging_db import delete_folder
from engage.domain.roster.update_schedule import is_full_needed, last_start, next_start
from engage.services.tasks.store_roster import ImportSite
from engage.services.tasks.update_roster import update_from_server
from engage.storage.engine import read_session
from engage.storage.models.roster_updates import RosterUpdate
from tests.domain.mail.test_worker import running, until
from tests.domain.roster.conftest import District
from tests.domain.roster.generator import large, small
from tests.domain.roster.stored_rows import empty, stored
from tests.roster_server import CLIENT, SECRET, RosterServer, serving

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RosterServer]:
    """A server with the small district."""
    with serving(RosterServer()) as server:
        server.reads(small().folder(tmp_path / "served"))
        yield server


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "client-secret"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def site(district: District, server: RosterServer, secret: Path) -> ImportSite:
    return replace(district.site, settings=with_server(district.settings, server, secret))


def with_server(settings: Settings, server: RosterServer, secret: Path) -> Settings:
    return replace(
        settings,
        roster_url=server.base,
        roster_token_url=f"{server.url}/token",
        roster_client_id=CLIENT,
        roster_secret_file=str(secret),
    )


def pulls(site: ImportSite, *, full: bool = True, days: int = 0) -> RosterUpdate:
    later = replace(site, now=site.now + timedelta(days=days))
    return update_from_server(later, full, lambda: False, lambda _seconds: None)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("paging", ["link", "total", "none"])
def test_the_roster_is_that_of_the_files(
    version: str, paging: str, district: District, secret: Path, tmp_path: Path
) -> None:
    folder = large(tmp_path / "large", 60, version)
    district.brings(folder)
    expected = stored(district)
    empty(district)
    with serving(RosterServer(paging=paging, most=17)) as server:
        server.reads(folder)
        row = pulls(replace(district.site, settings=with_server(district.settings, server, secret)))
    assert (row.state, row.source, row.is_full) == ("stored", "server", True)
    assert _without_ids(stored(district)) == _without_ids(expected)


def _without_ids(rows: dict[str, Any]) -> dict[str, Any]:
    """Return students, guardians, and links: households have random ids."""
    guardians = [(*row[:3], bool(row[3]), *row[4:]) for row in rows["guardians"]]  # homes have digests of another key
    return {"students": rows["students"], "guardians": guardians, "guardianships": rows.get("guardianships")}


def test_nothing_that_is_not_used_is_written(server: RosterServer, tmp_path: Path) -> None:
    from engage.domain.roster.oneroster_download import download_roster
    from engage.domain.roster.row_parsing import FlagColumns

    with OneRosterServer(ServerAddress(server.base, f"{server.url}/token", CLIENT, SECRET)) as client:
        download_roster(client, tmp_path / "files", None, FlagColumns())
    text = "".join(path.read_text() for path in (tmp_path / "files").iterdir())
    assert "Amina" in text
    assert "secret" not in text
    assert "2018" not in text, "a date of birth"
    assert not [path for path in server.seen if "demographics" in path], "nobody asked for them"
    assert server.scopes == ["https://purl.imsglobal.org/spec/or/v1p1/scope/roster-core.readonly"]


def test_a_day_of_changes(site: ImportSite, server: RosterServer, district: District) -> None:
    pulls(site)
    today = "2026-10-15T01:00:00.000Z"
    server.records["users"].append({
        "sourcedId": "zoe", "status": "active", "dateLastModified": today, "role": "student", "grades": ["01"],
        "orgs": [{"sourcedId": "s1"}], "agents": [{"sourcedId": "hodan"}], "givenName": "Zoe", "familyName": "Ali",
    })  # fmt: skip
    for user in server.records["users"]:
        if user["sourcedId"] == "sam":
            user |= {"status": "tobedeleted", "dateLastModified": today}
        if user["sourcedId"] == "leo":
            user |= {"grades": ["01"], "dateLastModified": today}
    server.records["users"] = [user for user in server.records["users"] if user["sourcedId"] != "mai"]
    row = pulls(site, full=False, days=1)
    assert (row.state, row.reason, row.is_full, row.students_gone) == ("stored", "", False, 1)
    assert set(district.students) == {"amina", "yusuf", "leo", "mai", "zoe"}, "mai is only absent"
    assert district.students["leo"].grade == "01"
    assert any("dateLastModified%3E%272026-10-13T12" in path for path in server.seen), "a day before the last update"
    assert pulls(site, full=False, days=2).state == "unchanged"
    row = pulls(site, days=9)
    assert (row.state, set(district.students)) == ("stored", {"amina", "yusuf", "leo", "zoe"})


def test_a_column_that_no_record_has_leaves_what_is_stored(
    site: ImportSite, server: RosterServer, district: District
) -> None:
    pulls(site)
    for user in server.records["users"]:
        user["metadata"] = {}
    pulls(site)
    assert district.students["amina"].english_learner
    assert district.guardians["ana"].reads == "es"


def _stops(path: str, times: int = 10**6) -> Callable[[RosterServer, str], Any]:
    left = [times]

    def instead(_server: RosterServer, asked: str) -> Any:
        if path in asked and left[0]:
            left[0] -= 1
            return 0, {}, b'{"users": ['
        return None

    return instead


def _always(path: str, status: int, headers: dict[str, str], body: bytes = b"{}") -> Callable[[RosterServer, str], Any]:
    return lambda _server, asked: (status, headers, body) if path in asked else None


WRONG = {
    "stops half way": (_stops("/users"), "server_away"),
    "an error": (_always("/users", 500, {}), "server_status"),
    "busy": (_always("/enrollments", 429, {"Retry-After": "1"}), "server_status"),
    "another host": (_always("/users", 302, {"Location": "http://127.0.0.2/users"}), "server_redirect"),
    "another host in a link": (
        _always(
            "/users", 200, {"Link": '<https://evil.example/users>; rel="next"'}, b'{"users": [{"sourcedId": "x"}]}'
        ),
        "server_redirect",
    ),
    "a redirect of the token": (_always("/token", 307, {"Location": "https://evil.example/token"}), "server_redirect"),
    "OAuth 1.0a": (_always("/users", 401, {"WWW-Authenticate": 'OAuth realm="x"'}), "server_oauth1"),
    "OAuth 1.0a at the token": (_always("/token", 400, {}, b"missing oauth_signature"), "server_oauth1"),
    "no token": (_always("/token", 200, {}, b"<html>"), "server_token"),
    "a wrong secret": (_always("/token", 401, {}, b'{"error": "invalid_client"}'), "server_credentials"),
    "no permission": (_always("/users", 403, {}), "server_forbidden"),
    "no users": (_always("/users", 404, {}), "server_missing"),
    "a web page": (_always("/users", 200, {}, b"<html>"), "server_not_json"),
    "another list": (_always("/users", 200, {}, b'{"orgs": []}'), "server_not_json"),
    "fewer than announced": (
        _always("/users", 200, {"X-Total-Count": "9", "Link": '<x>; rel="first"'}, b'{"users": [{"sourcedId": "x"}]}'),
        "server_short",
    ),
    "the same page": (
        _always("/users", 200, {"X-Total-Count": "9"}, b'{"users": [{"sourcedId": "x"}]}'),
        "server_repeats",
    ),
    "too large": (_always("/users", 200, {}, b" " * 70_000_000), "server_large"),
}


@pytest.mark.parametrize("what", WRONG)
def test_whatever_goes_wrong_changes_nothing(
    what: str, site: ImportSite, server: RosterServer, district: District
) -> None:
    pulls(site)
    before = stored(district)
    server.instead, code = WRONG[what]
    row = pulls(site)
    assert (row.state, row.reason) == ("failed", code)
    assert stored(district) == before
    server.instead = RosterServer.instead
    assert pulls(site).state == "unchanged"


def test_a_server_that_stops_once_is_asked_again(site: ImportSite, server: RosterServer, district: District) -> None:
    server.instead = _stops("/users", 2)
    assert pulls(site).state == "stored"
    assert len(district.students) == 5


def test_a_token_that_ends_is_renewed(site: ImportSite, server: RosterServer) -> None:
    server.most = 3

    def forgets(server: RosterServer, path: str) -> None:
        if "offset=3" in path and len(server.scopes) == 1:
            server.tokens.clear()

    server.instead = forgets
    assert pulls(site).state == "stored"
    assert len(server.scopes) == 2


def test_a_redirect_on_the_same_host_is_followed(site: ImportSite, server: RosterServer) -> None:
    def moves(server: RosterServer, path: str) -> Any:
        moved = path.replace("/ims/", "/new/")
        return (308, {"Location": moved}, b"") if path.startswith("/ims/") else None

    server.instead = moves
    assert pulls(site).state == "stored"


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    key, path = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-keyout", str(key), "-out", str(path), "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*words, "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    return key, path


def test_a_certificate_that_nobody_vouches_for_is_refused(
    site: ImportSite, server: RosterServer, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket
    import threading

    key, path = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    listener = socket.create_server(("127.0.0.1", 0))
    received = []

    def accept() -> None:
        here, _ = listener.accept()
        try:
            with context.wrap_socket(here, server_side=True) as sealed:
                received.append(sealed.recv(100))
        except OSError:
            here.close()

    thread = threading.Thread(target=accept)
    thread.start()
    url = f"https://localhost:{listener.getsockname()[1]}/token"
    row = pulls(replace(site, settings=replace(site.settings, roster_token_url=url)))
    thread.join(10)
    listener.close()
    assert (row.state, row.reason) == ("failed", "server_certificate")
    assert not any(received), "the secret was sent"


def test_the_secret_is_in_its_file_only(
    site: ImportSite, secret: Path, district: District, server: RosterServer, caplog
) -> None:
    pulls(site)
    server.instead = WRONG["a wrong secret"][0]
    pulls(site)
    places = [path for path in district.settings.data_dir.rglob("*") if path.is_file()]
    assert places
    for token in (SECRET, *server.tokens):
        assert not [path for path in places if token.encode() in path.read_bytes()]
        assert token not in caplog.text
        assert token not in repr(site.settings)
    secret.chmod(0o640)
    row = pulls(site)
    assert (row.state, row.reason) == ("failed", "secret_open")
    secret.unlink()
    with pytest.raises(ServerProblem, match="cannot be read"):
        read_secret(str(secret))


SERVER = {
    "ENGAGE_ROSTER_URL": "https://sis.example/v1p1",
    "ENGAGE_ROSTER_TOKEN_URL": "https://sis.example/token",
    "ENGAGE_ROSTER_CLIENT_ID": "x",
    "ENGAGE_ROSTER_SECRET_FILE": "/x",
}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ENGAGE_ROSTER_URL": "http://sis.example/v1p1"}, "must be an https:// address"),
        ({"ENGAGE_ROSTER_TOKEN_URL": "http://sis.example/token"}, "ENGAGE_ROSTER_TOKEN_URL must be"),
        ({"ENGAGE_ROSTER_URL": "https://me:secret@sis.example/v1p1"}, "without a user"),
        ({"ENGAGE_ROSTER_SECRET_FILE": ""}, "ENGAGE_ROSTER_SECRET_FILE must be set too"),
        ({"ENGAGE_ROSTER_DIR": "/srv/roster"}, "not both"),
        ({"ENGAGE_ROSTER_URL": "", "ENGAGE_ROSTER_DIR": "roster"}, "an absolute path"),
    ],
)
def test_settings_that_are_refused(changes: dict[str, str], sentence: str) -> None:
    assert Settings.read(SERVER).roster_client_id == "x"
    with pytest.raises(SettingProblem, match=sentence) as problem:
        Settings.read(SERVER | changes)
    assert "secret@" not in str(problem.value)


def test_the_server_is_asked_each_night_and_again_after_a_failure(
    site: ImportSite, server: RosterServer, district: District
) -> None:
    zone = "America/Chicago"
    noon = site.now
    assert last_start(noon, zone) == datetime(2026, 10, 14, 8, tzinfo=UTC)  # 3 a.m. in Chicago

    def due(now: datetime) -> datetime:
        with read_session(district.engine) as session:
            return next_start(session, now, zone)

    assert due(noon) <= noon, "there was none yet"
    server.instead = WRONG["an error"][0]
    for minutes in (15, 30, 60, 120):
        pulls(site)
        assert due(noon) == noon + timedelta(minutes=minutes)
    pulls(site)
    tomorrow = datetime(2026, 10, 15, 8, tzinfo=UTC)
    assert due(noon) == tomorrow, "it failed too often"
    server.instead = RosterServer.instead
    pulls(site, days=1)
    assert due(noon + timedelta(days=1)) == tomorrow + timedelta(days=1)


def test_everything_is_asked_for_each_week(site: ImportSite, server: RosterServer, district: District) -> None:
    def needed(days: int) -> bool:
        with read_session(district.engine) as session:
            return is_full_needed(session, site.now + timedelta(days=days))

    assert needed(0)
    pulls(site)
    assert [needed(days) for days in (1, 6, 7)] == [False, False, True]
    pulls(site, full=False, days=6)
    assert [needed(days) for days in (6, 7)] == [False, True]
    server.records["users"] = [user for user in server.records["users"] if user["sourcedId"] not in ("amina", "yusuf")]
    row = pulls(site, days=6)
    assert row.state == "waiting"
    assert needed(6), "changes may not follow a roster that nobody confirmed"
    delete_folder(district.settings.data_dir / "rosters" / row.folder)


@pytest.mark.thorough
def test_the_worker_asks_the_server(site: ImportSite, district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("roster_url", "roster_token_url", "roster_client_id", "roster_secret_file"):
        monkeypatch.setenv(f"ENGAGE_{name.upper()}", getattr(site.settings, name))
    with running(site.settings, "worker"):
        until(lambda: [row.state for row in district.rows_of(RosterUpdate)] == ["stored"])
    assert len(district.students) == 5


def test_the_command_asks_once(
    site: ImportSite, district: District, server: RosterServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("data_dir", "secret_key"):
        monkeypatch.setenv(f"ENGAGE_{name.upper()}", str(getattr(district.settings, name)))
    monkeypatch.setenv("ENGAGE_DATABASE_URL", district.settings.database)
    answer = CliRunner().invoke(main, ["roster", "pull"])
    assert "set ENGAGE_ROSTER_URL" in answer.output
    for name in ("roster_url", "roster_token_url", "roster_client_id", "roster_secret_file"):
        monkeypatch.setenv(f"ENGAGE_{name.upper()}", getattr(site.settings, name))
    answer = CliRunner().invoke(main, ["roster", "pull"])
    assert (answer.exit_code, "16 added" in answer.output) == (0, True), answer.output
    server.instead = WRONG["OAuth 1.0a"][0]
    answer = CliRunner().invoke(main, ["roster", "pull", "--full"])
    assert (answer.exit_code, "OAuth 1.0a, which is obsolete" in answer.output) == (1, True)


@pytest.mark.thorough
def test_five_thousand_students_and_a_day_of_changes(district: District, secret: Path, tmp_path: Path) -> None:
    with serving(RosterServer(most=1000)) as server:
        server.reads(large(tmp_path / "large", 5_000))
        site = replace(district.site, settings=with_server(district.settings, server, secret))
        began = time.monotonic()
        assert pulls(site).state == "stored"
        full = time.monotonic() - began
        assert len(district.students) == 5_000
        changed = [user for user in server.records["users"] if user["sourcedId"].startswith("p")][:50]
        for user in changed:
            user |= {"grades": ["12"], "dateLastModified": "2026-10-15T01:00:00.000Z"}
        began = time.monotonic()
        row = pulls(site, full=False, days=1)
        print(f"5,000 students by REST: {full:.1f} s, a day of changes: {time.monotonic() - began:.1f} s")
        assert (row.state, len(district.students)) == ("stored", 5_000)


def test_a_killed_download_loses_nothing(site: ImportSite, server: RosterServer, district: District, secret) -> None:
    asked = copy.copy(server.seen)

    def hangs(_server: RosterServer, path: str) -> None:
        if "/users" in path:
            time.sleep(5)

    server.instead = hangs
    for name in ("roster_url", "roster_token_url", "roster_client_id", "roster_secret_file"):
        os.environ[f"ENGAGE_{name.upper()}"] = getattr(site.settings, name)
    try:
        with running(site.settings, "worker") as worker:
            until(lambda: any("/users" in path for path in server.seen if path not in asked))
            worker.end(9)
    finally:
        for name in ("roster_url", "roster_token_url", "roster_client_id", "roster_secret_file"):
            del os.environ[f"ENGAGE_{name.upper()}"]
    assert [row.state for row in district.rows_of(RosterUpdate)] == ["reading"]
    server.instead = RosterServer.instead
    assert pulls(site).state == "stored"
    assert sorted(row.state for row in district.rows_of(RosterUpdate)) == ["failed", "stored"]
    for folder in (district.settings.data_dir / "rosters").iterdir():  # of the killed process; retention deletes it
        delete_folder(folder)
