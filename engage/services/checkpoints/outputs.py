"""The outputs of a checkpoint, for the district pages and the command line: its figures, packet, and files."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from jinja2 import Environment, FileSystemLoader
from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.base.exports.csv import csv_bytes
from engage.base.exports.xlsx import Worksheet, write_xlsx
from engage.base.files import replace_file
from engage.domain.intake.burst_marks import published_reason
from engage.domain.intake.group_assignment import has_sealed_groups
from engage.domain.paper.documents import document as paper
from engage.domain.roster.sampling_units import SamplingUnit, list_sampling_units
from engage.domain.summaries.column_store import columns_folder, lock_folder
from engage.domain.summaries.population import with_population
from engage.domain.summaries.published_figures import shown_dimensions
from engage.domain.summaries.release_history import Released
from engage.domain.summaries.tables import DIMENSIONS
from engage.domain.summaries.wave_summary import load_releases
from engage.services.checkpoints import export_table
from engage.services.checkpoints.coverage import count_households, count_population
from engage.services.checkpoints.figure_rows import figure_rows
from engage.services.checkpoints.freezing import (
    CheckpointFigures,
    WaveFigures,
    build_document,
    canonical_json,
    digest,
    load_frozen_figures,
    require_answers,
)
from engage.services.checkpoints.meeting_packet import (
    coverage_heading,
    coverage_tables,
    figures_status_text,
    packet_blocks,
    reading_notes,
)
from engage.services.checkpoints.release_consistency import (
    drop_breakdowns,
    earlier_figures,
    reconcile_figures,
    suppress_open_waves,
)
from engage.services.checkpoints.report import Report
from engage.services.checkpoints.wording import FigureWording
from engage.services.waves.populations import EDUCATOR, FAMILY
from engage.storage.models.checkpoints import Checkpoint, CheckpointWave
from engage.storage.models.waves import Wave

DRAFTS = "drafts"  # a folder in the site's directory


class JsonWave(TypedDict):
    """A wave of the JSON file; a field is None if the frozen figures do not have it. `minimum` is the least number of
    people shown. How many could have answered is in `households` if families answered, in `roster` if not."""

    id: str
    survey: str
    edition: str
    opens: str
    closes: str
    population: str
    minimum: int
    households: NotRequired[dict[str, object]]
    roster: NotRequired[dict[str, object]]
    burst: str | None
    responses: dict[str, object]


class JsonReport(TypedDict):
    """The JSON file of a checkpoint for one audience; `rows` are FigureRow's fields and `shown`, the share as text."""

    checkpoint: str
    title: str
    meets_on: str
    audience: str
    minimum: int
    as_of: str
    digest: str | None
    waves: list[JsonWave]
    rows: list[dict[str, object]]


TEMPLATES = Path(__file__).parent / "templates"


def suppress_draft(
    session: Session, checkpoint: Checkpoint, site_dir: Path, today: date, released: Mapping[str, Released]
) -> CheckpointFigures:
    """The draft figures that may be shown. `released` are each wave's by audience. The last figures shown of a wave
    that is still open are stored in the site's directory, so that every process and machine shows the same."""
    fresh = count_figures(session, checkpoint, site_dir, today, released)
    paths = {wave.id: _draft_path(site_dir, wave.id) for wave in checkpoint.waves}
    with lock_folder(site_dir / DRAFTS, "shown"):
        earlier = {wave: last for wave, path in paths.items() if (last := _read_draft(path))}
        draft = suppress_open_waves(fresh, earlier, today)
        for wave in draft["waves"]:
            if "as_of" in wave and wave != earlier.get(wave["id"]):
                _write_draft(paths[wave["id"]], wave)
    return draft


def count_figures(
    session: Session,
    checkpoint: Checkpoint,
    site_dir: Path,
    today: date,
    released: Mapping[str, Released] | None = None,
) -> CheckpointFigures:
    """The current figures of every audience, suppressed so that they protect families even in combination with other
    checkpoints' frozen figures. `released` are each wave's by audience, counted together with `other_frozen_figures`;
    without them they are counted here, which needs a write session and blocks other writers. The caller commits. Raises
    AnswersDeleted."""
    require_answers(checkpoint)
    everyone, others = _roster_reader(session), other_frozen_figures(session, checkpoint)
    counted = build_document(
        checkpoint.waves,
        lambda wave: (
            load_releases(session, wave, site_dir, earlier_figures(others, wave.id))
            if released is None
            else released[wave.id]
        ),
        today,
        lambda wave: (
            count_households(session, wave, everyone(wave))
            if wave.population == FAMILY
            else count_population(session, wave)
        ),
    )
    sealed = {wave.id for wave in checkpoint.waves if has_sealed_groups(session.connection(), wave.id)}
    reasons = {wave.id: published_reason(session, wave.id) for wave in checkpoint.waves}
    return reconcile_figures(_add_burst_reasons(_add_intervals(drop_breakdowns(counted, sealed)), reasons), others)


