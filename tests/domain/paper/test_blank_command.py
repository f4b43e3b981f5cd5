from pathlib import Path

import pytest
from click.testing import CliRunner

from engage.cli.paper import paper
from tests.domain.paper.sample import page_texts

pytestmark = pytest.mark.slow


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(paper, ["blank", *arguments])
    return result.exit_code, result.output


def test_copies_are_written_each_with_its_own_serial(tmp_path: Path) -> None:
    out = tmp_path / "sheet.pdf"
    assert run("home-access", "--language", "vi", "--paper", "a4", "--copies", "2", "-o", str(out)) == (0, "")
    texts = page_texts(out.read_bytes())
    serials = {word for text in texts for word in text.split() if word.startswith("X") and "-" in word}
    assert len(serials) == 2


@pytest.mark.parametrize("arrangement", ["under", "beside"])
def test_a_second_language_stands_on_every_page(tmp_path: Path, arrangement: str) -> None:
    out = tmp_path / "sheet.pdf"
    more = ["--second", "en", "--arrangement", arrangement, "--style", "compact"]
    assert run("home-access", "--language", "es", *more, "-o", str(out)) == (0, "")
    for text in page_texts(out.read_bytes()):
        assert "Español · English" in text
        assert "Aprender en casa" in text
        assert "Learning at home" in text


def test_large_print_is_a_style(tmp_path: Path) -> None:
    one, other = tmp_path / "one.pdf", tmp_path / "other.pdf"
    assert run("family-beliefs", "--language", "en", "--large-print", "-o", str(one)) == (0, "")
    assert run("family-beliefs", "--language", "en", "--style", "large", "-o", str(other)) == (0, "")
    assert one.read_bytes() == other.read_bytes()


def test_a_language_beside_itself_is_refused(tmp_path: Path) -> None:
    code, said = run("home-access", "--language", "en", "--second", "en", "-o", str(tmp_path / "no.pdf"))
    assert code == 1
    assert "a different language" in said


def test_an_unknown_survey_is_named(tmp_path: Path) -> None:
    code, said = run("nothing", "--language", "en", "-o", str(tmp_path / "no.pdf"))
    assert code == 1
    assert 'there is no survey "nothing"' in said


def test_a_missing_font_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGAGE_FONT_DIR", str(tmp_path))
    code, said = run("home-access", "--language", "ar", "-o", str(tmp_path / "no.pdf"))
    assert code == 1
    assert "Noto Naskh Arabic" in said
    assert not (tmp_path / "no.pdf").exists()
