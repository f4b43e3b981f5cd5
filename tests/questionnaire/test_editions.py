"""Editions: one survey, all its translations, one digest."""

import gettext
import hashlib
import io
import json
from dataclasses import replace

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from engage.base.catalogs import Catalogue
from engage.questionnaire.editions import build_edition, load_edition, replace_texts, translatable_texts
from engage.questionnaire.model import Words
from tests.questionnaire.every_kind import EVERY_KIND


def somali(words):
    catalog = Catalog(locale="so")
    for (context, english), translated in words.items():
        catalog.add(english, translated, context=context)
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    buffer.seek(0)
    return Catalogue(buffer)


@pytest.fixture
def edition():
    words = {
        ("every-kind", "Every kind"): "Nooc kasta",
        ("every-kind/net", "Net?"): "Shabakad?",
        ("every-kind/net/yes", "Yes"): "Haa",
        ("every-kind/child", "Child"): "Child",  # a translation may equal the English
        ("every-kind/sure", "How sure??"): "stale: the English has changed since",
    }
    return build_edition(EVERY_KIND, {"so": somali(words), "vi": gettext.NullTranslations()})


def test_words_are_in_the_language_or_marked_as_english(edition):
    survey = edition.survey("so")
    assert (survey.title, survey.title.language) == ("Nooc kasta", "so")
    assert survey.question("net").choices[0].text == "Haa"
    assert survey.question("net").choices[1].text.language == "en"
    assert (survey.section("child").title, survey.section("child").title.language) == ("Child", "so")
    assert (survey.question("sure").text, survey.question("sure").text.language) == ("How sure?", "en")


def test_missing_words_are_counted(edition):
    missing = edition.missing("so")
    everything = [context for context, _, _ in translatable_texts(EVERY_KIND)]
    assert "every-kind/sure" in missing
    assert "every-kind/child" not in missing
    assert len(missing) == len(everything) - 4
    assert edition.missing("vi") == edition.missing("qqq") == everything
    assert edition.missing("en") == []
    assert edition.languages == ["en", "so"]


def test_an_unknown_language_is_english(edition):
    assert edition.survey("qqq") == edition.survey("en")
    assert edition.survey("qqq").title.language == "en"


def test_the_survey_in_english_is_the_survey_that_went_in(edition):
    assert edition.survey("en") == EVERY_KIND


def test_an_edition_is_its_document(edition):
    assert edition.digest == hashlib.sha256(edition.document.encode()).hexdigest()
    assert load_edition(edition.document) == edition
    assert json.dumps(
        json.loads(edition.document), sort_keys=True, ensure_ascii=False, separators=(",", ":")
    ) == edition.document  # fmt: skip


def test_a_changed_word_makes_a_new_edition_and_a_note_does_not(edition):
    plain = build_edition(EVERY_KIND, {})
    assert plain.digest != edition.digest
    assert build_edition(replace(EVERY_KIND, title=Words("Every sort")), {}).digest != plain.digest
    assert build_edition(replace(EVERY_KIND, note="for translators"), {}).digest == plain.digest


def test_every_text_has_its_own_context():
    found = translatable_texts(EVERY_KIND)
    assert len({context for context, _, _ in found}) == len(found)
    assert ("every-kind/places/shop", "Shop", 'Answer to "Where?"') in found


def test_every_context_can_be_said():
    asked = []
    replace_texts(EVERY_KIND, lambda context, english: asked.append((context, str(english))) or Words(english))
    assert sorted(each for each in asked if each[1]) == sorted(each[:2] for each in translatable_texts(EVERY_KIND))
