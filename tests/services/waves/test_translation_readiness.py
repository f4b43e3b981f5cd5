import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from engage.base.catalogs import INTERFACE, po_path, read_po_file, translation_gaps
from engage.base.languages import LANGUAGES
from engage.cli.message_catalogs import format_catalog
from tests.paths import ROOT, modules
from tests.test_house import name, ours

FOR_STAFF = {"engage.web.permissions"}  # its texts are for people who are signed in
HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'


def written(folder: Path, words: str) -> Path:
    path = folder / "es" / "LC_MESSAGES" / "family.po"
    path.parent.mkdir(parents=True)
    path.write_text(HEAD + words, "utf-8")
    return folder


def test_english_never_waits(tmp_path):
    assert translation_gaps(["en", "xx"], tmp_path) == {}


def test_a_language_without_a_file_waits(tmp_path):
    assert translation_gaps(["es"], tmp_path) == {"es": ["family.po"]}


def texts(domain: str) -> list[Message]:
    return [each for each in read_po_file(po_path("es", domain), LANGUAGES["es"]) if each.id]


def gaps_with_one_empty(domain: str, folder: Path, most: int) -> Iterator[tuple[Message, dict[str, list[str]]]]:
    """Yield, for up to `most` texts spread over the file, the gaps if that text of the domain is not translated."""
    for each in INTERFACE:
        target = folder / "es" / "LC_MESSAGES" / f"{each}.po"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(po_path("es", each), target)
    catalog = read_po_file(po_path("es", domain), LANGUAGES["es"])
    every = [each for each in catalog if each.id]
    for message in every[:: max(1, len(every) // most)]:
        before, message.string = message.string, ""
        (folder / "es" / "LC_MESSAGES" / f"{domain}.po").write_bytes(format_catalog(catalog, domain))
        yield message, translation_gaps(["es"], folder)
        message.string = before


SAMPLES = [8, pytest.param(5000, marks=pytest.mark.thorough)]


@pytest.mark.slow
@pytest.mark.parametrize("most", SAMPLES)
def test_a_text_of_families_that_is_empty_closes_the_language(tmp_path, most):
    for text, found in gaps_with_one_empty("family", tmp_path, most):
        assert found.keys() == {"es"}, text.id


@pytest.mark.slow
@pytest.mark.parametrize("most", SAMPLES)
def test_a_text_of_staff_that_is_empty_closes_no_language(tmp_path, most):
    for text, found in gaps_with_one_empty("staff", tmp_path, most):
        assert found == {}, text.id


def test_what_the_family_site_uses_says_nothing_in_the_domain_of_staff():
    """Every module with texts that family pages import, directly or indirectly, declares the family domain."""
    by_name = {name(path): path for path in modules()}
    reached = {module for module in by_name if module.startswith("engage.sites.family")}
    found = list(reached)
    while found:
        new = (ours(by_name[found.pop()]) & by_name.keys()) - reached
        reached |= new
        found += new
    assert "engage.domain.paper.form.cover" in reached
    places = {place for text in texts("staff") for place, _ in text.locations}
    assert {module for module in reached if str(by_name[module].relative_to(ROOT)) in places} == FOR_STAFF


def test_fuzzy_does_not_count_as_translated(tmp_path):
    words = '#, fuzzy\nmsgid "Next"\nmsgstr "Siguiente"\n\nmsgid "Back"\nmsgstr "Atrás"\n'
    assert translation_gaps(["es"], written(tmp_path, words)) == {"es": ["Next"]}


def test_a_plural_with_a_missing_form_waits(tmp_path):
    words = 'msgid "%(num)s day"\nmsgid_plural "%(num)s days"\nmsgstr[0] "%(num)s día"\nmsgstr[1] ""\n'
    assert translation_gaps(["es"], written(tmp_path, words)) == {"es": ["%(num)s day"]}


@pytest.mark.parametrize("sentence", ["You asked", "The school answered"])
def test_a_language_waits_for_the_words_of_the_letter_that_carries_an_answer(tmp_path, sentence):
    """The letter is printed by the liaison and read by families."""
    path = tmp_path / "es" / "LC_MESSAGES" / "family.po"
    path.parent.mkdir(parents=True)
    before, after = po_path("es", "family").read_text("utf-8").split(f'msgid "{sentence}"\nmsgstr "')
    path.write_text(f'{before}msgid "{sentence}"\nmsgstr ""\n{after.partition(chr(10))[2]}', "utf-8")
    assert translation_gaps(["es"], tmp_path) == {"es": [sentence]}
