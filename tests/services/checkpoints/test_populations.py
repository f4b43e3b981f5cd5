"""Figures of educators, students, and liaisons: what is shown, and that every output says whose answers they are."""

import csv
import io
import json
import re
from collections import Counter
from datetime import date
from gettext import NullTranslations
from types import SimpleNamespace

import openpyxl
import pytest
from statsmodels.stats.proportion import proportion_confint

from engage.base.catalogs import catalogue
from engage.questionnaire.library import shipped_survey
from engage.services.checkpoints.coverage_wording import participation_text
from engage.services.checkpoints.discussion_guide import discussion_prompts
from engage.services.checkpoints.least_heard import least_heard_prompts
from engage.services.checkpoints.meeting_packet import packet_blocks, reading_notes, suppression_note
from engage.services.checkpoints.outputs import (
    build_json,
    count_figures,
    render_csv,
    render_html,
    render_pdf,
    render_xlsx,
)
from engage.services.checkpoints.planning import create_checkpoint
from engage.services.checkpoints.report import build_report
from engage.services.checkpoints.report_parts import GroupCoverage, ReportPart
from engage.services.checkpoints.wording import FigureWording
from engage.storage.engine import write_session
from engage.storage.models.checkpoints import Checkpoint
from tests.answering import ANSWERED, SCHOOLS, a_survey_of, a_wave_of, draw_answers, recount
from tests.sites.district.test_same_numbers import words_of

SAID = FigureWording("en", NullTranslations())
AUDIENCES = ("leaders", "public")
PEOPLE = ("educator", "student")
LEAST = 10  # people
FAMILIES = re.compile(r"famil|household", re.IGNORECASE)
ABOUT_FAMILIES = (  # sentences that are about families, though families did not answer
    "Each student in grades 3 to 12 can answer once, with a slip. Families can say no.",
    "Students whose families said no are counted too.",
    "Families and the public",
)


@pytest.fixture
def counted(engine, settings, today):
    """Returns the figures of a checkpoint over waves of these populations, and its report for an audience."""

    def count(*populations, answers=None):
        with write_session(engine) as session:
            waves = [a_wave_of(session, each, (answers or {}).get(each)).id for each in populations]
            made = create_checkpoint(session, "Fall", date(2026, 10, 20), waves, NullTranslations())
            document = count_figures(session, made, settings.data_dir, today)
            session.commit()
            id = made.id

        def report(audience="leaders", language="en"):
            with write_session(engine) as session:
                return build_report(session, session.get(Checkpoint, id), document, audience, language)

        return document, report

    return count


def outputs(report, document):
    """Return the text of every output of a report, by format."""
    book = openpyxl.load_workbook(io.BytesIO(render_xlsx(report, SAID)))
    cells = [str(cell.value) for sheet in book for line in sheet.iter_rows() for cell in line if cell.value is not None]
    return {
        "packet": "\n".join(words for block in packet_blocks(report, SAID) for words in texts(block)),
        "html": render_html(report, SAID).partition("<body>")[2],
        "csv": render_csv(report, SAID).decode("utf-8-sig"),
        "xlsx": "\n".join([*book.sheetnames, *cells]),
        "json": json.dumps(build_json(report, document)),
    }


def texts(block):
    """Return all texts in a block."""
    if isinstance(block, str):
        return [block]
    return [words for each in block for words in texts(each)] if isinstance(block, (list, tuple)) else []


def without(text, *sentences):
    for each in sentences:
        text = text.replace(each, "")
    return text


@pytest.mark.parametrize("population", ["educator", "student", "liaison"])
def test_no_output_calls_others_families(counted, population):
    document, report = counted(population)
    for audience in AUDIENCES:
        for kind, text in outputs(report(audience), document).items():
            assert not FAMILIES.findall(without(text, *ABOUT_FAMILIES).replace("at-school-", "")), (audience, kind)


@pytest.mark.parametrize(
    ("population", "said"),
    [
        ("family", ["55 of the 55 families who took part answered this.", "Households", "Not every family answered."]),
        (
            "educator",
            ["55 of the 55 educators who took part answered this.", "Teachers on the roster", "Not every educator"],
        ),
        ("student", ["55 of the 55 students who took part answered this.", "Students", "Not every student answered."]),
    ],
)
def test_every_packet_says_who_answered(counted, population, said):
    words = words_of(render_pdf(counted(population)[1](), SAID, "Riverbend"))
    assert [each for each in said if "".join(each.split()) not in words] == []


