"""One checkpoint: who answered, what was said, what was promised; freezing it and giving it to families."""

from datetime import date
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.base.languages import LANGUAGES, catalogue
from engage.domain.intake.burst_marks import BurstsUndecided
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.services.checkpoints.counting import choose_figures, count_and_freeze, count_draft, open_groups
from engage.services.checkpoints.coverage_wording import burst_line
from engage.services.checkpoints.deletion import AnswersDeleted, is_near, require_answers
from engage.services.checkpoints.freezing import AlreadyFrozen, Document
from engage.services.checkpoints.meeting_packet import apart, coverage_table, cut_tables, hiding, how_to_read, kept
from engage.services.checkpoints.meeting_packet import state as standing
from engage.services.checkpoints.page_charts import chart
from engage.services.checkpoints.page_charts import how_to_read as charts_read
from engage.services.checkpoints.publishing import NotFrozen, NothingPromised, publish
from engage.services.checkpoints.report import Report, report
from engage.services.checkpoints.steady import STEP
from engage.services.checkpoints.wording import Sayings
from engage.services.waves.response_retention import answers_deleted_on
from engage.sites.district.blueprint import blueprint
from engage.storage.engine import reading, writing
from engage.storage.models.checkpoints import Checkpoint
from engage.web.audit import audited
from engage.web.context import state
from engage.web.page_language import gettext, language
from engage.web.permissions import enters

AUDIENCE = "leaders"


@blueprint.get("/checkpoints/<checkpoint_id>")
@enters("see summaries")
def checkpoint(checkpoint_id: str) -> str:
    """Everything about a checkpoint on one page; figures as they are now until they are frozen."""
    draft = read_draft(checkpoint_id)
    with reading(state().engine) as session:
        found = the_checkpoint(session, checkpoint_id)
        shown = report(session, found, choose_figures(found, draft), AUDIENCE, language().tag)
        address = f"{state().settings.base_url}/{language().tag}/results/{found.id}"
        return render_template(
            "district/checkpoint.html",
            checkpoint=found,
            report=shown,
            public_address=address,
            ending=_ending(found),
            **sayings(shown),
        )


@blueprint.get("/checkpoints/<checkpoint_id>/freeze")
@enters("manage checkpoints")
def freezing(checkpoint_id: str) -> str:
    """Ask once more: frozen figures never change."""
    return _freeze_page(checkpoint_id)


@blueprint.post("/checkpoints/<checkpoint_id>/freeze")
@enters("manage checkpoints")
def freeze_figures(checkpoint_id: str) -> Response | tuple[str, int]:
    """Count, and keep the figures for good."""
    with reading(state().engine) as session:
        the_checkpoint(session, checkpoint_id)
    open_groups(state().engine, checkpoint_id, state().secret(GROUP_KEY), state().today())
    try:
        count_and_freeze(state().engine, checkpoint_id, state().settings.data_dir, state().today(), _audit_freeze)
    except AlreadyFrozen:
        return _freeze_page(checkpoint_id), 409
    # translators: shown to staff after the figures of a checkpoint were frozen
    flash(gettext("The figures are frozen. Everybody now sees the same numbers."))
    return _to(checkpoint_id)


@blueprint.get("/checkpoints/<checkpoint_id>/publish")
@enters("manage checkpoints")
def publishing(checkpoint_id: str) -> str:
    """Ask once more: families are told."""
    with reading(state().engine) as session:
        return _publish_page(the_checkpoint(session, checkpoint_id), "")


@blueprint.post("/checkpoints/<checkpoint_id>/publish")
@enters("manage checkpoints")
def publish_results(checkpoint_id: str) -> Response | tuple[str, int]:
    """Let families read the results."""
    with writing(state().engine) as session:
        found = the_checkpoint(session, checkpoint_id, locked=True)
        try:
            publish(found, state().today(), without_promise=request.form.get("without_promise") == "yes")
        except NotFrozen:
            # translators: shown to staff
            return _publish_page(found, gettext("Freeze the figures first. Families only see final numbers.")), 409
        except NothingPromised:
            # translators: shown to staff
            return _publish_page(found, gettext("Write a promise first, or say that there is none yet.")), 422
        audited(session, "publish checkpoint", found.id, promises=len(found.commitments))
        session.commit()
    # translators: shown to staff after the results of a survey were published
    flash(gettext("Families can now read the results."))
    return _to(checkpoint_id)


