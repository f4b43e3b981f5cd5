"""Results for families: the promises and figures of published checkpoints, public and in every language."""

from collections.abc import Hashable
from typing import Any
from urllib.parse import urlencode

from flask import Response, abort, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.base.catalogs import catalogue
from engage.domain.security.permissions import PUBLIC
from engage.questionnaire.editions import load_edition
from engage.questionnaire.text_cleaning import is_possible_id
from engage.services.checkpoints.comparison_wording import comparison_blocks
from engage.services.checkpoints.coverage_wording import burst_text, participation_text
from engage.services.checkpoints.freezing import load_frozen_figures
from engage.services.checkpoints.group_choice import (
    SCHOOL,
    GroupChoice,
    choose_groups,
    list_school_names,
    question_key,
)
from engage.services.checkpoints.meeting_packet import breakdown_tables, promise_status_text, reading_notes
from engage.services.checkpoints.page_charts import chart_reading_note as charts_read
from engage.services.checkpoints.page_charts import render_chart
from engage.services.checkpoints.report import SOURCE, build_promises, build_report
from engage.services.checkpoints.wording import FigureWording
from engage.sites.family.blueprint import blueprint
from engage.sites.family.context import cached_front as front_today
from engage.sites.family.context import family_memory
from engage.sites.family.page_cache import render_page, send_page
from engage.storage.engine import read_session
from engage.storage.models.checkpoints import Checkpoint, CheckpointWave
from engage.storage.models.waves import WaveSchool
from engage.web.context import runtime
from engage.web.permissions import enters

AUDIENCE = "public"
CELLS_MOST = 1_500  # numbers by school on a page; 30 bytes each


@blueprint.get("/<lang:lang>/results/")
@enters(PUBLIC)
def results_list(lang: str) -> Response:
    """Published checkpoints, newest first."""
    published = front_today().results
    key = ("results", lang, published)
    return send_page(
        family_memory().pages.get(
            key, lambda: render_page("results_list.html", lang=lang, path="/results/", found=published)
        )
    )


@blueprint.get("/<lang:lang>/results/<checkpoint_id>")
@enters(PUBLIC)
def results(lang: str, checkpoint_id: str) -> Response:
    """One published checkpoint; "not found" for one that is not published, as if it were not there."""
    if not (checkpoint_id.isascii() and is_possible_id(checkpoint_id)):
        abort(404)
    with read_session(runtime().engine) as session:
        row = session.get(Checkpoint, checkpoint_id)
        if row is None or row.published_on is None:
            abort(404)
        choice = _known_choice(session, row)
        return send_page(
            family_memory().pages.get(
                _page_key(row, lang, choice),
                lambda: render_page("results.html", **_page_values(session, row, lang, choice)),
            )
        )


def _known_choice(session: Session, row: Checkpoint) -> GroupChoice:
    """The school or the question in the address, if the checkpoint has it. Others are ignored, so that made-up
    addresses do not fill the memory, and only one of the two counts, so that there are few pages."""
    school, question = (request.args.get(name, "") for name in ("school", "question"))
    if _has_question(row, question):
        return GroupChoice(question=question)
    wave_schools = select(WaveSchool.school_id).join(CheckpointWave, CheckpointWave.wave_id == WaveSchool.wave_id)
    wave_schools = wave_schools.where(CheckpointWave.checkpoint_id == row.id, WaveSchool.school_id == school)
    is_asked = school and is_possible_id(school) and session.scalar(select(wave_schools.exists()))
    return GroupChoice(school=school) if is_asked else GroupChoice()


def _has_question(row: Checkpoint, key: str) -> bool:
    """Whether a wave of the checkpoint has the question of this `group_choice.question_key`."""
    wave_id, _, question_id = key.partition(".")
    editions = (load_edition(wave.edition.document) for wave in row.waves if wave.id == wave_id)
    return any(question_id == each.id for edition in editions for _, each in edition.survey(SOURCE).questions())


def _page_key(row: Checkpoint, lang: str, choice: GroupChoice) -> Hashable:
    """Everything the page depends on: a promise may change its status or be translated after publication."""
    promises = tuple(build_promises(row.commitments, lang))
    tongues = tuple(each.theme.language for each in promises)
    return ("results", lang, choice, row.id, row.title, row.digest, row.published_on, promises, tongues)


def _page_values(session: Session, row: Checkpoint, lang: str, choice: GroupChoice) -> dict[str, Any]:
    document = load_frozen_figures(row)
    assert document is not None  # a CHECK keeps unfrozen checkpoints unpublished
    chosen = choose_groups(document, AUDIENCE, choice, [SCHOOL], CELLS_MOST)
    report = build_report(session, row, chosen.document, AUDIENCE, lang)
    wording = FigureWording(lang, catalogue(lang))
    least = 1 if chosen.schools else 2  # one school alone is shown only if it was chosen
    schools = {
        (part.wave, finding.question.id): (
            render_chart(finding, "school", report, wording.of(part.population), f"w{number}-{finding.question.id}"),
            list(breakdown_tables("school", cut, report, wording.of(part.population))),
        )
        for number, part in enumerate(report.parts)
        for finding in part.findings
        if len(cut := finding.cuts.get(SCHOOL, ())) >= least and any(group.answered for group in cut)
    }
    return {
        "lang": lang,
        "path": f"/results/{row.id}{_query(chosen.choice)}",
        "groups": chosen,
        "school_names": list_school_names(chosen, report),
        "question_key": question_key,
        "report": report,
        "said": wording,
        "schools": schools,
        "reading": [
            *reading_notes(report, wording, ranges=False),
            *([charts_read(wording.words)] if any(drawn for drawn, _ in schools.values()) else []),
        ],
        "participation": lambda part: participation_text(part, report, wording),
        "burst_line": lambda part: burst_text(part.burst, wording),
        "comparisons": comparison_blocks(report, wording),
        "kept": lambda promise: promise_status_text(promise, wording),
    }


def _query(choice: GroupChoice) -> str:
    """The query of the address, for changing the language without losing the choice."""
    fields = {name: value for name, value in (("school", choice.school), ("question", choice.question)) if value}
    return f"?{urlencode(fields)}" if fields else ""