def _add_burst_reasons(document: CheckpointFigures, reasons: Mapping[str, str]) -> CheckpointFigures:
    """The document with the reason why responses in bursts are counted or not, where there were any."""

    def with_reason(wave: WaveFigures) -> WaveFigures:
        reason = reasons[wave["id"]]
        return {**wave, "burst": reason} if reason else wave

    return {**document, "waves": [with_reason(wave) for wave in document["waves"]]}


def _add_intervals(document: CheckpointFigures) -> CheckpointFigures:
    """The document with intervals computed for the households or students of the roster, where an audience sees them.
    Educators have intervals for an unknown number: the roster has teachers only, and aides may answer too."""

    def with_intervals(wave: WaveFigures) -> WaveFigures:
        if wave.get("population") == EDUCATOR:
            return wave
        audiences = wave["audiences"].items()
        return {**wave, "audiences": {name: with_population(each, each["households"]) for name, each in audiences}}

    return {**document, "waves": [with_intervals(wave) for wave in document["waves"]]}


def other_frozen_figures(session: Session, checkpoint: Checkpoint) -> list[CheckpointFigures]:
    """The frozen figures to compare with, oldest first."""
    return [figures for each in _overlapping_checkpoints(session, checkpoint) if (figures := load_frozen_figures(each))]


def other_frozen_digests(session: Session, checkpoint: Checkpoint) -> tuple[str, ...]:
    """The digests of the frozen figures to compare with."""
    return tuple(each.digest or "" for each in _overlapping_checkpoints(session, checkpoint))


def _roster_reader(session: Session) -> Callable[[Wave], Sequence[SamplingUnit]]:
    """Returns a function that lists everyone who could have answered a wave. Waves that ask the same households share
    one query of the roster, which takes a second for 60,000 households."""
    read: dict[object, Sequence[SamplingUnit]] = {}

    def everyone(wave: Wave) -> Sequence[SamplingUnit]:
        schools = tuple(school.id for school in wave.schools)
        rule = (wave.counting, schools, wave.asked)
        if rule not in read:
            read[rule] = list(list_sampling_units(session, wave.counting, schools, wave.asked, opted_out=None))
        return read[rule]

    return everyone


def find_leftover_files(session: Session, site_dir: Path) -> list[Path]:
    """Files left from counting waves whose answers were deleted: column files, and the last drafts shown."""
    deleted = session.scalars(select(Wave.id).where(Wave.deleted_on.is_not(None)))
    places = [place for wave in deleted for place in (columns_folder(site_dir, wave), _draft_path(site_dir, wave))]
    return [place for place in places if place.exists()]


def _draft_path(site_dir: Path, wave: str) -> Path:
    """The file of the figures of an open wave that were shown last."""
    return site_dir / DRAFTS / f"{digest(wave)}.json"


def _overlapping_checkpoints(session: Session, checkpoint: Checkpoint) -> Iterable[Checkpoint]:
    """Frozen checkpoints that share a wave, oldest first."""
    shared = CheckpointWave.wave_id.in_([wave.id for wave in checkpoint.waves])
    ids = select(CheckpointWave.checkpoint_id).where(shared)
    overlapping = select(Checkpoint).where(
        Checkpoint.id.in_(ids), Checkpoint.id != checkpoint.id, Checkpoint.frozen_on.is_not(None)
    )
    return session.scalars(overlapping.order_by(Checkpoint.frozen_on, Checkpoint.id)).all()


def _read_draft(path: Path) -> WaveFigures | None:
    try:
        draft: WaveFigures = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return draft


def _write_draft(path: Path, wave: WaveFigures) -> None:
    replace_file(path, canonical_json(wave).encode(), durable=False)


def render_pdf(report: Report, wording: FigureWording, district: str, fonts: Path | None = None) -> bytes:
    """The meeting packet as a PDF. Raises MissingFont."""
    out = BytesIO()
    blocks = list(_paper_blocks(packet_blocks(report, wording)))
    footer = figures_status_text(report, wording)
    language = wording.language.tag
    format = paper.DocumentFormat(language, wording.words, district, footer, fonts=fonts)
    paper.write_document(out, report.title, blocks, format)
    return out.getvalue()


def render_html(report: Report, wording: FigureWording) -> str:
    """The packet as one self-contained HTML file."""
    plain = [(*each, *[None] * (5 - len(each))) for each in packet_blocks(report, wording)]
    templates = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return templates.get_template("meeting_packet.html").render(
        title=report.title, language=wording.language, blocks=plain
    )


def render_csv(report: Report, wording: FigureWording) -> bytes:
    """The flat table as CSV."""
    return b"".join(csv_bytes(export_table.column_headings(wording), export_table.table_lines(report, wording)))


