"""A checkpoint for one reader: its figures for one audience in one language, and its promises."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.questionnaire.model import Words
from engage.services.checkpoints.comparisons import Comparison, find_mirrored_items
from engage.services.checkpoints.figure_rows import figure_rows
from engage.services.checkpoints.freezing import CheckpointFigures
from engage.services.checkpoints.report_parts import ReportPart, build_part
from engage.services.checkpoints.trends import Trend, find_trends
from engage.storage.models.checkpoints import Checkpoint, Commitment, CommitmentWords
from engage.storage.models.schools import School

SOURCE = "en"  # the language that every promise has


@dataclass(frozen=True, slots=True)
class Promise:
    """A commitment in one language, or in English if it is not translated."""

    theme: Words
    you_said: Words
    we_will: Words
    owner: str
    due: date | None
    status: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one reader is shown. `schools` are names by id, `minimum` the least number of families shown."""

    id: str
    title: str
    meets_on: date
    as_of: date
    digest: str | None
    published_on: date | None
    audience: str
    minimum: int
    language: str
    schools: Mapping[str, str]
    parts: tuple[ReportPart, ...]
    promises: tuple[Promise, ...]
    mirrored: tuple[Comparison, ...] = ()
    """Questions that two populations were asked in its surveys."""
    trends: tuple[Trend, ...] = ()
    """Its surveys compared with earlier ones."""
    schools_left_out: int = 0
    """Number of schools that have figures, but no tables in this report (group_choice.py)."""

    @property
    def populations(self) -> tuple[str, ...]:
        """Who answered its surveys, in their order, each once."""
        return tuple(dict.fromkeys(part.population for part in self.parts))

    def minimum_of(self, part: ReportPart) -> int:
        """The least number of people of a survey that is shown."""
        return part.minimum or self.minimum


def build_report(
    session: Session, checkpoint: Checkpoint, document: CheckpointFigures, audience: str, language: str
) -> Report:
    """Build the report of a checkpoint for an audience and language, from its figures (`freezing.build_document`)."""
    by_wave = {wave: list(each) for wave, each in groupby(figure_rows(document, audience), key=attrgetter("wave"))}
    parts = tuple(
        build_part(session, wave, by_wave.get(wave["id"], []), audience, language) for wave in document["waves"]
    )
    return Report(
        id=checkpoint.id,
        title=checkpoint.title,
        meets_on=checkpoint.meets_on,
        as_of=date.fromisoformat(document["as_of"]),
        digest=checkpoint.digest,
        published_on=checkpoint.published_on,
        audience=audience,
        minimum=document["minimum"][audience],
        language=language,
        schools={school.id: school.name for school in session.scalars(select(School))},
        parts=parts,
        mirrored=tuple(find_mirrored_items(parts)),
        trends=tuple(find_trends(session, parts, audience, language)),
        promises=tuple(build_promises(checkpoint.commitments, language)),
    )


def build_promises(commitments: Iterable[Commitment], language: str) -> Iterable[Promise]:
    """The commitments in a language; each is entirely in that language or entirely in English."""
    for commitment in commitments:
        translations = {words.language: words for words in commitment.words}
        words = translations.get(language) or translations.get(SOURCE)
        if words is not None:
            theme, you_said, we_will = (Words(text, words.language) for text in _commitment_texts(words))
            yield Promise(theme, you_said, we_will, commitment.owner, commitment.due, commitment.status)


def _commitment_texts(words: CommitmentWords) -> tuple[str, str, str]:
    return words.theme, words.you_said, words.we_will
