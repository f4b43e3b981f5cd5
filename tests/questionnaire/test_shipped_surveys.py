"""The shipped surveys: easy to read, short, balanced, and consistent with the standard they export to."""

import re

import pytest

from engage.base.catalogs import survey_catalogues
from engage.questionnaire.answers import assemble_answers
from engage.questionnaire.editions import build_edition, load_edition, translatable_texts
from engage.questionnaire.library import earlier_surveys, shipped_survey, shipped_surveys, survey_files
from engage.questionnaire.numbering import question_numbers
from engage.questionnaire.question_types import answer_boxes
from engage.questionnaire.routing import slots_on_route
from tests.paths import ROOT
from tests.questionnaire.answering_time import SLOW, SPEEDS, seconds_to_answer
from tests.questionnaire.reading_grade import grade, syllables

SURVEYS_PAGE = (ROOT / "docs" / "surveys.md").read_text("utf-8")
SURVEYS = {survey.slug: survey for survey in shipped_surveys()}

# Ed-Fi Data Standard 5.2, copied from its descriptor files, not from our code.
ED_FI = {
    "InternetAccessInResidence": {"true", "false"},
    "BarrierToInternetAccessInResidence": {"Not Available", "Not Affordable", "Not Desired", "Other"},
    "InternetAccessTypeInResidence": {
        "Residential Broadband", "Cellular Network", "Hot Spot", "Community Provided Wi-Fi", "Satellite", "Dial-up",
        "Other", "None", "Unknown",
    },
    "InternetPerformanceInResidence": {"Yes", "Sometimes", "No"},
    "PrimaryLearningDeviceAwayFromSchool": {
        "Desktop Computer", "Laptop Computer", "Tablet", "Chromebook", "Smartphone", "None", "Other",
    },
    "PrimaryLearningDeviceAccess": {"Shared", "Not Shared", "Unknown"},
    "PrimaryLearningDeviceProvider": {"Personal", "School", "Other"},
}  # fmt: skip


def questions(survey):
    return [question for _, question in survey.questions()]


@pytest.fixture(params=SURVEYS)
def survey(request):
    return SURVEYS[request.param]


@pytest.mark.parametrize(
    ("word", "count"),
    [
        *dict.fromkeys(["home", "helped", "shared", "used", "time", "school", "times"], 1).items(),
        *dict.fromkeys(["wanted", "table", "device", "language", "places", "oldest", "answers", "people"], 2).items(),
        *dict.fromkeys(["family", "computer", "library", "satellite", "video"], 3).items(),
        *dict.fromkeys(["technology", "interpreter", "community"], 4).items(),
    ],
)
def test_the_syllable_counter_counts(word, count):
    assert syllables(word) == count


def test_the_grade_is_the_published_formula():
    assert grade("The cat sat on the mat.") == pytest.approx(0.39 * 6 + 11.8 - 15.59)
    assert grade("The implementation necessitates comprehensive organizational transformation.") > 20


def test_files_are_named_after_their_slugs():
    assert list(survey_files()) == list(SURVEYS) == [
        "broker-debrief", "educator-beliefs", "family-beliefs", "home-access", "pulse", "student-voice",
        "supports-and-needs",
    ]  # fmt: skip
    with pytest.raises(KeyError, match="family-beliefs"):
        shipped_survey("../secrets")
    assert [(each.slug, each.version) for each in earlier_surveys()] == [("family-beliefs", 1), ("home-access", 1)]
    assert shipped_survey("home-access", version=1) in earlier_surveys()
    with pytest.raises(KeyError, match="version 7"):
        shipped_survey("home-access", version=7)


def test_the_whole_survey_reads_at_grade_6_or_below(survey):
    texts = [
        survey.title,
        survey.purpose,
        *(text for section in survey.sections for text in (section.title, section.intro)),
    ]
    texts += [text for question in questions(survey) for text in (question.text, question.hint)]
    assert grade("\n".join(text for text in texts if text)) <= 6
    assert grade("\n".join(["Yes", *(choice.text for each in questions(survey) for choice in each.choices)])) <= 6


def test_every_question_reads_at_grade_6_or_below_as_the_documents_say(survey):
    grades = {each.id: grade(f"{each.text}\n{each.hint}") for each in questions(survey)}
    assert {id: found for id, found in grades.items() if found > 6} == {}
    assert grade(survey.purpose) <= 8
    listed = dict(re.findall(r"^\| `(\w+)`[^|]*\| ([\d.-]+) \|", _section(survey.slug), re.MULTILINE))
    assert {id: f"{grades[id]:.1f}" for id in listed} == listed
    assert {each.id for each in questions(survey) if each.construct} == set(listed)


def _section(slug: str) -> str:
    """The part of docs/surveys.md about the items of a survey."""
    return SURVEYS_PAGE.partition(f"\n### {slug}\n")[2].partition("\n### ")[0].partition("\n## ")[0]


def test_the_minutes_are_enough(survey):
    """For a slow reader of English with two children, within a quarter of a minute."""
    assert survey.minutes <= 5
    assert seconds_to_answer(survey) <= 60 * (survey.minutes + 0.25)


