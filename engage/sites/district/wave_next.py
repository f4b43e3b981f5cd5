"""The next action of a survey: one sentence, and a button to the page where it is done."""

from dataclasses import dataclass
from datetime import timedelta

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.domain.intake.burst_marks import needs_burst_decision
from engage.services.waves.populations import FAMILY, PILES, say_no_by
from engage.services.waves.slip_codes import SlipObstacle, find_obstacle, notice_deadline
from engage.services.waves.unit_counts import UnitCounts
from engage.storage.models.checkpoints import Checkpoint, CheckpointWave
from engage.storage.models.paper import PrintRun
from engage.storage.models.waves import Wave
from engage.web.context import runtime
from engage.web.page_language import gettext, long_date, ngettext
from engage.web.permissions import is_allowed


@dataclass(frozen=True, slots=True)
class NextAction:
    """What to do next. Without an address it is only said."""

    sentence: str
    label: str = ""
    address: str = ""


def find_next_action(session: Session, wave: Wave, stage: str, units: UnitCounts | None) -> NextAction | None:
    """The next action that this person may do; `units` are known for a survey with access codes."""
    if wave.deleted_on:
        return None
    if is_allowed("manage checkpoints") and needs_burst_decision(session, wave.id):
        return NextAction(
            # translators: staff page: many answers came very fast, and a leader must decide whether they count
            gettext("Some responses came in bursts. Decide whether they count; until then, no figures are shown."),
            # translators: link to a page where somebody decides about answers that came very fast
            gettext("Decide"),
            url_for("district.wave_bursts", wave_id=wave.id),
        )
    if stage == "closed":
        return _after_closing(session, wave)
    if wave.population in PILES:
        return _slips_action(session, wave, units) or _waiting_action(wave, stage)
    return _codes_action(wave, units) or _print_action(session, wave) or _waiting_action(wave, stage)


def _slips_action(session: Session, wave: Wave, units: UnitCounts | None) -> NextAction | None:
    """To give families the notice of a survey of students, or to print slips."""
    if units is None or not is_allowed("make access codes"):
        return None
    obstacle, address = find_obstacle(session, wave, runtime().today()), url_for("district.slips", wave_id=wave.id)
    if obstacle is SlipObstacle.NO_NOTICE:
        # translators: staff page: %(day)s is a day
        sentence = gettext("Give every family the notice by %(day)s.", day=long_date(notice_deadline(wave)))
        # translators: link to the page with the letter to families about a survey of students
        return NextAction(sentence, gettext("Notice to families"), address)
    if obstacle is SlipObstacle.FAMILIES_DECIDE:
        # translators: staff page: %(day)s is a day; until the day before, families can say no to a survey of students
        sentence = gettext(
            "Slips can be printed from %(day)s.", day=long_date(say_no_by(wave.opens) + timedelta(days=1))
        )
        return NextAction(sentence)
    if obstacle is not SlipObstacle.NONE or not units.uninvited:
        return None
    sentence = ngettext(
        # translators: staff page: educators or students of the roster for whom there is no slip of paper with a code
        "%(num)s slip is missing: by the roster, this many people have none.",
        "%(num)s slips are missing: by the roster, this many people have none.",
        units.uninvited,
    )
    # translators: link to the page where slips of paper with access codes are printed
    return NextAction(sentence, gettext("Print slips"), address)


def _codes_action(wave: Wave, units: UnitCounts | None) -> NextAction | None:
    if units is None or not units.uninvited or not is_allowed("make access codes"):
        return None
    sentence = ngettext(
        # translators: staff page: households (or students) of the roster that cannot answer yet
        "%(num)s access code is missing: by the roster, this many households or students have none.",
        "%(num)s access codes are missing: by the roster, this many households or students have none.",
        units.uninvited,
    )
    return NextAction(sentence, gettext("Create access codes"), url_for("district.codes", wave_id=wave.id))


