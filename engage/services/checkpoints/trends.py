"""A survey compared with an earlier one: the same questionnaire, schools, and people. Only questions whose English
words and choices are the same are compared (questionnaire.editions.comparable_questions)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engage.questionnaire.editions import comparable_questions, load_edition
from engage.services.checkpoints.comparisons import Comparison, compare_findings
from engage.services.checkpoints.figure_rows import figure_rows
from engage.services.checkpoints.freezing import load_frozen_figures
from engage.services.checkpoints.report_parts import ReportPart, build_part
from engage.storage.models.checkpoints import Checkpoint, CheckpointWave
from engage.storage.models.waves import StoredEdition, Wave, WaveSchool

CANDIDATES = 5  # earlier surveys that are looked at, the latest first


@dataclass(frozen=True, slots=True)
class Trend:
    """A survey, the earlier one it is compared with, and the questions; `reworded` is how many questions both have in
    different words, which are not compared."""

    part: ReportPart
    earlier: ReportPart
    comparisons: tuple[Comparison, ...]
    reworded: int

    @property
    def compared(self) -> int:
        """The number of answers that are compared."""
        return sum(each.compared for each in self.comparisons)

    @property
    def earlier_closes(self) -> date:
        """The last day of the earlier survey."""
        return self.earlier.closes


def find_trends(session: Session, parts: Sequence[ReportPart], audience: str, language: str) -> Iterator[Trend]:
    """Yield the trend of each survey that has an earlier one in a frozen checkpoint. Families and the public compare
    with published checkpoints only."""
    for part in parts:
        wave = session.get(Wave, part.wave)
        match = _find_earlier(session, wave, audience) if wave is not None and part.findings else None
        if wave is not None and match is not None:
            checkpoint, earlier = match
            trend = _compare(session, part, _earlier_part(session, checkpoint, earlier, audience, language), wave)
            if trend.compared:
                yield trend


def _find_earlier(session: Session, wave: Wave, audience: str) -> tuple[Checkpoint, Wave] | None:
    """The latest earlier wave with frozen figures, and the checkpoint that has them."""
    schools = _school_ids(session, wave.id)
    for earlier in session.scalars(_earlier_waves(wave)):
        if _school_ids(session, earlier.id) == schools:
            query = select(Checkpoint).join(CheckpointWave, CheckpointWave.checkpoint_id == Checkpoint.id)
            query = query.where(CheckpointWave.wave_id == earlier.id, Checkpoint.frozen_on.is_not(None))
            if audience == "public":
                query = query.where(Checkpoint.published_on.is_not(None))
            checkpoint = session.scalars(query.order_by(Checkpoint.frozen_on.desc(), Checkpoint.id)).first()
            if checkpoint is not None:
                return checkpoint, earlier
    return None


def _earlier_waves(wave: Wave) -> Select[Wave]:
    """Select waves of the same questionnaire, people, and way of counting that closed before this one opened."""
    query = select(Wave).join(StoredEdition, StoredEdition.digest == Wave.edition_digest)
    query = query.where(StoredEdition.slug == wave.edition.slug, Wave.closes < wave.opens)
    query = query.where(Wave.population == wave.population, Wave.counting == wave.counting, Wave.asked == wave.asked)
    return query.order_by(Wave.closes.desc(), Wave.id).limit(CANDIDATES)


def _school_ids(session: Session, wave_id: str) -> list[str]:
    query = select(WaveSchool.school_id).where(WaveSchool.wave_id == wave_id)
    return list(session.scalars(query.order_by(WaveSchool.school_id)))


def _earlier_part(session: Session, checkpoint: Checkpoint, wave: Wave, audience: str, language: str) -> ReportPart:
    document = load_frozen_figures(checkpoint)
    assert document is not None, "only frozen checkpoints are looked at"
    [figures] = [each for each in document["waves"] if each["id"] == wave.id]
    rows = list(figure_rows({**document, "waves": [figures]}, audience))
    return build_part(session, figures, rows, audience, language)


def _compare(session: Session, part: ReportPart, earlier: ReportPart, wave: Wave) -> Trend:
    before = load_edition(session.get_one(Wave, earlier.wave).edition.document)
    comparable = comparable_questions(before, load_edition(wave.edition.document))
    findings = {each.question.id: each for each in earlier.findings}
    comparisons = [
        compare_findings(earlier, part, findings[each.question.id], each)
        for each in part.findings
        if comparable.get(each.question.id) and each.question.id in findings
    ]
    reworded = sum(not is_same for is_same in comparable.values())
    return Trend(part, earlier, tuple(each for each in comparisons if each.compared), reworded)