@pytest.mark.parametrize("tag", SPEEDS)
def test_an_average_reader_needs_five_minutes_at_most_as_the_documents_say(survey, tag):
    translated = build_edition(survey, survey_catalogues()).survey(tag)
    average, slow = (seconds_to_answer(translated, tag, pace=pace) / 60 for pace in (1.0, SLOW))
    assert average <= 5
    [row] = re.findall(rf"^\| `{survey.slug}` ((?:\| [\d.]+ / [\d.]+ ){{4}})\|$", SURVEYS_PAGE, re.MULTILINE)
    assert row.strip("| ").split(" | ")[list(SPEEDS).index(tag)] == f"{average:.1f} / {slow:.1f}"


def test_a_page_holds_at_most_eight_questions(survey):
    assert all(1 <= len(section.questions) <= 8 for section in survey.sections)


def test_one_key_on_paper_is_one_digit_where_it_can_be(survey):
    assert all(len(answer_boxes(question)) <= 12 for question in questions(survey) if question.id != "grade")


def test_questions_ask_and_never_agree_or_deny(survey):
    for question in questions(survey):
        if question.kind == "words":
            continue
        assert question.text.endswith("?"), question.id
        assert not re.search(r"\b(agree|disagree|not|never|no longer|n't)\b", question.text), question.id
        assert question.text.count("?") == 1


def test_scales_have_five_labeled_points(survey):
    scales = [question for question in questions(survey) if question.kind == "scale"]
    assert {len(question.choices) for question in scales} <= {5}
    assert all(not question.refuse for question in scales), "leaving an opinion blank is enough"


def test_no_label_of_a_scale_stands_for_two_positions():
    """In all surveys together, a reader learns each word once."""
    positions: dict[str, set[int]] = {}
    for survey in SURVEYS.values():
        for question in questions(survey):
            if question.kind == "scale":
                for place, choice in enumerate(question.choices):
                    positions.setdefault(choice.text, set()).add(place)
    assert {text: found for text, found in positions.items() if len(found) > 1} == {}


def test_every_item_says_what_it_measures_and_which_need_it_answers(survey):
    needs = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "surveys.md").read_text("utf-8"), re.MULTILINE))
    for question in questions(survey):
        if question.shown_when is None or question.kind != "words":  # not of the words for "Something else"
            assert question.construct, question.id
            assert question.source, question.id
            assert question.needs, question.id
            assert set(question.needs) <= needs, question.id


def test_a_mirrored_item_has_the_scale_words_of_the_other():
    for survey in SURVEYS.values():
        for question in questions(survey):
            if question.mirrors:
                slug, _, id = question.mirrors.partition("/")
                other = SURVEYS[slug].question(id)
                if question.kind == "scale":
                    assert [(c.code, c.text) for c in question.choices] == [(c.code, c.text) for c in other.choices]
                else:
                    assert [c.code for c in question.choices] == [c.code for c in other.choices]


def test_each_survey_is_for_its_people_and_kept_apart_as_it_says():
    assert {survey.slug: (survey.population, survey.identity) for survey in SURVEYS.values()} == {
        "broker-debrief": ("liaison", None),
        "educator-beliefs": ("educator", "anonymous"),
        "family-beliefs": ("family", "anonymous"),
        "home-access": ("family", None),
        "pulse": ("family", "anonymous"),
        "student-voice": ("student", "anonymous"),
        "supports-and-needs": ("family", "confidential"),
    }


def test_home_access_asks_per_child_and_hears_questions_and_needs():
    survey = SURVEYS["home-access"]
    assert [section.id for section in survey.sections if section.repeat] == ["child"]
    assert (survey.question("children").minimum, survey.question("children").maximum) == (0, 20)
    assert {each.id: each.asks for each in questions(survey) if each.asks} == {
        "help_needed": "help",
        "question": "question",
    }


def test_home_access_has_the_codes_of_ed_fi():
    found = {}
    for question in questions(SURVEYS["home-access"]):
        if question.element:
            codes = [choice.ed_fi for choice in question.choices] + [each.ed_fi for each in question.implied]
            assert None not in codes, question.id
            assert question.element not in found
            found[question.element] = set(codes)
    assert found == ED_FI | {"PrimaryLearningDeviceAccess": {"Shared", "Not Shared"}}


def test_owner_and_sharing_are_asked_only_about_a_device():
    survey = SURVEYS["home-access"]
    answers, _ = assemble_answers(
        survey, {"children": ["2"], "child.1.main_device": ["none"], "child.2.main_device": ["phone"]}
    )
    met = [slot.key for slot in slots_on_route(survey, answers) if slot.block]
    assert met == [
        "child.1.grade", "child.1.main_device",
        "child.2.grade", "child.2.main_device", "child.2.owner", "child.2.sharing", "child.2.enough",
    ]  # fmt: skip


def test_every_question_and_choice_has_a_note_for_translators(survey):
    assert [question.id for question in questions(survey) if not question.note] == []
    assert all(
        note for context, _, note in translatable_texts(survey) if re.fullmatch(r"[^/]+/[^/]+/(?!intro)[^/]+", context)
    )


def test_the_words_for_something_else_have_the_number_of_their_question():
    numbers = question_numbers(SURVEYS["family-beliefs"])
    assert (numbers["trusted_people"], numbers["trusted_people_other"], numbers["reach_by"]) == (4, 4, 5)
    survey = SURVEYS["family-beliefs"]
    assert load_edition(build_edition(survey, {}).document).survey("en").question("trusted_people_other").write_in_of
