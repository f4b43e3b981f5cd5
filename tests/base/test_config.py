"""Settings: what prevents startup, and the secret that is created once."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import pytest

from engage.base.config import SettingProblem, Settings
from tests.paths import ROOT


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"ENGAGE_DOORS": "cellar"}, "ENGAGE_DOORS"),
        ({"ENGAGE_BASE_URL": "example.org"}, "ENGAGE_BASE_URL"),
        ({"ENGAGE_BASE_URL": "ftp://example.org"}, "ENGAGE_BASE_URL"),
        ({"ENGAGE_SECRET_KEY": "short"}, "ENGAGE_SECRET_KEY"),
        ({"ENGAGE_PROXY_COUNT": "one"}, "ENGAGE_PROXY_COUNT"),
        ({"ENGAGE_KEEP_ANSWERS_DAYS": "29"}, "ENGAGE_KEEP_ANSWERS_DAYS"),
        ({"ENGAGE_KEEP_ANSWERS_DAYS": "three years"}, "ENGAGE_KEEP_ANSWERS_DAYS"),
        ({"ENGAGE_KEEP_LINKS_DAYS": "999999999"}, "ENGAGE_KEEP_LINKS_DAYS"),
        ({"ENGAGE_INTERPRETER_PHONE": "ask at the office"}, "ENGAGE_INTERPRETER_PHONE"),
        ({"ENGAGE_INTERPRETER_PHONE": "555 " * 20}, "ENGAGE_INTERPRETER_PHONE"),
        ({"ENGAGE_INTERPRETER_PHONE": "555 0100\n555 0101"}, "ENGAGE_INTERPRETER_PHONE"),
        ({"ENGAGE_SETTINGS": "/nowhere/engage.toml"}, "/nowhere/engage.toml"),
        ({"ENGAGE_TIMEZONE": "Nowhere"}, "ENGAGE_TIMEZONE.*Nowhere"),
        ({"ENGAGE_TIMEZONE": ""}, "ENGAGE_TIMEZONE"),
        ({"ENGAGE_TIMEZONE": "America"}, "ENGAGE_TIMEZONE"),
        ({"ENGAGE_TIMEZONE": "../etc/passwd"}, "ENGAGE_TIMEZONE"),
        ({"ENGAGE_TIMEZONE": "America/Chicgo"}, "did you mean America/Chicago"),
        ({"ENGAGE_TIMEZONE": "A" * 5000}, "ENGAGE_TIMEZONE"),
        ({"ENGAGE_DISTRICT_NAME": "N" * 121}, "ENGAGE_DISTRICT_NAME"),
        ({"ENGAGE_DISTRICT_NAME": "North\x1b[2JSchools"}, "ENGAGE_DISTRICT_NAME"),
        ({"ENGAGE_DATABSE_URL": "postgresql://x"}, "ENGAGE_DATABSE_URL is not a setting; did you mean ENGAGE_DATABASE"),
        ({"ENGAGE_TIME_ZONE": "America/Chicago"}, "did you mean ENGAGE_TIMEZONE"),
        ({"ENGAGE_SETTING": "engage.toml"}, "did you mean ENGAGE_SETTINGS"),
        ({"ENGAGE_WEATHER": "fine"}, "ENGAGE_WEATHER is not a setting; these are known: .*ENGAGE_BASE_URL"),
        ({"ENGAGE_METRICS_TOKEN": "short"}, "ENGAGE_METRICS_TOKEN must have at least 32 characters"),
        ({"ENGAGE_METRICS_TOKEN": "with a space " * 5}, "ENGAGE_METRICS_TOKEN"),
        ({"ENGAGE_METRICS_TOKEN": "é" * 40}, "ENGAGE_METRICS_TOKEN"),
        ({"ENGAGE_LOG_FORMAT": "xml"}, "ENGAGE_LOG_FORMAT must be one of text, json"),
    ],
)
def test_a_wrong_setting_stops_the_start_by_name(environ: dict[str, str], named: str) -> None:
    with pytest.raises(SettingProblem, match=named):
        Settings.read(environ)


def test_the_interpreters_number_is_kept_as_it_is_written() -> None:
    assert Settings.read({"ENGAGE_INTERPRETER_PHONE": " (555) 010-0199 "}).interpreter_phone == "(555) 010-0199"
    assert Settings.read({"ENGAGE_INTERPRETER_PHONE": ""}).interpreter_phone == ""


def test_names_for_the_tests_and_of_others_are_nothing_to_the_site() -> None:
    environ = {"ENGAGE_TEST_DATABASE_URL": "x", "ENGAGE_CATALOGUE_DIR": "x", "MY_ENGAGE_X": "x", "ENGAGEMENT": "x"}
    assert Settings.read(environ) == Settings()


@pytest.mark.parametrize(
    ("given", "shown"), [("", "Our school district"), ("  ", "Our school district"), (" A\n B", "A B")]
)
def test_a_district_always_has_a_name(given: str, shown: str) -> None:
    assert Settings.read({"ENGAGE_DISTRICT_NAME": given}).district_name == shown


def test_every_name_of_the_environment_that_the_code_reads_is_known() -> None:
    """A variable that a module reads by itself and `Settings` does not list would prevent every startup."""
    top = ROOT
    read = {
        name
        for path in [top / "wsgi.py", *(top / "engage").rglob("*.py")]
        for name in re.findall(r"\bENGAGE_[A-Z_]+[A-Z]\b", path.read_text("utf-8"))
    }
    for name in sorted(read):
        assert "is not a setting" not in problem_of({name: "1"})


def problem_of(environ: dict[str, str]) -> str:
    """Return the error message for these settings; empty if they are valid."""
    try:
        Settings.read(environ)
    except SettingProblem as problem:
        return str(problem)
    return ""


def test_every_setting_is_in_the_installation_guide() -> None:
    guide = (ROOT / "docs" / "install.md").read_text("utf-8")
    named = {f"ENGAGE_{each.name.upper()}" for each in fields(Settings)}
    assert {name for name in named if f"`{name}`" not in guide} == set()


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


@pytest.mark.parametrize(
    "name", ["secret_key", "base_url", "mail_server", "timezone", "district_name", "district_phone", "data_dir"]
)
def test_a_text_without_quotation_marks_in_the_file_is_named(tmp_path: Path, name: str) -> None:
    file = tmp_path / "engage.toml"
    file.write_text(f"{name} = 5\n", "utf-8")
    with pytest.raises(SettingProblem, match=f"{name} must be text in quotation marks, not 5"):
        Settings.read({"ENGAGE_SETTINGS": str(file)})


@pytest.mark.parametrize(
    "url", ["postgres://engage:hidden@localhost/engage", "mysql://engage:hidden@localhost", "hidden"]
)
def test_a_database_of_another_kind_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SettingProblem, match="ENGAGE_DATABASE_URL must start with") as refused:
        Settings.read({"ENGAGE_DATABASE_URL": url})
    assert "hidden" not in str(refused.value)


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
