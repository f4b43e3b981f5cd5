"""An edition: one survey and its translations, as one immutable document with a digest.

Any changed text makes a new edition, so printed sheets and figures always refer to the exact wording that families saw.
A trend over several editions is shown only for questions whose English words and choices are the same.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from gettext import NullTranslations
from typing import Any

from engage.base.catalogs import Catalogue
from engage.questionnaire.model import Choice, ImpliedCode, MeasurementScale, Question, Section, Survey, Words
from engage.questionnaire.rules import format_rule, parse_rule

FORMAT = 1
Say = Callable[[str, str], Words]


@dataclass(frozen=True, slots=True)
class Edition:
    """`document` is canonical JSON (the survey in English, translations by language and context); `digest` is its
    SHA-256."""

    digest: str
    document: str = field(compare=False, repr=False)

    def survey(self, language: str) -> Survey:
        """Return the survey in a language. A missing translation is Words in English with `.language == "en"`."""
        return _survey_in_language(self, language)

    def missing(self, language: str) -> list[str]:
        """The contexts that have no translation in a language, in survey order."""
        words = _parse_document(self)[1].get(language, {})
        return (
            []
            if language == "en"
            else [each for each, _, _ in translatable_texts(_parse_document(self)[0]) if each not in words]
        )

    @property
    def languages(self) -> list[str]:
        """English and the languages with at least one translated text."""
        return ["en", *(tag for tag, words in _parse_document(self)[1].items() if words)]


def build_edition(survey: Survey, catalogues: Mapping[str, NullTranslations]) -> Edition:
    """Build the edition of a survey and its translations. `catalogues` are the `surveys` catalogs by language tag."""
    words = {tag: _collect_translations(survey, catalogue) for tag, catalogue in catalogues.items() if tag != "en"}
    return load_edition(_canonical_json({"format": FORMAT, "survey": _survey_to_json(survey), "words": words}))


def load_edition(document: str) -> Edition:
    """Return the edition for a stored document."""
    return Edition(hashlib.sha256(document.encode()).hexdigest(), document)


def question_digest(question: Question) -> str:
    """Return a digest (64 hex digits) of what a question asks, in English: its kind, text, hint, unit, and choices, and
    how many may be marked. Since editions are immutable, that of a question in an edition never changes."""
    parts = {
        "kind": question.kind,
        "text": question.text,
        "hint": question.hint,
        "unit": question.unit,
        "choices": [[choice.code, choice.text, choice.exclusive] for choice in question.choices],
        "at_most": question.at_most,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def question_digests(edition: Edition) -> dict[str, str]:
    """Return the digest of each question of an edition, by its id."""
    return {question.id: question_digest(question) for _, question in edition.survey("en").questions()}


def comparable_questions(earlier: Edition, later: Edition) -> dict[str, bool]:
    """Return the ids of the questions in both editions, in the order of the later one, and whether they may be
    compared: whether both ask the same."""
    before, after = question_digests(earlier), question_digests(later)
    return {id: before[id] == digest for id, digest in after.items() if id in before}


def translatable_texts(survey: Survey) -> list[tuple[str, str, str]]:
    """Return every text of a survey as (context, English, note for translators), in survey order, without empty
    ones."""
    slug = survey.slug
    texts = [(slug, survey.title, survey.note), (f"{slug}//purpose", survey.purpose, "")]
    for section in survey.sections:
        texts.append((f"{slug}/{section.id}", section.title, section.note))
        texts.append((f"{slug}/{section.id}/intro", section.intro, section.note))
        for question in section.questions:
            place = f"{slug}/{question.id}"
            texts.append((place, question.text, question.note))
            texts.append((f"{place}/hint", question.hint, f'Below "{question.text}"'))
            texts.append((f"{place}//unit", question.unit, f'Beside the number in answer to "{question.text}"'))
            answer = f'Answer to "{question.text}"'
            texts += [(f"{place}/{each.code}", each.text, f"{answer} {each.note}".strip()) for each in question.choices]
    return [(context, str(english), note) for context, english, note in texts if english]


def replace_texts(survey: Survey, say: Say) -> Survey:
    """Return the survey with every text replaced by `say(context, english)`."""
    slug = survey.slug
    return replace(
        survey,
        title=say(slug, survey.title),
        purpose=say(f"{slug}//purpose", survey.purpose),
        sections=tuple(_replace_section_texts(slug, section, say) for section in survey.sections),
    )


def _replace_section_texts(slug: str, section: Section, say: Say) -> Section:
    place = f"{slug}/{section.id}"
    questions = tuple(_replace_question_texts(f"{slug}/{question.id}", question, say) for question in section.questions)
    intro = say(f"{place}/intro", section.intro)
    return replace(section, title=say(place, section.title), intro=intro, questions=questions)


def _replace_question_texts(place: str, question: Question, say: Say) -> Question:
    return replace(
        question,
        text=say(place, question.text),
        hint=say(f"{place}/hint", question.hint),
        unit=say(f"{place}//unit", question.unit),
        choices=tuple(replace(each, text=say(f"{place}/{each.code}", each.text)) for each in question.choices),
    )


def _collect_translations(survey: Survey, catalogue: NullTranslations) -> dict[str, str]:
    words = {}
    for context, english, _ in translatable_texts(survey):
        text = catalogue.pgettext(context, english)
        is_translated = catalogue.has(context, english) if isinstance(catalogue, Catalogue) else text != english
        if is_translated and text.strip():
            words[context] = text
    return words


def _canonical_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=64)
def _parse_document(edition: Edition) -> tuple[Survey, dict[str, dict[str, str]]]:
    document = json.loads(edition.document)
    return _survey_from_json(document["survey"]), document["words"]


@lru_cache(maxsize=512)
def _survey_in_language(edition: Edition, language: str) -> Survey:
    survey, words = _parse_document(edition)[0], _parse_document(edition)[1].get(language, {})

    def say(context: str, english: str) -> Words:
        return Words(words[context], language) if context in words else Words(english, "en")

    return replace_texts(survey, say)


def _survey_to_json(survey: Survey) -> dict[str, Any]:
    """Return the survey as JSON types. Defaults are left out, so that a new field does not change the digests of old
    editions."""
    return {
        **_nondefault_fields(survey, _SURVEY_FIELDS),
        **({"scales": [_scale_to_json(scale) for scale in survey.scales]} if survey.scales else {}),
        "sections": [
            {
                **_nondefault_fields(section, ("id", "title", "intro", "repeat")),
                **({"maximum": section.maximum} if section.repeat else {}),
                "questions": [_question_to_json(question) for question in section.questions],
            }
            for section in survey.sections
        ],
    }


_SURVEY_FIELDS = ("slug", "title", "purpose", "minutes", "version", "population", "identity", "sensitive")
_QUESTION_FIELDS = (
    "id", "kind", "text", "hint", "minimum", "maximum", "unit", "dont_know", "refuse",
    "at_most", "write_in_of", "element", "asks", "mirrors",
)  # fmt: skip


def _scale_to_json(scale: MeasurementScale) -> dict[str, Any]:
    reversed_items = {"reversed": list(scale.reversed)} if scale.reversed else {}
    return {"id": scale.id, "title": scale.title, "items": list(scale.items), **reversed_items}


def _question_to_json(question: Question) -> dict[str, Any]:
    plain = _nondefault_fields(question, _QUESTION_FIELDS)
    if question.shown_when is not None:
        plain["shown_when"] = format_rule(question.shown_when)
    if question.implied:
        plain["implied"] = [[each.question, each.answer, each.ed_fi] for each in question.implied]
    if question.choices:
        plain["choices"] = [_choice_to_json(choice) for choice in question.choices]
    return plain


def _choice_to_json(choice: Choice) -> dict[str, Any]:
    profiles = {"profiles": dict(choice.profiles)} if choice.profiles else {}
    return _nondefault_fields(choice, ("code", "text", "exclusive", "ed_fi")) | profiles


_DEFAULTS = {"version": 1, "population": "family"}


def _nondefault_fields(thing: Survey | Section | Question | Choice, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(thing, name) for name in names}
    return {
        name: value
        for name, value in values.items()
        if value is not None and value is not False and value != "" and value != _DEFAULTS.get(name)
    }


def _survey_from_json(plain: dict[str, Any]) -> Survey:
    sections = tuple(_section_from_json(each) for each in plain["sections"])
    scales = tuple(_scale_from_json(each) for each in plain.get("scales", ()))
    return Survey(**{**plain, **_words_by_field(plain, "title", "purpose"), "sections": sections, "scales": scales})


def _scale_from_json(plain: dict[str, Any]) -> MeasurementScale:
    return MeasurementScale(plain["id"], plain["title"], tuple(plain["items"]), tuple(plain.get("reversed", ())))


def _section_from_json(plain: dict[str, Any]) -> Section:
    questions = tuple(_question_from_json(each) for each in plain["questions"])
    return Section(**{**plain, **_words_by_field(plain, "title", "intro"), "questions": questions})


_IGNORED_FIELDS = frozenset({"dont_know_ed_fi", "skipped_ed_fi"})
"""Fields of questions in old editions that were wrong, so that nothing is derived from them."""


def _question_from_json(plain: dict[str, Any]) -> Question:
    rule = parse_rule(plain["shown_when"]) if "shown_when" in plain else None
    fields = {name: value for name, value in plain.items() if name not in _IGNORED_FIELDS}
    lists = {
        "choices": tuple(_choice_from_json(each) for each in plain.get("choices", ())),
        "implied": tuple(ImpliedCode(*each) for each in plain.get("implied", ())),
    }
    return Question(**{**fields, **_words_by_field(plain, "text", "hint", "unit"), "shown_when": rule, **lists})


def _choice_from_json(plain: dict[str, Any]) -> Choice:
    profiles = tuple(plain.get("profiles", {}).items())
    return Choice(**{**plain, **_words_by_field(plain, "text"), "profiles": profiles})


def _words_by_field(plain: dict[str, Any], *names: str) -> dict[str, Words]:
    return {name: Words(plain.get(name, "")) for name in names}
