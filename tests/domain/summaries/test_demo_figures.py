"""The figures that `engage demo` freezes and publishes, attacked with everything published about them.

The demo district is built as by the command, and its frozen document is read as by an outsider. Attacked are:

* One question at a time (and each choice of a "several" question): the unknowns are the joint counts over school x
  language x mode x column, and all published numbers are known. Every hidden number is attacked.
* Questions that decide who is asked others, together with these: the unknowns are the numbers of each kind of
  respondent (a column of every linked question) in school x language x mode. A random sample of `SAMPLE` hidden numbers
  of each group of questions and each reader is attacked.

A reader of the public's document must not derive a range under 10; a reader of both documents must not derive a range
under 5 for a number that leaders do not see, or under 10 in a survey of educators. Numbers that are 0 are not attacked:
that nobody gave an answer harms nobody, unless it reveals another number, which would be found there.
"""

import json
from datetime import datetime
from time import perf_counter

import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from engage.cli import demo
from engage.domain.summaries.suppression import LEADERS, PUBLIC
from engage.questionnaire.editions import load_edition
from engage.questionnaire.routing import rule_question_ids
from engage.services.checkpoints.freezing import load_frozen_figures
from engage.storage.engine import connect, read_session
from engage.storage.language_groups import OTHER
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.responses import Response
from tests.domain.summaries.outsider import Document, Outsider, Truth, read

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("riverbend")]  # built once, by a separate worker

READERS = {("public",): PUBLIC.minimum, ("leaders", "public"): LEADERS.minimum}
SAMPLE, LARGE_SAMPLE = 4, 12  # the larger one in .ci/thorough
CLOSE = 1e-6  # tolerance of the linear program


class Noon(datetime):
    """A fixed clock, so that the date does not change during a build."""

    @classmethod
    def now(cls, tz=None):
        return cls(2026, 10, 14, 18, tzinfo=tz)