def build_json(report: Report, document: CheckpointFigures) -> JsonReport:
    """The figures of the report's audience as JSON types: metadata, coverage, and the flat table."""
    waves = [_build_json_wave(wave, report.audience, report.minimum) for wave in document["waves"]]
    rows = [{**asdict(row), "shown": row.percent} for row in figure_rows(document, report.audience)]
    return {
        "checkpoint": report.id,
        "title": report.title,
        "meets_on": report.meets_on.isoformat(),
        "audience": report.audience,
        "minimum": report.minimum,
        "as_of": report.as_of.isoformat(),
        "digest": report.digest,
        "waves": waves,
        "rows": rows,
    }


def _build_json_wave(wave: WaveFigures, audience: str, minimum: int) -> JsonWave:
    figures, population = wave["audiences"][audience], wave.get("population", FAMILY)
    roster = {**(wave.get("households") or {}), **figures.get("households", {})}
    built: JsonWave = {
        "id": wave["id"],
        "survey": wave["survey"],
        "edition": wave["edition"],
        "opens": wave["opens"],
        "closes": wave["closes"],
        "population": population,
        "minimum": wave["minimum"][audience] if "minimum" in wave else minimum,
        "burst": wave.get("burst"),
        "responses": _drop_missing_dimensions({**figures["responses"]}, population),
    }
    if population == FAMILY:
        built["households"] = roster
    else:
        built["roster"] = _drop_missing_dimensions(roster, population)
    return built


def _drop_missing_dimensions(numbers: Mapping[str, object], population: str) -> dict[str, object]:
    """The numbers without the breakdowns that figures of a population do not have."""
    missing = {*DIMENSIONS} - {*shown_dimensions(population)}
    return {name: number for name, number in numbers.items() if name not in missing}


def render_xlsx(report: Report, wording: FigureWording) -> bytes:
    """The figures, coverage, and metadata as XLSX."""
    # translators: title of a sheet of a workbook
    figures_title = wording.words.gettext("Figures")
    sheets = [
        Worksheet(
            figures_title,
            export_table.column_headings(wording),
            list(export_table.table_lines(report, wording)),
            export_table.SHARES,
        )
    ]
    for part in report.parts:
        title = coverage_heading(wording.of(part.population))
        tables = coverage_tables(part, report, wording)
        sheets += [Worksheet(title, header, lines) for _, header, lines, _ in tables]
    out = BytesIO()
    # translators: title of the sheet of a workbook that says what the figures are
    write_xlsx(out, sheets, manifest(report, wording), wording.language.rtl, wording.words.gettext("About"))
    return out.getvalue()


def manifest(report: Report, wording: FigureWording) -> dict[str, str]:
    """The metadata of exported figures: what they are, by label."""
    words = wording.words
    audiences = {
        # translators: who the figures are meant for: the leaders of the school district
        "leaders": words.gettext("District leaders"),
        # translators: who the figures are meant for: everybody
        "public": words.gettext("Families and the public"),
    }
    return {
        # translators: label: the title of a meeting about survey results
        words.gettext("Checkpoint"): report.title,
        # translators: label: who the figures are meant for
        words.gettext("Figures for"): audiences[report.audience],
        # translators: label: whether the figures may still change
        words.gettext("Figures"): figures_status_text(report, wording),
        # translators: label: a long number that proves that the figures were not changed
        words.gettext("Digest"): report.digest or "–",
        # translators: label: sentences on how to read the figures
        words.gettext("How to read this"): " ".join(reading_notes(report, wording)),
        # translators: label: who is counted as "could have answered"
        words.gettext("Who could have answered"): " ".join(_counting_rules(report, wording)) or "–",
    }


def _counting_rules(report: Report, wording: FigureWording) -> Iterator[str]:
    """How each survey counts who could have answered."""
    # translators: %(survey)s is a survey's title, %(rule)s a sentence on how families, or others, are counted
    sentence = wording.words.gettext("%(survey)s: %(rule)s")
    for part in report.parts:
        if rule := wording.of(part.population).rule(part.counting, part.asked):
            yield sentence % {"survey": part.survey.title, "rule": rule}


def _paper_blocks(plain: Iterable[tuple[Any, ...]]) -> Iterator[paper.Block]:
    """Convert plain blocks (services/checkpoints/meeting_packet.py) to blocks of the PDF renderer."""
    for kind, *arguments in plain:
        match kind:
            case "heading":
                yield paper.Heading(*arguments)
            case "paragraph":
                yield paper.Paragraph(*arguments)
            case "strong":
                yield paper.Paragraph(arguments[0], bold=True)
            case "remark":
                yield paper.Paragraph(arguments[0], soft=True)
            case "list":
                yield paper.Listing(*arguments)
            case "table":
                yield paper.DocumentTable(*arguments)
            case "bars":
                yield paper.Bars(*arguments)
            case "lines":
                yield paper.Lines(*arguments)
            case "page":
                yield paper.PageBreak()
            case _:
                raise ValueError(f"no block of paper is called {kind!r}")
