"""The two shipped surveys: easy to read, short, and consistent with the standard they export to."""

import re

import pytest

from engage.questionnaire.answers import assemble_answers
from engage.questionnaire.editions import translatable_texts
from engage.questionnaire.library import shipped_survey, shipped_surveys, survey_files
from engage.questionnaire.question_types import answer_boxes
from engage.questionnaire.routing import slots_on_route
from tests.questionnaire.reading_grade import grade, syllables

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
    assert list(survey_files()) == ["family-beliefs", "home-access"] == list(SURVEYS)
    with pytest.raises(KeyError, match="family-beliefs"):
        shipped_survey("../secrets")


def test_the_whole_survey_reads_at_grade_6_or_below(survey):
    texts = [
        survey.title,
        survey.purpose,
        *(text for section in survey.sections for text in (section.title, section.intro)),
    ]
    texts += [text for question in questions(survey) for text in (question.text, question.hint)]
    assert grade("\n".join(text for text in texts if text)) <= 6
    assert grade("\n".join(choice.text for question in questions(survey) for choice in question.choices)) <= 6


def test_every_question_reads_at_grade_8_or_below(survey):
    grades = {each.id: grade(f"{each.text}\n{each.hint}") for each in questions(survey)}
    assert {id: found for id, found in grades.items() if found > 8} == {}
    assert grade(survey.purpose) <= 8


def test_five_minutes_are_enough(survey):
    # A slow reader of 150 words a minute, 4 s to decide on a box, 40 s for half of the open questions; three children.
    blocks = 3
    seconds = 0.0
    for section, question in survey.questions():
        words = len(
            re.findall(r"\w+", " ".join([question.text, question.hint, *(each.text for each in question.choices)]))
        )
        once = words / 150 * 60 + (20 if question.kind == "long_words" else 4)
        seconds += once * (blocks if section.repeat else 1)
    assert survey.minutes <= 5
    assert seconds <= 60 * survey.minutes


def test_a_page_holds_at_most_eight_questions(survey):
    assert all(1 <= len(section.questions) <= 8 for section in survey.sections)


def test_one_key_on_paper_is_one_digit_where_it_can_be(survey):
    assert all(len(answer_boxes(question)) <= 12 for question in questions(survey))


def test_questions_ask_and_never_agree_or_deny(survey):
    for question in questions(survey):
        assert question.text.endswith("?"), question.id
        assert not re.search(r"\b(agree|disagree|not|never|no longer|n't)\b", question.text), question.id
        assert question.text.count("?") == 1


def test_scales_have_five_labelled_points_in_order():
    scales = [question for question in questions(SURVEYS["family-beliefs"]) if question.kind == "scale"]
    assert len(scales) == 10
    assert {len(question.choices) for question in scales} == {5}


def test_family_beliefs_covers_what_it_is_for():
    found = questions(SURVEYS["family-beliefs"])
    assert len([each for each in found if each.kind not in ("long_words", "note")]) == 12
    assert [each.id for each in found if each.kind == "long_words"] == ["hope", "worry", "question"]
    assert {each.id: each.asks for each in found if each.asks} == {"question": "question"}


def test_home_access_asks_per_child_and_hears_questions_and_needs():
    survey = SURVEYS["home-access"]
    assert [section.id for section in survey.sections if section.repeat] == ["child"]
    assert (survey.question("children").minimum, survey.question("children").maximum) == (0, 20)
    assert {each.id: each.asks for each in questions(survey) if each.asks} == {
        "help_wanted": "help",
        "question": "question",
    }


def test_home_access_maps_one_to_one_to_ed_fi():
    found = {}
    for question in questions(SURVEYS["home-access"]):
        if question.element:
            codes = [choice.ed_fi for choice in question.choices]
            codes += [code for code in (question.dont_know_ed_fi, question.skipped_ed_fi) if code]
            assert None not in codes, question.id
            assert len(set(codes)) == len(codes), question.id
            assert question.element not in found
            found[question.element] = set(codes)
    assert found == ED_FI


def test_unknown_is_what_a_family_does_not_know():
    survey = SURVEYS["home-access"]
    for question in questions(survey):
        knows_unknown = "Unknown" in ED_FI.get(question.element, ())
        assert (question.dont_know_ed_fi == "Unknown") is knows_unknown
        assert question.dont_know or not question.element


def test_type_none_follows_from_no_internet():
    survey = SURVEYS["home-access"]
    answers, _ = assemble_answers(survey, {"children": ["1"], "internet": ["no"], "internet_kind": ["satellite"]})
    assert "internet_kind" not in {slot.key for slot in slots_on_route(survey, answers)}
    assert survey.question("internet_kind").skipped_ed_fi == "None"


def test_owner_and_shared_are_asked_only_about_a_device():
    survey = SURVEYS["home-access"]
    answers, _ = assemble_answers(survey, {"children": ["2"], "child.1.device": ["none"], "child.2.device": ["phone"]})
    met = [slot.key for slot in slots_on_route(survey, answers) if slot.block]
    assert met == ["child.1.device", "child.2.device", "child.2.owner", "child.2.shared"]


def test_every_question_and_choice_has_a_note_for_translators(survey):
    assert [question.id for question in questions(survey) if not question.note] == []
    assert all(
        note for context, _, note in translatable_texts(survey) if re.fullmatch(r"[^/]+/[^/]+/(?!intro)[^/]+", context)
    )
