"""`engage words`: the files for translators, and its error messages."""

import shutil

import pytest
from click.testing import CliRunner

from engage.base.catalogs import po_path
from engage.base.languages import LANGUAGES
from engage.cli.words import words as words_command
from engage.questionnaire.editions import translatable_texts
from engage.questionnaire.library import shipped_surveys
from tests.paths import ROOT

pytestmark = pytest.mark.slow

SURVEY = """
slug = "tiny"
title = "Tiny"
purpose = "To test."
minutes = 1
[[sections]]
id = "s"
title = "Section"
[[sections.questions]]
id = "net"
kind = "one"
text = "Is there internet?"
note = "Any kind."
choices = [{code = "yes", text = "Yes"}, {code = "no", text = "No", note = "None at all."}]
"""
PYTHON = """
def greet(words, name, n):
    # translators: spoken to a grandmother
    hello = words.gettext("Hello %(name)s") % {"name": name}
    # translators: number of children
    return hello + words.ngettext("%(num)s child", "%(num)s children", n) % {"num": n}
"""
TEMPLATE = """{# translators: on the button that goes on #}
<button>{{ _("Continue <b>now</b>") }}</button>
"""


@pytest.fixture
def root(tmp_path):
    """A small checkout with one sentence of each kind."""
    (tmp_path / "engage" / "web" / "templates").mkdir(parents=True)
    (tmp_path / "surveys").mkdir()
    (tmp_path / "surveys" / "tiny.toml").write_text(SURVEY)
    (tmp_path / "engage" / "__init__.py").write_text('TEXT_DOMAIN = "family"\n')
    (tmp_path / "engage" / "greet.py").write_text(PYTHON)
    (tmp_path / "engage" / "web" / "templates" / "page.html").write_text(TEMPLATE)
    (tmp_path / "translations").mkdir()
    return tmp_path


def run(root, *commands, code=0):
    for command in commands:
        result = CliRunner().invoke(words_command, [command, "--root", str(root)])
        assert result.exit_code == code, result.output
    return result.output.splitlines()


def po(root, tag="es", domain="family"):
    return po_path(tag, domain, root / "translations")


def translate(root, tag, domain, *pairs):
    path = po(root, tag, domain)
    text = path.read_text("utf-8")
    for english, translation in pairs:
        before, after = text.split(f'msgid "{english}"\nmsgstr "', 1)
        text = f'{before}msgid "{english}"\nmsgstr "{translation}{after}' if after.startswith('"') else ""
    path.write_text(text, "utf-8")


def translate_all(root, tag):
    """Translate every text of a language by itself, which is sufficient for tests."""
    for domain in ("family", "staff", "surveys"):
        lines, out, plural = po(root, tag, domain).read_text("utf-8").split("\n"), [], ""
        for line in lines:
            if line.startswith("msgid "):
                english = line.removeprefix("msgid ")
            elif line.startswith("msgid_plural "):
                plural = line.removeprefix("msgid_plural ")
            if line.endswith('""') and line.startswith("msgstr") and english != '""':
                line = line[:-2] + (english if "[" not in line else plural)
            out.append(line)
        po(root, tag, domain).write_text("\n".join(out), "utf-8")


def problems(root):
    return [line for line in run(root, "check", code=1) if "/es/" in line or line.startswith("translations/family")]


def test_extracts_python_templates_and_surveys_with_their_notes(root):
    run(root, "extract")
    messages = (root / "translations" / "family.pot").read_text("utf-8")
    surveys = (root / "translations" / "surveys.pot").read_text("utf-8")
    assert '#. spoken to a grandmother\n#: engage/greet.py\n#, python-format\nmsgid "Hello %(name)s"' in messages
    assert '#. on the button that goes on\n#: engage/web/templates/page.html\nmsgid "Continue <b>now</b>"' in messages
    assert 'msgid "%(num)s child"\nmsgid_plural "%(num)s children"' in messages
    assert '#. Any kind.\nmsgctxt "tiny/net"\nmsgid "Is there internet?"' in surveys
    assert '#. Answer to "Is there internet?" None at all.\nmsgctxt "tiny/net/no"\nmsgid "No"' in surveys


def pot(root, domain):
    return (root / "translations" / f"{domain}.pot").read_text("utf-8")


def test_a_text_belongs_to_the_domain_its_package_or_its_file_declares(root):
    (root / "engage" / "web" / "__init__.py").write_text('TEXT_DOMAIN = "staff"\n')
    (root / "engage" / "web" / "letter.py").write_text('TEXT_DOMAIN = "family"\nA = gettext("Dear family")\n')
    (root / "engage" / "web" / "templates" / "help.html").write_text("{# text domain: family #}{{ _('Help') }}")
    run(root, "extract")
    assert 'msgid "Continue <b>now</b>"' in pot(root, "staff")
    assert 'msgid "Continue <b>now</b>"' not in pot(root, "family")
    assert all(f'msgid "{each}"' in pot(root, "family") for each in ("Dear family", "Help", "Hello %(name)s"))


def test_a_text_of_families_and_staff_is_translated_once_for_families(root):
    (root / "engage" / "web" / "__init__.py").write_text('TEXT_DOMAIN = "staff"\n')
    (root / "engage" / "web" / "greet.py").write_text(PYTHON)
    run(root, "extract")
    assert 'msgid "Hello %(name)s"' in pot(root, "family")
    assert 'msgid "Hello %(name)s"' not in pot(root, "staff")


def test_a_file_with_texts_and_no_domain_is_named(root):
    (root / "engage" / "__init__.py").write_text("")
    assert run(root, "extract", code=1) == [
        "Error: engage/greet.py: it has texts, and neither it nor a package around it says TEXT_DOMAIN"
    ]


