from pathlib import Path

import pytest

from engage.base.languages import po_path
from engage.services.waves.translation_readiness import gaps

HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'


def written(folder: Path, words: str) -> Path:
    path = folder / "es" / "LC_MESSAGES" / "messages.po"
    path.parent.mkdir(parents=True)
    path.write_text(HEAD + words, "utf-8")
    return folder


def test_english_never_waits(tmp_path):
    assert gaps(["en", "xx"], tmp_path) == {}


def test_a_language_without_a_file_waits(tmp_path):
    assert gaps(["es"], tmp_path) == {"es": ["messages.po"]}


@pytest.mark.parametrize(
    ("place", "waits"),
    [
        ("engage/sites/family/sections.py", True),
        ("engage/web/templates/base_family.html", True),
        ("engage/sites/liaison/data_entry.py", False),
        ("engage/domain/paper/documents/separators.py", False),
        ("engage/domain/paper/documents/handout_list.py", False),
        ("engage/domain/paper/form/cover.py", True),
        ("engage/sites/district/templates/district/waves.html", False),
        ("engage/sites/district/waves.py engage/sites/family/results.py", True),
    ],
)
def test_only_what_families_see_must_be_translated(tmp_path, place, waits):
    places = "".join(f"#: {each}\n" for each in place.split())
    folder = written(tmp_path, f'{places}msgid "Next"\nmsgstr ""\n')
    assert gaps(["es"], folder) == ({"es": ["Next"]} if waits else {})


def test_a_text_of_unknown_origin_must_be_translated(tmp_path):
    assert gaps(["es"], written(tmp_path, 'msgid "Next"\nmsgstr ""\n')) == {"es": ["Next"]}


def test_fuzzy_does_not_count_as_translated(tmp_path):
    words = '#, fuzzy\nmsgid "Next"\nmsgstr "Siguiente"\n\nmsgid "Back"\nmsgstr "Atrás"\n'
    assert gaps(["es"], written(tmp_path, words)) == {"es": ["Next"]}


def test_a_plural_with_a_missing_form_waits(tmp_path):
    words = 'msgid "%(num)s day"\nmsgid_plural "%(num)s days"\nmsgstr[0] "%(num)s día"\nmsgstr[1] ""\n'
    assert gaps(["es"], written(tmp_path, words)) == {"es": ["%(num)s day"]}


@pytest.mark.parametrize("sentence", ["You asked", "The school answers"])
def test_a_language_waits_for_the_words_of_the_letter_that_carries_an_answer(tmp_path, sentence):
    """The letter is made at the liaison's desk, and read by families."""
    path = tmp_path / "es" / "LC_MESSAGES" / "messages.po"
    path.parent.mkdir(parents=True)
    before, after = po_path("es", "messages").read_text("utf-8").split(f'msgid "{sentence}"\nmsgstr "')
    path.write_text(f'{before}msgid "{sentence}"\nmsgstr ""\n{after.partition(chr(10))[2]}', "utf-8")
    assert gaps(["es"], tmp_path) == {"es": [sentence]}