@pytest.mark.parametrize("population", PEOPLE)
def test_no_number_of_fewer_than_ten_people_is_shown(counted, population):
    """Counted again from the answers, for leaders too: every number by school is of ten people or more, and true. Zeros
    are shown everywhere."""
    answers = draw_answers(population)
    document, report = counted(population)
    sizes, seen = Counter(each.school for each in answers), set()
    for audience in AUDIENCES:
        made = build_json(report(audience), document)
        for row in made["rows"]:
            told = recount(answers, row["question"], "school", row["group"])
            if row["group"] is not None and (row["base"] is not None or row["count"]):
                assert sizes[row["group"]] >= LEAST, row
                seen.add(row["group"])
            if row["count"] and row["answer"] in ("yes", "no", "badly", "fairly", "well"):
                assert row["count"] == told[row["answer"]] >= LEAST, row
        (wave,) = made["waves"]
        shown = {school: number for school, number in wave["responses"]["school"].items() if number is not None}
        assert all(number == sizes[school] >= LEAST for school, number in shown.items())
        assert wave["minimum"] == LEAST
    assert seen == {"cedar", "lincoln"}  # one more is hidden, so that the small one cannot be worked out


def test_leaders_see_smaller_schools_of_families(counted):
    """The test above would find a school that is too small."""
    document, report = counted("family", answers={"family": draw_answers("educator")})
    rows = build_json(report(), document)["rows"]
    assert {row["group"] for row in rows if row["breakdown"] == "school" and row["base"] is not None} == {*ANSWERED}


@pytest.mark.parametrize("population", [*PEOPLE, "liaison"])
@pytest.mark.parametrize("audience", AUDIENCES)
def test_others_have_no_figures_by_language_or_way_of_answering(counted, population, audience):
    document, make_report = counted(population)
    report = make_report(audience)
    made = outputs(report, document)
    (wave,) = (wave for wave in json.loads(made["json"])["waves"])
    assert set(wave["responses"]) == {"all", "school"}
    assert set(wave["roster"]) <= {"all", "school", "counting", "asked"}
    assert {row["breakdown"] for row in json.loads(made["json"])["rows"]} <= {"all", "school"}
    assert {line["Breakdown"] for line in csv.DictReader(io.StringIO(made["csv"]))} <= {"all", "school"}
    assert [name for part in report.parts for name in part.coverage] == ["all", "school"]
    for kind, text in made.items():
        assert not re.search(r"spanish|by language|phone or computer", text.lower()), kind


@pytest.mark.parametrize("population", ["family", "educator", "student", "liaison"])
def test_no_heading_or_table_is_empty(counted, population):
    blocks = [block for block in packet_blocks(counted(population)[1](), SAID) if block[0] != "page"]
    tables = [block for block in blocks if block[0] == "table"]
    assert tables
    assert all(rows and header[0] for _, header, rows, _ in tables)
    for block, after in zip(blocks, [*blocks[1:], ("end",)], strict=True):
        if block[0] == "heading":
            assert after[0] != "end"
            assert after[0] != "heading" or after[1] > block[1], block  # something of its own stands under it


@pytest.mark.parametrize("number", [0, 4])
def test_a_breakdown_without_groups_is_left_out(counted, number):
    _, report = counted("educator", "family", answers=dict.fromkeys(("educator", "family"), few_answers(number)))
    for audience in AUDIENCES:
        made = report(audience)
        assert [each for part in made.parts for each in part.coverage.values() if not each] == []
        educators = made.parts[0]
        assert set(educators.coverage) <= {"all", "school"}
        tables = [block for block in packet_blocks(made, SAID) if block[0] == "table"]
        assert all(rows for _, _, rows, _ in tables)


def few_answers(number):
    return draw_answers("educator", {"lincoln": number})


def test_a_checkpoint_of_families_and_educators_keeps_them_apart(counted):
    document, report = counted("family", "educator")
    leaders, made = report(), build_json(report(), document)
    assert [(part.population, leaders.minimum_of(part)) for part in leaders.parts] == [("educator", 10), ("family", 5)]
    assert {(wave["population"], wave["minimum"], "households" in wave) for wave in made["waves"]} == {
        ("family", 5, True),
        ("educator", 10, False),
    }
    lines = list(csv.DictReader(io.StringIO(render_csv(leaders, SAID).decode("utf-8-sig"))))
    assert {(line["Survey"], line["Counted"]) for line in lines} == {("family", "families"), ("educator", "educators")}
    hidden = {line["Survey"]: line["As shown"] for line in lines if line["As shown"].startswith("hidden")}
    assert hidden == {"family": "hidden to protect families", "educator": "hidden to protect educators"}
    (first, *_), said = reading_notes(leaders, SAID), "\n".join(reading_notes(leaders, SAID))
    assert first == "For each percent, we count only those who answered the question."
    assert "Not everyone answered." in said
    assert "fewer than 5 families, or from fewer than 10 educators or students, we hide it" in said
    assert "fewer than 10 families, or from fewer than 10 educators" in "\n".join(reading_notes(report("public"), SAID))
    asked = [each for each in discussion_prompts(leaders, SAID) if each.startswith("What would")]
    assert [each.split()[2] for each in asked] == ["educators", "families"]