def test_the_same_words_give_the_same_bytes(root):
    run(root, "extract", "update")
    files = {path: path.read_bytes() for path in (root / "translations").rglob("*.po*")}
    assert len(files) == 3 + 5 * 3
    (root / "engage" / "greet.py").write_text("# moved down\n\n\n" + PYTHON)
    assert all(line.endswith("unchanged") for line in run(root, "extract") + run(root, "update"))
    assert {path: path.read_bytes() for path in files} == files
    for content in files.values():
        assert str(root).encode() not in content
        assert b"Date" not in content
        assert b"\r" not in content


def test_a_new_language_file_is_a_draft_and_its_status_stays(root):
    run(root, "extract", "update")
    path = po(root)
    assert '"X-Status: draft\\n"' in path.read_text("utf-8")
    path.write_text(path.read_text("utf-8").replace("X-Status: draft", "X-Status: reviewed"), "utf-8")
    run(root, "update")
    assert path.read_text("utf-8").count('"X-Status: reviewed\\n"') == 1


def test_a_changed_sentence_loses_its_translation_and_only_that_one(root):
    run(root, "extract", "update")
    translate(root, "es", "surveys", ("Yes", "Sí"), ("Is there internet?", "¿Hay internet?"))
    (root / "surveys" / "tiny.toml").write_text(SURVEY.replace("Is there internet?", "Is there internet here?"))
    run(root, "extract", "update")
    text = po(root, "es", "surveys").read_text("utf-8")
    assert 'msgid "Yes"\nmsgstr "Sí"' in text
    assert 'msgid "Is there internet here?"\nmsgstr ""' in text
    assert "fuzzy" not in text
    assert "¿Hay internet?" not in text


def test_complete_words_pass(root):
    run(root, "extract", "update")
    for tag in list(LANGUAGES)[1:]:
        translate_all(root, tag)
    assert run(root, "check") == []


@pytest.fixture
def complete(root):
    run(root, "extract", "update")
    for tag in list(LANGUAGES)[1:]:
        translate_all(root, tag)
    return root


def edit(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_a_sentence_that_was_not_extracted_is_told(complete):
    edit(complete / "engage" / "greet.py", "Hello", "Welcome")
    found = problems(complete)
    assert found[0] == "translations/family.pot: is not what the source says; run: engage words extract"
    assert "1 texts are absent and 1 are no longer used; run: engage words update" in found[1]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('msgstr "Hello %(name)s"', 'msgstr ""', '1 of 3 are not translated; the first is "Hello %(name)s"'),
        ('msgstr "Hello %(name)s"', 'msgstr "Hola"', '"Hello %(name)s": %(name)s is missing'),
        ('msgstr "Hello %(name)s"', 'msgstr "Hola %(name)s %(x)s"', "%(x)s is not in the English"),
        ('msgstr "Hello %(name)s"', 'msgstr "Hola %(name)"', "a % is not part of a placeholder"),
        ('msgstr "Hello %(name)s"', 'msgstr "Hola <script> %(name)s"', "does not have the same <tags>"),
        ('msgstr "Hello %(name)s"', 'msgstr "Hola \u202e%(name)s"', "holds the hidden character U+202E"),
        ('msgstr "Continue <b>now</b>"', 'msgstr "Seguir"', "does not have the same <tags>"),
        ('#, python-format\nmsgid "Hello', '#, fuzzy, python-format\nmsgid "Hello', "is fuzzy"),
        ("nplurals=2; plural=(n != 1);", "nplurals=2; plural=(n > 1);", "Plural-Forms is not the language's"),
        ("nplurals=2; plural=(n != 1);", "nplurals=2; plural=system();", "Plural-Forms cannot be read"),
        ('msgid "Hello', 'msgid "Hello\n', "look at the quotation marks there"),
    ],
)
def test_each_fault_is_one_line(complete, old, new, says):
    edit(po(complete), old, new)
    found = problems(complete)
    assert len(found) == 1, found
    assert found[0].startswith("translations/es/LC_MESSAGES/family.po: ")
    assert says in found[0]


def test_a_survey_choice_without_translation_is_named(complete):
    edit(po(complete, "es", "surveys"), 'msgid "No"\nmsgstr "No"', 'msgid "No"\nmsgstr ""')
    assert problems(complete) == ["translations/es/LC_MESSAGES/surveys.po: tiny/net: not translated: no"]


def test_a_language_without_a_file_is_told(complete):
    po(complete).unlink()
    assert problems(complete) == [
        "translations/es/LC_MESSAGES/family.po: there is no such file; run: engage words update"
    ]


def test_a_broken_survey_or_template_is_a_sentence(root):
    (root / "surveys" / "tiny.toml").write_text(SURVEY.replace("one", "scal"))
    assert "did you mean" in "".join(run(root, "extract", code=1))
    (root / "surveys" / "tiny.toml").write_text(SURVEY)
    (root / "engage" / "web" / "templates" / "page.html").write_text("{% if %}")
    assert "a template, line 1" in "".join(run(root, "extract", code=1))


def test_compile_writes_once(tmp_path):
    for says in ("compiled", "nothing has changed"):
        result = CliRunner().invoke(words_command, ["compile", "--directory", str(tmp_path / "mo")])
        assert result.exit_code == 0
        if list((ROOT / "translations").rglob("*.po")):
            assert says in result.output


def test_the_shipped_surveys_can_be_extracted_whole(root):
    shutil.rmtree(root / "surveys")
    shutil.copytree(ROOT / "surveys", root / "surveys")
    run(root, "extract")
    text = (root / "translations" / "surveys.pot").read_text("utf-8")
    for survey in shipped_surveys():
        for context, _, _ in translatable_texts(survey):
            assert f'msgctxt "{context}"' in text
