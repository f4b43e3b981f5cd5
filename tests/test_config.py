"""Settings: what stops the start, and the secret that is made once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engage.config import SettingProblem, Settings


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"ENGAGE_DOORS": "cellar"}, "ENGAGE_DOORS"),
        ({"ENGAGE_BASE_URL": "example.org"}, "ENGAGE_BASE_URL"),
        ({"ENGAGE_BASE_URL": "ftp://example.org"}, "ENGAGE_BASE_URL"),
        ({"ENGAGE_SECRET_KEY": "short"}, "ENGAGE_SECRET_KEY"),
        ({"ENGAGE_PROXY_COUNT": "one"}, "ENGAGE_PROXY_COUNT"),
        ({"ENGAGE_INTERPRETER_PHONE": "ask at the office"}, "ENGAGE_INTERPRETER_PHONE"),
        ({"ENGAGE_INTERPRETER_PHONE": "555 " * 20}, "ENGAGE_INTERPRETER_PHONE"),
        ({"ENGAGE_INTERPRETER_PHONE": "555 0100\n555 0101"}, "ENGAGE_INTERPRETER_PHONE"),
        ({"ENGAGE_SETTINGS": "/nowhere/engage.toml"}, "/nowhere/engage.toml"),
    ],
)
def test_a_wrong_setting_stops_the_start_by_name(environ: dict[str, str], named: str) -> None:
    with pytest.raises(SettingProblem, match=named):
        Settings.read(environ)


def test_the_interpreters_number_is_kept_as_it_is_written() -> None:
    assert Settings.read({"ENGAGE_INTERPRETER_PHONE": " (555) 010-0199 "}).interpreter_phone == "(555) 010-0199"
    assert Settings.read({"ENGAGE_INTERPRETER_PHONE": ""}).interpreter_phone == ""


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "engage.toml"
    file.write_text('district_name = "From the file"\ndistrict_phone = "555-0100"\n', "utf-8")
    settings = Settings.read({"ENGAGE_SETTINGS": str(file), "ENGAGE_DISTRICT_NAME": "From outside"})
    assert (settings.district_name, settings.district_phone) == ("From outside", "555-0100")


def test_an_unknown_key_in_the_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "engage.toml"
    file.write_text('distrct_name = "x"\n', "utf-8")
    with pytest.raises(SettingProblem, match="distrct_name"):
        Settings.read({"ENGAGE_SETTINGS": str(file)})


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "engage.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingProblem, match=r"engage\.toml"):
        Settings.read({"ENGAGE_SETTINGS": str(file)})


def test_the_secret_is_made_once_however_many_start_at_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: settings.secret(), range(64)))
    assert len(found) == 1
    assert len(found.pop()) == 64
    assert [each.name for each in settings.data_dir.iterdir()] == ["secret-key"]
    assert (settings.data_dir / "secret-key").stat().st_mode & 0o077 == 0


def test_a_given_secret_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    assert Settings(data_dir=tmp_path / "data", secret_key="k" * 40).secret() == "k" * 40
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(("url", "secure"), [("https://engage.example", True), ("http://127.0.0.1:8000", False)])
def test_https_is_known_from_the_address(url: str, secure: bool) -> None:
    assert Settings(base_url=url).secure is secure