def _print_action(session: Session, wave: Wave) -> NextAction | None:
    """To print, if paper is offered and nothing was printed."""
    printed = session.scalar(select(PrintRun.id).where(PrintRun.wave_id == wave.id).limit(1))
    if printed or "paper" not in wave.modes.split() or not is_allowed("print paper surveys"):
        return None
    # translators: staff page: families can answer on paper, but there are no forms yet
    sentence = gettext("Families can answer on paper, and no forms have been printed yet.")
    # translators: link to the page where paper forms are printed
    return NextAction(sentence, gettext("Print forms"), url_for("liaison.printing", wave=wave.id))


def _waiting_action(wave: Wave, stage: str) -> NextAction:
    if stage == "planned":
        # translators: staff page: %(day)s is the first day of a survey
        return NextAction(gettext("The survey opens on %(day)s. Nothing to do until then.", day=long_date(wave.opens)))
    if wave.population != FAMILY:
        # translators: staff page: %(day)s is the last day of a survey
        return NextAction(gettext("People can answer until %(day)s.", day=long_date(wave.closes)))
    # translators: staff page: %(day)s is the last day of a survey
    sentence = gettext(
        "Remind the groups of families that have answered little. Last day: %(day)s.", day=long_date(wave.closes)
    )
    # translators: link to a page that shows which groups of families have answered little so far
    return NextAction(sentence, gettext("Reminders"), url_for("district.reminders", wave_id=wave.id))


def _after_closing(session: Session, wave: Wave) -> NextAction | None:
    """To plan a checkpoint, freeze its figures, and publish them."""
    if not is_allowed("see summaries"):
        return None
    query = select(Checkpoint).join(CheckpointWave, CheckpointWave.checkpoint_id == Checkpoint.id)
    query = query.where(CheckpointWave.wave_id == wave.id).order_by(Checkpoint.meets_on, Checkpoint.id)
    checkpoints = session.scalars(query).all()
    unfinished = [each for each in checkpoints if not each.published_on]
    if not checkpoints or not unfinished:
        return _results_action(checkpoints[-1] if checkpoints else None)
    return _checkpoint_action(unfinished[0])


def _results_action(published: Checkpoint | None) -> NextAction | None:
    if published is not None:
        # translators: staff page: families can read the results of a survey; %(title)s is the name of a meeting
        sentence = gettext("The results are published: %(title)s.", title=published.title)
        # translators: link to the figures of a survey
        return NextAction(sentence, gettext("See the results"), _checkpoint_address(published))
    if not is_allowed("manage checkpoints"):
        return None
    # translators: staff page: a checkpoint is a dated meeting with frozen figures
    sentence = gettext("The survey has closed and belongs to no checkpoint yet.")
    return NextAction(sentence, gettext("Plan a checkpoint"), url_for("district.new_checkpoint"))


def _checkpoint_action(checkpoint: Checkpoint) -> NextAction:
    """To freeze or to publish, by somebody who may; others look at the checkpoint."""
    address, title = _checkpoint_address(checkpoint), checkpoint.title
    if not is_allowed("manage checkpoints"):
        # translators: staff page: %(title)s is the name of a meeting about a survey
        return NextAction(gettext("The survey is part of %(title)s.", title=title), gettext("See the results"), address)
    if checkpoint.frozen_on is None:
        # translators: staff page: the figures for a meeting still change; %(title)s is its name, %(day)s its day
        sentence = gettext(
            "The figures of %(title)s (%(day)s) are a draft.", title=title, day=long_date(checkpoint.meets_on)
        )
        # translators: link to a page that asks before figures are frozen
        label = gettext("Freeze the figures…")
        return NextAction(sentence, label, url_for("district.confirm_freeze", checkpoint_id=checkpoint.id))
    # translators: staff page: families cannot read the results yet; %(title)s is the name of a meeting
    sentence = gettext("The figures of %(title)s are frozen and not published.", title=title)
    # translators: link to a page that asks before results are published
    label = gettext("Publish to families…")
    return NextAction(sentence, label, url_for("district.confirm_publication", checkpoint_id=checkpoint.id))


def _checkpoint_address(checkpoint: Checkpoint) -> str:
    return url_for("district.checkpoint", checkpoint_id=checkpoint.id)
