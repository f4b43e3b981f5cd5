"""The glossary: its content and its findings."""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from engage.base.catalogs import DOMAINS
from engage.base.languages import LANGUAGES
from engage.cli.glossary import FILE, GlossaryProblem, catalog_faults, glossary_faults, read_glossary
from tests.paths import ROOT

SMALL = """
[[terms]]
english = "reply code"
es = { use = "código", also = ["clave"], avoid = ["código de respuesta"], required = true, except = ["No reply code"] }
[[terms]]
english = "family"
es = { use = "familia", required = true }
"""
TRANSLATIONS = {
    "Type your reply code.": ("Escriba el código.", []),
    "Reply codes": ("Claves", []),
    "Keep the reply code!": ("Guarde el número.", ["reply code"]),
    "Your reply code": ("Su código de respuesta", ["reply code"]),
    "No reply code": ("Nada", []),
    "All families": ("Todas las personas", ["family"]),
    "%(family)s answered": ("%(family)s contestó", []),
    "Familiar": ("Conocido", []),
    "A family (not translated)": ("", []),
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / FILE
    file.write_text(SMALL, "utf-8")
    return file


@pytest.mark.parametrize("english", TRANSLATIONS)
def test_a_text_with_the_term_has_the_glossarys_word(small: Path, english: str) -> None:
    translation, terms = TRANSLATIONS[english]
    catalog = Catalog(locale="es")
    catalog.add(english, translation)
    faults = list(catalog_faults(catalog, "es", read_glossary(small)))
    assert len(faults) == len(terms)
    assert all(english in fault for fault in faults)


def test_each_plural_form_has_it(small: Path) -> None:
    catalog = Catalog(locale="es")
    catalog.add(("%(num)s family", "%(num)s families"), ("%(num)s familia", "%(num)s casas"))
    assert len(list(catalog_faults(catalog, "es", read_glossary(small)))) == 1


@pytest.mark.parametrize("text", ["[[terms]]\nenglish = 1 2", "a = 1", "[[terms]]\nxx = {use = 'a'}\nenglish = 'b'"])
def test_a_broken_glossary_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, "utf-8")
    with pytest.raises(GlossaryProblem, match=FILE):
        read_glossary(tmp_path / FILE)


def test_the_shipped_one_has_every_language_and_holds() -> None:
    terms = read_glossary(ROOT / "translations" / FILE)
    assert len(terms) >= 40
    assert len({term.english for term in terms}) == len(terms)
    for tag in LANGUAGES.keys() - {"en"}:
        words = [term.words[tag] for term in terms if tag in term.words]
        assert len(words) >= 40, tag
        assert sum(word.required for word in words) >= 10, tag
    assert list(glossary_faults(ROOT)) == []


def test_an_exception_is_a_text_that_there_is() -> None:
    texts = "".join((ROOT / "translations" / f"{domain}.pot").read_text("utf-8") for domain in DOMAINS)
    flat = texts.replace('"\n"', "")
    for term in read_glossary(ROOT / "translations" / FILE):
        for word in term.words.values():
            assert all(english.replace('"', '\\"') in flat for english in word.exceptions), term.english
