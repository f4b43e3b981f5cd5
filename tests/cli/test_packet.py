"""`engage paper packet`: the file is written completely or not at all, can be written again, and problems give a
message."""

import errno
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, func, select

from engage.base.config import Settings
from engage.base.languages import LANGUAGES
from engage.cli import main
from engage.domain.paper.documents import packet as press
from engage.domain.security.encryption import Sealer, load_keys
from engage.questionnaire.model import Words
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.invitations import Invitation
from engage.storage.models.paper import Packet, PrintRun, Sheet, SheetLink
from engage.storage.models.roster import OptOut
from tests.makers import a_school, a_survey, a_wave
from tests.sites.district.homes import a_home

pytestmark = pytest.mark.slow

Run = Callable[..., Result]
ALWAYS: dict[str, Any] = {"opens": date(2020, 1, 1), "closes": date(2099, 1, 1)}


@pytest.fixture
def run(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command for a district whose wave "fall" is confidential, has codes, and never closes."""
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ENGAGE_DATABASE_URL", settings.database)
    monkeypatch.setenv("ENGAGE_SECRET_KEY", settings.secret_key)
    sealer = Sealer(load_keys(settings))
    with write_session(engine) as session:
        lincoln, empty = a_school(session), a_school(session, "empty", "Empty School")
        a_wave(session, "fall", [lincoln, empty], identity="confidential", entry="code", **ALWAYS)
        a_wave(session, "over", [lincoln], closes=date(2026, 10, 31), opens=date(2026, 10, 1))
        a_wave(session, "web", [lincoln], **ALWAYS).modes = "web"
        for number, tongue in enumerate(("en", "es", "ar", "es"), 1):
            a_home(session, number, (f"s{number}", "lincoln"), language=tongue, sealer=sealer, class_name="3B")
        session.commit()
    return lambda *words: CliRunner().invoke(main, ["paper", "packet", *map(str, words)])


def counts(engine: Engine) -> dict[str, int]:
    """Return the numbers of rows that a packet adds."""
    with read_session(engine) as session:
        tables = (Packet, PrintRun, Sheet, SheetLink, Invitation)
        return {each.__tablename__: session.scalar(select(func.count()).select_from(each)) or 0 for each in tables}


NOTHING = {"packets": 0, "print_runs": 0, "sheets": 0, "sheet_links": 0, "invitations": 0}


def test_a_packet_appears_and_its_codes_are_in_the_audit_log(run: Run, engine: Engine, tmp_path: Path) -> None:
    out = tmp_path / "packet.pdf"
    result = run("fall", "--school", "lincoln", "-o", out)
    assert (result.exit_code, result.stdout) == (0, ""), result.output
    assert "4 sets" in result.stderr
    assert out.read_bytes()[:5] == b"%PDF-"
    assert out.stat().st_mode & 0o077 == 0, "it has names and codes in it"
    assert counts(engine) == {"packets": 1, "print_runs": 3, "sheets": 4, "sheet_links": 4, "invitations": 4}
    with read_session(engine) as session:
        deeds = session.execute(select(AuditEvent.deed, AuditEvent.detail).order_by(AuditEvent.number)).all()
        (packet,) = session.scalars(select(Packet))
    assert [deed for deed, _ in deeds] == ["make access codes", "download packet"]
    assert json.loads(deeds[0].detail)["codes"] == 4
    assert (packet.state, packet.pages > 8, packet.drawn) == ("ready", True, packet.pages)


def test_the_same_packet_again_is_the_same_file_unless_told_new(run: Run, engine: Engine, tmp_path: Path) -> None:
    one, two, three, four = (tmp_path / f"{number}.pdf" for number in range(4))
    for out, *more in ((one,), (two,), (three, "--new"), (four, "--paper", "a4")):
        assert run("fall", "--school", "lincoln", "-o", out, *more).exit_code == 0
    assert one.read_bytes() == two.read_bytes()
    assert three.read_bytes() not in (one.read_bytes(), four.read_bytes())
    assert counts(engine) == {"packets": 3, "print_runs": 9, "sheets": 12, "sheet_links": 12, "invitations": 4}


def test_a_household_that_is_new_makes_a_new_packet(run: Run, engine: Engine, tmp_path: Path) -> None:
    assert run("fall", "--school", "lincoln", "-o", tmp_path / "one.pdf").exit_code == 0
    with write_session(engine) as session:
        a_home(session, 9, ("s9", "lincoln"))
        session.commit()
    assert run("fall", "--school", "lincoln", "-o", tmp_path / "two.pdf").exit_code == 0
    assert counts(engine)["packets"] == 2
    assert counts(engine)["invitations"] == 5, "those who had a code keep it"


def test_a_family_that_opted_out_makes_a_new_packet_without_it(run: Run, engine: Engine, tmp_path: Path) -> None:
    assert run("fall", "--school", "lincoln", "-o", tmp_path / "one.pdf").exit_code == 0
    with write_session(engine) as session:
        session.add(OptOut(household_id=f"{1:032x}", recorded_on=date(2026, 10, 14)))
        session.commit()
    result = run("fall", "--school", "lincoln", "-o", tmp_path / "two.pdf")
    assert result.exit_code == 0
    assert "3 sets" in result.stderr
    assert counts(engine) == {"packets": 2, "print_runs": 5, "sheets": 7, "sheet_links": 7, "invitations": 4}


def test_blanks_in_several_languages(run: Run, engine: Engine, tmp_path: Path) -> None:
    out = tmp_path / "blanks.pdf"
    words = (
        "--language",
        "es=3",
        "--language",
        "ar=2",
        "--style",
        "large",
        "--second",
        "en",
        "--arrangement",
        "beside",
    )
    result = run("fall", "--school", "lincoln", *words, "-o", out)
    assert result.exit_code == 0, result.output
    assert counts(engine) == NOTHING | {"packets": 1, "print_runs": 2, "sheets": 5}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("winter", "--school", "lincoln"), "no survey “winter”. Choose one of these: fall, web."),
        (
            ("fall", "--school", "hogwarts"),
            "“hogwarts” is not a school in this survey. Choose one of these: empty, lincoln.",
        ),
        (("over", "--school", "lincoln"), "“The over wave” closed on October 31, 2026"),
        (("web", "--school", "lincoln"), "“The web wave” is not offered on paper."),
        (("fall", "--school", "empty"), "“The fall wave” does not include any household at Empty School."),
        (
            ("fall", "--school", "lincoln", "--language", "xx=3"),
            "is not offered in “xx”. Choose one of these: en, es, ar.",
        ),
        (("fall", "--school", "lincoln", "--language", "so=3"), "is not offered in “"),
        (("fall", "--school", "lincoln", "--second", "xx"), "is not offered in “xx”."),
        (("fall", "--school", "lincoln", "--language", "es"), "write a language and a number, like es=30"),
        (("fall", "--school", "lincoln", "--language", "es=0"), "a number from 1 to 20000"),
        (
            ("fall", "--school", "lincoln", "--language", f"es={'9' * 5000}"),
            "write a language and a number, like es=30",
        ),
        (("fa\udcffll", "--school", "lincoln"), "an invalid character"),
        (("fall", "--school", "lin\udcffcoln"), "an invalid character"),
        (("fall", "--school", "lincoln", "--language", "es=20001"), "at most 20000"),
        (
            ("fall", "--school", "lincoln", "--paper", "a3"),
            "“a3” is not an option here. Choose one of these: letter, a4.",
        ),
        (("fall", "--school", "lincoln", "--style", "tiny"), "“tiny” is not an option here."),
        (("fall", "--school", "lincoln", "--arrangement", "over"), "“over” is not an option here."),
        (("fall", "--school", "lincoln", "--outside", "photo"), "“photo” is not an option here."),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence_and_nothing_is_kept(
    run: Run, engine: Engine, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    result = run(*words, "-o", tmp_path / "packet.pdf")
    assert result.exit_code == 1
    assert said in result.stderr
    assert counts(engine) == NOTHING
    assert list(tmp_path.glob("*.pdf*")) == list(tmp_path.glob(".*.part")) == []


def test_a_folder_that_is_not_there_is_named(run: Run, engine: Engine, tmp_path: Path) -> None:
    result = run("fall", "--school", "lincoln", "-o", tmp_path / "nowhere" / "packet.pdf")
    assert (result.exit_code, counts(engine)) == (1, NOTHING)
    assert "there is no folder" in result.stderr


def test_what_is_no_file_is_left_as_it_is(run: Run, engine: Engine, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pdf")
    result = run("fall", "--school", "lincoln", "-o", tmp_path / "pipe.pdf")
    assert (result.exit_code, counts(engine)) == (1, NOTHING)
    assert "is not a regular file" in result.stderr
    assert (tmp_path / "pipe.pdf").is_fifo()
    result = run("fall", "--school", "lincoln", "-o", tmp_path / f"{'n' * 250}.pdf")
    assert (result.exit_code, counts(engine)) == (1, NOTHING)
    assert "cannot be written: File name too long" in result.stderr


@pytest.mark.parametrize("what", ["blank", "card"])
@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("nowhere/it.pdf", "there is no folder"),
        ("n" * 250 + ".pdf", "cannot be written"),
        ("pipe.pdf", "is not a regular file"),
    ],
)
def test_a_blank_sheet_or_a_card_that_cannot_be_written_is_told(
    what: str, where: str, said: str, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.pdf")
    words = ["paper", what, "home-access", "--language", "en", "-o", str(tmp_path / where)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1
    assert said in result.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["pipe.pdf"]


def test_a_full_disk_keeps_the_card_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    card = tmp_path / "card.pdf"
    card.write_bytes(b"what was there before")
    monkeypatch.setattr(os, "fsync", full)
    result = CliRunner().invoke(main, ["paper", "card", "home-access", "--language", "en", "-o", str(card)])
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert (list(tmp_path.iterdir()), card.read_bytes()) == ([card], b"what was there before")


def test_an_uncovered_character_names_language_question_and_itself(run: Run, engine: Engine, tmp_path: Path) -> None:
    survey = a_survey()
    section = survey.sections[0]
    odd = replace(section.questions[0], text=Words("What do you say to \U0001f389?"))
    changed = replace(
        survey, sections=(replace(section, questions=(odd, *section.questions[1:])), *survey.sections[1:])
    )
    with write_session(engine) as session:
        a_wave(session, "odd", [a_school(session)], survey=changed, **ALWAYS)
        session.commit()
    result = run("odd", "--school", "lincoln", "-o", tmp_path / "packet.pdf")
    assert result.exit_code == 1
    assert (
        f"In English, the question “{odd.id}” has a character that no installed font can print: U+1F389 PARTY POPPER"
        in (result.stderr)
    )
    assert counts(engine) == NOTHING


def test_a_name_that_cannot_be_printed_stops_the_packet(
    run: Run, engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    with write_session(engine) as session:
        a_home(session, 9, ("s9", "lincoln"), sealer=Sealer(load_keys(settings)), class_name="\U0001f389")
        session.commit()
    result = run("fall", "--school", "lincoln", "-o", tmp_path / "packet.pdf")
    assert result.exit_code == 1
    assert "has a character that no installed font can print: U+1F389 PARTY POPPER" in result.stderr
    assert counts(engine) == NOTHING


def test_a_language_without_its_font_is_named(
    run: Run, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    for found in Path("/usr/share/fonts").rglob("NotoSans-*.ttf"):
        (fonts / found.name).symlink_to(found)
    monkeypatch.setenv("ENGAGE_FONT_DIR", str(fonts))
    result = run("fall", "--school", "lincoln", "-o", tmp_path / "packet.pdf")
    assert result.exit_code == 1
    assert f"The fonts for {LANGUAGES['ar'].name} are not installed" in result.stderr
    assert counts(engine) == NOTHING


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on a disk with 64 kB; if that is not possible, a disk that reports an error when a file grows."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() == 0:
        mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
        if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
            yield folder
            subprocess.run(["umount", str(folder)], check=True)
            return

    class Full(press._HashingFile):
        def write(self, data: bytes) -> int:
            if self.out.tell() + len(data) > 64_000:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    monkeypatch.setattr(press, "_HashingFile", Full)
    yield folder


def test_a_full_disk_leaves_no_file_and_no_sheets(run: Run, engine: Engine, small_disk: Path) -> None:
    before = small_disk / "packet.pdf"
    before.write_bytes(b"what was there before")
    result = run("fall", "--school", "lincoln", "--new", "-o", before)
    assert result.exit_code == 1
    assert "The disk is full. Nothing was saved." in result.stderr
    assert [each.name for each in small_disk.iterdir()] == ["packet.pdf"]
    assert before.read_bytes() == b"what was there before"
    assert counts(engine) == NOTHING


def test_a_packet_for_each_school_of_a_wave(run: Run, engine: Engine, tmp_path: Path) -> None:
    """A school without households has none."""
    done = run("fall", "--all-schools", "--outside", "code", "-o", tmp_path / "packets")
    assert done.exit_code == 0, done.output
    assert [file.name for file in (tmp_path / "packets").iterdir()] == ["fall-lincoln.pdf"]
    assert "empty: no household, so no packet" in done.output
    assert counts(engine)["sheets"] == 4
    before = (tmp_path / "packets" / "fall-lincoln.pdf").read_bytes()
    assert run("fall", "--all-schools", "--outside", "code", "-o", tmp_path / "packets").exit_code == 0
    assert (tmp_path / "packets" / "fall-lincoln.pdf").read_bytes() == before
    assert counts(engine)["sheets"] == 4


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["fall"], "name one school with --school, or use --all-schools"),
        (["fall", "--school", "lincoln", "--all-schools"], "name one school with --school, or use --all-schools"),
        (["none", "--all-schools"], "there is no wave 'none', or it has no schools"),
        (["over", "--all-schools"], "closed on October 31, 2026"),
    ],
)
def test_packets_that_cannot_be_requested(run: Run, engine: Engine, tmp_path: Path, words: Any, sentence: str) -> None:
    done = run(*words, "-o", tmp_path / "packets")
    assert done.exit_code != 0
    assert sentence in done.output
    assert counts(engine)["packets"] == 0
