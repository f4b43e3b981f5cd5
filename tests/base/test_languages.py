"""The language registry, and catalogs that are compiled when they have changed."""

import gettext
import io
import os
import re
import threading
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.pofile import read_po
from babel.support import Translations

from engage.base import catalogs, languages
from engage.base.catalogs import (
    INTERFACE,
    BrokenCatalogue,
    catalogue,
    compile_catalogues,
    default_catalogue_dir,
    empty_catalog,
    mo_path,
    placeholder_faults,
    po_path,
    read_po_file,
    use_catalogues,
)
from engage.base.languages import LANGUAGES, Language, shipped_folder
from tests.paths import ROOT

PO = r"""
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\n"
"Language: {locale}\n"
"Plural-Forms: {plural}\n"

msgid "Continue"
msgstr "{word}"

msgid "Not yet"
msgstr ""

#, fuzzy
msgid "Perhaps"
msgstr "wrong guess"

#, python-format
msgid "Hello %(name)s"
msgstr "broken %(nmae)s"

#, python-format
msgid "%(num)s child"
msgid_plural "%(num)s children"
{forms}

#, python-format
msgid "%(num)s school"
msgid_plural "%(num)s schools"
msgstr[0] "half done %(num)s"
{empty}
"""
ARABIC = (
    "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 : 5);"
)


PLURAL = rb"""msgid ""
msgstr "Plural-Forms: nplurals=2; plural=system();\n"
"""


@pytest.fixture
def words(tmp_path, monkeypatch):
    """A folder of translations with Spanish and Arabic, in place of the shipped one."""
    folder = tmp_path / "translations"
    _write(folder, "es", "nplurals=2; plural=(n != 1);", "Seguir", 2)
    _write(folder, "ar", ARABIC, "متابعة", 6)
    monkeypatch.setattr(catalogs, "shipped_folder", lambda _: folder)
    catalogs.clear_catalogue_cache()
    yield folder
    catalogs.clear_catalogue_cache()


def _write(folder, tag, plural, word, forms):
    path = folder / tag / "LC_MESSAGES" / "family.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(f'msgstr[{n}] "{tag}{n} %(num)s"' for n in range(forms))
    empty = "\n".join(f'msgstr[{n}] ""' for n in range(1, forms))
    path.write_text(PO.format(locale=tag, plural=plural, word=word, forms=lines, empty=empty), "utf-8")


def test_six_languages_in_their_order_with_their_own_names():
    assert {tag: language.name for tag, language in LANGUAGES.items()} == {
        "en": "English",
        "es": "Español",
        "ar": "العربية",
        "so": "Soomaali",
        "vi": "Tiếng Việt",
        "zh-Hans": "简体中文",
    }
    assert list(LANGUAGES) == ["en", "es", "ar", "so", "vi", "zh-Hans"]


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_direction_is_the_one_unicode_knows(language: Language):
    locale = Locale.parse(language.locale)
    assert language.direction == {"left-to-right": "ltr", "right-to-left": "rtl"}[locale.character_order]
    assert language.rtl is (language.tag == "ar")
    assert language.fonts
    assert hash(language)


def test_a_language_is_a_draft_until_somebody_has_read_it(tmp_path):
    assert not LANGUAGES["en"].is_draft()
    path = tmp_path / "languages.toml"
    text = (shipped_folder("translations") / "languages.toml").read_text("utf-8")
    before, after = text.split('tag = "so"')
    reviewed = after.replace(
        'reviewed.surveys = { by = "", on = "" }', 'reviewed.surveys = { by = "A", on = "2026-11-01" }', 1
    )
    path.write_text(before + 'tag = "so"' + reviewed, "utf-8")
    somali = languages.read_languages(path)["so"]
    assert not somali.is_draft("surveys")
    assert somali.reviewed["surveys"] == languages.Review("A", "2026-11-01")


def test_a_wrong_direction_stops_the_reading(tmp_path):
    path = tmp_path / "languages.toml"
    path.write_text(
        (shipped_folder("translations") / "languages.toml")
        .read_text("utf-8")
        .replace('direction = "rtl"', 'direction = "left"'),
        "utf-8",
    )
    with pytest.raises(ValueError, match="direction"):
        languages.read_languages(path)


def test_words_of_a_language(words, tmp_path):
    spanish = catalogue("es", directory=tmp_path / "mo")
    assert spanish.gettext("Continue") == "Seguir"
    assert spanish.ngettext("%(num)s child", "%(num)s children", 1) == "es0 %(num)s"
    assert spanish.ngettext("%(num)s child", "%(num)s children", 2) == "es1 %(num)s"


def test_arabic_has_six_plural_forms(words, tmp_path):
    arabic = catalogue("ar", directory=tmp_path / "mo")
    chosen = [arabic.ngettext("%(num)s child", "%(num)s children", n)[:3] for n in (0, 1, 2, 3, 11, 100)]
    assert chosen == ["ar0", "ar1", "ar2", "ar3", "ar4", "ar5"]