def build(folder):
    """Build the demo district in a folder; return its checkpoint's digest, and each wave's figures, survey, and
    truth."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "datetime", Noon)
        made = CliRunner().invoke(demo.demo, ["--build-only"], env={"ENGAGE_DATA_DIR": str(folder)})
    assert made.exit_code == 0, made.output
    engine = connect(f"sqlite:///{folder / 'demo' / 'engage.db'}")
    with read_session(engine) as session:
        checkpoint = session.scalars(select(Checkpoint)).one()
        surveys = {wave.id: load_edition(wave.edition.document).survey("en") for wave in checkpoint.waves}
        waves = [
            (wave["audiences"], surveys[wave["id"]], truth(session, wave["id"], surveys[wave["id"]]))
            for wave in load_frozen_figures(checkpoint)["waves"]
        ]
        digest = checkpoint.digest
    engine.dispose()
    return digest, waves


def truth(session, wave, survey):
    fields = select(func.coalesce(Response.school_id, OTHER), Response.language, Response.mode, Response.answers)
    rows = session.execute(fields.where(Response.wave_id == wave))
    return Truth(survey, [(*groups, json.loads(answers)) for *groups, answers in rows])


@pytest.fixture(scope="module")
def riverbend(tmp_path_factory):
    start = perf_counter()
    built = build(tmp_path_factory.mktemp("riverbend"))
    print(f"Riverbend built in {perf_counter() - start:.1f} s")
    return built


def alone(document):
    """Return every table on its own."""
    return [[each] for each in dict.fromkeys(place[:2] for place in document.numbers)]


def linked(survey):
    """Return questions that decide who is asked others, with those others."""
    found = {}
    for _, question in survey.questions():
        if question.shown_when:
            (parent,) = rule_question_ids(question.shown_when)
            found.setdefault(parent, [(parent, None)]).append((question.id, None))
    return list(found.values())


def attack(survey, real, documents, tables, most=None):
    """Return the ranges (place, minimum, maximum) that can be derived for hidden numbers that are not 0."""
    outsider = Outsider(survey, documents, tables)
    places = [place for place in outsider.hidden() if real[place] > 0]
    if most is not None:
        chosen = np.random.default_rng(len(places)).permutation(len(places))[:most]
        places = [places[at] for at in chosen]
    for place in places:
        least, greatest = outsider.range(place)
        assert least - CLOSE <= real[place] <= greatest + CLOSE, (place, least, greatest)
        yield place, least, greatest


def assert_all_wide(riverbend, readers, tables_of, most=None):
    start, attacked, narrowest = perf_counter(), 0, np.inf
    for audiences, survey, real in riverbend[1]:
        documents = [read(audiences[each]) for each in readers]
        width = READERS[readers] if survey.population == "family" else PUBLIC.minimum
        for tables in tables_of(documents[0], survey):
            for place, least, greatest in attack(survey, real, documents, tables, most):
                assert greatest - least >= width - CLOSE, (place, least, greatest)
                attacked, narrowest = attacked + 1, min(narrowest, greatest - least)
    print(f"{' and '.join(readers)}: {attacked} attacked, narrowest {narrowest:g}, {perf_counter() - start:.1f} s")
    return attacked


def test_every_number_that_is_told_is_true(riverbend):
    """The outsider parses the documents correctly, and independent counts equal the published ones."""
    for audiences, survey, real in riverbend[1]:
        for figures in audiences.values():
            numbers = {place: count for place, count in read(figures).numbers.items() if count is not None}
            assert {place: real[place] for place in numbers} == numbers
            assert len(numbers) > (400 if survey.population == "family" else 100)


def test_no_share_stands_beside_a_hidden_count(riverbend):
    for audiences, _, _ in riverbend[1]:
        for figures in audiences.values():
            rows = [row for each in figures["questions"] for rows in each["breakdowns"].values() for row in rows]
            hidden = [cell for row in rows for cell in row["cells"] if cell["count"] is None]
            assert hidden
            assert {cell[each] for cell in hidden for each in ("share", "low", "high")} == {None}


@pytest.mark.parametrize(("most", "least"), [(3, 60), pytest.param(None, 300, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("readers", READERS)
def test_nothing_is_recovered_from_any_question(riverbend, readers, most, least):
    """`most` numbers of each table, or all."""
    attacked = assert_all_wide(riverbend, readers, lambda document, _: alone(document), most)
    assert attacked > least


@pytest.mark.parametrize("sample", [SAMPLE, pytest.param(LARGE_SAMPLE, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("readers", READERS)
def test_nothing_is_recovered_from_questions_that_hang_on_each_other(riverbend, readers, sample):
    attacked = assert_all_wide(riverbend, readers, lambda _, survey: linked(survey), sample)
    assert attacked == 3 * sample


def test_hiding_only_small_numbers_is_broken_by_the_same_attack(riverbend):
    """Leaders' figures with numbers from 1 to 4 left out, and no others: many can be derived exactly."""
    for audiences, survey, real in riverbend[1]:
        whole = read(audiences["leaders"])
        numbers = {place: hidden_if_small(real[place]) for place in whole.numbers}
        responses = {each: hidden_if_small(count) for each, count in whole.responses.items()}
        naive = Document(responses, numbers, {})
        ranges = [each for tables in alone(naive)[:4] for each in attack(survey, real, [naive], tables)]
        exact = [place for place, least, greatest in ranges if greatest - least < CLOSE]
        narrow = [place for place, least, greatest in ranges if greatest - least < LEADERS.minimum - CLOSE]
        print(f"only small numbers hidden: of {len(ranges)}, {len(narrow)} narrowed and {len(exact)} exact")
        assert len(exact) > 10
        assert len(narrow) > len(ranges) / 2


def hidden_if_small(count):
    return None if 0 < count < LEADERS.minimum else count


def test_the_same_district_is_built_each_time(riverbend, tmp_path):
    digest, _ = build(tmp_path)
    assert digest == riverbend[0]
