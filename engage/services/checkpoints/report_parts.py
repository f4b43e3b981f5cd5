"""One wave of a checkpoint for one reader: coverage, then findings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import cast

from sqlalchemy.orm import Session

from engage.domain.summaries.published_figures import GROUP_DIMENSIONS, HouseholdCounts, HouseholdNumber, ResponseCounts
from engage.questionnaire.editions import load_edition
from engage.questionnaire.model import Survey
from engage.services.checkpoints.figure_rows import FigureRow, percent_of
from engage.services.checkpoints.findings import Finding, build_findings
from engage.services.checkpoints.freezing import WaveFigures
from engage.storage.models.schools import UNDETERMINED
from engage.storage.models.waves import StoredEdition


@dataclass(frozen=True, slots=True)
class GroupCoverage:
    """How many answered in one group (code None: all), and how many households it has, where known; of a survey that
    families did not answer, how many educators or students.

    `band` takes the place of a number of households that would reveal answers: {"below": n}, {"least": n}, or {} if
    nothing is published.
    """

    code: str | None
    responses: int | None
    households: int | None
    band: Mapping[str, int] | None = None

    @property
    def share(self) -> Fraction | None:
        """Responses divided by households; None if either is unknown or more answered than the roster has."""
        if self.responses is None or not self.households or self.overfull:
            return None
        if self.code == UNDETERMINED and not self.responses:  # they may be counted under the language of the page
            return None
        return Fraction(self.responses, self.households)

    @property
    def percent(self) -> str | None:
        """The share as displayed."""
        share = self.share
        return None if share is None else percent_of(share.numerator, share.denominator)

    @property
    def overfull(self) -> bool:
        """Whether there are more responses than households on the roster."""
        return self.responses is not None and self.households is not None and self.responses > self.households


@dataclass(frozen=True, slots=True)
class ReportPart:
    """One wave: coverage, then findings. `coverage` is by breakdown, "all" first. `as_of` is the day of the count if it
    differs from the report's: a draft over an open wave is renewed in steps. `counting` and `asked` say who could have
    answered (storage/models/waves.py Wave); both are empty if unknown."""

    wave: str
    survey: Survey
    opens: date
    closes: date
    as_of: date | None
    counting: str
    asked: str
    coverage: Mapping[str, tuple[GroupCoverage, ...]]
    findings: tuple[Finding, ...]
    burst: str = ""
    """Why responses in bursts are counted or not: a code of storage/models/bursts.py; empty if there were none."""
    population: str = "family"
    """Who answered (storage/models/waves.py Wave)."""
    minimum: int = 0
    """The least number of people shown; 0 if it is the report's."""
    english: Survey | None = None
    """The survey in English, by whose words questions are compared."""

    @property
    def responses(self) -> int | None:
        """How many answered; None if suppressed."""
        return self.coverage["all"][0].responses


def build_part(session: Session, wave: WaveFigures, rows: list[FigureRow], audience: str, language: str) -> ReportPart:
    """Build the part of a wave from its figures and rows."""
    edition = session.get_one(StoredEdition, wave["edition"])
    stored = load_edition(edition.document)
    survey = stored.survey(language)
    rule = wave.get("households") or {}
    roster = _visible_households(wave, audience)
    return ReportPart(
        wave=wave["id"],
        survey=survey,
        opens=date.fromisoformat(wave["opens"]),
        closes=date.fromisoformat(wave["closes"]),
        as_of=date.fromisoformat(wave["as_of"]) if "as_of" in wave else None,
        counting=rule.get("counting", "family") if rule else "",
        asked=rule.get("asked", "everyone") if rule else "",
        coverage=_build_coverage(wave["audiences"][audience]["responses"], roster),
        findings=tuple(build_findings(rows, survey)),
        burst=wave.get("burst", ""),
        population=wave.get("population", "family"),
        minimum=wave["minimum"][audience] if "minimum" in wave else 0,
        english=stored.survey("en"),
    )


def _visible_households(wave: WaveFigures, audience: str) -> HouseholdCounts:
    """The households that the audience sees; a document of format 1 stores them outside of the audiences."""
    figures = wave["audiences"][audience]
    return figures["households"] if "households" in figures else cast(HouseholdCounts, wave.get("households") or {})


def _build_coverage(responses: ResponseCounts, roster: HouseholdCounts) -> dict[str, tuple[GroupCoverage, ...]]:
    """Coverage of every group that answered or could have answered; a group only on the roster has no responses."""
    expected: dict[str, dict[str, HouseholdNumber]] = {
        "school": roster.get("school", {}),
        "language": roster.get("language", {}),
        "mode": {},
    }
    coverage: dict[str, tuple[GroupCoverage, ...]] = {}
    coverage["all"] = (_build_group_coverage(None, responses["all"], roster.get("all"), "all" in roster),)
    for dimension in GROUP_DIMENSIONS:
        groups, households = responses[dimension], expected[dimension]
        codes = sorted({*groups, *households})
        # A breakdown without groups, but with responses, was removed (release_consistency.py).
        if codes and (groups or not responses["all"]):
            coverage[dimension] = tuple(
                _build_group_coverage(code, groups.get(code, 0), households.get(code, 0), bool(households))
                for code in codes
            )
    return coverage


def _build_group_coverage(
    code: str | None, responses: int | None, households: HouseholdNumber, is_on_roster: bool
) -> GroupCoverage:
    """Coverage of one group. `is_on_roster`: whether a roster has the number of households of the groups."""
    if not is_on_roster:
        return GroupCoverage(code, responses, None)
    if isinstance(households, int):
        return GroupCoverage(code, responses, households)
    return GroupCoverage(code, responses, None, households or {})