# CLDR 48, supplemental/plurals.xml, "cardinal": the category of each number, copied by hand.
FORMS_BY_CLDR = {
    "en": {"one": {1}, "other": {0, 2, 5, 11, 21, 100, 101, 1_000}},
    "es": {"one": {1}, "other": {0, 2, 5, 11, 21, 100, 101, 1_000}},
    "so": {"one": {1}, "other": {0, 2, 5, 11, 21, 100, 101, 1_000}},
    "vi": {"other": {0, 1, 2, 5, 11, 100, 1_000}},
    "zh-Hans": {"other": {0, 1, 2, 5, 11, 100, 1_000}},
    "ar": {
        "zero": {0},
        "one": {1},
        "two": {2},
        "few": {3, 10, 103, 110, 1_003},
        "many": {11, 26, 99, 111, 199, 1_011},
        "other": {100, 101, 102, 200, 202, 1_000, 10_000},
    },
}


@pytest.mark.parametrize("tag", LANGUAGES)
def test_plural_rules_are_those_of_cldr_whatever_babel_is_installed(tag):
    catalog = empty_catalog(LANGUAGES[tag])
    choose = gettext.c2py(catalog.plural_expr)
    assert catalog.num_plurals == len(FORMS_BY_CLDR[tag])
    for form, numbers in enumerate(FORMS_BY_CLDR[tag].values()):
        assert {choose(number) for number in numbers} == {form}


def test_no_arabic_noun_of_many_stands_among_the_even_hundreds():
    """After 11 to 99 an Arabic noun ends in -an (form 4), after 100 it does not (form 5)."""
    catalogs = [read_po_file(po_path("ar", domain), LANGUAGES["ar"]) for domain in INTERFACE]
    forms = [each.string for catalog in catalogs for each in catalog if isinstance(each.string, tuple)]
    many, other = (re.findall(r"%\(num\)s ([^\s.<،]+)", " ".join(each[form] for each in forms)) for form in (4, 5))
    assert sum(word.endswith("ًا") for word in many) >= 10
    assert not [word for word in other if word.endswith("ًا")]


def test_a_file_with_a_byte_order_mark_is_read(words, tmp_path):
    path = words / "es" / "LC_MESSAGES" / "family.po"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    compile_catalogues(tmp_path / "mo", words)
    assert catalogue("es", directory=tmp_path / "mo").gettext("Continue") == "Seguir"


@pytest.mark.parametrize("text", ["Not yet", "Perhaps", "Hello %(name)s"])
def test_missing_fuzzy_and_broken_words_are_english(words, tmp_path, text):
    assert catalogue("es", directory=tmp_path / "mo").gettext(text) == text


def test_a_half_translated_plural_is_english_in_all_its_forms(words, tmp_path):
    arabic = catalogue("ar", directory=tmp_path / "mo")
    said = {arabic.ngettext("%(num)s school", "%(num)s schools", n) for n in range(150)}
    assert said == {"%(num)s school", "%(num)s schools"}


def test_english_and_a_language_without_words_speak_english(words, tmp_path):
    for tag in ("en", "vi"):
        found = catalogue(tag, directory=tmp_path / "mo")
        assert type(found) is gettext.NullTranslations
        assert found.gettext("Continue") == "Continue"
        assert [found.ngettext("a child", "children", n) for n in (0, 1, 2)] == ["children", "a child", "children"]


def test_an_unknown_language_is_a_key_error():
    with pytest.raises(KeyError):
        catalogue("xx")


def test_flask_babel_finds_the_same_words(words, tmp_path):
    _write(words, "zh-Hans", "nplurals=1; plural=0;", "继续", 1)
    compile_catalogues(tmp_path / "mo", words)
    for tag, said in (("es", "Seguir"), ("ar", "متابعة"), ("zh-Hans", "继续")):
        locale = Locale.parse(LANGUAGES[tag].locale)
        assert Translations.load(tmp_path / "mo", [locale], "family").gettext("Continue") == said


def test_only_what_has_changed_is_compiled(words, tmp_path):
    assert len(compile_catalogues(tmp_path / "mo", words)) == 2
    assert compile_catalogues(tmp_path / "mo", words) == []
    path = words / "es" / "LC_MESSAGES" / "family.po"
    path.write_text(path.read_text("utf-8").replace("Seguir", "Adelante"), "utf-8")
    os.utime(path, (0, 0))  # content counts, not the time of modification
    assert compile_catalogues(tmp_path / "mo", words) == [mo_path(tmp_path / "mo", LANGUAGES["es"], "family")]
    catalogs.clear_catalogue_cache()
    assert catalogue("es", directory=tmp_path / "mo").gettext("Continue") == "Adelante"


