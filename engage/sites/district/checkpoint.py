"""The page of one checkpoint: coverage, findings, promises, freezing, and publication."""

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField

from engage.base.catalogs import catalogue
from engage.base.languages import LANGUAGES
from engage.domain.intake.burst_marks import BurstsUndecided
from engage.domain.roster.import_state import RosterIncomplete
from engage.services.checkpoints.comparison_wording import comparison_blocks
from engage.services.checkpoints.counting import choose_figures
from engage.services.checkpoints.coverage_wording import burst_text
from engage.services.checkpoints.exports import AUDIENCE
from engage.services.checkpoints.freezing import AnswersDeleted, NoCommitments, NotFrozen, is_deletion_near, publish
from engage.services.checkpoints.group_choice import GroupChoice, choose_groups, list_school_names, question_key
from engage.services.checkpoints.large_counts import CountIsLarge
from engage.services.checkpoints.meeting_packet import (
    breakdown_tables,
    coverage_heading,
    coverage_tables,
    missing_answers_text,
    promise_status_text,
    reading_notes,
    suppression_note,
)
from engage.services.checkpoints.meeting_packet import figures_status_text as standing
from engage.services.checkpoints.page_charts import chart_reading_note as charts_read
from engage.services.checkpoints.page_charts import render_chart
from engage.services.checkpoints.release_consistency import STEP
from engage.services.checkpoints.report import Report, build_report
from engage.services.checkpoints.wording import FigureWording
from engage.services.waves.retention import answers_deleted_on
from engage.sites.district.blueprint import blueprint
from engage.sites.district.draft_figures import read_draft, render_count_page, require_checkpoint
from engage.storage.engine import read_session, write_session
from engage.storage.models.checkpoints import Checkpoint
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.edit_forms import EditForm, roster_wait_text
from engage.web.page_language import SOURCE, gettext, language
from engage.web.permissions import enters


class PublishForm(EditForm):
    """Whether results are published without any promise."""

    beside_field = "without_promise"
    without_promise = BooleanField()

    def __init__(self, row: Checkpoint) -> None:
        super().__init__(beside=_promise_texts(row))

    def beside_sentence(self) -> str:
        """What to say where a promise was changed after the page was opened."""
        # translators: staff form: somebody changed a promise after this page was opened
        return gettext("The promises have changed since you opened this page. Read them again, then publish.")


def _promise_texts(row: Checkpoint) -> list[str]:
    """Each promise as families read it in English."""
    return [words.we_will for each in row.commitments for words in each.words if words.language == SOURCE]


@blueprint.get("/checkpoints/<checkpoint_id>")
@enters("see summaries")
def checkpoint(checkpoint_id: str) -> str | Response:
    """A checkpoint on one page; until they are frozen, its figures are a draft. If counting them takes long, the page
    shows how far the worker is."""
    try:
        draft = read_draft(checkpoint_id)
    except CountIsLarge:
        return render_count_page(checkpoint_id)
    with read_session(runtime().engine) as session:
        row = require_checkpoint(session, checkpoint_id)
        choice = GroupChoice(request.args.get("school", ""), request.args.get("question", ""))
        chosen = choose_groups(choose_figures(row, draft), AUDIENCE, choice)
        report = build_report(session, row, chosen.document, AUDIENCE, language().tag)
        address = f"{runtime().settings.base_url}/{language().tag}/results/{row.id}"
        return render_template(
            "district/checkpoint.html",
            checkpoint=row,
            report=report,
            public_address=address,
            ending=_expiring_waves(row),
            groups=chosen,
            school_names=list_school_names(chosen, report),
            **report_context(report),
        )


@blueprint.get("/checkpoints/<checkpoint_id>/publish")
@enters("manage checkpoints")
def confirm_publication(checkpoint_id: str) -> str:
    """Confirmation of publication: families can then read the results."""
    with read_session(runtime().engine) as session:
        row = require_checkpoint(session, checkpoint_id)
        return _render_publish_page(row, PublishForm(row))