def a_report(*populations, minimum=5):
    """Return a report of surveys that these populations answered."""
    parts = [a_part(each) for each in populations]
    return SimpleNamespace(
        minimum=minimum,
        schools=SCHOOLS,
        populations=tuple(dict.fromkeys(populations)),
        parts=parts,
        minimum_of=lambda part: part.minimum or minimum,
    )


def a_part(population, everybody=(45, 60), schools=(), counting=None):
    """Return a survey for which these numbers (answers, people on the roster) of all and of schools are published."""
    day = date(2026, 9, 1)
    coverage = {"all": (GroupCoverage(None, *everybody),)}
    if schools:
        coverage["school"] = tuple(GroupCoverage(code, *numbers) for code, numbers in dict(schools).items())
    counting = counting or {"family": "family", "liaison": ""}.get(population, population)
    survey = a_survey_of(population)
    minimum = 0 if population == "family" else 10
    return ReportPart("w", survey, day, day, None, counting, "", coverage, (), population=population, minimum=minimum)


@pytest.mark.parametrize(
    ("populations", "said"),
    [
        (("family",), "fewer than 5 families, we hide"),
        (("educator",), "fewer than 10 educators, we hide"),
        (("student",), "fewer than 10 students, we hide"),
        (("student", "educator"), "fewer than 10 people, we hide"),
        (("family", "student"), "fewer than 5 families, or from fewer than 10 educators or students, we hide"),
        (("family", "liaison"), "fewer than 5 families, we hide"),
        (("liaison",), "We do not show a number of debriefs below 10."),
        ((), "fewer than 5 families, we hide"),
    ],
)
def test_a_report_says_from_how_many_people_on_numbers_are_shown(populations, said):
    assert said in suppression_note(a_report(*populations), SAID)


def test_each_survey_says_it_for_its_own():
    report = a_report("family", "educator", "student", "liaison")
    said = [suppression_note(report, SAID, part).partition(" we ")[0] for part in report.parts]
    assert [re.findall(r"\d+ \w+|below \d+", each) for each in said[:3]] == [
        ["5 families"],
        ["10 educators"],
        ["10 students"],
    ]
    assert suppression_note(report, SAID, report.parts[3]) == "We do not show a number of debriefs below 10."


@pytest.mark.parametrize(
    ("population", "everybody", "said"),
    [
        ("family", (45, 60), "45 of 60 families took part."),
        ("educator", (45, None), "45 educators took part."),
        (
            "educator",
            (45, 60),
            "45 educators took part. These schools have 60 teachers; aides and others may answer too.",
        ),
        ("educator", (75, 60), "75 educators took part."),
        ("educator", (None, 60), "We do not show how many educators took part, to protect them."),
        ("student", (45, 60), "45 of 60 students took part."),
        ("student", (None, 60), "We do not show how many students took part, to protect them."),
        ("liaison", (12, None), "Community liaisons wrote 12 debriefs."),
        ("liaison", (None, None), "We do not show a number of debriefs below 10."),
    ],
)
def test_families_read_who_took_part(population, everybody, said):
    assert participation_text(a_part(population, everybody), a_report(population), SAID) == said


@pytest.mark.parametrize(
    ("population", "counting", "heading", "rule"),
    [
        ("family", "", "Households", ""),
        ("family", "student", "Students", "Each student is counted once."),
        ("student", "student", "Students", " ".join(ABOUT_FAMILIES[:2])),
        ("student", "", "Students", ABOUT_FAMILIES[0]),
        (
            "educator",
            "educator",
            "Teachers on the roster",
            "Each educator can answer once, with a code from the school's pile. The roster counts teachers; aides and "
            "others may answer too.",
        ),
        (
            "educator",
            "",
            "Teachers on the roster",
            "Each educator can answer once, with a code from the school's pile.",
        ),
        ("liaison", "", "", "Liaisons write one debrief after each event."),
    ],
)
def test_the_rule_is_that_of_the_population(population, counting, heading, rule):
    said = SAID.of(population)
    assert (said.counted(counting), said.rule(counting, "everyone")) == (heading, rule)


def prompts(population, schools):
    part = a_part(population, schools=schools)
    return list(least_heard_prompts(part, a_report(population), SAID.of(population)))


