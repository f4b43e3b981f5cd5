"""No glyph is missing for any text in any language. The texts are shaped, which names missing characters."""

from collections.abc import Iterator

import pytest

from engage.base.catalogs import DOMAINS, po_path, read_po_file, translation_forms
from engage.base.languages import LANGUAGES
from engage.domain.paper.typesetting.shaping import normalize_text, shape_text
from engage.questionnaire.editions import translatable_texts
from engage.questionnaire.library import shipped_surveys
from tests.domain.paper.sample import own_faces

pytestmark = pytest.mark.slow

WRITTEN = [(tag, domain) for tag in LANGUAGES for domain in DOMAINS if po_path(tag, domain).is_file()]


def assert_printable(texts: list[str], language: str) -> None:
    """Shape every word once, since a word's glyphs do not depend on adjacent words."""
    faces = own_faces(language)
    words = sorted({word for text in texts for word in normalize_text(text).split()})
    for line in map(" ".join, batched(words, 12)):
        for bold in (False, True):
            for run in shape_text(line, faces, bold, LANGUAGES[language].direction, language):
                assert all(glyph.id for cluster in run.clusters for glyph in cluster.glyphs), line


def batched(words: list[str], size: int) -> Iterator[list[str]]:
    yield from (words[start : start + size] for start in range(0, len(words), size))


@pytest.mark.parametrize(("language", "domain"), WRITTEN)
def test_every_translation_can_be_printed(language: str, domain: str) -> None:
    words = read_po_file(po_path(language, domain), LANGUAGES[language])
    assert_printable([form for message in words for form in translation_forms(message) if message.id], language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_translated_can_be_printed(language: str) -> None:
    """English texts and the names of all languages are on the pages of every language."""
    english = [text for survey in shipped_surveys() for _, text, _ in translatable_texts(survey)]
    assert_printable([*english, *(each.name for each in LANGUAGES.values())], language)