def the_checkpoint(session: Session, checkpoint_id: str, locked: bool = False) -> Checkpoint:
    """The checkpoint, or "not found"; `locked` until the transaction ends, so that two leaders take turns."""
    if not checkpoint_id.isprintable():  # PostgreSQL refuses a NUL with an error
        abort(404)
    return session.get(Checkpoint, checkpoint_id, with_for_update=locked or None) or abort(404)


def read_draft(checkpoint_id: str) -> Document | None:
    """What may be shown of a checkpoint's figures today, None where they are frozen; or "not found"."""
    with reading(state().engine) as session:
        the_checkpoint(session, checkpoint_id)
    open_groups(state().engine, checkpoint_id, state().secret(GROUP_KEY), state().today())
    return count_draft(state().engine, checkpoint_id, state().settings.data_dir, state().today())


def _audit_freeze(session: Session, checkpoint: Checkpoint) -> None:
    audited(session, "freeze checkpoint", checkpoint.id, figures=(checkpoint.digest or "")[:12])


def sayings(shown: Report) -> dict[str, Any]:
    """The words templates say a report with."""
    said = Sayings(shown.language, catalogue(shown.language))
    return {
        "said": said,
        "burst_line": lambda part: burst_line(part.burst, said),
        "step": STEP,
        "reading": how_to_read(shown, said),
        "hiding": hiding(shown, said),
        "standing": standing(shown, said),
        "who": lambda part: [
            coverage_table(name, groups, shown, said, part.counting) for name, groups in part.coverage.items()
        ],
        "cuts": lambda finding, wave: [
            (
                said.cut(name),
                chart(finding, name, shown, said, f"w{wave}-{finding.question.id}-{name}"),
                cut_tables(name, cut, shown, said),
            )
            for name, cut in finding.cuts.items()
        ],
        "chart_reading": charts_read(said.words),
        "apart": lambda finding: apart(finding.whole, said),
        "kept": lambda promise: kept(promise, said),
    }


def _freeze_page(checkpoint_id: str) -> str:
    with reading(state().engine) as session:
        found = the_checkpoint(session, checkpoint_id)
        require_answers(found)
        still_open = [wave for wave in found.waves if wave.closes >= state().today()]
        return render_template("district/freeze.html", checkpoint=found, still_open=still_open)


@blueprint.errorhandler(BurstsUndecided)
def bursts_undecided(problem: BurstsUndecided) -> Response:
    """Figures wait for a decision: on to the first survey that needs one."""
    # translators: shown to staff who open figures: answers came very fast, and somebody must decide about them first
    flash(gettext("Decide first whether the marked responses count. Then the figures are shown."), "error")
    return redirect(url_for("district.wave_bursts", wave_id=problem.waves[0].id))


@blueprint.errorhandler(AnswersDeleted)
def answers_deleted(problem: AnswersDeleted) -> tuple[str, int]:
    """A draft that can no longer be counted, whatever was asked of it."""
    return render_template("district/deleted.html", checkpoint=problem.checkpoint, waves=problem.waves), 410


def _ending(found: Checkpoint) -> list[tuple[str, date]]:
    """The waves of a draft whose answers are deleted soon, and when."""
    if found.frozen_on is not None:
        return []
    days = [(wave.title, answers_deleted_on(wave, state().settings)) for wave in found.waves]
    return [(title, day) for title, day in days if is_near(day, state().today())]


def _publish_page(found: Checkpoint, problem: str) -> str:
    unspoken = [
        LANGUAGES[tag]
        for tag in LANGUAGES
        if any(tag not in {words.language for words in each.words} for each in found.commitments)
    ]
    return render_template("district/publish.html", checkpoint=found, problem=problem, unspoken=unspoken)


def _to(checkpoint_id: str) -> Response:
    return redirect(url_for("district.checkpoint", checkpoint_id=checkpoint_id))