def test_the_school_with_the_lowest_share_is_discussed():
    schools = {"cedar": (14, 40), "lincoln": (23, 30), "oak": (12, 11), "pine": (None, 8), "mul": (10, 90)}
    (educators,), (students,) = prompts("educator", schools), prompts("student", schools)
    assert (
        "at Cedar Hill, the number of answers is 35% of the number of teachers on the roster (14 of 40)." in educators
    )
    assert "of the students at Cedar Hill, 35% answered (14 of 40). What would the others add?" in students
    assert prompts("educator", {"lincoln": (30, 30), "pine": (None, 8)}) == []
    assert prompts("student", {}) == []
    assert prompts("liaison", {"lincoln": (14, None)}) == []


def test_a_school_where_nobody_answered_is_discussed_first():
    assert "at Cedar Hill, 0% answered (0 of 40)" in prompts("student", {"cedar": (0, 40), "lincoln": (23, 30)})[0]


def test_ranges_of_educators_leave_the_number_of_teachers_out(counted):
    """The roster lists teachers only, so a range must not become narrower because most of them answered."""
    document, report = counted(*PEOPLE, answers=dict.fromkeys(PEOPLE, draw_answers("educator")))
    place = ("change", None, "yes")
    rows = build_json(report(), document)["rows"]
    rows = {row["wave"]: row for row in rows if (row["question"], row["group"], row["answer"]) == place}
    educators, students = rows["educator"], rows["student"]
    assert educators["count"] == students["count"]
    wilson = proportion_confint(educators["count"], educators["answered"], method="wilson")
    assert (educators["low"], educators["high"]) == pytest.approx(wilson)
    assert educators["low"] < students["low"] < students["high"] < educators["high"]  # 55 of 89 answered


def test_a_debrief_is_a_number_and_nothing_else(counted):
    document, report = counted("liaison")
    made = report()
    assert (made.parts[0].findings, made.parts[0].responses) == ((), 55)
    assert build_json(made, document)["rows"] == []
    packet = outputs(made, document)["packet"].splitlines()
    assert packet.count("Debriefs") == 3  # the heading, and those of two columns
    assert "Liaisons write one debrief after each event." in packet
    asked = {question.text for _, question in shipped_survey("broker-debrief").questions()}
    assert not asked & {*packet}
    assert not [each for each in packet if "percent" in each.lower() or "range" in each]


def test_few_debriefs_are_not_counted_in_public(counted):
    _, report = counted("liaison", answers={"liaison": draw_answers("liaison", {"lincoln": 4})})
    for audience in AUDIENCES:
        assert report(audience).parts[0].responses is None
        said = participation_text(report(audience).parts[0], report(audience), SAID)
        assert said == "We do not show a number of debriefs below 10."


NAMES_OF_FAMILIES = {
    "es": "famili|hogar",
    "ar": "عائل|أسر",
    "so": "qoys",
    "vi": "gia đình|hộ ",
    "zh-Hans": "家庭|户",
}


@pytest.mark.parametrize("population", PEOPLE)
def test_no_language_calls_educators_or_students_families(counted, population):
    """A sentence whose English names nobody may name families in a translation."""
    _, report = counted(population)
    for language, names in NAMES_OF_FAMILIES.items():
        said = FigureWording(language, catalogue(language))
        about = [said.of("student").people.rule, said.of("student").people.roster_rule]
        for audience in AUDIENCES:
            made = report(audience, language)
            words = [text for block in packet_blocks(made, said) for text in texts(block)]
            words += render_csv(made, said).decode("utf-8-sig").replace("at-school", "").splitlines()
            words += [participation_text(part, made, said) for part in made.parts]
            found = [each for each in words if re.search(names, without(each, *about), re.IGNORECASE)]
            assert not found, (language, audience)


@pytest.mark.parametrize("language", ["es", "ar", "so", "vi", "zh-Hans"])
@pytest.mark.parametrize("population", ["family", "educator", "student", "liaison"])
def test_every_language_has_its_own_sentences(language, population):
    said = FigureWording(language, catalogue(language), population).people
    english = FigureWording("en", NullTranslations(), population).people
    for name in english.__slots__:
        own, source = getattr(said, name), getattr(english, name)
        if callable(source):
            for number in (0, 1, 2, 5, 11, 100):
                assert own(number) != source(number), name
                wanted = set(re.findall(r"%\(\w+\)s", source(100)))
                assert set(re.findall(r"%\(\w+\)s", own(number))) == wanted, (name, number)
        elif name != "population":
            assert bool(own) == bool(source), name
            assert own != source or not source, name
