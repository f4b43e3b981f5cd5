"""What families are told before a survey of students, in every language (20 U.S.C. 1232h(c)(2))."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date

import pytest

from engage.base.catalogs import catalogue, survey_catalogues
from engage.base.languages import LANGUAGES
from engage.questionnaire.editions import Edition, build_edition
from engage.questionnaire.library import shipped_survey
from engage.services.waves.family_notice import FamilyNotice, NoticeFacts, build_family_notice
from engage.services.waves.screening import AREAS, NONE

VOICE = build_edition(shipped_survey("student-voice"), survey_catalogues())
UNPROTECTED = {question.id: NONE for _, question in VOICE.survey("en").questions()}
FACTS = NoticeFacts(
    district="Riverbend Public Schools",
    phone="(555) 010-0142",
    schools=("Lincoln Elementary", "Harbor Middle School"),
    opens=date(2026, 11, 2),
    closes=date(2026, 11, 20),
    say_no_by=date(2026, 11, 1),
    reading_address="https://survey.example/en/w/voice/read",
    english_title="What school is like for you",
    areas=UNPROTECTED,
)
DAYS = {  # first day, last day, day to say no, as the languages write them
    "en": ("November 2, 2026", "November 20, 2026", "November 1, 2026"),
    "es": ("2 de noviembre de 2026", "20 de noviembre de 2026", "1 de noviembre de 2026"),
    "ar": ("2 نوفمبر 2026", "20 نوفمبر 2026", "1 نوفمبر 2026"),
    "so": ("Noofeembar 2, 2026", "Noofeembar 20, 2026", "Noofeembar 1, 2026"),
    "vi": ("2 tháng 11, 2026", "20 tháng 11, 2026", "1 tháng 11, 2026"),
    "zh-Hans": ("2026年11月2日", "2026年11月20日", "2026年11月1日"),
}


def notice(language: str = "en", edition: Edition = VOICE, **facts: object) -> FamilyNotice:
    return build_family_notice(edition.survey(language), replace(FACTS, **facts), catalogue(language), language)


def texts(content: object) -> Iterator[str]:
    """Yield every text of a notice."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, tuple):
        for each in content:
            yield from texts(each)
    elif is_dataclass(content):
        for each in fields(content):
            yield from texts(getattr(content, each.name))


def joined(content: object) -> str:
    """Return all texts without marks of direction."""
    return "\n".join(texts(content)).translate(dict.fromkeys(range(0x2066, 0x206A))).replace("\u00a0", " ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_has_every_question_and_choice_in_order(language: str) -> None:
    listed = [(each.text, each.choices) for part in notice(language).parts for each in part.questions]
    survey = VOICE.survey(language)
    wanted = [(each.text, tuple(choice.text for choice in each.choices)) for _, each in survey.questions()]
    assert listed == wanted
    assert len(listed) == 16


def test_questions_have_the_numbers_of_the_pages() -> None:
    numbers = [each.number for part in notice().parts for each in part.questions]
    assert numbers == [*range(1, 15), 14, 15]  # the words for "Something else" have the number of their question


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_what_the_law_asks_for(language: str) -> None:
    content, survey = notice(language), VOICE.survey(language)
    said = joined(content)
    for day in DAYS[language]:
        assert day in said
    assert DAYS[language][2] in joined(content.opening)
    assert DAYS[language][2] in joined(content.slip.heading)
    for text in (survey.title, survey.purpose, *FACTS.schools, FACTS.phone, FACTS.district, FACTS.reading_address):
        assert text in said
    assert survey.title in joined(content.slip.statement)


def test_it_says_that_it_is_voluntary_and_anonymous_and_that_saying_no_changes_nothing() -> None:
    said = joined(notice())
    assert "No student has to take part." in said
    assert "The survey is anonymous. We do not store a student's name or class with the answers." in said
    assert "Saying no has no effect on your child's grades or services." in said
    assert "If you do not say no, your child will be asked, and can still choose not to answer." in said


def test_it_never_asks_for_consent() -> None:
    """A survey that needs written consent is not opened."""
    assert "consent" not in joined(notice(areas=UNPROTECTED | {"listening": "religion"})).lower()


@pytest.mark.parametrize("language", [tag for tag in LANGUAGES if tag != "en"])
def test_no_sentence_is_left_in_english(language: str) -> None:
    slip = notice(language).slip
    may_stay = {"", FACTS.reading_address, *(joined(gloss) for _, gloss in (slip.statement, *slip.fields))}
    assert set(joined(notice(language)).split("\n")) & set(joined(notice()).split("\n")) <= may_stay


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_protected_area_is_named_in_plain_words(area: str, language: str) -> None:
    named = catalogue(language).gettext(AREAS[area])
    content = notice(language, areas=UNPROTECTED | {"listening": area, "change_or_keep": area})
    assert [line for line in content.questions.items if named in line] == list(content.questions.items)
    assert len(content.questions.items) == 2
    marked = {each.number: each.area for part in content.parts for each in part.questions if each.area}
    assert marked.keys() == {6, 15}
    assert all(named in sentence for sentence in marked.values())
    others = [catalogue(language).gettext(each) for each in AREAS.values()]
    assert [each for each in others if each in joined(content)] == [named]


def test_without_a_protected_area_it_says_so() -> None:
    content = notice()
    assert "We checked each question. None of them is about one of these areas." in joined(content.questions)
    assert [each.area for part in content.parts for each in part.questions] == [""] * 16


def test_an_undecided_question_is_not_called_checked() -> None:
    content = notice(areas={id: area for id, area in UNPROTECTED.items() if id != "listening"})
    assert content.questions.paragraphs == ()
    marked = {each.number: each.area for part in content.parts for each in part.questions if each.area}
    assert marked.keys() == {6}
    assert marked[6].startswith("Nobody has checked yet")


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_phone_the_office_is_named_only(language: str) -> None:
    said = joined(notice(language, phone=""))
    assert "%(" not in said
    assert len(said) < len(joined(notice(language)))
    if language == "en":
        assert "tell your school's office by November 1, 2026." in said
        assert "call" not in said.replace("called", "")


def test_all_schools_are_not_listed() -> None:
    assert "Students of all schools of the district are asked." in joined(notice(schools=()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_office_can_read_the_slip(language: str) -> None:
    slip = notice(language).slip
    english = [joined(gloss) for _, gloss in (slip.statement, *slip.fields)]
    if language == "en":
        assert english == [""] * 5
        return
    assert english[0] == "I do not want my child to take part in the survey “What school is like for you”."
    assert english[1:] == ["Student's name", "School", "Signature of a parent or guardian", "Today's date"]
    assert {gloss.language for _, gloss in (slip.statement, *slip.fields)} == {"en"}


def test_a_name_cannot_turn_a_sentence_around() -> None:
    said = "\n".join(texts(notice("ar", district="River\u202ebend\u2069\nSchools", schools=("\u2067Lincoln",))))
    assert "\u2068Riverbend Schools\u2069" in said
    assert "\u202e" not in said
    assert "\u2067" not in said
    assert said.count("\u2069") == said.count("\u2068") + said.count("\u2066")