def test_a_compiled_file_cut_short_is_made_again(words, tmp_path):
    compile_catalogues(tmp_path / "mo", words)
    path = mo_path(tmp_path / "mo", LANGUAGES["es"], "family")
    path.write_bytes(b"")
    assert compile_catalogues(tmp_path / "mo", words) == [path]


def test_where_nothing_can_be_written_the_words_are_spoken_all_the_same(words, tmp_path):
    (tmp_path / "mo").write_text("a file, not a directory")
    assert catalogue("es", directory=tmp_path / "mo").gettext("Continue") == "Seguir"


def test_compiled_words_can_be_read_by_everybody(words, tmp_path):
    for path in compile_catalogues(tmp_path / "mo", words):
        assert path.stat().st_mode & 0o777 == 0o644


def test_many_may_compile_at_once(words, tmp_path):
    start, failed = threading.Barrier(6), []

    def compile_and_read():
        start.wait()
        try:
            compile_catalogues(tmp_path / "mo", words)
            with mo_path(tmp_path / "mo", LANGUAGES["es"], "family").open("rb") as opened:
                assert gettext.GNUTranslations(opened).gettext("Continue") == "Seguir"
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=compile_and_read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [path.name for path in (tmp_path / "mo").rglob(".*")] == []  # no temporary files remain


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (b'msgid "a\nmsgstr "b"\n', "line 1"),
        (b'msgid "\xff"\nmsgstr ""\n', "not UTF-8"),
        (b"hello\n", "line 1"),
        (PLURAL, "Plural-Forms cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(words, tmp_path, broken, says):
    path = words / "es" / "LC_MESSAGES" / "family.po"
    path.write_bytes(broken)
    with pytest.raises(BrokenCatalogue, match=says) as found:
        compile_catalogues(tmp_path / "mo", words)
    assert str(path) in str(found.value)


@pytest.mark.parametrize(
    ("english", "translation", "faults"),
    [
        ("Hello %(name)s", "Hola %(name)s", []),
        ("Hello %(name)s", "Hola", ["%(name)s is missing"]),
        ("Hello %(name)s", "Hola %(nombre)s", ["%(nombre)s is not in the English", "%(name)s is missing"]),
        ("Hello %(name)s", "Hola %(name)", ["a % is not part of a placeholder; write %% for a percent sign"]),
        ("Hello %(name)s", "100 % %(name)s", ["a % is not part of a placeholder; write %% for a percent sign"]),
        ("Hello %(name)s", "100 %% %(name)s", []),
        ("Hello %(name)s", "Hola %(name)s %s", ["a % is not part of a placeholder; write %% for a percent sign"]),
        ("100 % sure", "100 % seguro", []),
        ("Hello", "Hola %(name)s", ["%(name)s is not in the English"]),
    ],
)
def test_placeholders_must_survive_translation(english, translation, faults):
    catalog = read_po(io.BytesIO(f'msgid "{english}"\nmsgstr "{translation}"\n'.encode()), locale="es")
    assert placeholder_faults(catalog[english], catalog) == faults


def test_only_a_form_for_one_number_may_leave_the_number_out():
    forms = ["none", "one", "two", "few", "many %(num)s", "other %(num)s"]
    lines = "\n".join(f'msgstr[{n}] "{form}"' for n, form in enumerate(forms))
    text = f'msgid "%(num)s child"\nmsgid_plural "%(num)s children"\n{lines}\n'
    catalog = read_po(io.BytesIO(text.encode()), locale="ar")
    assert placeholder_faults(catalog["%(num)s child"], catalog) == ["%(num)s is missing"]  # "few" is 3 to 10


def test_where_compiled_words_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogs, "_chosen", None)
    monkeypatch.delenv("ENGAGE_CATALOGUE_DIR", raising=False)
    monkeypatch.delenv("ENGAGE_DATA_DIR", raising=False)
    assert default_catalogue_dir() == ROOT / "instance" / "catalogues"
    monkeypatch.setenv("ENGAGE_DATA_DIR", "/data")
    assert default_catalogue_dir() == Path("/data/catalogues")
    monkeypatch.setenv("ENGAGE_CATALOGUE_DIR", "/words")
    assert default_catalogue_dir() == Path("/words")
    use_catalogues(tmp_path)
    assert default_catalogue_dir() == tmp_path
    monkeypatch.setattr(catalogs, "_chosen", None)
    monkeypatch.delenv("ENGAGE_CATALOGUE_DIR")
    monkeypatch.delenv("ENGAGE_DATA_DIR")
    for module in (languages, catalogs):
        monkeypatch.setattr(module, "PACKAGE", tmp_path / "site-packages" / "engage")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_catalogue_dir() == tmp_path / "engage" / "catalogues"
    assert shipped_folder("surveys") == tmp_path / "site-packages" / "engage" / "_shipped" / "surveys"