@blueprint.post("/checkpoints/<checkpoint_id>/publish")
@enters("manage checkpoints")
def publish_results(checkpoint_id: str) -> Response | tuple[str, int]:
    """Publish the results for families."""
    with write_session(runtime().engine) as session:
        row = require_checkpoint(session, checkpoint_id, locked=True)
        form = PublishForm(row)
        if row.published_on is None and not form.validate():
            return _render_publish_page(row, form), form.refusal_status
        try:
            publish(row, runtime().today(), without_promise=bool(form.without_promise.data))
        except NotFrozen:
            return _render_publish_page(row, form), 409
        except NoCommitments:
            # translators: shown to staff
            form.add_error("without_promise", gettext("Add a promise first, or confirm that there is none yet."))
            return _render_publish_page(row, form), 422
        log_event(session, "publish checkpoint", row.id, promises=len(row.commitments))
        session.commit()
    # translators: shown to staff after the results of a survey were published
    flash(gettext("Families can now read the results."))
    return _redirect_to_checkpoint(checkpoint_id)


def report_context(report: Report) -> dict[str, Any]:
    """Variables of templates that show a report."""
    wording = FigureWording(report.language, catalogue(report.language))
    return {
        "said": wording,
        "question_key": question_key,
        "burst_line": lambda part: burst_text(part.burst, wording),
        "comparisons": comparison_blocks(report, wording),
        "step": STEP,
        "reading": reading_notes(report, wording),
        "hiding": lambda part: suppression_note(report, wording, part),
        "standing": standing(report, wording),
        "coverage_heading": coverage_heading,
        "who": lambda part: list(coverage_tables(part, report, wording)),
        "cuts": lambda part, finding, wave: [
            (
                wording.cut(name),
                render_chart(
                    finding, name, report, wording.of(part.population), f"w{wave}-{finding.question.id}-{name}"
                ),
                breakdown_tables(name, cut, report, wording.of(part.population)),
            )
            for name, cut in finding.cuts.items()
        ],
        "chart_reading": charts_read(wording.words),
        "apart": lambda part, finding: missing_answers_text(finding.whole, wording.of(part.population)),
        "kept": lambda promise: promise_status_text(promise, wording),
    }


@blueprint.errorhandler(BurstsUndecided)
def handle_undecided_bursts(problem: BurstsUndecided) -> Response:
    """Redirect to the first survey with undecided bursts, on which the figures wait."""
    # translators: shown to staff who open figures: answers came very fast, and somebody must decide about them first
    flash(gettext("First decide whether the flagged responses count. Then the figures will be shown."), "error")
    return redirect(url_for("district.wave_bursts", wave_id=problem.waves[0].id))


@blueprint.errorhandler(RosterIncomplete)
def handle_incomplete_roster(_problem: RosterIncomplete) -> tuple[str, int]:
    """The response for what is decided from the roster, while that is being imported."""
    return render_template("district/roster_wait.html", sentence=roster_wait_text()), 409


@blueprint.errorhandler(AnswersDeleted)
def handle_deleted_answers(problem: AnswersDeleted) -> tuple[str, int]:
    """The response for a draft that can no longer be counted."""
    return render_template("district/deleted.html", checkpoint=problem.checkpoint, waves=problem.waves), 410


def _expiring_waves(row: Checkpoint) -> list[tuple[str, date]]:
    """The waves of a draft whose answers will be deleted soon, with the days."""
    if row.frozen_on is not None:
        return []
    days = [(wave.title, answers_deleted_on(wave, runtime().settings)) for wave in row.waves]
    return [(title, day) for title, day in days if is_deletion_near(day, runtime().today())]


def _render_publish_page(row: Checkpoint, form: PublishForm) -> str:
    unspoken = [
        LANGUAGES[tag]
        for tag in LANGUAGES
        if any(tag not in {words.language for words in each.words} for each in row.commitments)
    ]
    return render_template(
        "district/publish.html", checkpoint=row, form=form, unspoken=unspoken, promises=_promise_texts(row)
    )


def _redirect_to_checkpoint(checkpoint_id: str) -> Response:
    return redirect(url_for("district.checkpoint", checkpoint_id=checkpoint_id))
